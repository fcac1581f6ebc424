"""Whose a piece of code is: by the file that it stands in, or by whom it speaks for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import FrameType

PASSED_ON = frozenset(
    {
        *("_pyio", "bz2", "click", "codecs", "configparser", "contextlib", "csv", "encodings"),
        *("fileinput", "gzip", "json", "logging", "loguru", "lzma", "os", "pathlib", "pickle"),
        *("plistlib", "pprint", "rich", "shelve", "shutil", "structlog", "tarfile", "tempfile"),
        *("tqdm", "traceback", "unittest", "warnings", "zipfile"),
    }
)
"""Packages that only pass on what somebody says, or write it where he wants it."""
_LISTENING = "pytest_resilience.logs"
_TESTS = re.compile(r"(^|[\\/])(test_[^\\/]*|[^\\/]*_test|conftest)\.py$|[\\/]tests?[\\/]")
_INSTALLED = re.compile(r"[\\/](site|dist)-packages[\\/]")
_LIBRARY = str(Path(os.__file__).parent)
_OURS = str(Path(__file__).parents[1])


def is_of_tests(file: str) -> bool:
    """Whether tests, or what helps them, stand in this file."""
    return _TESTS.search(file) is not None


def is_of_the_library(file: str) -> bool:
    """Whether it is the standard library's, and not something that was installed below it."""
    return file.startswith(("<", _LIBRARY)) and not _INSTALLED.search(file)


@lru_cache(maxsize=1024)
def is_of_the_project(file: str) -> bool:
    """Whether the project's own code stands there, and neither its tests nor a library."""
    return not (
        file.startswith(("<", _LIBRARY, _OURS)) or _INSTALLED.search(file) or is_of_tests(file)
    )


def speaker(frame: FrameType | None) -> FrameType | None:
    """Who says something, behind all that passes it on."""
    while frame is not None and _passes_on(str(frame.f_globals.get("__name__"))):
        frame = frame.f_back
    return frame


def up_to(caller: FrameType | None, frame: FrameType | None) -> Iterator[FrameType]:
    """This frame, and those that have called it, up to that one."""
    while frame is not None:
        yield frame
        frame = None if frame is caller else frame.f_back


def package(frame: FrameType) -> str:
    """Of whose code it is."""
    return str(frame.f_globals.get("__name__")).partition(".")[0]


def _passes_on(module: str) -> bool:
    return module.partition(".")[0] in PASSED_ON or module.startswith(_LISTENING)
