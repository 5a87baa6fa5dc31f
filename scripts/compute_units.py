"""Write docs/compute_units.md from a run on the embedded chain, or compare it with --check.

Keys, clock and binaries are fixed, so that the figures are the same everywhere, to the unit.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.chain import token
from keeper.chain.framework import ASSOCIATED_TOKEN_PROGRAM, TOKEN_PROGRAM
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import MINT, PROGRAM
from keeper.deploy import ARTIFACTS, PROGRAMS, staking_program
from keeper.economy import merkle
from keeper.economy.genesis import read_table
from keeper.economy.seasons import Claim, leaf
from keeper.economy.supply import IO
from tests.programs.world import DAY, HOUR, START, START_MONTH, World, key

DOCUMENT = Path(__file__).parents[1] / "docs/compute_units.md"
BEGIN, END = "<!-- compute_units.py: begin -->", "<!-- compute_units.py: end -->"

TARGETS = {"emit": 12_000, "release": 8_000, "claim_season, 17 levels": 10_000}
"""Compute units that a row of the table may take at most, over all its cases."""
BINARY_LIMIT = 122_880
"""Bytes that a program of the economy may have at most."""
LEVELS = (1, 10, 17)
"""Of the trees that are claimed from: 2, 1,024 and 131,072 wallets."""
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


class Meter:
    """Runs the cases in order on one chain and keeps what each cost."""

    def __init__(self) -> None:
        """Start with an empty chain."""
        self.world = World()
        self.rows: dict[str, Row] = defaultdict(Row)
        self.keeper = self.world.payer

    def run(
        self, case: str, instruction: Instruction, signer: Keypair | None = None, *, row: str | None = None
    ) -> None:
        """Execute one instruction as it is sent: paid by who must sign it, else by a keeper.

        ``row`` is the instruction's name unless its cases are kept apart.
        """
        payer = signer or self.keeper
        record = self.world.chain.execute([instruction], [payer])
        assert record.error is None, (case, self.world.error(record), record.logs)
        decoded = PROGRAM.decode_instruction(bytes(instruction.data))
        assert decoded is not None
        kept = self.rows[row or decoded[0]]
        kept.units.append(record.compute_units)
        kept.bytes.append(self._size(instruction, payer))
        kept.cases.append(case)

    def _size(self, instruction: Instruction, payer: Keypair) -> int:
        message = MessageV0.try_compile(
            payer.pubkey(), [instruction], [], self.world.chain.latest_blockhash()
        )
        return len(bytes(VersionedTransaction(message, [payer])))


def measure() -> dict[str, Row]:
    """Run every case; rows in the order of the program's life."""
    meter = Meter()
    _genesis(meter)
    _vesting(meter)
    _seasons(meter)
    _burning(meter)
    _roles(meter)
    _emission(meter)
    measured = {name.partition(",")[0] for name in meter.rows}
    assert measured == PROGRAM.instructions.keys(), "an instruction has no case"
    return meter.rows


def _genesis(meter: Meter) -> None:
    world, admin = meter.world, meter.world.admin
    meter.run("", client.initialize(admin.pubkey(), staking_program(), world.guardian.pubkey()), admin)
    for row in read_table():
        person = world.person(row.label).pubkey()
        meter.run(f"row {row.id}", client.add_allocation(admin.pubkey(), row, person), admin)
        world.do(token.create_associated(meter.keeper.pubkey(), person, MINT))
    meter.run("", client.launch(admin.pubkey(), START_MONTH), admin)


def _vesting(meter: Meter) -> None:
    for row in read_table()[3:]:
        meter.run(f"{row.label} at launch", client.release(row.id, key(row.label).pubkey()))
    meter.world.chain.warp_to(START + 450 * DAY)
    for row in read_table()[:5]:
        meter.run(f"{row.label} after 14 months", client.release(row.id, key(row.label).pubkey()))


def _seasons(meter: Meter) -> None:
    world, admin = meter.world, meter.world.admin
    world.give(admin.pubkey(), 1_000 * IO)
    claimants = _claimants()
    number = 0
    for levels in LEVELS:
        for wallet, bump in claimants:
            number += 1
            world.do(token.create_associated(meter.keeper.pubkey(), wallet, MINT))
            proof = b"".join(hashlib.sha256(bytes([number, level])).digest() for level in range(levels))
            _open(meter, number, Claim(0, wallet, IO), proof, f"season {number}")
            page = client.open_claim_page(admin.pubkey(), number, 0)
            meter.run(f"season {number}", page, admin)
            world.chain.advance(DAY)
            row = f"claim_season, {levels} level{'s' if levels > 1 else ''}"
            claim = client.claim_season(number, 0, wallet, IO, proof)
            meter.run(f"bump {bump}", claim, row=row)
    _open(meter, number + 1, Claim(0, admin.pubkey(), IO), b"", f"season {number + 1}")
    meter.run("", client.cancel_season(world.guardian.pubkey(), number + 1, admin.pubkey()), world.guardian)
    world.chain.advance(40 * DAY)
    for each in range(1, number + 1):
        meter.run(f"season {each}", client.close_season(each, admin.pubkey()))
        meter.run(f"season {each}", client.close_claim_page(each, 0, admin.pubkey()))


def _open(meter: Meter, number: int, claim: Claim, proof: bytes, case: str) -> None:
    """A season that one leaf is known of: the rest of its tree are made-up siblings."""
    root = leaf(PROGRAM.address, MINT, number, claim)
    for at in range(0, len(proof), 32):
        root = merkle.node(root, proof[at : at + 32])
    start = meter.world.chain.now() + DAY
    arguments = {
        "season": number,
        "root": root,
        "data_hash": bytes(32),
        "leaves": 1 << (len(proof) // 32),
        "pools": [IO, IO, IO],
        "claim_start": start,
        "claim_end": start + 30 * DAY,
    }
    admin = meter.world.admin
    tokens = client.tokens_address(admin.pubkey())
    call = PROGRAM.instruction("open_season", arguments, admin=admin.pubkey(), funder_tokens=tokens)
    meter.run(case, call, admin)


def _claimants() -> list[tuple[Pubkey, int]]:
    """Two wallets with their token accounts' bumps: the highest, and the lowest that is usual."""
    found = [Pubkey(hashlib.sha256(number.to_bytes(4, "little")).digest()) for number in range(WALLETS)]
    usual = [(wallet, bump) for wallet in found if (bump := _bump(wallet)) >= USUAL_BUMP]
    usual.sort(key=lambda each: -each[1])
    return [usual[0], usual[-1]]


def _bump(wallet: Pubkey) -> int:
    seeds = [bytes(wallet), bytes(TOKEN_PROGRAM), bytes(MINT)]
    return Pubkey.find_program_address(seeds, ASSOCIATED_TOKEN_PROGRAM)[1]


def _burning(meter: Meter) -> None:
    world, seed = meter.world, key("seed")
    meter.run("", client.burn(seed.pubkey(), IO), seed)
    world.do(token.burn(client.tokens_address(seed.pubkey()), MINT, seed.pubkey(), IO), signers=[seed])
    meter.run("", client.sync_burned())


def _roles(meter: Meter) -> None:
    world = meter.world
    admin, guardian, seed, heir = world.admin, world.guardian, key("seed"), world.person("heir")
    until = world.chain.now() + DAY
    meter.run("set", client.set_pause(guardian.pubkey(), client.PAUSE_EMISSION, until), guardian)
    meter.run("lifted", client.set_pause(guardian.pubkey(), 0, 0), guardian)
    meter.run("", client.set_guardian(admin.pubkey(), heir.pubkey()), admin)
    meter.run("", client.propose_beneficiary(0, seed.pubkey(), heir.pubkey()), seed)
    meter.run("", client.accept_beneficiary(0, heir.pubkey()), heir)
    meter.run("", client.propose_admin(admin.pubkey(), heir.pubkey()), admin)
    meter.run("", client.accept_admin(heir.pubkey()), heir)


def _emission(meter: Meter) -> None:
    chain = meter.world.chain
    chain.warp_to(START + HOUR)
    meter.run("the first hour", client.emit())
    for case, hours in (("an hour", 1), ("a day", 24), ("a month", 740), ("10 years", 87_660)):
        chain.advance(hours * HOUR)
        meter.run(case, client.emit())
    chain.advance(20 * 366 * DAY)
    meter.run("all the rest", client.emit())


# -- the document ----------------------------------------------------------------------------


def table(rows: dict[str, Row]) -> str:
    """Both tables as Markdown."""
    lines = [
        "| instruction | compute units | target | transaction, bytes | cases |",
        "| :-- | --: | --: | --: | :-- |",
    ]
    for name, row in rows.items():
        instruction, comma, part = name.partition(",")
        target = f"{TARGETS[name]:,}" if name in TARGETS else ""
        cells = (f"`{instruction}`{comma}{part}", _range(row.units), target, _range(row.bytes), _cases(row))
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| program | bytes | limit |", "| :-- | --: | --: |"]
    lines += [f"| `{name}` | {size:,} | {BINARY_LIMIT:,} |" for name, size in binaries().items()]
    return "\n".join(lines)


def binaries() -> dict[str, int]:
    """Bytes of each program of the economy, by the manifest."""
    built = json.loads((ARTIFACTS / "manifest.json").read_text())["programs"]
    return {name: built[name]["bytes"] for name in PROGRAMS}


def document(text: str, rows: dict[str, Row]) -> str:
    """The document with its tables renewed."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table(rows)}\n{END}{tail}"


def _range(values: list[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _cases(row: Row) -> str:
    """How many cases there were, and which were the cheapest and the dearest."""
    low = row.cases[row.units.index(min(row.units))]
    high = row.cases[row.units.index(max(row.units))]
    if len(row.cases) == 1:
        return low
    ends = f": {low} to {high}" if min(row.units) < max(row.units) else ""
    return f"{len(row.cases)}{ends}"


if __name__ == "__main__":
    renewed = document(DOCUMENT.read_text(), measure())
    if "--check" in sys.argv:
        sys.exit(
            DOCUMENT.read_text() != renewed
            and "docs/compute_units.md is not what the programs cost; run scripts/compute_units.py"
        )
    DOCUMENT.write_text(renewed)
