"""What is done around each test, from the moment when a test wants something of ours."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from pytest_resilience.plugin import CONTRACT, DESK, WRITTEN
from pytest_resilience.reporting import settings
from pytest_resilience.reporting.desk import Desk


def begin(config: pytest.Config) -> Desk:
    """What a session keeps between its tests, for the hooks below.

    Raises:
        UsageError: A value on the command line, in the environment or the ini is wrong.
    """
    always = settings.of_config(config)
    return Desk(config, WRITTEN, always_virtual=always.virtual_clock)


def collected(desk: Desk, item: pytest.Item) -> None:
    """Let a test that uses a fake begin and end with our custody.

    Raises:
        UsageError: Its marker cannot be meant.
    """
    names: list[str] = getattr(item, "fixturenames", [])
    if not _in_worker(item.config) and (text := _of_contract(item)):
        raise pytest.UsageError(text)
    if desk.expects(item):
        desk.attend(item)
    marked = item.get_closest_marker("resilience") is not None
    if marked and not _in_worker(item.config):
        settings.of_item(item)
    maybe_virtual = (marked or desk.always_virtual) and names[:1] != ["virtual_clock"]
    if maybe_virtual and settings.wants_clock(item):
        # A test may name it as well; it still begins before setup_method. The list is not
        # changed: all parameters of a function share it.
        rest = [name for name in names if name != "virtual_clock"]
        item.fixturenames = ["virtual_clock", *rest]  # type: ignore[attr-defined]  # read at setup


def _in_worker(config: pytest.Config) -> bool:
    """Whether this is a worker of xdist, whose usage errors nobody gets to see."""
    return hasattr(config, "workerinput")


def _of_contract(item: pytest.Item) -> str:
    """What is wrong with its `retry_contract`, in one line; empty when nothing is."""
    if CONTRACT not in item.keywords:
        return ""
    from pytest_resilience.reporting import contract

    return contract.complaint(item)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    """Make a marked test's body the call of a client, and judge it."""
    marker = pyfuncitem.get_closest_marker(CONTRACT)
    if marker is None:
        return None
    from pytest_resilience.reporting import contract

    contract.run(pyfuncitem, marker, pyfuncitem.config.stash[DESK].has_custody_of(pyfuncitem))
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Know which test runs."""
    item.config.stash[DESK].item = item
    if _in_worker(item.config) and (text := settings.complaint(item) or _of_contract(item)):
        pytest.fail(text, pytrace=False)


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
    desk, error = item.config.stash[DESK], call.excinfo
    if error is not None and isinstance(error.value, pytest.FixtureLookupError):
        from pytest_resilience.reporting import on_demand

        on_demand.explain(error.value, report.longrepr)
    custody = desk.has_custody_of(item)
    if custody is not None:
        if error is not None:
            custody.raised(error.value)
        custody.passed = report.passed if report.when == "call" else custody.passed
        if report.failed:
            from pytest_resilience.reporting import sections

            sections.add(report, custody)
        if custody.settings.har:
            from pytest_resilience.reporting import har

            har.write(report, custody)
    clock = desk.clock
    if clock is not None and report.when == "call" and (report.failed or clock.reports):
        from pytest_resilience.reporting import sections

        sections.add_clock(report, clock)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Give back what the session kept between its tests."""
    session.config.stash[DESK].keep_taps(wanted=False)
    session.config.stash[DESK].release_engine()
