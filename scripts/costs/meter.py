"""Executes instructions one by one and keeps what each cost."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.null_signer import NullSigner
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.chain.framework import ASSOCIATED_TOKEN_PROGRAM, TOKEN_PROGRAM
from keeper.chain.program import Program
from keeper.clients.tokenomics import MINT
from tests.programs.world import World, finish

WALLETS = 4_096
"""Wallets searched for claimants; so many have one whose token account's bump is below USUAL_BUMP."""
USUAL_BUMP = 244
"""The program hashes for each bump from 255 down to a token account's, each half as likely as the last."""


@dataclass
class Row:
    """What one instruction cost in each case that was measured."""

    units: list[int] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)


@dataclass
class Total:
    """Of several instructions."""

    units: int = 0
    bytes: int = 0


class Meter:
    """Runs the cases in order on one chain and keeps what each cost."""

    def __init__(self, program: Program, world: World) -> None:
        """Measure one program's instructions."""
        self.program = program
        self.world = world
        self.rows: dict[str, Row] = defaultdict(Row)
        self._totals: list[Total] = []
        self.keeper = self.world.payer

    def run(
        self,
        case: str,
        instruction: Instruction,
        signer: Keypair | None = None,
        *more: Keypair | NullSigner,
        row: str | None = None,
    ) -> None:
        """Execute one instruction as it is sent: paid by its signer, or by a keeper when it needs none.

        ``row`` is the instruction's name unless its cases are kept apart.
        """
        signers: list[Keypair | NullSigner] = [signer or self.keeper, *more]
        record = self.world.chain.execute([instruction], signers)
        assert record.error is None, (case, self.world.error(record), record.logs)
        decoded = self.program.decode_instruction(bytes(instruction.data))
        assert decoded is not None
        size = self._size(instruction, signers)
        self._keep(row or decoded[0], case, record.compute_units, size)
        for total in self._totals:
            total.units += record.compute_units
            total.bytes += size

    @contextmanager
    def total(self, row: str, case: str) -> Iterator[None]:
        """What everything that runs inside costs together, as a row of its own."""
        total = Total()
        self._totals.append(total)
        yield
        self._totals.remove(total)
        self._keep(row, case, total.units, total.bytes)

    def _keep(self, row: str, case: str, units: int, size: int) -> None:
        kept = self.rows[row]
        kept.units.append(units)
        kept.bytes.append(size)
        kept.cases.append(case)

    def _size(self, instruction: Instruction, signers: list[Keypair | NullSigner]) -> int:
        blockhash = finish(self.world.chain.blockhash()).hash
        message = MessageV0.try_compile(signers[0].pubkey(), [instruction], [], blockhash)
        return len(bytes(VersionedTransaction(message, signers)))

    def measured(self) -> dict[str, Row]:
        """All rows, once every instruction has a case; a row of several has words for a name."""
        names = {name.partition(",")[0] for name in self.rows}
        names = {name for name in names if " " not in name}
        assert names == self.program.instructions.keys(), "an instruction has no case"
        return self.rows


def claimants() -> list[tuple[Pubkey, int]]:
    """Two wallets with their token accounts' bumps: the highest, and the lowest that is usual."""
    found = [Pubkey(hashlib.sha256(number.to_bytes(4, "little")).digest()) for number in range(WALLETS)]
    usual = [(wallet, bump) for wallet in found if (bump := _bump(wallet)) >= USUAL_BUMP]
    usual.sort(key=lambda each: -each[1])
    return [usual[0], usual[-1]]


def _bump(wallet: Pubkey) -> int:
    seeds = [bytes(wallet), bytes(TOKEN_PROGRAM), bytes(MINT)]
    return Pubkey.find_program_address(seeds, ASSOCIATED_TOKEN_PROGRAM)[1]
