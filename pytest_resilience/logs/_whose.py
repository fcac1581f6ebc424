"""Whose a piece of code is, by the file that it stands in."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

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
