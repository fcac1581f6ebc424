"""The pytest plugin: options, marker, fixtures and hooks, each a few lines.

It is imported in every pytest run of everyone who has it installed, so whatever a run that
uses no fake can do without is imported in the function that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_resilience.reporting import settings
from pytest_resilience.reporting.desk import Desk

if TYPE_CHECKING:
    from pytest_resilience.clock.virtual import VirtualClock
    from pytest_resilience.logs import Recorder
    from pytest_resilience.server.server import FakeServer

DESK = pytest.StashKey[Desk]()
_desks: list[Desk] = []
"""Of the sessions of this process; the last one is the one that runs."""
CONTRACT = "retry_contract"
CONTRACT_LINE = (
    f"{CONTRACT}(policy, server=None): the test's body is one call of a client, and each clause "
    "of its RetryPolicy becomes a test; server names the fixture of the fake that it calls, "
    "when the test uses several."
)
WRITTEN = ("fake_server", "fake_vault", "fake_vault_session", "fake_gemini", "fake_gemini_session")


# Settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register what can be set."""
    settings.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse settings that cannot be meant, before anything runs."""
    config.addinivalue_line("markers", settings.marker_line())
    config.addinivalue_line("markers", CONTRACT_LINE)
    always = settings.of_config(config)
    config.stash[DESK] = desk = Desk(config, WRITTEN, always_virtual=always.virtual_clock)
    _desks.append(desk)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """A session within a session ends before the one around it."""
    desk = config.stash.get(DESK, None)
    if desk in _desks:
        _desks.remove(desk)


# Fixtures: none asks for ``request``, which takes pytest longer than all the rest of a fixture


def new_fake(name: str) -> Iterator[FakeServer]:
    """A fake for one test."""
    custody = _desks[-1].current_custody()
    with custody.running(f"fake_{name}", custody.fake(name)) as server:
        yield server


def shared_fake(name: str) -> Iterator[FakeServer]:
    """A fake for the whole session, made by the first test that uses it."""
    custody = _desks[-1].current_custody()
    label = f"fake_{name}_session"
    with custody.sharing(label, custody.fake(name, shared=True)) as server:
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

    with Factory(_desks[-1].current_custody()) as factory:
        yield factory


@pytest.fixture
def virtual_clock() -> Iterator[VirtualClock]:
    """Time that moves only when nothing can happen without it; see docs/clock.md.

    ``virtual_clock.now`` says how far it has come, ``advance(seconds)`` moves it on.
    ``@pytest.mark.resilience(virtual_clock=True)`` on a class, or ``resilience_virtual_clock``
    in the ini file, does the same without naming it.
    """
    from pytest_resilience.clock.virtual import VirtualClock

    desk = _desks[-1]
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

    yield from of_test(request, request.config.stash[DESK])


# Fakes of others


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let fixtures of other people's fakes come into being when they are asked for."""
    from pytest_resilience.reporting import on_demand

    on_demand.install(session, session.config.stash[DESK])


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a test that uses a fake begin and end with our custody."""
    names: list[str] = getattr(item, "fixturenames", [])
    desk = item.config.stash[DESK]
    if desk.expects(item):
        desk.attend(item)
    marked = item.get_closest_marker("resilience") is not None
    if marked and not _in_worker(item.config):
        settings.of_item(item)
    maybe_virtual = (marked or desk.always_virtual) and "virtual_clock" not in names
    if maybe_virtual and settings.wants_clock(item):
        names.insert(0, "virtual_clock")


def _in_worker(config: pytest.Config) -> bool:
    """Whether this is a worker of xdist, whose usage errors nobody gets to see."""
    return hasattr(config, "workerinput")


# Contracts


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for each clause of a ``retry_contract``."""
    marker = metafunc.definition.get_closest_marker(CONTRACT)
    if marker is not None:
        from pytest_resilience.reporting import contract

        contract.split(metafunc, marker)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    """Make a marked test's body the call of a client, and judge it."""
    marker = pyfuncitem.get_closest_marker(CONTRACT)
    if marker is None:
        return None
    from pytest_resilience.reporting import contract

    contract.run(pyfuncitem, marker, pyfuncitem.config.stash[DESK].has_custody_of(pyfuncitem))
    return True


# Running and reporting


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Know which test runs."""
    item.config.stash[DESK].item = item
    if _in_worker(item.config) and (text := settings.complaint(item)):
        pytest.fail(text, pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    """Listen to the streams of this phase: capsys and its like have new ones for each."""
    import sys

    if "pytest_resilience.logs" in sys.modules:
        from pytest_resilience.logs import _hub

        _hub.follow()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, Any, Any]:
    """Leave no variable behind, whatever others have undone after us."""
    desk = item.config.stash[DESK]
    desk.keep_taps(wanted=nextitem is not None and desk.expects(nextitem))
    try:
        return (yield)
    finally:
        custody = desk.has_custody_of(item)
        if custody is not None:
            custody.environment.sweep()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the servers of a failed test saw."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, pytest.FixtureLookupError):
        from pytest_resilience.reporting import on_demand

        on_demand.explain(call.excinfo.value, report.longrepr)
    custody = item.config.stash[DESK].has_custody_of(item)
    if custody is not None:
        if call.excinfo is not None:
            custody.raised(call.excinfo.value)
        custody.passed = report.passed if report.when == "call" else custody.passed
        if report.failed:
            from pytest_resilience.reporting import sections

            sections.add(report, custody)
        if custody.settings.har:
            from pytest_resilience.reporting import har

            har.write(report, custody)
    clock = item.config.stash[DESK].clock
    if clock is not None and report.when == "call" and (report.failed or clock.reports):
        from pytest_resilience.reporting import sections

        sections.add_clock(report, clock)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> Sequence[str] | None:
    """Explain ``assert server.trace.waits == [1, 2, 4]``."""
    import sys

    if op != "==" or "pytest_resilience.schedule" not in sys.modules:
        return None
    from pytest_resilience.reporting import comparison

    lines = comparison.explain(left, right)
    custody = config.stash[DESK].custody
    return lines if lines is None or custody is None else [custody.mask(line) for line in lines]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Give back what the session kept between its tests."""
    session.config.stash[DESK].keep_taps(wanted=False)
    session.config.stash[DESK].release_engine()
