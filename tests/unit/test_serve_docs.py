"""What docs/serve.md says of rules and of the control application is so."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from pytest_resilience import Fake, FakeServer
from pytest_resilience.faults.spec import RULE_KEYS, rule_from
from pytest_resilience.plan import Plan
from pytest_resilience.records import Attempt
from pytest_resilience.server._shown import attempt_data
from pytest_resilience.server.control import Control
from pytest_resilience_gemini import Gemini
from pytest_resilience_vault import Vault

DOCS = (Path(__file__).parents[2] / "docs" / "serve.md").read_text()


@pytest.mark.parametrize("text", re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL))
def test_every_rule_in_the_docs_can_be_planned(text: str) -> None:
    """An example that a reader copies is taken."""
    given, keywords = rule_from(json.loads(text))

    assert Plan().add(*given, **keywords).faults == given


def test_the_docs_name_every_field_of_a_rule() -> None:
    """The table of a rule's fields is complete."""
    assert section("### Rules", "A fault is one of these") >= set(RULE_KEYS)


def test_the_docs_name_every_member_of_an_attempt() -> None:
    """The table of an attempt's members is complete."""
    attempt = Attempt(1, 0, 1, False, "GET", "/", b"")  # noqa: FBT003 -- one attempt, any
    members = set(attempt_data(attempt, None))
    members |= set(attempt_data(dataclasses.replace(attempt, body=b"\xff"), None))

    assert section("| field of an attempt", "Header fields and query") == members


def test_the_docs_list_every_request() -> None:
    """The table of requests is the index's list."""
    server = FakeServer(lambda *_: [])
    control = Control(server)
    known = {
        f"{method} /_resilience/{name}"
        for name, verbs in control._verbs.items()
        for method in verbs
    }

    assert set(re.findall(r"^\| `([A-Z]+ /_resilience/\w*)` \|", DOCS, re.MULTILINE)) == known


@pytest.mark.parametrize(("fake", "start"), [(Vault, "| of a Vault"), (Gemini, "| of a Gemini")])
def test_the_docs_name_every_part_of_a_state(fake: type[Fake], start: str) -> None:
    """The tables of the fakes that we bring are complete."""
    with fake() as server:
        assert section(start, "\n\n") == set(server.state())


def test_every_state_in_the_docs_can_be_set() -> None:
    """An example that a reader copies is taken by the fake that it is for."""
    states = [json.loads(text) for text in re.findall(r"-d '(.*?)' \S+/state\n", DOCS)]
    with Vault() as vault, Gemini() as gemini:
        for state in states:
            (gemini if "say" in state else vault).set_state(state)

        assert [sorted(state) for state in states] == [["secrets"], ["sealed"], ["quota", "say"]]
        assert vault.state()["sealed"]
        assert gemini.state()["say"] == ["First.", "Ever after."]


def section(start: str, end: str) -> set[str]:
    """The names in the first column of a table."""
    begins = DOCS.index(start)
    part = DOCS[begins : DOCS.index(end, begins)]
    columns = re.findall(r"^\| (`.*?) \|", part, re.MULTILINE)
    return {name for column in columns for name in re.findall(r"`(\w+)`", column)}
