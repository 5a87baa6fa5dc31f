"""A dry run: what a job would send, in words, and what would come of it; nothing is sent or kept."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, Signer, TransactionFailed, TransactionRecord
from keeper.clients.errors import explain
from keeper.clients.programs import BY_ADDRESS
from keeper.db.types import jsonable
from keeper.errors import UserError
from keeper.jobs.port import Job, send_in_packs
from keeper.sender import Action


@dataclass(frozen=True, slots=True)
class Call:
    """An instruction in words; ``name`` and ``arguments`` are the IDL's where the program is ours."""

    program: str
    name: str
    arguments: dict[str, Any]
    accounts: list[tuple[str, Pubkey]]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A transaction that wasn't sent: ``refusal`` is None when it would go through."""

    calls: list[Call]
    compute_units: int
    refusal: str | None


@dataclass(slots=True)
class Rehearsal:
    """What a job would send; ``stopped`` says why it stopped early, if it did."""

    transactions: list[Rehearsed] = field(default_factory=list)
    stopped: str | None = None


class _Repeated(Exception):
    """The job would send the same again: it goes on only when it sees its own effect."""


@dataclass(frozen=True, slots=True)
class Rehearsing:
    """Simulates what it is told to do, and keeps it in ``found``; see :class:`~keeper.jobs.port.Port`."""

    chain: Chain
    signer: Signer
    log: FilteringBoundLogger
    found: list[Rehearsed]

    @property
    def payer(self) -> Pubkey:
        """See :class:`~keeper.jobs.port.Port`."""
        return self.signer.pubkey()

    async def do(self, actions: Sequence[Action]) -> list[TransactionRecord]:
        """See :class:`~keeper.jobs.port.Port`."""
        return await send_in_packs(actions, self.payer, self._simulate, self.log)

    async def _simulate(self, instructions: Sequence[Instruction]) -> TransactionRecord:
        calls = [describe(each) for each in instructions]
        if any(each.calls == calls for each in self.found):
            raise _Repeated
        record = await self.chain.simulate(instructions, [self.signer])
        refusal = explain(TransactionFailed(record)) if record.error is not None else None
        self.found.append(Rehearsed(calls, record.compute_units, refusal))
        if refusal:
            raise TransactionFailed(record)
        return record


async def rehearse(job: Job, chain: Chain, signer: Signer, log: FilteringBoundLogger) -> Rehearsal:
    """Let a job run on a port that only pretends to act.

    It ends where the job would do the same again, or where something would be refused: what would
    come after can't be known without sending.
    """
    result = Rehearsal()
    try:
        await job(Rehearsing(chain, signer, log.bind(dry_run=True), result.transactions))
    except _Repeated:
        result.stopped = "what comes next depends on the effect of these"
    except TransactionFailed as error:
        result.stopped = explain(error)
    except UserError as error:
        result.stopped = str(error)
    return result


def describe(instruction: Instruction) -> Call:
    """An instruction in words, by the IDL of its program; raw data for programs that aren't ours."""
    program = BY_ADDRESS.get(instruction.program_id)
    data = bytes(instruction.data)
    read = program.decode_instruction(data) if program else None
    metas = instruction.accounts
    if program is None or read is None:
        accounts = [(str(number), meta.pubkey) for number, meta in enumerate(metas)]
        return Call(str(instruction.program_id), data.hex(), {}, accounts)
    name, arguments = read
    names = [each["name"] for each in program.instructions[name]]
    accounts = list(zip(names, (meta.pubkey for meta in metas), strict=False))
    return Call(program.name, name, jsonable(arguments), accounts)


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """A temporary folder that shows what ``folder`` has: what is written there doesn't reach ``folder``."""
    with tempfile.TemporaryDirectory() as place:
        if folder.is_dir():
            for each in folder.iterdir():
                (Path(place) / each.name).symlink_to(each.resolve())
        yield Path(place)
