"""Faults to try a client with: all that a public network does now and then and a chain of one's own never.

They are drawn from a seed, in the order of the questions: the same questions meet the same faults again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from keeper.errors import UserError

NAMES = "drop", "delay", "stale", "expire", "seed"
MOST_SECONDS = 60.0
STALE_SLOTS = 32
"""How far a node that is behind may be."""


@dataclass
class Faults:
    """How often what goes wrong, from 0 to 1, and by how much."""

    drop: float = 0.0
    """Transactions that are taken and never land."""
    delay: float = 0.0
    """Seconds that an answer, or a transaction's landing, may take: each time anything up to that."""
    stale: float = 0.0
    """Answers of a node that is some slots behind, and doesn't know the newest transactions yet."""
    expire: float = 0.0
    """Blockhashes that are too old when they are handed out."""
    seed: int = 0
    behind: int = 0
    """Slots by which the answer under way is behind."""
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Begin the sequence of faults."""
        self._random = random.Random(self.seed)

    def __bool__(self) -> bool:
        """Whether anything goes wrong at all."""
        return any((self.drop, self.delay, self.stale, self.expire))

    def drops(self) -> bool:
        """Whether the next transaction is lost."""
        return self._random.random() < self.drop

    def expires(self) -> bool:
        """Whether the next blockhash is too old."""
        return self._random.random() < self.expire

    def seconds(self) -> float:
        """How long the next answer takes."""
        return self._random.uniform(0, self.delay) if self.delay else 0.0

    def slots_behind(self) -> int:
        """How many slots the next answer is behind."""
        return self._random.randint(1, STALE_SLOTS) if self._random.random() < self.stale else 0


def read_faults(text: str) -> Faults:
    """Read ``drop=0.1,delay=2,stale=0.1,expire=0.1,seed=7``; raises UserError naming what isn't one."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        most = MOST_SECONDS if name == "delay" else 2**32 if name == "seed" else 1.0
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if name not in NAMES or not 0 <= number <= most or name in found:
            raise UserError(
                f"{part.strip()!r} is no fault: write drop=0.1,delay=2,stale=0.1,expire=0.1,seed=7: shares "
                f"from 0 to 1, and seconds up to {MOST_SECONDS:g} for delay"
            )
        found[name] = number
    return Faults(
        drop=found.get("drop", 0.0),
        delay=found.get("delay", 0.0),
        stale=found.get("stale", 0.0),
        expire=found.get("expire", 0.0),
        seed=int(found.get("seed", 0)),
    )
