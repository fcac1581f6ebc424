"""The control application: drives a server over HTTP, from any language, on the same port.

It is served under ``/_resilience/`` once ``server.control = Control(server)`` is set. Its
requests are in no trace and meet no fault. It runs on the loop's thread, so nothing here
waits. docs/serve.md has the schema of every body.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_resilience import schedule
from pytest_resilience.answers import REASONS
from pytest_resilience.errors import PlanError, ResilienceError
from pytest_resilience.faults import Fault, _check, spec
from pytest_resilience.plan import Plan, Rule
from pytest_resilience.secrets.search import Search
from pytest_resilience.server import _guard, _shown
from pytest_resilience.server._call import JSON, Call, Refused
from pytest_resilience.server.credentials import variables

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from pytest_resilience.server.server import FakeServer

__all__ = ["ROOT", "Control", "environment"]

ROOT = "/_resilience/"
MOST_ATTEMPTS = 1_000
MOST_FAULTS = 1_000
"""Of one request: each is checked, named and searched for secrets, on the server's thread."""
MOST_TRACE_BODIES = 4 * 1024 * 1024
PARAMETERS = ("since", "limit", "credentials")
"""Of `GET trace`; the others take none."""

OUTAGE = 60.0
"""Seconds that ``POST down`` lasts unless told: while it lasts nobody new can say "up"."""

FIXED_HEADERS = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
)


class Control:
    """A WSGI application that drives a server.

    Args:
        server: The server; it also serves this application.
        told: Called with a line of text for each request that changed something.
    """

    def __init__(self, server: FakeServer, told: Callable[[str], object] | None = None) -> None:
        self._server = server
        self._told = told
        self._verbs: dict[str, dict[str, Callable[[Call], Any]]] = {
            "": {"GET": self._index},
            "reset": {"POST": self._reset},
            "faults": {"GET": self._planned, "POST": self._plan, "DELETE": self._clear},
            "trace": {"GET": self._trace},
            "state": {"GET": self._state, "POST": self._set_state},
            "down": {"POST": self._down},
            "up": {"POST": self._up},
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status = 200
        headers: tuple[tuple[str, str], ...] = FIXED_HEADERS
        try:
            data = self._answer(environ)
        except Refused as refused:
            status, headers = refused.status, (*headers, *refused.headers)
            data = {"error": self._masked(str(refused))}
        except ResilienceError as error:
            status, data = 400, {"error": self._masked(str(error))}
        except Exception as error:  # noqa: BLE001 -- the fake's own code; answered and kept
            self._server.errors.append(error)
            status, data = 500, {"error": f"{type(error).__name__}: {error}"}
        body = json.dumps(data).encode() + b"\n"
        start_response(f"{status} {REASONS[status]}", list(headers))
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> JSON:
        reason = _guard.refusal(environ)
        if reason:
            raise Refused(403, reason)
        name = environ["PATH_INFO"].removeprefix(ROOT.rstrip("/")).removeprefix("/")
        verbs = self._verbs.get(name)
        if verbs is None:
            paths = ", ".join(ROOT + known for known in self._verbs)
            hint = _check.nearest(name, list(self._verbs)) if name else ""
            asked = f"{ROOT}{name[: _check.LONGEST_NAME]}"
            raise Refused(404, f"there is no {asked}{hint}; there are: {paths}")
        method = environ["REQUEST_METHOD"]
        handler = verbs.get("GET" if method == "HEAD" else method)
        if handler is None:
            allowed = ", ".join(verbs)
            text = f"{method} is not allowed on {ROOT}{name}; it takes {allowed}"
            raise Refused(405, text, (("Allow", allowed),))
        return handler(Call(environ, PARAMETERS if handler == self._trace else ()))

    def _tell(self, line: str) -> None:
        if self._told is not None:
            self._told(self._server.masked(line))

    def _masked(self, text: str) -> str:
        """Without what is a secret for sure: programs read it, and look for ordinary words."""
        return Search(self._server.secrets).mask(text)

    def _rules_data(self, rules: Iterable[Rule]) -> list[dict[str, Any]]:
        mask = functools.cache(Search(self._server.secrets).mask)  # Many have the same words.
        return [
            {
                "rule": mask(str(rule)),
                "faults": [mask(fault.label) for fault in rule.faults],
                "met": rule.met,
                "unmet": rule.unmet and mask(rule.unmet),
            }
            for rule in rules
        ]

    # The verbs

    def _index(self, _: Call) -> JSON:
        server = self._server
        return {
            "service": type(server).__name__,
            "url": server.url,
            "seed": server.plan.seed,
            "faults": ["ok", *sorted(server.named_faults), *sorted(spec.catalogue())],
            "requests": [
                f"{method} {ROOT}{name}" for name, verbs in self._verbs.items() for method in verbs
            ],
        }

    def _reset(self, call: Call) -> JSON:
        with_state = call.fields("state").get("state", True)
        if not isinstance(with_state, bool):
            _check.refuse("state", with_state, "true or false")
        self._tell("reset: everything as new" if with_state else "reset: trace and plan as new")
        if with_state:
            self._server.start_over()
        else:
            self._server.new_trace()
        return {"reset": True, "environment": environment(self._server)}

    def _planned(self, _: Call) -> JSON:
        plan = self._server.plan
        return {"faults": self._rules_data(plan.rules), "seed": plan.seed}

    def _plan(self, call: Call) -> JSON:
        data = call.json()
        presets = self._server.named_faults
        listed = data if isinstance(data, list) else [data]
        if not listed:
            _check.refuse("the body", data, "a rule, or a list of at least one")
        if (count := _count(listed)) > MOST_FAULTS:
            _check.refuse("the body", f"{count} faults", f"{MOST_FAULTS} at most; times repeats")
        read = [
            _read_rule(part, presets, f"rule {number} of {len(listed)}: ")
            for number, part in enumerate(listed, 1)
        ]
        rules = [self._server.fail(*faults, **keywords) for faults, keywords in read]
        for rule in rules:
            self._tell(f"faults: {rule}")
        return {
            "planned": self._rules_data(rules),
            "seed": self._server.plan.seed,
        }

    def _clear(self, _: Call) -> JSON:
        forgotten = len(self._server.plan.rules)
        self._server.plan.clear()
        self._tell("faults: none")
        return {"cleared": forgotten}

    def _trace(self, call: Call) -> JSON:
        since = call.number("since", 0)
        most = call.number("limit", MOST_ATTEMPTS, least=1, most=MOST_ATTEMPTS)
        masked = call.word("credentials", "masked", ("masked", "shown")) == "masked"
        trace = self._server.trace
        waits = schedule.waits_by_number(trace)
        shown: list[dict[str, Any]] = []
        size = 0
        newer = trace[max(0, since - trace.forgotten) :]
        for attempt in newer[:most]:
            size += len(attempt.body)
            if shown and size > MOST_TRACE_BODIES:
                break
            shown.append(_shown.attempt_data(attempt, waits.get(attempt.number), masked=masked))
        return {
            "attempts": _shown.without_secrets(shown, self._masked) if masked else shown,
            "next": shown[-1]["number"] if shown else since,
            "more": len(shown) < len(newer),
            "forgotten": trace.forgotten,
            "seed": trace.seed,
        }

    def _state(self, _: Call) -> JSON:
        return self._server.state()

    def _set_state(self, call: Call) -> JSON:
        state = call.json()
        before = environment(self._server)
        try:
            self._server.set_state(state)
        except ResilienceError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            text = f"the service cannot take this state: {type(error).__name__}: {error}"
            raise Refused(400, text) from error
        self._tell("state: set")
        if self._server.renewed is not None and environment(self._server) != before:
            self._server.renewed()  # A key, or the id of a role, is part of the state.
        return self._server.state()

    def _down(self, call: Call) -> JSON:
        seconds = _check.seconds("seconds", call.fields("seconds").get("seconds", OUTAGE))
        self._server.down(seconds)
        self._tell(f"down for {seconds:g} s")
        return {"down": True, "seconds": seconds}

    def _up(self, call: Call) -> JSON:
        call.fields()
        self._server.up()
        self._tell("up")
        return {"down": False}


def environment(server: FakeServer) -> dict[str, str]:
    """The variables that point a client, or a program that drives it, at a server."""
    found = {"RESILIENCE_URL": server.url, **variables(server)}
    unseal_keys = getattr(server, "unseal_keys", None)
    if unseal_keys:
        found["VAULT_UNSEAL_KEYS"] = ",".join(unseal_keys)
    return found


def _count(rules: list[object]) -> int:
    """How many faults these rules have, those of several on one attempt each."""
    waiting = [rule["faults"] for rule in rules if isinstance(rule, dict) and "faults" in rule]
    count = 0
    while waiting:
        said = waiting.pop()
        if isinstance(said, list):
            waiting += said
        else:
            count += 1
    return count


def _read_rule(
    data: object, presets: Mapping[str, Fault], which: str
) -> tuple[tuple[Fault, ...], dict[str, Any]]:
    """The arguments of `fail`, tried on a plan that nobody serves: of a list all or none count."""
    try:
        faults, keywords = spec.rule_from(data, presets)
        Plan(seed=0).add(*faults, **keywords)
    except (OverflowError, RecursionError) as error:
        text = f"{which}it has a number too large or lists too deep: {error}"
        raise PlanError(text) from error
    except PlanError as error:
        if which.endswith("of 1: "):
            raise
        raise PlanError(f"{which}{error}") from error
    return faults, keywords
