"""The public names: each is typed by a use that mypy reads."""

import ast
from pathlib import Path

import pytest_resilience

API = Path(__file__).parents[1] / "typing" / "api.py"


def test_every_public_name_is_used_where_mypy_looks() -> None:
    """A name that is public stands in tests/typing/api.py, and is more than imported there."""
    tree = ast.parse(API.read_text())
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}

    assert [name for name in pytest_resilience.__all__ if name not in used] == []


def test_every_public_name_can_be_had() -> None:
    """Each name resolves, is listed by dir(), and an unknown one is an AttributeError."""
    for name in pytest_resilience.__all__:
        assert getattr(pytest_resilience, name) is not None

    assert set(pytest_resilience.__all__) <= set(dir(pytest_resilience))
    assert not hasattr(pytest_resilience, "no_such_name")
