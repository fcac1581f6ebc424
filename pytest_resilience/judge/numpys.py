"""NumPy's dice, if somebody has imported them: their states, and the seeds that they began with."""

from __future__ import annotations

import gc
import pickle
import sys
from typing import Any

__all__ = ["all_dice", "began_with", "state", "state_of_all"]

BLOCKS = 64
"""As many times 624 numbers of 32 bits may have been drawn since the seed."""
WORDS = 624


def _random() -> Any:  # noqa: ANN401 -- a module
    return sys.modules.get("numpy.random")


def state_of_all() -> bytes:
    """The state of the dice that the whole process has in common; empty without NumPy."""
    module = _random()
    return b"" if module is None else pickle.dumps(module.get_state())


def all_dice() -> list[Any]:
    """Every other generator of this process, of the new kind and of the old."""
    module = _random()
    if module is None:
        return []
    kinds = (module.Generator, module.RandomState)
    common = module.mtrand._rand  # noqa: SLF001 -- what numpy.random.seed seeds
    found = [one for one in gc.get_objects() if issubclass(type(one), kinds)]
    return [one for one in found if one is not common]


def state(dice: Any) -> bytes:  # noqa: ANN401 -- a generator
    """The state of one of them."""
    new = getattr(dice, "bit_generator", None)
    return pickle.dumps(dice.get_state() if new is None else new.state)


def began_with(dice: Any, seed: object) -> bool:  # noqa: ANN401 -- a generator
    """Whether it was made with this seed: the new kind keeps it, the old is on the way from it."""
    new = getattr(dice, "bit_generator", None)
    if new is not None:
        return bool(getattr(new.seed_seq, "entropy", None) == seed)
    if not isinstance(seed, int):
        return False
    words = list(dice.get_state()[1])
    twin = _random().RandomState(seed)
    for _ in range(BLOCKS):
        if list(twin.get_state()[1]) == words:
            return True
        twin.bytes(4 * WORDS)
    return False
