"""What is given to `verify` by mistake is refused where it is given, with what to do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pytest_resilience import FakeServer, ResilienceError, verify


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"call": 3}, "verify wants a client's call, got 3: wrap it in a function"),
        ({"policy": "4 attempts"}, "verify wants a RetryPolicy, got '4 attempts': read it by"),
        ({"policy": 4}, "verify wants a RetryPolicy, got 4: make one"),
        ({"server": "fake_vault"}, "verify wants server=, a FakeServer or a fake, got 'fake_v"),
        ({"runner": "trio"}, "verify wants runner=, what runs async functions, got 'trio'"),
        ({"runner": asyncio.run}, "verify wants a runner for what asyncio does not run, got <fun"),
        ({"another": "token"}, "verify wants another=, a call with another credential, got"),
        ({"only": 3}, "verify wants only=, a scenario's name or several, got 3: each"),
        ({"only": ["silence", 3]}, "verify wants only=, a scenario's name or several, got"),
        ({"only": []}, "verify wants only=, a scenario's name or several, got []: leave it out"),
    ],
)
def test_a_wrong_argument_is_named(given: dict[str, Any], said: str) -> None:
    """What was wanted, what came, and what to do."""
    with pytest.raises(ResilienceError) as refused:
        verify(**{"call": lambda: None, **given})

    assert str(refused.value).startswith(said)
    assert ": " in str(refused.value)


def test_right_arguments_are_taken() -> None:
    """All at once; a call that asks nobody is a finding and no error."""
    with FakeServer() as server:
        verdict = verify(
            lambda: None, None, server, runner=print, another=print, only={"undisturbed"}
        )

    assert verdict.codes == ["server-never-reached"]
