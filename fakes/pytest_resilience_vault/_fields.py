"""The fields that a path takes: each name with the conversion that `Call` has for it.

From the paths' schemas, as sys/internal/specs/openapi of an OpenBao 2.7.2 shows them.
"""

from __future__ import annotations

Fields = dict[str, str]

_TOKEN: Fields = {
    "token_bound_cidrs": "texts",
    "token_explicit_max_ttl": "seconds",
    "token_no_default_policy": "flag",
    "token_num_uses": "whole",
    "token_period": "seconds",
    "token_type": "text",
}
ROLE: Fields = {
    **_TOKEN,
    "bind_secret_id": "flag",
    "bound_cidr_list": "texts",
    "local_secret_ids": "flag",
    "period": "seconds",
    "policies": "texts",
    "role_id": "text",
    "secret_id_bound_cidrs": "texts",
    "secret_id_num_uses": "whole",
    "secret_id_ttl": "seconds",
    "token_max_ttl": "seconds",
    "token_policies": "texts",
    "token_ttl": "seconds",
}
ROLE_ID: Fields = {"role_id": "text"}
OLD_LIST: Fields = {"bound_cidr_list": "texts"}
SECRET_ID: Fields = {
    "after": "text",
    "cidr_list": "texts",
    "limit": "whole",
    "list": "text",
    "metadata": "text",
    "num_uses": "whole",
    "token_bound_cidrs": "texts",
    "ttl": "seconds",
}
CUSTOM_SECRET_ID: Fields = {**SECRET_ID, "secret_id": "text"}
NAMED_SECRET_ID: Fields = {"secret_id": "text"}
NAMED_ACCESSOR: Fields = {"secret_id_accessor": "text"}

LOGIN: Fields = {"role_id": "", "secret_id": ""}
"""Converted before it is known that the path takes them, by the look for a lockout."""

CREATE: Fields = {
    "display_name": "text",
    "entity_alias": "text",
    "explicit_max_ttl": "text",
    "id": "text",
    "lease": "text",
    "meta": "pairs",
    "no_default_policy": "flag",
    "no_parent": "flag",
    "num_uses": "whole",
    "period": "text",
    "policies": "strings",
    "renewable": "flag",
    "ttl": "text",
    "type": "text",
}
TOKEN_ROLE: Fields = {
    **_TOKEN,
    "allowed_entity_aliases": "texts",
    "allowed_policies": "texts",
    "allowed_policies_glob": "texts",
    "bound_cidrs": "texts",
    "disallowed_policies": "texts",
    "disallowed_policies_glob": "texts",
    "explicit_max_ttl": "seconds",
    "orphan": "flag",
    "path_suffix": "text",
    "period": "seconds",
    "renewable": "flag",
}
TOKEN: Fields = {"token": "text"}
ACCESSOR: Fields = {"accessor": "text"}
RENEW: Fields = {"increment": "seconds", "token": "text"}
RENEW_ACCESSOR: Fields = {"accessor": "text", "increment": "seconds"}

PAGES: Fields = {"after": "text", "limit": "whole"}
"""Of lists, in an OpenBao."""

KV_CONFIG: Fields = {
    "cas_required": "flag",
    "delete_version_after": "signed",
    "max_versions": "whole",
    "metadata_cas_required": "flag",
}
KV_DATA: Fields = {"data": "mapping", "options": "mapping", "version": "whole"}
KV_VERSIONS: Fields = {"versions": "wholes"}
KV_METADATA: Fields = {
    "after": "text",
    "cas_required": "flag",
    "custom_metadata": "mapping",
    "delete_version_after": "seconds",
    "limit": "whole",
    "list": "text",
    "max_versions": "whole",
    "metadata_cas": "whole",
    "metadata_cas_required": "flag",
    "scan": "text",
}
KV_SUBKEYS: Fields = {"depth": "whole", "version": "whole"}

CAPABILITIES: Fields = {"accessor": "text", "path": "texts", "paths": "texts", "token": "text"}
DECODE: Fields = {"encoded_token": "text", "otp": "text"}
ALIAS: Fields = {
    "canonical_id": "text",
    "custom_metadata": "pairs",
    "entity_id": "text",
    "id": "text",
    "mount_accessor": "text",
    "name": "text",
}
ENTITY: Fields = {
    "disabled": "flag",
    "id": "text",
    "metadata": "pairs",
    "name": "text",
    "policies": "texts",
}
ENTITY_LOOKUP: Fields = {
    "alias_id": "text",
    "alias_mount_accessor": "text",
    "alias_name": "text",
    "id": "text",
    "name": "text",
}
HASH: Fields = {"algorithm": "text", "format": "text", "input": "text"}
LEASES: Fields = {"include_child_namespaces": "flag", "limit": "text", "type": "text"}
RANDOM: Fields = {"bytes": "whole", "format": "text"}
ROOT_ATTEMPT: Fields = {"otp": "text", "pgp_key": "text"}
ROOT_UPDATE: Fields = {"key": "text", "nonce": "text"}

POLICY: Fields = {
    "allow_slashes_in_identity_templates": "flag",
    "allow_wildcards_in_identity_templates": "flag",
    "cas": "whole",
    "cas_required": "flag",
    "expiration": "moment",
    "policy": "text",
    "ttl": "seconds",
}
"""In an OpenBao."""

QUOTA: Fields = {
    "block_interval": "seconds",
    "inheritable": "flag",
    "interval": "seconds",
    "path": "text",
    "rate": "number",
    "role": "text",
    "type": "text",
}
MOUNT: Fields = {
    "config": "mapping",
    "description": "text",
    "external_entropy_access": "flag",
    "local": "flag",
    "options": "pairs",
    "plugin_name": "text",
    "plugin_version": "text",
    "seal_wrap": "flag",
    "type": "text",
}
TUNE: Fields = {
    "allowed_response_headers": "texts",
    "audit_non_hmac_request_keys": "texts",
    "audit_non_hmac_response_keys": "texts",
    "default_lease_ttl": "text",
    "description": "text",
    "listing_visibility": "text",
    "max_lease_ttl": "text",
    "options": "pairs",
    "passthrough_request_headers": "texts",
    "plugin_version": "text",
    "token_type": "text",
    "user_lockout_config": "mapping",
}
REMOUNT: Fields = {"from": "text", "to": "text"}
