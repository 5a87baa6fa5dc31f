"""A world on a saved chain, as commands find it and leave it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from keeper.economy.calendar import month_start, parse_month
from tests.programs.world import World

FUTURE = month_start(parse_month("2090-01"))
"""The chain's clock: a saved chain follows this machine's only where that is ahead."""
CHAIN = Path("test.chain")
Typed = Callable[..., str]
"""Types a command as somebody whose key file is there; gives what it prints, in one line."""


def later(world: World, seconds: int) -> None:
    """Let time pass on the saved chain."""
    world.chain.advance(seconds)
    world.chain.save(CHAIN)
