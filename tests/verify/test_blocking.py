"""What stops a loop without taking any virtual time, and what only seems to."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pytest_resilience import verify

TRUE = ["/bin/true"]


def asking(beside: Callable[[], object]) -> Callable[[str], Any]:
    async def call(url: str) -> Any:
        doing = beside()
        if asyncio.iscoroutine(doing):
            await doing
        async with httpx.AsyncClient(timeout=5, verify=False) as client:  # noqa: S501 -- plain HTTP
            return (await client.get(url)).raise_for_status().json()

    return call


def find(name: str) -> None:
    socket.getaddrinfo(name, 80)


@pytest.mark.parametrize(
    ("beside", "what"),
    [
        (lambda: subprocess.run(TRUE, check=True), "another process"),
        (lambda: os.system(TRUE[0]), "another process"),  # noqa: S605 -- a constant
        (lambda: find("localhost"), "a name to be looked up"),
        (lambda: socket.gethostbyname("localhost"), "a name to be looked up"),
    ],
    ids=["run", "system", "getaddrinfo", "gethostbyname"],
)
def test_it_stops_the_loop(beside: Callable[[], object], what: str) -> None:
    """Other tasks have no turn meanwhile, however short it is here."""
    (found,) = verify(asking(beside), only="event-loop")

    assert found.code == "blocking-io"
    assert found.sentence == f"the event loop stood still, while it waited for {what}"


async def begun_and_awaited() -> None:
    await (await asyncio.create_subprocess_exec(*TRUE)).wait()


async def in_a_thread() -> None:
    await asyncio.to_thread(subprocess.run, TRUE, check=True)
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)


def an_address() -> None:
    for host in ("127.0.0.1", "fe80::1%lo", ""):
        try:
            find(host)
        except OSError:
            continue


@pytest.mark.parametrize("beside", [begun_and_awaited, in_a_thread, an_address])
def test_who_lets_the_loop_go_on_is_not_accused(beside: Callable[[], object]) -> None:
    """Threads wait for what takes time, and an address takes none."""
    assert verify(asking(beside), only="event-loop").codes == []


async def gives_up_at_once(url: str) -> Any:
    async with httpx.AsyncClient(timeout=5, verify=False) as client:  # noqa: S501 -- the same
        response = await client.get(url)
    if response.status_code == 503:
        time.sleep(1)  # noqa: ASYNC251 -- the bug
    return response.raise_for_status().json()


def test_who_never_tries_again_may_sleep_all_the_same() -> None:
    """A failure is played for him too."""
    assert verify(gives_up_at_once, only="event-loop").codes == ["blocking-sleep"]
