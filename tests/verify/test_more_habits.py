"""More habits of correct clients, and more ways to end."""

from __future__ import annotations

import _thread
import contextlib
import importlib.util
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import google.api_core.exceptions
import google.api_core.retry
import httpx
import pytest
import requests

from pytest_resilience import RetryPolicy, verify
from tests.verify.zoo.keeper import MENDED, judged
from tests.verify.zoo.kit import STATUSES

Call = Callable[[str], Any]


# Correct


class Lines:
    """An answer, line by line."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __iter__(self) -> Iterator[str]:
        with httpx.stream("GET", self._url, timeout=5) as response:
            response.raise_for_status()
            yield from response.iter_lines()


def in_lines(url: str) -> list[str]:
    return list(Lines(url))


def in_pieces(url: str) -> Iterator[bytes]:
    with requests.get(url, stream=True, timeout=5) as response:
        response.raise_for_status()
        yield from response.iter_content(100)


async def in_pieces_as_they_come(url: str) -> AsyncIterator[bytes]:
    async with httpx.AsyncClient(timeout=5) as client, client.stream("GET", url) as response:
        response.raise_for_status()
        async for piece in response.aiter_bytes():
            yield piece


@pytest.mark.parametrize("client", [in_lines, in_pieces, in_pieces_as_they_come])
def test_a_body_in_pieces_is_a_body_as_it_came(client: Call) -> None:
    """Its caller looks into it, as into one that came whole."""
    verdict = verify(client, only=["malformed-answers", "html-answers"])

    assert verdict.codes == [], verdict


@google.api_core.retry.Retry(timeout=45)
def of_google(url: str) -> Any:
    response = requests.get(url, timeout=5)
    if response.status_code >= 400:
        raise google.api_core.exceptions.from_http_response(response)  # type: ignore[no-untyped-call]  # it has no types
    return response.json()


def test_what_a_library_trips_over_is_not_the_clients_mistake() -> None:
    """google-api-core reads an error body as Google's, whoever has sent it."""
    assert verify(of_google, only=["status-400", "outage-without-end"]).codes == []


def page_by_page(url: str) -> list[Any]:
    return [once_more(f"{url}/items?page={page}") for page in range(3)]


def once_more(url: str) -> Any:
    for wait in (1, 2, None):
        response = requests.get(url, timeout=5)
        if response.status_code not in STATUSES or wait is None:
            break
        time.sleep(wait)
    response.raise_for_status()
    return response.json()


def test_pages_one_after_the_other_have_waits_of_their_own() -> None:
    """The failures that one thread meets may be of several of its requests."""
    policy = RetryPolicy(attempts=3, backoff=[1, 2], statuses=STATUSES)
    verdict = verify(page_by_page, policy)

    assert verdict.codes == [], verdict
    assert "outage-for-several-threads" not in verdict.scenarios


def test_a_task_that_is_cancelled_at_the_end_keeps_no_error() -> None:
    """What the judge itself cancels does not hold on to the failure of the call."""
    (client,) = (one for one in MENDED if one.name == "a_task_for_all_calls")

    assert judged(client, only="many-failures").codes == []


# Ends

OWN = """
from os import _exit

import requests


def fetch(url):
    requests.get(url, timeout=5)
    _exit(4)
"""


def test_the_end_of_the_process_is_refused_under_any_name(tmp_path: Path) -> None:
    """A client may have taken the function in when it was imported."""
    path = tmp_path / "client.py"
    path.write_text(OWN)
    spec = importlib.util.spec_from_file_location("client_that_leaves", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "client_that_leaves", module)
        spec.loader.exec_module(module)
        before = module._exit
        verdict = verify(module.fetch)

    assert verdict.codes == ["process-ended"]
    assert "os._exit(4)" in verdict.findings[0].sentence
    assert module._exit is before is os._exit


def becomes_another(url: str) -> None:
    requests.get(url, timeout=5)
    os.execv("/bin/true", ["true"])  # noqa: S606 -- it does not come to that


def becomes_another_elsewhere(url: str) -> None:
    requests.get(url, timeout=5)
    os.execlpe("true", "true", {})  # noqa: S606 -- the same


@pytest.mark.parametrize("client", [becomes_another, becomes_another_elsewhere])
def test_a_process_that_becomes_another_has_ended(client: Call) -> None:
    """Nothing of what ran is left."""
    assert verify(client).codes == ["process-ended"]


def dies_in_a_bare_thread(url: str) -> Any:
    _thread.start_new_thread(lambda: 1 / 0, ())
    time.sleep(1)
    return requests.get(url, timeout=5).json()


def test_a_bare_thread_that_dies_is_heard_of() -> None:
    """One of the module _thread, of which threading knows nothing."""
    assert verify(dies_in_a_bare_thread, only="undisturbed").codes == ["thread-raised"]


def leaves_its_thread(url: str) -> Any:
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
    return requests.get(url, timeout=5).json()


def test_a_thread_that_leaves_has_not_died() -> None:
    """Python says nothing of it either."""
    assert verify(leaves_its_thread, only="undisturbed").codes == []


@pytest.mark.soak
def test_a_call_that_wakes_up_again_and_again() -> None:
    """It takes the clock some real seconds to see that nothing comes of it."""
    nappers: set[threading.Thread] = set()
    over = False

    def naps_for_ever(url: str) -> Any:
        requests.get(url, timeout=5)
        nappers.add(threading.current_thread())
        while not over:
            with contextlib.suppress(BaseException):
                time.sleep(1)

    assert verify(naps_for_ever).codes == ["call-never-returned"]

    over = True  # Nobody is to nap in the virtual time of another test.
    for thread in nappers:
        thread.join(60)


class Stubborn:
    """Raises where nobody can catch it."""

    def __del__(self) -> None:
        raise ValueError("not now")


def drops_something_stubborn(url: str) -> Any:
    Stubborn()
    return requests.get(url, timeout=5).json()


def test_what_is_raised_where_nobody_can_catch_it_goes_its_usual_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is of no thread, and whoever looks after such things hears of it."""
    heard: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: heard.append(told.exc_type))

    assert verify(drops_something_stubborn, only="undisturbed").codes == []
    assert set(heard) == {ValueError}
