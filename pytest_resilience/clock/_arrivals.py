"""Modules that are imported while a clock is on, and are to be seen to when they are there."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.machinery import ModuleSpec
from typing import Any


@contextlib.contextmanager
def awaited(
    names: Iterable[str], coming: Callable[[str], object], arrived: Callable[[str], object]
) -> Iterator[None]:
    """Call back with the name of each of these modules, before and after it is imported."""
    missing = {name for name in names if name not in sys.modules}
    finder: Any = _Finder(missing, coming, arrived)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # Somebody has emptied the list.
            sys.meta_path.remove(finder)


class _Finder:
    """Finds what the others find, with a loader that tells."""

    def __init__(
        self, names: set[str], coming: Callable[[str], object], arrived: Callable[[str], object]
    ) -> None:
        self._names = names
        self._coming = coming
        self._arrived = arrived

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """As a finder's."""
        if name not in self._names:
            return None
        self._coming(name)
        self._names.discard(name)  # The search below comes here again.
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._arrived)  # type: ignore[assignment]  # quacks
        return spec


class _Loader:
    """A module's own loader, until it has done its work."""

    def __init__(self, real: Any, arrived: Callable[[str], object]) -> None:
        self._real = real
        self._arrived = arrived

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def exec_module(self, module: Any) -> None:
        """As a loader's."""
        module.__loader__ = module.__spec__.loader = self._real
        try:
            self._real.exec_module(module)
        finally:
            self._arrived(module.__name__)
