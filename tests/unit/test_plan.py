"""Which attempt meets which fault."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pytest_resilience import FOREVER, OK, Attempt, FakeServer, Plan, PlanError, Rule, faults
from pytest_resilience.plan import nearest


def attempt(
    method: str = "GET",
    target: str = "/",
    *,
    body: bytes = b"",
    reused: bool = False,
    **fields: str,
) -> Attempt:
    head = "\r\n".join(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())
    return Attempt(
        number=1,
        started_ns=0,
        connection=1,
        reused=reused,
        method=method,
        target=target,
        head=head.encode(),
        body=body,
    )


GET = attempt()


def met(plan: Plan, times: int, one: Attempt = GET, elapsed: float = 0.0) -> list[str | None]:
    """What so many attempts meet, one after the other."""
    return [plan.decide(lambda: one, elapsed).label for _ in range(times)]


# --- order and number ---------------------------------------------------------------


def test_nothing_planned() -> None:
    """Without a rule nothing goes wrong, and nothing is said."""
    decision = Plan().decide(lambda: GET, 0)

    assert (decision.label, decision.note) == (None, "")


def test_sequence() -> None:
    """Several faults are met in turn, each once."""
    plan = Plan()
    plan.add(503, faults.timeout(), 429)

    assert met(plan, 4) == ["status 503", "timeout", "status 429", None]


def test_times() -> None:
    """The whole sequence is gone through so many times."""
    plan = Plan()
    plan.add(503, 429, times=2)

    assert met(plan, 5) == ["status 503", "status 429", "status 503", "status 429", None]


def test_forever() -> None:
    """FOREVER is never used up."""
    plan = Plan()
    rule = plan.add(503, 502, times=FOREVER)

    assert met(plan, 1001)[-1] == "status 503"
    assert not rule.used_up
    assert rule.met == 1001


def test_ok_in_a_sequence() -> None:
    """OK takes its turn: that attempt is answered as usual."""
    plan = Plan()
    rule = plan.add(503, OK, 503)

    assert met(plan, 4) == ["status 503", None, "status 503", None]
    assert rule.met == 3


def test_used_up_is_said() -> None:
    """When a plan is used up the next matching attempt says so, and no other."""
    plan = Plan()
    plan.add(503, method="POST")

    assert plan.decide(lambda: attempt("POST"), 0).note == ""
    assert plan.decide(lambda: GET, 0).note == ""
    assert plan.decide(lambda: attempt("POST"), 0).note == "the plan is used up: answered normally"


@pytest.mark.parametrize(
    ("fault", "more"),
    [(500, {"probability": 0.0}), (500, {"after": 9}), (faults.stale_connection(), {})],
    ids=["chance", "after", "wants"],
)
def test_a_plan_with_more_to_come_is_not_used_up(fault: Any, more: dict[str, Any]) -> None:
    """One rule is used up, and another may be met by the next request: nothing is said."""
    plan = Plan()
    plan.add(503)
    plan.add(fault, **more)

    notes = [plan.decide(lambda: GET, 0).note for _ in range(3)]

    assert notes == ["", "", ""]


def test_rules_in_their_order() -> None:
    """The first rule that matches and is not used up decides."""
    plan = Plan()
    plan.add(503)
    plan.add(502, times=2)

    assert met(plan, 4) == ["status 503", "status 502", "status 502", None]
    assert [rule.met for rule in plan.rules] == [1, 2]


def test_a_rule_that_wants_reused_connections() -> None:
    """A fault of reused connections waits for one, and others are left to the next rule."""
    plan = Plan()
    plan.add(faults.stale_connection())
    plan.add(503)

    assert met(plan, 1) == ["status 503"]
    assert met(plan, 1, attempt(reused=True)) == ["stale_connection"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_after(count: int) -> None:
    """The first matching requests are left alone; others do not count."""
    plan = Plan()
    plan.add(503, path="/a", after=count)
    plan.decide(lambda: attempt(target="/b"), 0)

    assert met(plan, count + 2, attempt(target="/a")) == [None] * count + ["status 503", None]


def test_clear() -> None:
    """A cleared plan has no rules."""
    plan = Plan()
    plan.add(503)
    plan.clear()

    assert plan.rules == ()
    assert met(plan, 1) == [None]


def test_forget() -> None:
    """Without these rules the others go on where they were, and new ones draw as in a new plan."""
    plan = Plan(seed=1)
    kept, *left = plan.add(503, times=2), plan.add(faults.never_read()), plan.add(429)
    met(plan, 1)
    plan.forget(left)

    assert plan.rules == (kept,)
    assert not plan.begins_at_accept
    assert met(plan, 2) == ["status 503", None]
    plan.forget([kept])
    new = Plan(seed=1)
    for each in (plan, new):
        each.add(503, probability=0.5)
    assert met(plan, 20) == met(new, 20)


# --- matching ---------------------------------------------------------------------------

MATCHES: list[tuple[dict[str, Any], Attempt, bool]] = [
    ({"method": "POST"}, attempt("POST"), True),
    ({"method": "post"}, attempt("POST"), True),
    ({"method": "POST"}, attempt("GET"), False),
    ({"path": "/v1/x"}, attempt(target="/v1/x?y=1"), True),
    ({"path": "/v1/*"}, attempt(target="/v1/a/b"), True),
    ({"path": "*/login"}, attempt(target="/v1/login"), True),
    ({"path": "/v1/*"}, attempt(target="/v2/a"), False),
    ({"path": "/V1"}, attempt(target="/v1"), False),
    ({"path": "/v1"}, attempt(target="http://host/v1"), True),
    ({"path": "/"}, attempt(target="http://host"), True),
    ({"path": "*"}, attempt(target="*"), True),
    ({"header": {"accept": "*json*"}}, attempt(Accept="application/json"), True),
    ({"header": {"A": "\xc3\xa9\t*"}}, attempt(A="\xe9\tau lait"), True),
    ({"header": {"ACCEPT": "*json*"}}, attempt(accept="text/html"), False),
    ({"header": {"Accept": "*"}}, attempt(), False),
    ({"header": {}}, attempt(), True),
    ({"header": {"A": "1", "B": "2"}}, attempt(A="1", B="2"), True),
    ({"header": {"A": "1", "B": "2"}}, attempt(A="1", B="3"), False),
    ({"body": "key"}, attempt(body=b"a key"), True),
    ({"body": b"\xff"}, attempt(body=b"\x00\xff"), True),
    ({"body": "key"}, attempt(body=b"other"), False),
    ({"body": "\u00e9"}, attempt(body="\u00e9".encode()), True),
    ({"when": lambda one: one.query == "x"}, attempt(target="/?x"), True),
    ({"when": lambda one: 0}, attempt(), False),
    ({"method": "GET", "path": "/a", "body": "b"}, attempt(target="/a", body=b"b"), True),
    ({"method": "GET", "path": "/a", "body": "b"}, attempt(target="/a"), False),
]


@pytest.mark.parametrize(("how", "one", "matches"), MATCHES, ids=range(len(MATCHES)))
def test_match(how: dict[str, Any], one: Attempt, *, matches: bool) -> None:
    """A rule is about the attempts that fit everything it says."""
    plan = Plan()
    plan.add(503, **how)

    assert met(plan, 1, one) == ["status 503" if matches else None]


def test_when_is_asked_once() -> None:
    """A predicate that counts is asked once an attempt, also when the rule is used up."""
    asked = []

    def when(one: Attempt) -> bool:
        asked.append(one)
        return True

    plan = Plan()
    plan.add(503, when=when)
    met(plan, 5)

    assert len(asked) == 5


# --- windows and chance --------------------------------------------------------------------


def test_between() -> None:
    """In its window, its end excluded, every attempt meets the fault."""
    plan = Plan()
    plan.add(503, between=(1, 2.5))
    times = [0, 0.999, 1, 1, 2.499, 2.5, 100]

    assert [plan.decide(lambda: GET, at).label for at in times] == [
        None,
        None,
        "status 503",
        "status 503",
        "status 503",
        None,
        None,
    ]
    assert plan.decide(lambda: GET, 100).note == ""


def test_between_and_times() -> None:
    """A number of times holds in a window, too."""
    plan = Plan()
    plan.add(503, between=[0, FOREVER], times=2)  # type: ignore[arg-type]  # a list from JSON

    assert met(plan, 3) == ["status 503", "status 503", None]


@given(seed=st.integers(), chance=st.floats(0, 1), number=st.integers(0, 50))
def test_probability_from_a_seed(seed: int, chance: float, number: int) -> None:
    """The same seed gives the same faults, as the stream of that seed says."""
    stream = random.Random(str(seed))
    expected = ["status 500" if stream.random() < chance else None for _ in range(number)]
    for plan in (Plan(), Plan(1)):
        plan.add(500, probability=chance, seed=seed)

        assert met(plan, number) == expected


@given(seed=st.integers(0, 2**32))
def test_probability_from_the_plan(seed: int) -> None:
    """Without a seed of its own a rule draws from the plan's; each rule, and each life, alike."""
    plan = Plan(seed)
    lives = []
    for _ in range(2):
        plan.clear()
        plan.add(500, probability=0.5, path="/a")
        plan.add(500, probability=0.5, path="/b")
        lives.append([met(plan, 40, attempt(target=path)) for path in ("/a", "/b")])

    assert lives[0] == lives[1]
    assert lives[0][0] != lives[0][1]


def test_a_seed_is_drawn_and_told() -> None:
    """A plan without a seed draws one, which makes the same faults again."""
    plan = Plan()
    plan.add(500, probability=0.5)
    again = Plan(plan.seed)
    again.add(500, probability=0.5)

    assert met(plan, 50) == met(again, 50)
    assert Plan().seed != Plan().seed


@pytest.mark.parametrize(("chance", "count"), [(0, 0), (1, 20), (0.0, 0), (1.0, 20)])
def test_certain_probabilities(chance: float, count: int) -> None:
    """With 0 it never happens, with 1 it always does."""
    plan = Plan()
    rule = plan.add(500, probability=chance)
    met(plan, 20)

    assert rule.met == count


def test_probability_and_a_sequence() -> None:
    """A sequence under a probability goes on where it was."""
    plan = Plan()
    plan.add(500, 502, probability=0.5, times=1, seed=3)
    faced = [label for label in met(plan, 100) if label]

    assert faced == ["status 500", "status 502"]


# --- at accept ---------------------------------------------------------------------------------


def test_never_read_is_met_at_accept() -> None:
    """never_read is decided before there is a request, and no other fault is."""
    plan = Plan()
    plan.add(503)
    plan.add(faults.never_read(), times=2)

    labels = [plan.decide_at_accept(lambda: GET, 0).label for _ in range(3)]
    assert labels == ["never_read", "never_read", None]
    assert met(plan, 2) == ["status 503", None]
    assert Plan().decide_at_accept(lambda: GET, 0).label is None


# --- what was not met ---------------------------------------------------------------------------


def late(one: Attempt) -> bool:
    return one.at > 5


def test_unmet() -> None:
    """A plan says what of it did not happen, a line a rule."""
    plan = Plan()
    plan.add(503, 429, times=2, method="POST", path="/a")
    plan.add(500, probability=0.25, after=2)
    plan.add(500, probability=0)
    plan.add(502, between=(1, 2), header={"A": "b"})
    plan.add(504, times=FOREVER, body="x", when=late)
    plan.add(505, times=FOREVER, path="/met")
    plan.add(506, path="/met")
    met(plan, 3, attempt("POST", "/a"))
    met(plan, 1, attempt("GET", "/met"))

    assert plan.unmet == [
        "status 503, status 429 x2 on POST /a: met 3 of 4 times",
        "status 502 between 1 and 2 s on A: b: never met",
        "status 504 forever on body with b'x' when late: never met",
        "status 506 on /met: met 0 of 1 times",
    ]
    assert repr(plan.rules[1]) == "<Rule status 500 with probability 0.25 after 2 requests: met 0>"
    assert str(plan.rules[2]) == "status 500 with probability 0"


class Always:
    def __call__(self, one: Attempt) -> bool:
        return True


def test_a_predicate_in_c() -> None:
    """Of what is written in C nobody can tell how it is called, so it is taken."""
    rule = Plan().add(503, when=max)  # type: ignore[arg-type]  # that is the point

    assert str(rule) == "status 503 when max"


def test_a_long_rule_is_told_in_a_few_words() -> None:
    """The first ten faults, and how many more; what was missed is told so, too."""
    rule = Plan(0).add(*[503, 429] * 6)

    named = ", ".join(["status 503, status 429"] * 5)
    assert str(rule) == f"{named}, and 2 more"
    assert rule.unmet == f"{named}, and 2 more: met 0 of 12 times"


def test_a_predicate_without_a_name() -> None:
    """A predicate that is an object is named by its class."""
    assert str(Plan().add(503, when=Always())) == "status 503 when Always"


# --- values that cannot be meant ------------------------------------------------------------------


def each(allowed: str, field: str, values: list[Any], **more: Any) -> list[Any]:
    return [(field, {field: value, **more}, allowed) for value in values]


async def coroutine(one: Attempt) -> bool:
    return True


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    *each("1 or more, or FOREVER", "times", [0, -1, 1.0, 2.5, math.nan]),
    *each("1 or more, or FOREVER", "times", [-math.inf, True, "3", [], 10**16]),
    *each('a method such as "GET"', "method", ["", "G T", "A\r\n", 5, b"GET"]),
    *each('that starts with "/" or "*"', "path", ["", "v1", "http://x/", 5]),
    ("path", {"path": "/a?b=c"}, "without a query; use when="),
    *each("a path as it is sent, percent-encoded", "path", ["/café", "/a b", "*\n", "/\ud800"]),
    *each("a mapping of header names to globs", "header", ["A", ["A"], 5]),
    *each("a mapping", "header", [{"A": 5}, {5: "A"}, {"A b": "c"}, {"": ""}]),
    *each("text or bytes to look for", "body", [5, ["x"], "", b"", True, "\ud800"]),
    *each("a plain function of an Attempt", "when", [5, "x", True, coroutine]),
    *each("a plain function of an Attempt", "when", [lambda: True, lambda one, two: True]),
    *each("a number from 0 to 1", "probability", [-0.1, 1.1, "0.5"]),
    *each("from 0 to 1", "probability", [True, math.nan, math.inf, []]),
    *each("a whole number", "seed", [1.0, "1", True, []]),
    *each("two numbers of seconds", "between", [5, (1,), (1, 2, 3), "ab"]),
    *each("from below to", "between", [(2, 1), (1, 1), (-1, 1)]),
    *each("two numbers", "between", [(math.nan, 1), (0, math.nan)]),
    *each("two numbers", "between", [(True, 2), ("0", 1), (math.inf, 9)]),
    *each("a whole number, 0 or more", "after", [-1, 1.5, True, "1", None]),
]


@pytest.mark.parametrize(("field", "how", "allowed"), REFUSED, ids=range(len(REFUSED)))
def test_refused(field: str, how: dict[str, Any], allowed: str) -> None:
    """A value that cannot be meant is refused, with the field, the value and what is allowed."""
    plan = Plan()
    with pytest.raises(PlanError) as caught:
        plan.add(503, **how)

    assert str(caught.value).startswith(f"{field}={how[field]!r} is not allowed: wanted ")
    assert allowed in str(caught.value)
    assert plan.rules == ()


@pytest.mark.parametrize("glob", ["☃*", "a\nb", "\x00", "\ud800"])
def test_a_header_that_no_request_can_have(glob: str) -> None:
    """A glob for what fits into no header field is refused: it would match nothing."""
    with pytest.raises(PlanError) as caught:
        Plan().add(503, header={"A": glob})

    assert str(caught.value).startswith(f"header['A']={glob!r} is not allowed: wanted text that")


@pytest.mark.parametrize(
    ("field", "value"),
    [("after", 10**1_000), ("seed", 10**5_000), ("seed", -(10**1_000))],
    ids=range(3),
)
def test_too_many_digits(field: str, value: Any) -> None:
    """A number that Python would not make text of is refused, and shown in part at most."""
    with pytest.raises(PlanError, match=f"^{field}=.* of no more than 1,000 digits$"):
        Plan().add(503, **{field: value})


@pytest.mark.parametrize("fault", [True, 3.5, "x", None, [], {}, object(), faults.timeout, b"503"])
def test_refused_faults(fault: Any) -> None:
    """What is no fault is refused; a class of faults with a hint to call it."""
    with pytest.raises(PlanError, match="is not allowed: wanted a status such as 503") as caught:
        Plan().add(fault)

    assert ("is a class: call it" in str(caught.value)) is (fault is faults.timeout)


def test_no_fault_at_all() -> None:
    """A rule needs a fault."""
    with pytest.raises(PlanError, match=r"fail\(\) wants a fault: a status such as 503"):
        Plan().add()


@pytest.mark.parametrize("status", [0, 99, 100, 199, 1000, -503])
def test_refused_statuses(status: int) -> None:
    """A status is a final one of three digits."""
    with pytest.raises(PlanError, match="200 to 999"):
        Plan().add(status)


NEVER_READ: list[Callable[[Plan], Rule]] = [
    lambda plan: plan.add(faults.never_read(), 503),
    lambda plan: plan.add(503, faults.never_read()),
    lambda plan: plan.add(faults.never_read(), path="/a"),
    lambda plan: plan.add(faults.never_read(), method="GET"),
    lambda plan: plan.add(faults.never_read(), when=lambda one: True),
]


@pytest.mark.parametrize("write", NEVER_READ, ids=range(len(NEVER_READ)))
def test_never_read_stands_alone(write: Callable[[Plan], Rule]) -> None:
    """never_read has a rule of its own, and nothing to match on."""
    with pytest.raises(PlanError, match="never_read"):
        write(Plan())


def test_named_faults() -> None:
    """A fault that needs no argument can be named; a wrong name has a hint."""
    server = FakeServer()
    server.fail("timeout", "empty_reply", "reset_peer")
    with pytest.raises(PlanError, match="'timeut'; did you mean 'timeout'"):
        server.fail("timeut")

    assert [fault.label for fault in server.plan.rules[0].faults] == [
        "timeout",
        "empty_reply",
        "reset_peer",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("503", "'503'; a status is a number, without quotes"),
        ("latency", r"'latency' needs arguments: faults.latency\(...\) in place of its name"),
        ("together", r"several on one attempt are faults.together\(...\)"),
    ],
)
def test_names_of_no_plain_fault(name: str, said: str) -> None:
    """What is nearly right is told what it lacks."""
    with pytest.raises(PlanError, match=said):
        FakeServer().fail(name)


def test_nearest() -> None:
    """A hint is given only when something is near."""
    assert nearest(" STALL", ["stall", "timeout"]) == "; did you mean 'stall'?"
    assert nearest("stal", ["stall", "timeout"]) == "; did you mean 'stall'?"
    assert nearest("zzzz", ["stall", "timeout"]) == ""


SERVER: list[tuple[dict[str, Any], str]] = [
    *(({"port": v}, "port=") for v in (-1, 65_536, "80", True, 1.5, None)),
    *(({"max_body": v}, "max_body=") for v in (-1, 1.5, "1", True)),
    *(({"max_head": v}, "max_head=") for v in (255, "1", True)),
    *(({"keep_body": v}, "keep_body=") for v in (-1, "1")),
    *(({"keep": v}, "keep=") for v in (0, -1, "1", True)),
    *(({"seed": v}, "seed=") for v in (-1, "1", True, 1.5, 10**5_000)),
    *(({"blocking": v}, "blocking=") for v in ("no", 0, None)),
    *(({"clock": v}, "clock=.* wanted a clock") for v in (5, "virtual")),
    *(({"secrets": v}, "secrets=.* wanted a mapping") for v in (["abcd"], "abcd")),
    *(({"secrets": v}, "secrets.* wanted a mapping") for v in ({"a": 5}, {5: "abcd"})),
    *(({"app": v}, "app=.* wanted a WSGI application") for v in (5, "app", object())),
    *(
        ({"app": v}, "; this takes other arguments$")
        for v in (lambda: 5, lambda e: e, Always, Always())
    ),
    *(({"host": v}, "host=.* wanted an address of this machine") for v in ("", " ", None, b"::1")),
    *(({"host": v}, "wanted an address") for v in ("<broadcast>", "255.255.255.255", "224.0.0.1")),
    *(({"host": v}, "wanted an address") for v in ("ff02::1", "127.0.0.1\n")),
    ({"app": coroutine}, "this is an ASGI application"),
    ({"app": FakeServer}, r"FakeServer\(\) is a server already"),
]


@pytest.mark.parametrize(("options", "said"), SERVER, ids=range(len(SERVER)))
def test_refused_options_of_a_server(options: dict[str, Any], said: str) -> None:
    """A server's options are checked like a plan's."""
    with pytest.raises(PlanError, match=said):
        FakeServer(**options)


class Two:
    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        return []

    def three(self, environ: Any, start_response: Any) -> list[bytes]:
        return []


def takes_one(request: Any) -> list[bytes]:
    return []


@functools.wraps(takes_one)
def wrapping(*arguments: Any) -> list[bytes]:
    return []


@pytest.mark.parametrize(
    "app",
    [
        lambda environ, start_response: [],
        lambda environ, start_response, more=None: [],
        lambda environ, start_response, *, more=None: [],
        lambda *arguments: [],
        Two(),
        Two().three,
        functools.partial(Two.three, Two()),
        wrapping,
        dict,
        max,
    ],
    ids=range(10),
)
def test_applications(app: Any) -> None:
    """Whatever can be called with two arguments is one, as far as can be seen."""
    assert FakeServer(app).wsgi_app is app


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (lambda server: server.secret(5), "^secret.value.=<class 'int'> is not allowed"),
        (lambda server: server.secret("h1dden", None), "^label=None is not allowed: wanted a text"),
        (lambda server: server.canary(" "), "^label=' ' is not allowed: wanted a text"),
    ],
    ids=range(3),
)
def test_refused_secrets(name: Callable[[FakeServer], str], said: str) -> None:
    """A secret is a text and has a name; what is none is not shown."""
    with pytest.raises(PlanError, match=said):
        name(FakeServer())


def test_more_attempts_than_fit() -> None:
    """Whoever keeps more than there can be keeps all."""
    with FakeServer(keep=10**100) as server:
        assert len(server.trace) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0.0.0.0", "::1", "::"])
def test_addresses(host: str) -> None:
    """Addresses and names of this machine are taken."""
    with FakeServer(host=host) as server:
        assert server.port
