"""Certificates of authorities are read again when they are needed, and not before.

*Problem.* ``httpx.Client()`` and ``ssl.create_default_context()`` read a bundle of certificates,
for 40 ms of computing each time, and a client that is judged may be built for each of 150
attempts at a server without TLS.

*Solution.* What has been read once is noted, and for another context it is read when that is
first used for TLS, or when the judge is done: whoever keeps it notices nothing.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_resilience.judge._replaced import replaced

if TYPE_CHECKING:
    import ssl

__all__ = ["read_late"]

READ = ("load_verify_locations", "load_default_certs")
USED = ("wrap_socket", "wrap_bio", "get_ca_certs", "cert_store_stats")

Method: TypeAlias = Callable[..., Any]


@contextlib.contextmanager
def read_late() -> Iterator[None]:
    """Let contexts wait for the certificates that others have had already."""
    import ssl

    late = Late()
    with contextlib.ExitStack() as stack:
        for names, wrapper in ((READ, late.reading), (USED, late.using)):
            for name in names:
                stack.enter_context(replaced(ssl.SSLContext, name, wrapper))
        yield
    late.read_all()


class Late:
    """What contexts have been told to read and have not read yet."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._known: set[object] = set()
        self._waiting: weakref.WeakKeyDictionary[ssl.SSLContext, list[Callable[[], object]]] = (
            weakref.WeakKeyDictionary()
        )

    def reading(self, real: Method) -> Method:
        """A method that reads: at once what is new, and later what is known to be right."""

        def read(context: ssl.SSLContext, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 -- ssl's own
            what = _told(real, arguments, named)
            if what not in self._known:
                real(context, *arguments, **named)
                self._known.add(what)
                return
            its_own = weakref.ref(context)
            with self._lock:
                jobs = self._waiting.setdefault(context, [])
                jobs.append(lambda: real(its_own(), *arguments, **named))

        return read

    def using(self, real: Method) -> Method:
        """A method that needs what has been read."""

        def use(context: ssl.SSLContext, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- ssl's own
            self._read(context)
            return real(context, *arguments, **named)

        return use

    def read_all(self) -> None:
        """For all that are still there."""
        for context in list(self._waiting):
            self._read(context)

    def _read(self, context: ssl.SSLContext) -> None:
        with self._lock:
            for job in self._waiting.pop(context, ()):
                job()


def _told(real: Method, arguments: tuple[object, ...], named: Mapping[str, object]) -> object:
    """What tells a reading from another: what is read, and the state of each file."""
    places = [os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")]
    things = [*arguments, *named.values(), *places]
    return real, repr((arguments, named, places)), tuple(map(_state, things))


def _state(thing: object) -> object:
    if not isinstance(thing, str | os.PathLike):
        return None
    try:
        stat = os.stat(thing)  # noqa: PTH116 -- a path of any kind
    except (OSError, ValueError):
        return None
    return stat.st_mtime_ns, stat.st_size
