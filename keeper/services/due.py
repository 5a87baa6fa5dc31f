"""What every job is made of: reading what is due, sending it, and standing a faster keeper beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, Event, Program, TransactionFailed
from keeper.clients.errors import explain

Job = Callable[[Chain, Keypair, FilteringBoundLogger], Awaitable[list[Event]]]
"""One step of the keeper: returns the events of what it did, none when nothing was due."""


async def send(
    chain: Chain,
    payer: Keypair,
    log: FilteringBoundLogger,
    program: Program,
    instructions: Sequence[Instruction],
    still_due: Callable[[], Awaitable[object]],
) -> list[Event]:
    """Send, and give ``program``'s events; a refusal of what isn't due any more gives none."""
    try:
        record = await chain.send(instructions, [payer])
    except TransactionFailed as failure:
        if await still_due():
            raise
        log.info("keeper.others_were_faster", refusal=explain(failure))
        return []
    return program.events(record)


def pick(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    """Take the fields of these names."""
    return {name: fields[name] for name in names}
