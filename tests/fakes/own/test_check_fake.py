"""`check_fake` finds what is wrong with a fake, and nothing wrong with one that is right."""

from __future__ import annotations

import datetime as dt
import socket
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_resilience import CheckFailed, Fake, FakeServer, PlanError, check_fake, route
from pytest_resilience.conformance import asking, life
from pytest_resilience.conformance.asking import asks_of
from pytest_resilience.conformance.check import flaws_of
from pytest_resilience.conformance.flaw import FLAWS
from pytest_resilience.conformance.resetting import _by_chance
from pytest_resilience.conformance.watching import Watch
from pytest_resilience_gemini import Gemini
from pytest_resilience_vault import Vault
from tests.fakes.own import raising, shelf
from tests.fakes.own.shelf import Shelf


class GitHub(Fake):
    """The one of the README."""

    def reset(self) -> None:
        """No issues."""
        self.issues: dict[tuple[str, str, int], Any] = {}

    @route("GET", "/repos/<owner>/<repo>/issues/<int:number>")
    def get_issue(self, request: Any, owner: str, repo: str, number: int) -> Any:
        """One of them."""
        return self.issues.get((owner, repo, number)) or (404, {"message": "Not Found"})


RIGHT = [GitHub, Shelf, shelf.EndsItsThread, shelf.Minted, shelf.Plain, shelf.Store]
RIGHT += [raising.BeginsAThread, raising.Streamed, raising.Hints]


@pytest.mark.parametrize("fake", RIGHT, ids=lambda fake: fake.__name__)
def test_a_right_fake_is_not_accused(fake: Any) -> None:
    """Fakes that mint, draw by chance, stream, and have errors with more in them."""
    check_fake(fake)


BROKEN = {
    shelf.NoOptions: "cannot-be-made",
    shelf.Hangs: "no-answer",
    shelf.Raises: "handler-raised",
    shelf.KeepsAThread: "left-behind",
    shelf.KeepsASocket: "left-behind",
    shelf.KeepsAVariable: "left-behind",
    shelf.PortIsANumber: "environment-not-text",
    shelf.KeyIsANumber: "environment-not-text",
    shelf.StaysWhereItWas: "environment-elsewhere",
    shelf.TheRealOne: "environment-elsewhere",
    shelf.Fickle: "environment-changes",
    shelf.OneStatus: "wrong-status",
    shelf.TwoShapes: "error-shape",
    shelf.TextOrData: "error-shape",
    shelf.OddPreset: "error-shape",
    shelf.OneHandlersOwn: "error-shape",
    shelf.HtmlForNothing: "error-shape",
    shelf.SaysHtml: "error-type",
    shelf.SaysJson: "error-type",
    shelf.PageInsteadOfData: "error-type",
    shelf.YesToAll: "success-for-nothing",
    shelf.OtherHead: "head-differs",
    shelf.OtherHeadType: "head-differs",
    shelf.NoAllow: "allow-missing",
    shelf.ShortByTwo: "connection-not-kept",
    shelf.Sulks: "connection-not-kept",
    shelf.HangsUp: "connection-not-kept",
    shelf.Remembers: "not-reset",
    shelf.SharesAll: "not-reset",
    shelf.OddState: "state-not-json",
    shelf.ReadOnly: "state-not-settable",
    shelf.Forgets: "state-not-settable",
    shelf.TestKey: "shared-secret",
    shelf.OneSession: "shared-secret",
    shelf.WallClock: "reads-system-clock",
    shelf.BornThen: "reads-system-clock",
    shelf.Sleeps: "blocks-the-loop",
    raising.NoState: "method-raised",
    raising.NoSecondReset: "method-raised",
    raising.NoEnd: "method-raised",
    raising.ListedEnvironment: "environment-not-text",
    raising.NoPreset: "handler-raised",
    raising.WordOrData: "error-shape",
    raising.NoHint: "error-shape",
    raising.NothingSaid: "error-shape",
    raising.TextAsData: "error-type",
    raising.NoNumber: "error-type",
    raising.WaitsForNothing: "blocks-the-loop",
}


@pytest.mark.parametrize("fake", BROKEN, ids=lambda fake: fake.__name__)
def test_a_broken_fake_is_found(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its one flaw; the fake that it is derived from has none."""
    monkeypatch.setenv("SHELF_STARTED", "")  # One of them sets it.
    monkeypatch.setattr(life, "LAST_WORDS", 0.02)
    found = flaws_of(fake)

    assert BROKEN[fake] in {flaw.code for flaw in found}, found
    assert all(flaw.wanted and flaw.where and flaw.came for flaw in found)
    for kept in shelf.KeepsASocket.kept:
        kept.close()


def test_each_flaw_is_found_somewhere() -> None:
    """The table has no entry that nothing proves; the last one is below."""
    assert {*BROKEN.values(), "needless-exception"} == set(FLAWS)


def test_the_failure_says_what_where_and_what_holds() -> None:
    """All that one needs to mend it."""
    with pytest.raises(CheckFailed) as failed:
        check_fake(shelf.NoAllow)

    assert str(failed.value).splitlines()[:3] == [
        "NoAllow has 4 flaws",
        "  allow-missing: PATCH /books: wanted Allow with the methods there are, came none",
        "    A 405 names the methods that are allowed, in Allow.",
    ]


def test_the_failure_says_whose_method_it_was() -> None:
    """The last one of the fake's, as its class names it."""
    (flaw,) = [one for one in flaws_of(raising.NoEnd) if one.code == "method-raised"]

    assert str(flaw).splitlines()[0] == (
        "method-raised: NoEnd.stop: wanted no exception, came RuntimeError: was that all?"
    )


def test_what_others_raise_is_raised() -> None:
    """No code of the fake's is to blame."""
    with pytest.raises(FileNotFoundError):
        flaws_of(raising.ReadsElsewhere)


def test_who_never_answers_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the request is named."""
    monkeypatch.setattr(asking, "PATIENCE", 0.05)

    (flaw,) = flaws_of(raising.Never)

    assert str(flaw).splitlines()[0] == (
        "no-answer: GET /books: wanted an answer, came TimeoutError: timed out"
    )


def test_what_the_service_does_can_be_allowed() -> None:
    """By the code of a flaw, or with its place; and what is not needed is told."""
    everywhere = {"allow-missing": "the service is like that", "not-reset state()": "it is not"}
    one = {"allow-missing PATCH /books": "the service is like that"}

    assert [str(flaw).splitlines()[0] for flaw in flaws_of(shelf.NoAllow, allowed=everywhere)] == [
        "needless-exception: not-reset state(): wanted a flaw that this allows, came none"
    ]
    assert len(flaws_of(shelf.NoAllow, allowed=one)) == 3
    with pytest.raises(CheckFailed, match="NoAllow has 1 flaw\n"):
        check_fake(shelf.NoAllow, allowed=everywhere)


@pytest.mark.parametrize("one", ["GET", "GET books", ("GET",), ("GET", "/", 1, {}, 2)])
def test_a_request_that_is_none(one: Any) -> None:
    """Is refused with an example."""
    with pytest.raises(PlanError, match=r'wanted "GET /path", or \(method, path, data, headers\)'):
        check_fake(Shelf, requests=[one])


TOKEN = {"X-Vault-Token": "{VAULT_TOKEN}"}
LOGIN = {"role_id": "{VAULT_ROLE_ID}", "secret_id": "{VAULT_SECRET_ID}"}


def test_our_vault() -> None:
    """With what the real Vault does otherwise."""
    check_fake(
        Vault,
        requests=[
            "GET /v1/sys/seal-status",
            ("GET", "/v1/sys/mounts", None, TOKEN),
            ("POST", "/v1/secret/data/app", {"data": {"a": 1}}, TOKEN),
            ("GET", "/v1/secret/data/app", None, TOKEN),
            ("POST", "/v1/auth/approle/login", LOGIN),
            ("LIST", "/v1/nope", None, TOKEN),
        ],
        allowed={
            "head-differs": "Vault answers 405 to HEAD",
            "error-shape preset standby_health": "health has a body of its own",
        },
    )


def test_our_gemini() -> None:
    """With one exception, which is the real service's."""
    key = {"x-goog-api-key": "{GEMINI_API_KEY}"}
    prompt = {"contents": [{"parts": [{"text": "hi"}]}]}
    generate = "/v1beta/models/gemini-3.8-flash:generateContent"
    nothing = "Gemini answers a path or a method that there is not with an empty 404"
    check_fake(
        Gemini,
        requests=[("GET", "/v1beta/models", None, key), ("POST", generate, prompt, key)],
        allowed={
            "error-shape GET /pytest-resilience/no/such/path": nothing,
            "error-shape PATCH /v1beta/models": nothing,
            f"error-shape PATCH {generate}": nothing,
        },
    )


@pytest.mark.parametrize(
    ("seen", "chance"),
    [
        ([0.1, 0.2, 0.35, 0.4, 0.9], True),
        ([5, 1, 9, 3, 7], True),
        ([1, 2, 3, 4, 5], False),  # one count for all instances
        ([1, 2, 3, 1, 1], False),  # each instance counts on
        ([1, None, 1, 1, 1], False),
        (["ab", "cd", "ef", "gh", "ij"], True),
        (["<random>", "<random>", "a<random>", "gh", "ij"], True),
        (["ab", "ab", "ab", "cd", "ab"], False),
    ],
)
def test_chance_is_told_from_memory(seen: list[Any], chance: bool) -> None:  # noqa: FBT001
    """Of the values at one place in five runs."""
    assert _by_chance(seen) is chance


def test_samples_fill_in_every_kind_of_variable() -> None:
    """A request for each route; what cannot be filled in is left out."""
    nowhere = "/books/1/fancy/1.5/00000000-0000-0000-0000-000000000001"

    assert list(map(str, asks_of(Shelf()))) == [
        "GET /books",
        f"GET {nowhere}",
        "GET /stream",
        "GET /turns",
        "POST /books",
    ]
    assert list(map(str, asks_of(FakeServer()))) == ["GET /"]


def test_what_a_watch_hears() -> None:
    """Calls in C that its package makes, however far below; other events are nothing."""
    watch = Watch("tests")
    frame = sys._getframe()
    with socket.socket() as sock:
        calls: list[Any] = [len, [].append, dt.datetime, staticmethod, dt.datetime.now]
        for called in calls:
            watch.heard(frame, "c_call", called)
        watch.heard(frame, "call", None)
        watch.heard(frame, "c_call", sock.recv)
    found = [(flaw.code, flaw.came) for flaw in watch.flaws()]

    assert found == [("reads-system-clock", "datetime.now()"), ("blocks-the-loop", "socket.recv()")]


@pytest.mark.parametrize(
    ("timeout", "between", "waits"),
    [
        (None, None, True),
        (0.5, None, True),
        (0, None, False),  # a pool asks so for a thread that is free
        (None, threading.Thread.start, False),
    ],
)
def test_a_watch_hears_waits_in_pythons_own_code(
    timeout: float | None, between: Any, *, waits: bool
) -> None:
    """But not those that end at once, by themselves or with a thread that begins."""
    watch = Watch("tests")
    frame: Any = sys._getframe()
    for code in (between, threading.Condition.wait):
        if code is not None:
            frame = SimpleNamespace(
                f_code=code.__code__, f_locals={"timeout": timeout}, f_globals={}, f_back=frame
            )

    watch.heard(frame, "call", None)

    assert [flaw.came for flaw in watch.flaws()] == ["Condition.wait()"] * waits


def test_a_watch_hears_nothing_of_others() -> None:
    """Code of another package may do what it likes, as long as nobody of the fake's asked."""
    watch = Watch("somebody_else")
    watch.heard(sys._getframe(), "c_call", time.sleep)
    watch.heard(sys._getframe(), "c_call", time.time)

    assert list(watch.flaws()) == []


def test_what_a_client_has_sent_is_no_secret_of_the_fakes() -> None:
    """It comes back from every instance, of course."""
    sent = {"session_token": "9fA27cE1b4D80x3QzL"}

    assert flaws_of(shelf.OneSession, requests=[("POST", "/books", sent)]) == ()
    found = flaws_of(shelf.OneSession, requests=[("POST", "/books", {})])
    assert [(flaw.code, flaw.where) for flaw in found] == [("shared-secret", "session_token")]


def test_a_request_that_no_route_takes_is_asked_all_the_same() -> None:
    """What is said to it is looked at once, as for any such path."""
    found = flaws_of(shelf.HtmlForNothing, requests=["GET /books", "GET /nowhere"])

    assert {flaw.code for flaw in found} == {"error-shape"}
    assert flaws_of(Shelf, requests=["GET /books", "GET /nowhere"]) == ()
