# ruff: noqa: T201 -- printing is what is tested
"""stdout and stderr are heard beside whoever captures them, and say the same as ever."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import logging
import pickle
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from pytest_resilience.logs import Recorder, _hub


def printed(logs: Recorder) -> list[tuple[str, str]]:
    """Source and text of what was printed."""
    return [(line.source, line.text) for line in logs.lines]


@pytest.mark.parametrize("capture", ["capsys", "capfd"])
def test_lines_beside_a_capture(capture: str, request: pytest.FixtureRequest) -> None:
    """Whole lines, whatever pieces they were written in, and the capture gets them all."""
    captured: Any = request.getfixturevalue(capture)
    with Recorder() as logs:
        print("one", 2, end="")
        print(" three")
        sys.stderr.write("a\nb\n")
        print("no end", end="")
    got = captured.readouterr()

    assert printed(logs) == [
        ("stdout", "one 2 three"),
        ("stderr", "a"),
        ("stderr", "b"),
        ("stdout", "no end"),
    ]
    assert (got.out, got.err) == ("one 2 three\nno end", "a\nb\n")


def test_bytes(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """What is written below the text layer is heard, once."""
    with Recorder() as logs:
        sys.stdout.buffer.write(b"raw \xff\n")
        sys.stdout.buffer.write(memoryview(b"view\n"))
        sys.stdout.write("text\n")

    assert printed(logs) == [("stdout", "raw \\xff"), ("stdout", "view"), ("stdout", "text")]
    assert capsysbinary.readouterr().out == b"raw \xff\nview\ntext\n"


def test_two_threads_do_not_mix_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Each thread's pieces make a line of their own."""
    with Recorder() as logs:
        sys.stdout.write("from ")
        thread = threading.Thread(target=lambda: print("there"))
        thread.start()
        thread.join()
        sys.stdout.write("here\n")

    assert sorted(printed(logs)) == [("stdout", "from here"), ("stdout", "there")]


def test_a_handlers_output_is_an_echo(capsys: pytest.CaptureFixture[str]) -> None:
    """What a handler prints is no new line that was said, and does not mix with one."""
    log = logging.getLogger("tests.logs.streams")
    handler = logging.StreamHandler(sys.stderr)
    log.addHandler(handler)
    try:
        with Recorder() as logs:
            sys.stderr.write("by hand: ")
            log.warning("by log")
            sys.stderr.write("x\n")
    finally:
        log.removeHandler(handler)

    assert [(line.source, line.text, line.echo) for line in logs.lines] == [
        ("stderr", "by hand: x", False),
        ("logging", "by log", False),
        ("stderr", "by log", True),
    ]
    assert capsys.readouterr().err == "by hand: by log\nx\n"


def test_what_is_no_text_is_refused_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    """A stream complains of what it cannot write, and nothing is recorded."""
    with Recorder() as logs:
        with pytest.raises(TypeError):
            sys.stdout.write(7)  # type: ignore[arg-type]
        print("goes on")

    assert printed(logs) == [("stdout", "goes on")]


class Slots:
    """A stream that takes no attributes."""

    __slots__ = ("text",)

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)


def test_streams_that_cannot_be_tapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes no attributes works as ever; where there is none, there is none."""
    slots = Slots()
    monkeypatch.setattr(sys, "stdout", slots)
    monkeypatch.setattr(sys, "stderr", None)
    with Recorder() as logs:
        print("unheard")

    assert slots.text == "unheard\n"
    assert logs.lines == ()


class Refusing:
    """A stream that refuses what it does not know in a way of its own."""

    refused: str
    text: str

    def __init__(self, refused: str) -> None:
        vars(self).update(refused=refused, text="")

    def __getattr__(self, name: str) -> object:
        if self.refused == "get":
            raise RuntimeError(name)
        raise AttributeError(name)

    def __setattr__(self, name: str, value: object) -> None:
        if self.refused == "set" and name != "text":
            raise ValueError(name)
        vars(self)[name] = value

    def __delattr__(self, name: str) -> None:
        raise ValueError(name)

    def write(self, text: str) -> int:
        self.text += text
        return len(text)


@pytest.mark.parametrize("refused", ["get", "set", "delete"])
def test_whoever_puts_a_stream_in_place_is_not_to_blame(refused: str) -> None:
    """Whatever it raises when it is tapped or let go, its owner and the next one do not see it."""
    stream = Refusing(refused)
    with Recorder() as logs:
        with contextlib.redirect_stdout(stream):  # type: ignore[type-var]  # as much as it needs
            print("to it")
        print("beside it")
    with Recorder() as again:
        print("again")

    assert stream.text == "to it\n"
    assert logs.lines[-1].text == "beside it"
    assert printed(again) == [("stdout", "again")]


class Around:
    """A stream around another, which has all attributes but `write`, as tqdm's has."""

    def __init__(self, around: Any) -> None:
        vars(self)["around"] = around

    def __getattr__(self, name: str) -> Any:
        return getattr(self.around, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.around, name, value)

    def write(self, text: str) -> int:
        return self.around.write(text.upper())  # type: ignore[no-any-return]


@pytest.mark.parametrize("around", [lambda: sys.stdout, io.StringIO])
def test_a_stream_around_another_does_not_call_itself(
    around: Callable[[], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """What is set on it would be set on the other one; and each is as before in the end."""
    stream = Around(around())
    with Recorder() as logs:
        with contextlib.redirect_stdout(stream):
            print("heard")
        print("beside it")

    assert logs.texts[0] == "heard"
    assert logs.texts[-1] == "beside it"
    assert capsys.readouterr().out.endswith("beside it\n")
    assert list(vars(stream)) == ["around"]


@pytest.mark.parametrize("mocked", [mock.MagicMock, lambda: mock.create_autospec(sys.stdout)])
def test_a_mock_knows_how_it_was_called(mocked: Callable[[], Any]) -> None:
    """Its `write` is what is asked for that, and so is no other one."""
    with Recorder():
        with mock.patch("sys.stdout", mocked()) as out:
            print("one")
        assert out.write.call_args_list[0] == mock.call("one")
    out.write("two")

    out.write.assert_called_with("two")


def test_a_stream_without_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text in memory is a stream as well."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with Recorder() as logs:
        print("heard")

    assert stream.getvalue() == "heard\n"
    assert printed(logs) == [("stdout", "heard")]
    assert "write" not in vars(stream)


def test_what_pytest_prints_is_not_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `-s` pytest prints where the test prints; its words are left out."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with Recorder() as logs:
        pytests: Any = {"__name__": "_pytest._io.terminalwriter", "stream": stream}
        exec("stream.write('PASSED')", pytests)  # noqa: S102 -- code of another module
        exec("stream.write('nobody')", {"stream": stream, "__name__": None})  # noqa: S102

    assert stream.getvalue() == "PASSEDnobody"
    assert printed(logs) == [("stdout", "nobody")]


@contextlib.contextmanager
def assigned(stream: io.StringIO) -> Iterator[None]:
    """As somebody does it who knows no helper."""
    before, sys.stdout = sys.stdout, stream
    yield
    sys.stdout = before


@contextlib.contextmanager
def monkeypatched(stream: io.StringIO) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", stream)
        yield


WAYS: list[Any] = [
    assigned,
    contextlib.redirect_stdout,
    lambda stream: mock.patch("sys.stdout", stream),
    monkeypatched,
]


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_put_in_place_meanwhile_is_heard(
    way: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """However it is put there, and the one before it is heard again when it is back."""
    stream = io.StringIO()
    with Recorder() as logs:
        with way(stream):
            print("there")
        print("here")

    assert [(line.text, line.diverted) for line in logs.lines] == [("there", True), ("here", False)]
    assert (stream.getvalue(), capsys.readouterr().out) == ("there\n", "here\n")
    assert "write" not in vars(stream)


def test_a_stream_may_be_deleted_and_put_back() -> None:
    """As without us: a second time there is nothing to delete, and nothing to print to."""
    before = sys.stdout
    with Recorder() as logs:
        del sys.stdout
        with pytest.raises(AttributeError, match="stdout"):
            del sys.stdout
        with Recorder(), pytest.raises(RuntimeError, match=r"lost sys\.stdout"):
            print("nowhere")
        sys.stdout = before
        print("here")

    assert printed(logs) == [("stdout", "here")]


class Loud(io.StringIO):
    """A stream around another, as colorama has one."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def write(self, text: str) -> int:
        self.inner.write(text.upper())
        return len(text)


def test_what_is_handed_on_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """And not diverted, if it comes to where the output went before."""
    aside = io.StringIO()
    with Recorder() as logs:
        with contextlib.redirect_stdout(Loud(sys.stdout)):
            print("once")
        with contextlib.redirect_stdout(aside), contextlib.redirect_stdout(Loud(aside)):
            print("aside")

    assert [(line.text, line.diverted) for line in logs.lines] == [("once", False), ("aside", True)]
    assert (capsys.readouterr().out, aside.getvalue()) == ("ONCE\n", "ASIDE\n")


def test_of_many_streams_the_newest_are_kept() -> None:
    """A client that puts a new one there for each call keeps us from nothing."""
    streams = [io.StringIO() for _ in range(40)]
    with Recorder() as logs:
        for stream in streams:
            with contextlib.redirect_stdout(stream):
                print("x")
        assert sum("write" in vars(stream) for stream in streams) < 20

    assert len(logs.lines) == 40


def test_who_has_put_many_in_place_has_not_put_pytests_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was there before is no other stream when it is back, however many came meanwhile."""
    with Recorder() as logs:
        for _ in range(40):
            with contextlib.redirect_stdout(io.StringIO()):
                pass
            print("x")

    assert {line.diverted for line in logs.lines} == {False}
    assert capsys.readouterr().out == "x\n" * 40


@pytest.fixture
def kept() -> Iterator[None]:
    """The taps stay in place, as they do between two tests that use a fake."""
    before = _hub._kept
    _hub.keep(wanted=True)
    yield
    _hub.keep(wanted=before)


@pytest.mark.usefixtures("kept")
def test_a_stream_is_let_go_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it has stood in for the interpreter's own, as with `-s`."""
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    with Recorder(), contextlib.redirect_stdout(io.StringIO()):
        within = weakref.ref(sys.stdout)
    with Recorder():
        pass
    gc.collect()
    assert within() is None

    with contextlib.redirect_stdout(io.StringIO()):
        for _ in range(2):
            with Recorder():
                longer = weakref.ref(sys.stdout)
    with Recorder():
        pass
    gc.collect()
    assert longer() is None


@pytest.mark.usefixtures("kept")
def test_a_stream_that_came_by_another_way_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """C code sets no attribute of the module, and nobody tells of the interpreter's own ones."""
    with Recorder():
        pass
    monkeypatch.setitem(vars(sys), "stdout", io.StringIO())
    monkeypatch.setitem(vars(sys), "__stderr__", io.StringIO())
    with Recorder() as logs:
        print("out")
        print("err", file=sys.__stderr__)

    assert printed(logs) == [("stdout", "out"), ("stderr", "err")]


def test_sys_is_the_module_that_it_was() -> None:
    """While somebody listens it can even be pickled, as cloudpickle does by its class."""
    before = type(sys)
    with Recorder():
        assert isinstance(sys, types.ModuleType)
        assert repr(type(sys)) == repr(before)
        assert pickle.loads(pickle.dumps(sys)) is sys  # noqa: S301 -- our own

    assert type(sys) is before


def test_modules_that_are_imported_meanwhile_are_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """importlib makes them of the class of sys: langchain-core has modules named stdout."""
    (tmp_path / "with_streams").mkdir()
    (tmp_path / "with_streams" / "__init__.py").touch()
    (tmp_path / "with_streams" / "stdout.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    before = sys.stdout
    with Recorder():
        module = importlib.import_module("with_streams.stdout")
        package = sys.modules["with_streams"]
        made = type(sys)("made", doc="By hand.")
        monkeypatch.setattr(made, "stderr", "mine", raising=False)

        assert (type(package), type(made)) == (types.ModuleType, types.ModuleType)
        assert (package.stdout, made.stderr, sys.stdout) == (module, "mine", before)
        print("heard")

    assert capsys.readouterr().out == "heard\n"


def test_a_module_of_a_class_that_was_made_of_it_has_streams_of_its_own() -> None:
    """Set and deleted, they are nobody else's."""
    before = sys.stdout
    with Recorder():

        class Lazy(type(sys)):  # type: ignore[misc]
            """Somebody's own."""

        lazy = Lazy("lazy")
    lazy.stdout = "mine"
    assert (lazy.stdout, sys.stdout) == ("mine", before)
    del lazy.stdout
    with pytest.raises(AttributeError, match="stdout"):
        del lazy.stdout

    assert sys.stdout is before


def test_whoever_makes_another_class_of_it_keeps_it() -> None:
    """One that was put there while we listened stays; ours below it does nothing any more."""
    before = type(sys)
    try:
        with Recorder():

            class Mine(type(sys)):  # type: ignore[misc]
                """Somebody's own."""

            sys.__class__ = Mine
            with Recorder() as logs, contextlib.redirect_stdout(io.StringIO()):
                print("heard")
        assert type(sys) is Mine
        with contextlib.redirect_stdout(io.StringIO()):
            print("unheard")
        with Recorder() as later, contextlib.redirect_stdout(io.StringIO()):
            print("heard again")
    finally:
        sys.__class__ = before  # type: ignore[assignment]  # mypy takes it for the new one

    assert (logs.texts, later.texts) == (["heard"], ["heard again"])
