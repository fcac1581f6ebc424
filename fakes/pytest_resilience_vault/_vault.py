"""`Vault`: the fake, and what a test may do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_resilience import Attempt, Fake, PlanError
from pytest_resilience_vault import _state, _wanted
from pytest_resilience_vault._answers import error_response
from pytest_resilience_vault._core import Core
from pytest_resilience_vault._errors import Lacking, one_of
from pytest_resilience_vault._events import events
from pytest_resilience_vault._flavour import FLAVOURS, OPENBAO, VAULT
from pytest_resilience_vault._front import Front
from pytest_resilience_vault._presets import BY_STATUS, QUOTA, RateLimited, presets
from pytest_resilience_vault._roles import Credentials, change_role
from pytest_resilience_vault._seal import DR_SECONDARY, PERFORMANCE_STANDBY
from pytest_resilience_vault._setup import set_up
from pytest_resilience_vault._stored import get_secret, mount_of, put_secret
from pytest_resilience_vault._tokens import Token

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

FOR_EVER = float("inf")


class Vault(Fake):
    """A HashiCorp Vault with secrets, roles and tokens in memory.

    ::

        with Vault() as vault:
            vault.put("secret/myapp", {"password": "s3cr3t"})
            vault.fail(503, times=2)
            client = hvac.Client(vault.url, vault.token)

    It speaks the HTTP API of Vault 1.20 (community edition, integrated storage): AppRole,
    tokens and token roles, KV versions 1 and 2, policies, response wrapping, mounts, rate-limit
    quotas, health, seal, init, generate-root and leader, with Vault's own error texts; or that of
    OpenBao 2.7, with ``flavour="openbao"``. A new one has KV version 2 at ``secret/``, AppRole
    at ``approle/`` and a role ``app`` whose policy ``app`` allows everything below ``secret/``.
    Time is the server's clock: TTLs, deletions, lockouts and quotas end when a virtual clock
    gets there.

    It leaves out audit devices, groups, other engines and auth methods: such a request is
    answered with 404 or 501 and reported as unmatched.

    Args:
        flavour: ``"vault"``, or ``"openbao"``.
        options: The keyword arguments of `Fake`.
    """

    _flavour = VAULT

    def __init__(self, *, flavour: str = "", **options: Any) -> None:
        if flavour:
            if flavour not in FLAVOURS:
                raise PlanError(f"flavour is {flavour!r}; allowed is 'vault' or 'openbao'")
            self._flavour = FLAVOURS[flavour]
        super().__init__(**options)

    def reset(self) -> None:
        """A Vault as new, with new ids, tokens and keys."""
        # Asked each time: another clock may come into force.
        self._core = Core(lambda: self.clock.time(), self._flavour)  # noqa: PLW0108
        self._front = Front(self._core, lambda: self.url)
        self._setup = set_up(self._core)
        self._handed_out: dict[str, list[str]] = {
            "token": [],
            "secret_id": [],
            "unseal_key": [],
        }
        self._token = ""

    # What a client needs

    @property
    def environment(self) -> dict[str, str]:
        """VAULT_ADDR, VAULT_TOKEN (the root token), VAULT_ROLE_ID and VAULT_SECRET_ID."""
        return {
            "VAULT_ADDR": self.url,
            "VAULT_TOKEN": self.root_token,
            "VAULT_ROLE_ID": self.role_id,
            "VAULT_SECRET_ID": self.secret_id,
        }

    @property
    def root_token(self) -> str:
        """A token that may do everything and never expires."""
        return self._core.root_token

    @property
    def role_id(self) -> str:
        """Of the role ``app``."""
        return self._setup.role_id

    @property
    def secret_id(self) -> str:
        """Of the role ``app``; it may be used any number of times."""
        return self._setup.secret_id

    @property
    def unseal_keys(self) -> list[str]:
        """Five shares, of which three unseal."""
        with self.lock:
            keys = list(self._core.seal.keys)
            self._handed_out["unseal_key"] = keys
            return keys

    @property
    def token(self) -> str:
        """A token of the role ``app``, the same one for as long as it is good; see `new_token`.

        After it has ended, or `role` has changed its role, it is a new one.
        """
        with self.lock:
            if self._core.tokens.find(self._token, self._core.time()) is None:
                self._token = self.new_token()
            return self._token

    def new_token(self) -> str:
        """Another token of the role ``app``, as a login would give it."""
        with self.lock:
            token = self._setup.new_token(self._core)
            self._handed_out["token"].append(token)
            return token

    # Secrets

    def put(self, path: str, data: Mapping[str, Any]) -> None:
        """Store a secret: ``put("secret/myapp", {"password": "s3cr3t"})``.

        Args:
            path: Mount and path, without the ``data/`` of KV version 2.
            data: JSON. On version 2 it becomes the newest version.
        """
        with self.lock:
            put_secret(self._core, path, data)

    def get(self, path: str, version: int | None = None) -> dict[str, Any] | None:
        """The data of a secret; None when there is none, or it is deleted.

        Args:
            path: Mount and path, without the ``data/`` of KV version 2.
            version: An older version, on KV version 2.
        """
        with self.lock:
            return get_secret(self._core, path, version)

    def mount(self, path: str, version: int = 2) -> None:
        """Mount a KV engine: ``mount("kv1", version=1)``."""
        if version not in (1, 2):
            raise PlanError(f"version is {version!r}; allowed is 1 or 2")
        with self.lock:
            self._core.mount_kv(_wanted.free_place(self._core.mounts, path), version)

    @property
    def stored_secrets(self) -> Mapping[str, Any]:
        """The data of all secrets, by their paths, and the credentials that a test asked for.

        No client may show them.
        """
        with self.lock:
            handed_out = {name: [*values] for name, values in self._handed_out.items()}
            return {"fake_vault": handed_out, **_state.secrets(self._core)}

    # Roles, policies and tokens

    def role(self, name: str = "app", **settings: Any) -> Credentials:
        """Make an AppRole role, or change one; its ids stay what they are.

        Args:
            name: The role.
            settings: Fields of Vault's API: ``policies=["reader"]``, ``token_ttl=60``,
                ``token_num_uses=3``, ``secret_id_num_uses=1``, ``secret_id_ttl=60``, ...
                A role that has no policies yet gets the policy ``app``.

        Returns:
            Its role id and a secret id that works.
        """
        with self.lock:
            credentials = change_role(self._core, name, settings)
            self._handed_out["secret_id"].append(credentials.secret_id)
            self._token = ""
            return credentials

    def policy(self, name: str, text: str) -> None:
        """Write a policy, in HCL; it is in force at once."""
        if not all(isinstance(word, str) for word in (name, text)) or not name:
            raise PlanError(f"policy({name!r}, {text!r}): wanted are a name and its text in HCL")
        with self.lock:
            try:
                self._core.policies.write(name.lower(), text)
            except ValueError as error:
                raise PlanError(str(error)) from None

    def deny(self, path: str) -> None:
        """Forbid a path to every token but root: the permission is lost in the middle of a run.

        Args:
            path: As in a policy, ``*`` and ``+`` included: ``"secret/data/myapp"``.
                ``"secret/myapp"`` on a KV version 2 stands for all its paths. `allow`
                takes it back.
        """
        with self.lock:
            self._core.denials.add(mount_of(self._core, path).paths)

    def allow(self, path: str) -> None:
        """Take back what `deny` has forbidden."""
        with self.lock:
            self._core.denials.remove(mount_of(self._core, path).paths)

    def expire_token(self, token: str | None = None) -> None:
        """Let a token's time run out; every token but root without a name."""
        with self.lock:
            for found in self._tokens(token):
                self._core.tokens.revoke(found)

    def revoke(self, token: str) -> None:
        """Revoke a token and its children."""
        self.expire_token(_wanted.token(token))

    def _tokens(self, named: str | None) -> list[Token]:
        tokens = self._core.tokens
        if named is None:
            return [token for token in tokens if not token.is_root]
        found = tokens.find(_wanted.token(named), self._core.time())
        return [] if found is None else [found]

    # The node

    def seal(self) -> None:
        """Seal: 503 to everything but health, seal status and unseal."""
        with self.lock:
            self._core.seal.close()

    def unseal(self) -> None:
        """Unseal, without keys."""
        with self.lock:
            self._core.seal.open()

    def step_down(
        self,
        leader: str = "",
        *,
        forwards: bool = False,
        cut_off: bool = False,
        seconds: float = FOR_EVER,
    ) -> None:
        """Be a standby: health is 429, and requests are not answered here.

        Args:
            leader: The active node's URL, to which requests are sent with a 307; it may be
                dead. Without one they get a 500, because no leader is known.
            forwards: Answer as a standby that forwards to a living leader does: as usual,
                except to requests with X-Vault-No-Request-Forwarding.
            cut_off: It does not hear from the leader any more: ten seconds later health is 474,
                as of Vaults since 1.19.
            seconds: After which this node is active again; never, unless `step_up` is
                called.
        """
        leader, seconds = _wanted.leader(leader), _wanted.seconds("seconds", seconds)
        with self.lock:
            self._core.seal.step_down(seconds, leader, forwards=forwards, cut_off=cut_off)

    def performance_standby(self, behind: float = 0) -> None:
        """Be a performance standby of Vault Enterprise: health is 473, requests are answered.

        Args:
            behind: Seconds for which it has not caught up with the active node: a request
                that names the state it needs (X-Vault-Index) is refused with 412, unless it
                asks to be forwarded (X-Vault-Inconsistent).
        """
        behind = _wanted.seconds("behind", behind)
        with self.lock:
            self._core.seal.step_down(FOR_EVER, kind=PERFORMANCE_STANDBY, behind=behind)

    def dr_secondary(self) -> None:
        """Be a disaster recovery secondary: health is 472, requests are refused with 400."""
        with self.lock:
            self._core.seal.step_down(FOR_EVER, kind=DR_SECONDARY)

    def use_up_quota(self, seconds: float) -> None:
        """Answer 429 to everybody for so long, as a rate-limit quota does that is used up.

        A quota that counts is made as on the real server: ``sys/quotas/rate-limit/<name>``.
        """
        seconds = _wanted.seconds("seconds", seconds)
        with self.lock:
            self._core.quotas.closed_until = self._core.time() + seconds

    def namespace(self, path: str) -> None:
        """Make a namespace, ``"team"`` or ``"team/child"``, with nothing in it.

        The community edition ignores X-Vault-Namespace, and so does this fake until the
        first namespace is made; from then on an unknown one is refused, as Vault Enterprise
        does. The flavour ``openbao`` has namespaces from the beginning.
        """
        names = _wanted.namespace(path)
        with self.lock:
            core = self._core
            core.has_namespaces = True
            for name in names:
                core = core.children.get(f"{name}/") or core.new_child(name)

    def step_up(self) -> None:
        """Be the active node."""
        with self.lock:
            self._core.seal.step_up()

    # State, for the control API

    def state(self) -> dict[str, Any]:
        """What is stored, as JSON data; `set_state` takes the same form.

        ::

            {"sealed": false,
             "standby": null or {"leader": "http://...", "forwards": false, "cut_off": false},
             "mounts": {"secret/": 2, "kv1/": 1},
             "secrets": {"secret/myapp": {"password": "s3cr3t"}},
             "policies": {"app": "path ..."},
             "roles": {"app": {"role_id": "...", "secret_ids": ["..."], "token_ttl": 0, ...}},
             "tokens": {"hvs....": {"policies": ["app", "default"], "ttl": 2764800}}}
        """
        with self.lock:
            return _state.read(self._core)

    def set_state(self, state: Any) -> None:
        """Change what is named, and leave the rest alone.

        ``null`` in place of a secret, a policy or a role forgets it, in place of a token
        expires it; ``"tokens": null`` expires every token but root.
        A token that is not there is made, so the state of another Vault can be set; a role has
        the ``secret_ids`` that are named, and no others.
        ``"standby": {"leader": "..."}`` steps down, ``null`` steps up.

        Raises:
            PlanError: A key is unknown or a value cannot be meant; nothing is changed.
        """
        with self.lock:
            _state.write(self._core, state)
            self._setup.choose_secret_id()

    # Fake's side

    def handle(self, request: Request) -> Response:
        """Answer as Vault does; a path that this fake lacks is reported as unmatched."""
        if self.is_routed(request):
            return super().handle(request)  # A route of a derived class.
        response: Response
        request.method = request.environ["REQUEST_METHOD"]  # As sent: werkzeug makes GET of get.
        try:
            response = self._front.answer(request)
        except Lacking as lacking:
            response = error_response(501, [str(lacking)])
        else:
            if response.status_code < 400 or not self._front.lacks(request):
                return response
        self._unmatched = response
        return super().handle(request)

    def unmatched(self, request: Request, nearest: list[str]) -> Response:
        """What Vault says of a path that it does not know; 501 where it would do something."""
        return self._unmatched

    def nearest_routes(self, request: Request) -> list[str]:
        """Paths that resemble the one asked for."""
        return self._front.nearest(request)

    def error(self, status: int, message: str | None = None) -> Response:
        """Vault's error body for a status."""
        errors = [message] if message else BY_STATUS.get(status)
        if errors is None:
            errors = [one_of("internal error")] if status >= 500 else []
        return self._front.refusal(status, errors)

    @property
    def presets(self) -> Mapping[str, Callable[[], Any]]:
        """Errors of Vault's by name: ``fail("sealed")``."""
        return presets(self._front.refusal, self._front.standby_health)

    def error_for(self, attempt: Attempt, status: int) -> Response:
        """The same; the error of a quota names the path that was asked for."""
        if status == 429:
            return self._front.refusal(429, [QUOTA.format(path=attempt.path.removeprefix("/v1/"))])
        return self.error(status)

    @property
    def named_faults(self) -> Mapping[str, Any]:
        """The presets; the quota's error names the path that was asked for."""
        refuse = self._front.refusal
        own = {"rate_limited": RateLimited(refuse), **events(self, refuse)}
        return {**super().named_faults, **own}


class OpenBao(Vault):
    """The same in the flavour ``openbao``: its tokens, version and words.

    ``pytest-resilience serve pytest_resilience_vault:OpenBao`` serves it.
    """

    _flavour = OPENBAO
