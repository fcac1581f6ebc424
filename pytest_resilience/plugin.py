"""The pytest plugin: options, markers and fixtures; the rest is `reporting.hooks`.

It is imported in every pytest run of everyone who has it installed, and where no bytecode may
be written it is compiled anew each time. So it holds what a run that uses no fake needs, and
nothing else: all other hooks are registered when the first test wants something of ours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_resilience.reporting import options

if TYPE_CHECKING:
    from pytest_resilience.clock.virtual import VirtualClock
    from pytest_resilience.logs import Recorder
    from pytest_resilience.reporting.desk import Desk
    from pytest_resilience.server.server import FakeServer

DESK = pytest.StashKey["Desk"]()
CONTRACT = "retry_contract"
CONTRACT_LINE = (
    f"{CONTRACT}(policy, server=None): the test's body is one call of a client, and each clause "
    "of its RetryPolicy becomes a test; server names the fixture of the fake that it calls, "
    "when the test uses several."
)
PREFIX = "fake_"
WRITTEN = tuple(
    f"fake_{name}{shared}" for name in ("server", "vault", "gemini") for shared in ("", "_session")
)
_configs: list[pytest.Config] = []
"""Of the sessions of this process; the last one is the one that runs."""


def desk_of(config: pytest.Config) -> Desk:
    """What this session keeps between its tests; from its making on, all our hooks are called."""
    desk = config.stash.get(DESK, None)
    if desk is None:
        from pytest_resilience.reporting import hooks

        desk = config.stash[DESK] = hooks.begin(config)
        config.pluginmanager.register(hooks, "resilience-hooks")
    return desk


def _desk() -> Desk:
    return desk_of(_configs[-1])


# Settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register what can be set."""
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse settings that cannot be meant, before anything runs."""
    config.addinivalue_line("markers", options.marker())
    config.addinivalue_line("markers", CONTRACT_LINE)
    if options.anything_said(config):
        desk_of(config)
    _configs.append(config)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """A session within a session ends before the one around it."""
    if config in _configs:
        _configs.remove(config)


# Which test wants something


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """See which fixtures are asked for; those of other people's fakes come into being then."""
    manager = session._fixturemanager  # noqa: SLF001 -- see reporting.on_demand
    search = manager.getfixturedefs

    def getfixturedefs(argname: str, node: Any) -> Any:  # noqa: ANN401 -- pytest's own
        known = search(argname, node)
        if not argname.startswith(PREFIX):
            return known
        if DESK not in session.config.stash and argname not in WRITTEN and is_his(argname, known):
            return known
        from pytest_resilience.reporting import on_demand

        return on_demand.found(search, desk_of(session.config), argname, node)

    manager.getfixturedefs = getfixturedefs  # type: ignore[method-assign]  # the same
    if session.config.option.showfixtures:
        from pytest_resilience.reporting import on_demand

        on_demand.register_all(session.config, desk_of(session.config))


def is_his(argname: str, known: Any) -> bool:  # noqa: ANN401 -- the same
    """Whether somebody has such a fixture of his own, and wants none of ours beneath."""
    return bool(known) and not any(argname in definition.argnames for definition in known)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Let tests that use a fake begin and end with our custody, markers being as they will be."""
    yield
    for item in items:
        if DESK in config.stash or item.get_closest_marker("resilience") is not None:
            from pytest_resilience.reporting import hooks

            hooks.collected(desk_of(config), item)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for each clause of a ``retry_contract``."""
    marker = metafunc.definition.get_closest_marker(CONTRACT)
    if marker is not None:
        from pytest_resilience.reporting import contract

        desk_of(metafunc.config)
        contract.split(metafunc, marker)


# What is of use without a fixture


@pytest.hookimpl(tryfirst=True)
def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> Sequence[str] | None:
    """Explain ``assert server.trace.waits == [1, 2, 4]``."""
    if op != "==" or "pytest_resilience.schedule" not in sys.modules:
        return None
    from pytest_resilience.reporting import comparison

    return comparison.explain(left, right, config.stash.get(DESK, None))


# Fixtures: none asks for ``request``, which takes pytest longer than all the rest of a fixture


def new_fake(name: str) -> Iterator[FakeServer]:
    """A fake for one test."""
    custody = _desk().current_custody()
    server = custody.start(PREFIX + name, custody.fake(name))
    try:
        yield server
    finally:
        custody.stop(server)


def shared_fake(name: str) -> Iterator[FakeServer]:
    """A fake for the whole session, made by the first test that uses it."""
    custody = _desk().current_custody()
    with custody.sharing(f"{PREFIX}{name}_session", custody.fake(name, shared=True)) as server:
        yield server


@pytest.fixture
def fake_vault() -> Iterator[FakeServer]:
    """A fake Vault of this test alone; VAULT_ADDR, VAULT_TOKEN, ... point clients at it."""
    yield from new_fake("vault")


@pytest.fixture(scope="session")
def fake_vault_session() -> Iterator[FakeServer]:
    """A fake Vault for all tests: they share what it stores; trace and plan are each test's own."""
    yield from shared_fake("vault")


@pytest.fixture
def fake_gemini() -> Iterator[FakeServer]:
    """A fake Gemini of this test alone; GEMINI_API_KEY, ... point clients at it."""
    yield from new_fake("gemini")


@pytest.fixture(scope="session")
def fake_gemini_session() -> Iterator[FakeServer]:
    """A fake Gemini for all tests: they share its script; trace and plan are each test's own."""
    yield from shared_fake("gemini")


@pytest.fixture
def fake_server() -> Iterator[Callable[..., FakeServer]]:
    """Serve any WSGI app, or a Fake, until the test ends.

    ::

        server = fake_server(app)

    It takes the options of ``FakeServer`` as well.
    """
    from pytest_resilience.reporting.factory import Factory

    factory = Factory(_desk().current_custody())
    try:
        yield factory
    finally:
        factory.close()


@pytest.fixture(scope="session")
def fake_server_session() -> Iterator[Callable[..., FakeServer]]:
    """Serve a WSGI app, or a Fake, to all tests: trace and plan are each test's own.

    For a session-scoped fixture of your own; each call makes another server::

        @pytest.fixture(scope="session")
        def api(fake_server_session):
            return fake_server_session(app)
    """
    from pytest_resilience.reporting.factory import SharedFactory

    factory = SharedFactory(_desk())
    try:
        yield factory
    finally:
        factory.close()


@pytest.fixture
def virtual_clock() -> Iterator[VirtualClock]:
    """Time that moves only when nothing can happen without it; see docs/clock.md.

    ``virtual_clock.now`` says how far it has come, ``advance(seconds)`` moves it on.
    ``@pytest.mark.resilience(virtual_clock=True)`` on a class, or ``resilience_virtual_clock``
    in the ini file, does the same without naming it.
    """
    from pytest_resilience.clock.virtual import VirtualClock

    desk = _desk()
    desk.lease_engine()
    with VirtualClock() as clock:
        desk.clock = clock
        yield clock
    desk.clock = None


@pytest.fixture
def logs(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """Everything said during the test, in one list, joined to the attempts; see docs/logs.md.

    ``logs.at("WARNING").matching("retry")``, or all at once: ``logs.check_retries()``.
    """
    from pytest_resilience.reporting.logs import of_test

    yield from of_test(request, _desk())
