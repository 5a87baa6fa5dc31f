"""What only a network of one's own has: its time is yours, and its tokens are free."""

from __future__ import annotations

from typing import Any

from keeper.localnet import faucet
from keeper.localnet.chain import MAX_SPEED
from keeper.localnet.methods.registry import method
from keeper.localnet.node import Node
from keeper.localnet.parameters import Parameters
from keeper.localnet.refusal import invalid

LONGEST_SECONDS = 100 * 366 * 86_400


@method("ionet_advance", on_public=False)
async def advance(node: Node, parameters: Parameters) -> Any:
    """Moves the clock on by so many seconds; answers slot and time."""
    node.chain.advance(parameters.number(0, most=LONGEST_SECONDS))
    return _clock(node)


@method("ionet_setSpeed", on_public=False)
async def set_speed(node: Node, parameters: Parameters) -> Any:
    """Sets how many seconds pass in one of yours, 0 to stop the clock; answers slot and time."""
    speed = parameters.needed(0)
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 <= speed <= MAX_SPEED:
        raise invalid(f"a speed is a number from 0 to {MAX_SPEED:g}: seconds of the chain in one of yours")
    node.chain.set_speed(float(speed))
    return _clock(node)


@method("ionet_faucet", on_public=False)
async def give(node: Node, parameters: Parameters) -> Any:
    """Gives an address SOL, IO and USDC of this network; answers how much, and by which transaction."""
    return await faucet.give(node, parameters.address(0))


def _clock(node: Node) -> dict[str, Any]:
    return {"slot": node.slot, "unixTimestamp": node.chain.now(), "speed": node.chain.speed}
