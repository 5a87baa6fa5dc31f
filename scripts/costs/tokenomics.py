"""What tokenomics' instructions cost."""

from __future__ import annotations

import hashlib

from keeper.chain import token
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import MINT, PROGRAM
from keeper.deploy import staking_program
from keeper.economy import merkle
from keeper.economy.genesis import read_table
from keeper.economy.seasons import Claim, leaf
from keeper.economy.supply import IO
from scripts.costs.meter import Meter, Row, claimants
from tests.programs.world import DAY, HOUR, START, START_MONTH, World, key

TARGETS = {"emit": 12_000, "release": 8_000, "claim_season, 17 levels": 10_000}
"""Compute units that a row of the table may take at most, over all its cases."""
LEVELS = (1, 10, 17)
"""Of the trees that are claimed from: 2, 1,024 and 131,072 wallets."""


def measure() -> dict[str, Row]:
    """Run every case of tokenomics; rows in the order of the program's life."""
    meter = Meter(PROGRAM, World())
    _genesis(meter)
    _vesting(meter)
    _seasons(meter)
    _burning(meter)
    _roles(meter)
    _emission(meter)
    return meter.measured()


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
    wallets = claimants()
    number = 0
    for levels in LEVELS:
        for wallet, bump in wallets:
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
    meter.run("", client.cancel_season(world.guardian.pubkey(), number + 1), world.guardian)
    meter.run("vetoed", client.close_season(number + 1, admin.pubkey()))
    world.chain.advance(40 * DAY)
    for each in range(1, number + 1):
        meter.run(f"season {each}", client.close_season(each, admin.pubkey()))
        meter.run(f"season {each}", client.close_claim_page(each, 0, admin.pubkey()))


def _open(meter: Meter, number: int, claim: Claim, proof: bytes, case: str) -> None:
    """A season of which one leaf is known: the rest of its tree are made-up siblings."""
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


def _burning(meter: Meter) -> None:
    world, seed = meter.world, key("seed")
    meter.run("", client.burn(seed.pubkey(), IO, expected=IO), seed)
    world.do(token.burn(client.tokens_address(seed.pubkey()), MINT, seed.pubkey(), IO), signers=[seed])
    meter.run("", client.sync_burned())


def _roles(meter: Meter) -> None:
    world = meter.world
    admin, guardian, seed, heir = world.admin, world.guardian, key("seed"), world.person("heir")
    until = world.chain.now() + DAY
    meter.run("set", client.set_pause(guardian.pubkey(), client.PAUSE_EMISSION, until), guardian)
    meter.run("lifted", client.set_pause(guardian.pubkey(), 0, 0), guardian)
    meter.run("", client.propose_guardian(admin.pubkey(), heir.pubkey()), admin)
    world.chain.advance(client.GUARDIAN_NOTICE)
    meter.run("", client.accept_guardian(heir.pubkey()), heir)
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
