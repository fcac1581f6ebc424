"""The pytest plugin: options, marker, fixtures and hooks, each a few lines.

It is imported in every pytest run of everyone who has it installed, so whatever a run that
uses no fake can do without is imported in the function that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_resilience.reporting import settings
from pytest_resilience.reporting.desk import Desk

if TYPE_CHECKING:
    from pytest_resilience.server.server import FakeServer

DESK = pytest.StashKey[Desk]()
FIRST = "_resilience_test"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register what can be set."""
    settings.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse settings that cannot be meant, before anything runs."""
    config.addinivalue_line("markers", settings.marker_line())
    settings.of_config(config)
    desk = config.stash[DESK] = Desk(config)
    desk.fixtures.update({"fake_server", "fake_vault", "fake_gemini"})
    desk.fixtures.update({"fake_vault_session", "fake_gemini_session"})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Give back what the session kept between its tests."""
    session.config.stash[DESK].release_engine()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a test that uses a fake begin with our custody, so that it ends with it."""
    names: list[str] = getattr(item, "fixturenames", [])
    if FIRST not in names and not item.config.stash[DESK].fixtures.isdisjoint(names):
        names.insert(0, FIRST)


@pytest.fixture
def _resilience_test(request: pytest.FixtureRequest) -> None:
    """Set up first and torn down last of what a test that uses a fake has for itself."""
    request.config.stash[DESK].custody_of(request.node)


def _new(request: pytest.FixtureRequest, name: str) -> Iterator[FakeServer]:
    custody = request.config.stash[DESK].custody_of(request.node)
    with custody.running(f"fake_{name}", custody.fake(name)) as server:
        yield server


def _shared(request: pytest.FixtureRequest, name: str) -> Iterator[FakeServer]:
    desk = request.config.stash[DESK]
    assert desk.custody is not None
    yield from desk.custody.sharing(f"fake_{name}_session", desk.custody.fake(name))


@pytest.fixture
def fake_vault(request: pytest.FixtureRequest) -> Iterator[FakeServer]:
    """A fake Vault for this test alone; VAULT_ADDR, VAULT_TOKEN, ... point at it."""
    yield from _new(request, "vault")


@pytest.fixture
def fake_gemini(request: pytest.FixtureRequest) -> Iterator[FakeServer]:
    """A fake Gemini for this test alone; GEMINI_API_KEY, GOOGLE_GEMINI_BASE_URL, ... are set."""
    yield from _new(request, "gemini")


@pytest.fixture
def fake_server(request: pytest.FixtureRequest) -> Iterator[Callable[..., FakeServer]]:
    """A factory: ``server = fake_server(app)`` serves any WSGI app until the test ends."""
    import contextlib

    from pytest_resilience.server.server import FakeServer

    custody = request.config.stash[DESK].custody_of(request.node)
    with contextlib.ExitStack() as stack:

        def serve(app: Any, **options: Any) -> FakeServer:
            server = FakeServer(app, **{**custody.options(), **options})
            return stack.enter_context(custody.running("fake_server", server))

        yield serve
