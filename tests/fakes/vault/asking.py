"""What the tests of Vault share: asking, what was said, and a clock that can be set forward."""

from collections.abc import Callable

import requests

from pytest_resilience import RealClock

Ask = Callable[..., requests.Response]


class SettableClock(RealClock):
    """The system's clock, with a wall clock that a test can set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    def time_ns(self) -> int:
        return super().time_ns() + int(self.ahead * 1e9)


def said(response: requests.Response) -> tuple[int, list[str]]:
    """Status and errors."""
    return response.status_code, response.json()["errors"]
