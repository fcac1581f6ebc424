"""Something of a module's or a class's, replaced for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["replaced"]


@contextlib.contextmanager
def replaced(owner: Any, name: str, make: Callable[[Any], object]) -> Iterator[None]:  # noqa: ANN401 -- any owner
    """Put in its place what is made of it; a class that inherits it, inherits it again."""
    missing = object()
    own = vars(owner).get(name, missing)
    setattr(owner, name, make(getattr(owner, name)))
    try:
        yield
    finally:
        if own is missing:
            delattr(owner, name)
        else:
            setattr(owner, name, own)
