"""What an OpenBao asks and tells about a policy besides its text (handlePoliciesSet).

Check-and-set, and a time after which it is as if it had never been written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._policy import OPENBAOS_TERMS, Policy, Terms
from pytest_resilience_vault._times import stamp

if TYPE_CHECKING:
    from pytest_resilience_vault._call import Call

NEW = -1
"""The check-and-set parameter of who wants to write what nobody has written."""


def read_terms(call: Call, old: Terms) -> Terms:
    """The terms that a request asks for; what it does not name is as it was."""
    # A null is as good as nothing (seen).
    named = [name for name in ("expiration", "ttl") if call.data.get(name) is not None]
    if len(named) > 1:
        raise bad_request("cannot supply both 'expiration' and 'ttl' for policies")
    expires = old.expires
    if named == ["expiration"]:
        expires = call.moment("expiration")
    elif named:
        expires = call.now + call.seconds("ttl")
    return Terms(
        expires,
        call.flag("cas_required", default=old.cas_required),
        call.flag("allow_wildcards_in_identity_templates", default=old.wildcards),
        call.flag("allow_slashes_in_identity_templates", default=old.slashes),
    )


def refuse_elapsed(terms: Terms, now: float) -> None:
    """What is over already is not written."""
    if terms.expires is not None and terms.expires <= now:
        raise bad_request("refusing to update policy as expiration time has already elapsed")


def check_and_set(old: Policy | None, terms: Terms, call: Call) -> None:
    """Refuse a change of another version than the one that is there."""
    if not call.has("cas"):
        if terms.cas_required or (old and old.terms.cas_required):
            raise bad_request("check-and-set parameter required for this call")
        return
    asked, there = call.whole("cas"), old.number if old else 0
    if asked == NEW and old is not None:
        raise bad_request("check-and-set parameter set to -1 on existing entry")
    if asked not in (NEW, there):
        words = f"check-and-set parameter {asked} did not match the current version {there}"
        raise bad_request(words)


def shown_terms(policy: Policy | None) -> dict[str, Any]:
    """As a read shows them; nobody has written the policy root."""
    terms = policy.terms if policy else OPENBAOS_TERMS
    shown: dict[str, Any] = {
        "allow_slashes_in_identity_templates": terms.slashes,
        "allow_wildcards_in_identity_templates": terms.wildcards,
        "cas_required": terms.cas_required,
        "version": policy.number if policy else 0,
    }
    if terms.expires is not None:
        shown["expiration"] = stamp(terms.expires)
    if policy is not None:
        shown["modified"] = stamp(policy.written)
    return shown
