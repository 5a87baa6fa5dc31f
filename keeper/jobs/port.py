"""What a job gets: a chain that it can only read, a way to act on it, and a log.

There are three kinds of ports. :class:`Direct` does what it is told and remembers nothing; the keeper's own
(:mod:`keeper.runtime.acting`) writes every action down first; a rehearsing one
(:mod:`keeper.runtime.rehearsal`) sends nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, ChainReader, Event, Program, Signer, TransactionFailed, TransactionRecord
from keeper.chain.fees import FeePolicy
from keeper.chain.landing import land
from keeper.chain.packing import pack
from keeper.clients.errors import explain
from keeper.sender import Action


class Port(Protocol):
    """A job's view of the world."""

    @property
    def chain(self) -> ChainReader:
        """The chain, for reading."""
        ...

    @property
    def payer(self) -> Pubkey:
        """Who pays for what is done, and signs it; an operator's job acts as this key."""
        ...

    @property
    def log(self) -> FilteringBoundLogger:
        """Where the job tells what it did."""
        ...

    async def do(self, actions: Sequence[Action]) -> list[TransactionRecord]:
        """Do things that don't depend on each other, several in a transaction where they fit.

        One that is refused doesn't keep others from being done. A refusal of what is no longer due doesn't
        count: somebody else was faster. The first refusal that is a failure is raised at the end.
        """
        ...


Job = Callable[[Port], Awaitable[list[Event]]]
"""One step of the keeper: returns the events of what it did, none when nothing was due."""


async def do(
    port: Port,
    program: Program,
    instructions: Sequence[Instruction],
    still_due: Callable[[], Awaitable[object]],
    *,
    key: str,
) -> list[Event]:
    """Do one thing, and return ``program``'s events, none for what isn't due any more.

    ``key`` names the thing itself, so that it is done once: what was done under it isn't done again.
    """
    return await do_all(port, program, [Action(key, tuple(instructions), still_due)])


async def do_all(port: Port, program: Program, actions: Sequence[Action]) -> list[Event]:
    """Do several things that don't depend on each other, and return ``program``'s events."""
    return [event for record in await port.do(actions) for event in program.events(record)]


@dataclass(frozen=True, slots=True)
class Direct:
    """Sends what it is told, and remembers nothing: what is due again is done again."""

    chain: Chain
    signer: Signer
    log: FilteringBoundLogger
    fees: FeePolicy = field(default_factory=FeePolicy)

    @property
    def payer(self) -> Pubkey:
        """See :class:`Port`."""
        return self.signer.pubkey()

    async def do(self, actions: Sequence[Action]) -> list[TransactionRecord]:
        """See :class:`Port`."""

        async def send(instructions: Sequence[Instruction]) -> TransactionRecord:
            return await land(self.chain, instructions, [self.signer], fees=self.fees)

        return await send_in_packs(actions, self.payer, send, self.log)


async def send_in_packs(
    actions: Sequence[Action],
    payer: Pubkey,
    send: Callable[[Sequence[Instruction]], Awaitable[TransactionRecord]],
    log: FilteringBoundLogger,
) -> list[TransactionRecord]:
    """Send actions, as many in a transaction as fit; when one is refused, each of its actions alone.

    Refusals are treated as :meth:`Port.do` says. Raises at once what is the payer's own fault.
    """
    records: list[TransactionRecord] = []
    failures: list[TransactionFailed] = []
    runs = pack([each.instructions for each in actions], payer)
    waiting = deque([actions[at] for at in run] for run in runs)
    while waiting:
        run = waiting.popleft()
        try:
            records.append(await send([each for action in run for each in action.instructions]))
        except TransactionFailed as failure:
            if failure.record.failed_instruction is None:
                raise  # the payer's own fault, not an action's
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
