"""What every job is made of: reading what is due, sending it, and standing a faster keeper beside it."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from solders.instruction import Instruction
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, Event, Program, Signer, TransactionFailed, TransactionRecord
from keeper.chain.packing import pack
from keeper.clients.errors import explain
from keeper.sender import Action

Job = Callable[[Chain, Signer, FilteringBoundLogger], Awaitable[list[Event]]]
"""One step of the keeper: returns the events of what it did, none when nothing was due."""


@runtime_checkable
class Performer(Protocol):
    """A chain that remembers what it was told to do: see :class:`keeper.runtime.acting.ActingChain`."""

    async def perform(self, actions: Sequence[Action], log: FilteringBoundLogger) -> list[TransactionRecord]:
        """Do every action once, several in a transaction where they fit."""
        ...


async def send(
    chain: Chain,
    payer: Signer,
    log: FilteringBoundLogger,
    program: Program,
    instructions: Sequence[Instruction],
    still_due: Callable[[], Awaitable[object]],
    *,
    key: str | None = None,
) -> list[Event]:
    """Do one thing, and give ``program``'s events; a refusal of what isn't due any more gives none.

    ``key`` names the thing itself, so that it is done once: what was done under it isn't done again.
    """
    return await send_all(chain, payer, log, program, [Action(key, tuple(instructions), still_due)])


async def send_all(
    chain: Chain, payer: Signer, log: FilteringBoundLogger, program: Program, actions: Sequence[Action]
) -> list[Event]:
    """Do several things that don't depend on each other, and give ``program``'s events.

    Several share a transaction where they fit. One that is refused keeps no other from being done; the
    first refusal that is a failure is raised at the end.
    """
    if isinstance(chain, Performer):
        records = await chain.perform(actions, log)
    else:
        records = await _send(chain, payer, log, actions)
    return [event for record in records for event in program.events(record)]


async def _send(
    chain: Chain, payer: Signer, log: FilteringBoundLogger, actions: Sequence[Action]
) -> list[TransactionRecord]:
    """Do it without remembering anything: what is due again is done again."""
    records: list[TransactionRecord] = []
    failures: list[TransactionFailed] = []
    runs = pack([each.instructions for each in actions], payer.pubkey())
    waiting = deque([actions[at] for at in run] for run in runs)
    while waiting:
        run = waiting.popleft()
        try:
            instructions = [each for action in run for each in action.instructions]
            records.append(await chain.send(instructions, [payer]))
        except TransactionFailed as failure:
            if failure.record.failed_instruction is None:
                raise  # the payer's own trouble, not that of what it pays for
            if len(run) > 1:
                waiting.extendleft([each] for each in reversed(run))
                continue
            (action,) = run
            if not await action.still_due():
                log.info("keeper.others_were_faster", refusal=explain(failure))
            elif action.patient:
                log.warning("action.refused", key=action.key, reason=explain(failure))
            else:
                failures.append(failure)
    if failures:
        raise failures[0]
    return records


def pick(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    """Take the fields of these names."""
    return {name: fields[name] for name in names}
