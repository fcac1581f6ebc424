"""What a fake may be found to do wrong."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["FLAWS", "Flaw"]

FLAWS = MappingProxyType(
    {
        "cannot-be-made": "The class takes the options of Fake (seed=..., clock=...), and hands "
        "them to super().__init__().",
        "no-answer": "Each request gets an answer.",
        "handler-raised": "A handler answers what it cannot find with an error; it does not raise.",
        "method-raised": "What every fake has can be called: `environment`, `state()`, `reset()` "
        "while it runs, `start()` and `stop()`.",
        "left-behind": "When a fake has stopped, no thread, descriptor or variable of it is left.",
        "environment-not-text": "`environment` maps names to texts.",
        "environment-elsewhere": "The addresses in `environment` are those of this very instance.",
        "environment-changes": "`environment` says the same each time, until a reset.",
        "wrong-status": "A planned status, say fail(503), is answered with just that status.",
        "error-shape": "Errors have one shape: that of `error()`.",
        "error-type": "An answer's Content-Type is that of its body.",
        "success-for-nothing": "A request that no route matched is answered with an error.",
        "head-differs": "HEAD is answered as GET, without the body.",
        "allow-missing": "A 405 names the methods that are allowed, in Allow.",
        "connection-not-kept": "A connection serves several requests: bodies end where they say.",
        "not-reset": "After `reset()` nothing is left of earlier requests.",
        "state-not-json": "`state()` is JSON data.",
        "state-not-settable": "`set_state()` takes what `state()` has given, and keeps it.",
        "shared-secret": "Each instance mints its own secrets, so that finding one is proof.",
        "reads-system-clock": "Time is read through `self.clock`.",
        "blocks-the-loop": "A handler waits for nothing: it runs on the server's own thread.",
        "needless-exception": "What is allowed to be otherwise is otherwise.",
    }
)
"""What holds for every fake, by the code of the flaw when it does not."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One way in which a fake breaks a promise."""

    code: str
    """One of ``FLAWS``."""
    where: str
    """A request, a preset, a name."""
    wanted: str
    came: str

    @property
    def key(self) -> str:
        """How ``allowed`` can name this one alone."""
        return f"{self.code} {self.where}"

    def __str__(self) -> str:
        said = f"{self.code}: {self.where}: wanted {self.wanted}, came {self.came}"
        return f"{said}\n    {FLAWS[self.code]}"
