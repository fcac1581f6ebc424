"""What can be set: read by every run, so it is no more than a table and what pytest is told."""

from __future__ import annotations

import os
from typing import Any

import pytest

OPTIONS = (
    # name, kind, help
    ("env", "bool", "set the environment variables that point clients at a fake"),
    ("unmatched", "bool", "allow requests that no route of a fake matched"),
    ("unmet", "bool", "allow planned faults that no request met"),
    ("errors", "bool", "allow errors raised by the application behind a server"),
    ("leaks", "bool", "fail a test in which a client shows a secret of a fake"),
    ("seed", "int", "seed of random faults; a failed test prints the one it used"),
    ("virtual_clock", "bool", "run tests in virtual time, as with that fixture"),
    ("har", "folder", "write the requests of each failed test there, in HAR files"),
    ("har_all", "bool", "write the HAR files of tests that passed as well"),
    ("keep", "int", "how many attempts a trace keeps, the newest"),
)
METAVARS = {"bool": "yes|no", "int": "N", "folder": "DIR"}


def option(name: str) -> str:
    """Its name on the command line."""
    return f"--resilience-{name.replace('_', '-')}"


def ini(name: str) -> str:
    """Its name in the ini file, and for argparse."""
    return f"resilience_{name}"


def variable(name: str) -> str:
    """Its name in the environment."""
    return f"RESILIENCE_{name.upper()}"


def add(parser: pytest.Parser) -> None:
    """Tell pytest of all of them."""
    group = parser.getgroup("resilience", "fake servers that fail on demand (pytest-resilience)")
    for name, kind, words in OPTIONS:
        # Read as text and checked later: argparse would print its usage before the one line
        # that matters.
        group.addoption(
            option(name), dest=ini(name), default=None, metavar=METAVARS[kind], help=words
        )
        parser.addini(ini(name), words, type=_ini_type(kind), default=None)


def _ini_type(kind: str) -> Any:  # noqa: ANN401 -- a literal of pytest's
    # Before 8.4 it knows no "int"; later ones want it for a plain number in TOML.
    known = ("bool", "int") if pytest.version_tuple >= (8, 4) else ("bool",)
    return kind if kind in known else "string"


def marker() -> str:
    """The marker as ``pytest --markers`` shows it."""
    arguments = ", ".join(
        f"{name}={kind if kind == 'bool' else METAVARS[kind]}" for name, kind, _ in OPTIONS
    )
    texts = "; ".join(f"{name}: {words}" for name, _, words in OPTIONS)
    return f"resilience({arguments}): for the fake servers of a test. {texts}."


def anything_said(config: pytest.Config) -> bool:
    """Whether anything is set, wrongly perhaps, other than by a marker."""
    names = [name for name, _, _ in OPTIONS]
    if any(config.getoption(ini(name), None) is not None for name in names):
        return True
    if any(variable(name) in os.environ for name in names):
        return True
    try:
        return any(config.getini(ini(name)) is not None for name in names)
    except (TypeError, ValueError, pytest.UsageError):
        return True
