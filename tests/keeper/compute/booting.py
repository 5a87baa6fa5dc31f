"""Small nodes of Ray for tests, and the wait until a head has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from keeper.compute.node import Alive, HeadSilent, Node, alive
from keeper.compute.overlay import Overlay
from keeper.compute.sandbox import Limits, Sandbox
from tests.keeper.compute.sandboxing import MIB

LIMITS = Limits(memory=2_048 * MIB, shared=128 * MIB, scratch=64 * MIB, data=1_024 * MIB)
OBJECTS = 80 * MIB
BOOT_SECONDS = 240.0
"""Where something is waited for that never comes; it takes a tenth."""


class NotBooted(Exception):
    """A node that ended while it was to begin."""


async def nodes(
    member: Overlay, node: Node, until: Callable[[list[Alive]], bool], *made: Sandbox
) -> list[Alive]:
    """The head's list once it is as it should be."""
    async with asyncio.timeout(BOOT_SECONDS):
        while True:
            for each in made:
                if each.spaces.over.done():
                    raise NotBooted(f"{each.spaces.over.result()}: {each.spaces.tail}")
            try:
                if until(found := await alive(member, node)):
                    return found
            except HeadSilent:
                pass
            await asyncio.sleep(0.2)
