"""What a function catches by itself is heard, and it runs as it ever did."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from types import FrameType, FunctionType
from typing import Any

import pytest

from pytest_resilience.logs import (
    _catching,
    _catching_by_code,
    _catching_by_events,
    _handlers,
    _helpers,
)

Heard = list[BaseException]
OLD = sys.version_info < (3, 12)


class RefusedError(Exception):
    """What the functions below catch."""


def refuse(text: str = "no") -> None:
    raise RefusedError(text)


def by_name() -> str:
    try:
        refuse()
    except RefusedError as error:
        return f"caught {error}"
    return "nothing"


def by_anything() -> str:
    text = "nothing"
    try:
        refuse()
    except:  # noqa: E722 -- one of the kinds of handlers
        text = "caught"
    return text


def by_suppress() -> str:
    with contextlib.suppress(RefusedError):
        refuse()
    return "went on"


def by_group() -> str:
    try:
        raise ExceptionGroup("several", [RefusedError("one")])
    except* RefusedError as group:
        text = str(group.exceptions[0])
    return text


def in_a_loop() -> list[int]:
    done = []
    for i in range(4):
        try:
            if i % 2:
                refuse(str(i))
        except (KeyError, RefusedError):
            continue
        done.append(i)
    return done


def with_finally() -> list[str]:
    done = []
    try:
        try:
            refuse()
        finally:
            done.append("finally")
    except RefusedError:
        done.append("except")
    return done


def in_a_handler() -> str:
    try:
        refuse("first")
    except RefusedError as first:
        try:
            refuse("second")
        except RefusedError as second:
            return f"{first} {second} {second.__context__}"
    return "nothing"


def with_a_coroutine() -> str:
    async def call() -> None:
        await asyncio.sleep(0)
        refuse()

    try:
        asyncio.run(call())
    except RefusedError:
        return "caught"
    return "nothing"


CATCHING: dict[Callable[[], Any], list[str]] = {
    by_name: ["no"],
    by_anything: ["no"],
    by_suppress: ["no"],
    by_group: ["several (1 sub-exception)"],
    in_a_loop: ["1", "3"],
    with_finally: ["no", "no"],
    in_a_handler: ["first", "second"],
    with_a_coroutine: ["no"],
}


@contextlib.contextmanager
def listening(*functions: Callable[..., Any]) -> Iterator[Heard]:
    heard: Heard = []
    found = [one for one in functions if isinstance(one, FunctionType)]
    end = _catching.listen(found, heard.append)
    try:
        yield heard
    finally:
        end()


@pytest.mark.parametrize("function", CATCHING)
def test_each_kind_of_handler_tells_what_it_catches(function: Callable[[], Any]) -> None:
    """In the order in which they are entered; what the function gives is the same."""
    alone = function()

    with listening(function) as heard:
        assert function() == alone
        assert function() == alone

    assert [str(error) for error in heard] == CATCHING[function] * 2
    assert sys.exception() is None


@pytest.mark.parametrize("function", CATCHING)
def test_nothing_is_heard_or_changed_afterwards(function: Callable[[], Any]) -> None:
    """The function has its own code again, and nobody listens."""
    code = function.__code__
    with listening(function) as heard:
        pass
    function()

    assert function.__code__ is code
    assert heard == []


def test_coroutines_and_generators_tell_as_well() -> None:
    """What they catch behind an await or a yield, and what closes them."""

    async def catching() -> str:
        try:
            async with contextlib.AsyncExitStack():
                await asyncio.sleep(0)
                refuse("awaited")
        except RefusedError:
            await asyncio.sleep(0)
        return "done"

    def generating() -> Iterator[int]:
        try:
            yield 1
        except GeneratorExit:
            yielded.append("closed")
            raise

    yielded: list[str] = []
    with listening(catching, generating) as heard:
        assert asyncio.run(catching()) == "done"
        generator = generating()
        next(generator)
        generator.close()  # type: ignore[attr-defined]

    assert [str(error) for error in heard] == ["awaited", "awaited", ""]
    assert yielded == ["closed"]


def test_what_is_not_caught_goes_on_as_ever() -> None:
    """With its own lines in the traceback."""

    def passing_on() -> None:
        with contextlib.suppress(KeyError):
            refuse()

    with listening(passing_on) as heard, pytest.raises(RefusedError) as caught:
        passing_on()

    first = passing_on.__code__.co_firstlineno
    assert caught.traceback[1].lineno == first + 1  # counted from 0
    assert heard == [caught.value]


def test_a_function_without_handlers_is_left_alone() -> None:
    """Nothing is made for it."""
    code = refuse.__code__
    with listening(refuse):
        assert refuse.__code__ is code


def test_what_others_have_made_of_the_function_meanwhile_stays() -> None:
    """Whoever replaces its code in between has the last word."""

    def catching() -> str:
        with contextlib.suppress(RefusedError):
            refuse()
        return "mine"

    theirs = (lambda: "theirs").__code__
    with listening(catching):
        catching.__code__ = theirs

    assert catching() == "theirs"


def test_an_interrupt_while_it_is_told_leaves_nothing_behind() -> None:
    """It goes on like one in the handler itself."""

    def interrupt(error: BaseException) -> None:
        raise KeyboardInterrupt(str(error))

    def catching() -> None:
        with contextlib.suppress(RefusedError):
            refuse()

    assert isinstance(catching, FunctionType)
    end = _catching.listen([catching], interrupt)
    try:
        catching()
    except KeyboardInterrupt as error:
        told = error
    finally:
        end()
    catching()

    assert str(told) == "no"
    assert sys.exception() is None


def test_long_functions_tell_as_well() -> None:
    """However many constants they have, and however far it is to their handlers."""
    many = "\n".join(f"    total += {1000 + i}.5" for i in range(400))
    handler = "    try:\n        refuse()\n    except RefusedError:\n        total += 1\n"
    source = f"def long():\n    total = 0\n{handler}{many}\n{handler}    return total\n"
    names: dict[str, Any] = {"refuse": refuse, "RefusedError": RefusedError}
    exec(source, names)  # noqa: S102 -- of what stands above

    with listening(names["long"]) as heard:
        assert names["long"]() == 2 + 400 * 1000.5 + 399 * 200

    assert len(heard) == 2


@pytest.mark.parametrize("function", CATCHING)
def test_who_measures_its_lines_sees_the_same(function: Callable[[], Any]) -> None:
    """Every line, in the same order: coverage and branches are as they were."""

    def lines() -> list[int]:
        seen: list[int] = []

        def trace(frame: FrameType, event: str, _: object) -> Any:
            if frame.f_code.co_name != function.__code__.co_name:
                return None
            if event == "line":
                seen.append(frame.f_lineno)
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            function()
        finally:
            sys.settrace(before)
        return seen

    alone = lines()
    with listening(function) as heard:
        assert lines() == alone

    assert len(alone) > 1
    assert heard


@pytest.mark.skipif(not OLD, reason="later Pythons tell without any change of the code")
def test_under_a_debugger_the_code_stays_as_it_is() -> None:
    """It could step into what is not the user's; who measures coverage is none."""
    code = by_name.__code__
    before = sys.gettrace()
    sys.settrace(_debugger)
    try:
        with listening(by_name) as heard:
            assert by_name.__code__ is code
            assert by_name() == "caught no"
    finally:
        sys.settrace(before)

    assert heard == []


def _debugger(*_: object) -> None:
    """Traces nothing."""


@pytest.mark.skipif(OLD, reason="earlier Pythons have no such places")
def test_where_all_places_of_tools_are_taken_nothing_is_heard() -> None:
    """And nothing else is different."""
    monitoring: Any = getattr(sys, "monitoring", None)
    for place in (3, 4):
        monitoring.use_tool_id(place, "another")
    try:
        with listening(by_name) as heard:
            assert by_name() == "caught no"
    finally:
        for place in (3, 4):
            monitoring.free_tool_id(place)

    assert heard == []
    with listening(by_name) as heard:
        by_name()
        assert monitoring.get_tool(4) == _catching_by_events.NAME
    assert len(heard) == 1
    assert monitoring.get_tool(4) is None


@pytest.mark.parametrize("function", CATCHING)
def test_the_table_is_read_as_the_interpreter_reads_it(function: Callable[[], Any]) -> None:
    """As the standard library's own disassembler does."""
    import dis

    parsed = dis._parse_exception_table(function.__code__)  # type: ignore[attr-defined]
    table = _handlers.entries(function.__code__)

    assert [(one.start, one.end, one.target) for one in table] == [
        (one.start, one.end, one.target) for one in parsed
    ]


CLIENT = """
def refuse(before=bool):
    before()
    raise ValueError("no")
"""
HELPER = """
def test():
    pass

def helper(call, *args):
    try:
        call(*args)
    except ValueError:
        return True
"""


def module(code: str, file: str, **names: object) -> dict[str, Any]:
    """The names of a module that stands in this file."""
    names["__name__"] = file.removesuffix(".py")
    exec(compile(code, f"/project/{file}", "exec"), names)  # noqa: S102 -- our own
    return names


def test_helpers_tell_of_what_the_project_raises() -> None:
    """Once each, of however many modules, and never afterwards."""
    refuse = module(CLIENT, "shop.py")["refuse"]
    for i in range(40):
        tests = module(HELPER, f"test_{i}.py")
        with listening(tests["test"]) as heard:
            assert tests["helper"](refuse)
        assert [str(error) for error in heard] == ["no"]
        assert tests["helper"](refuse)
        assert len(heard) == 1


def test_what_others_raise_to_helpers_is_not_told() -> None:
    """The helper's own file, the library, what is installed, and the project that calls back."""
    shop = module(CLIENT, "shop.py")
    tests = module(HELPER + CLIENT, "test_it.py")
    installed = module(CLIENT, "lib/site-packages/acme.py")
    with listening(tests["test"]) as heard:
        assert tests["helper"](tests["refuse"])
        assert tests["helper"](int, "x")
        assert tests["helper"](installed["refuse"])
        with pytest.raises(ValueError, match="no"):
            shop["refuse"](lambda: tests["helper"](shop["refuse"]))
    assert heard == []

    _helpers.caught(ValueError("never raised"))


def test_copies_of_helpers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As is what is known of modules: a session may have thousands of either."""
    monkeypatch.setattr(_catching_by_code, "MOST_COPIES", 2)
    monkeypatch.setattr(_helpers, "MOST_KNOWN", 2)
    for i in range(5):
        tests = module(HELPER, f"test_other_{i}.py")
        with listening(tests["test"]):
            pass

    assert len(_helpers._known) <= 3
    assert len(_catching_by_code._copies) <= 2
