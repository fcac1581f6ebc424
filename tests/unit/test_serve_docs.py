"""What docs/serve.md says of rules and of the control application is so."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from pytest_resilience import FakeServer
from pytest_resilience.faults.spec import RULE_KEYS, rule_from
from pytest_resilience.plan import Plan
from pytest_resilience.records import Attempt
from pytest_resilience.server._shown import attempt_data
from pytest_resilience.server.control import Control

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


def section(start: str, end: str) -> set[str]:
    """The names in the first column of a table."""
    part = DOCS[DOCS.index(start) : DOCS.index(end)]
    columns = re.findall(r"^\| (`.*?) \|", part, re.MULTILINE)
    return {name for column in columns for name in re.findall(r"`(\w+)`", column)}
