"""An account has one address: nobody makes a second one of the same seeds at another bump.

A second block of an hour, a second slash for the same evidence, a second table of prices: each would have
votes of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest
from solders.pubkey import Pubkey

from keeper.clients import staking as client
from tests.security.outcomes import refused
from tests.security.people import HEIR, address
from tests.security.staking.stages import END, NEW_EVIDENCE
from tests.security.staking.subject import SUBJECT

HOUR = 3_600
WORKER = client.device_address(address("worker"))
SEEDS: dict[tuple[str, str], list[bytes]] = {
    ("initialize", "config"): [b"config"],
    ("initialize", "stake_vault"): [b"stake_vault"],
    ("add_class", "class"): [b"class", (9).to_bytes(2, "little")],
    ("open_wallet", "wallet"): [b"wallet", bytes(address(HEIR))],
    ("register_device", "device"): [b"device", bytes(address("new worker"))],
    ("attest", "block"): [b"block", (52).to_bytes(4, "little")],
    ("vote_slash", "slash"): [b"slash", bytes(WORKER), NEW_EVIDENCE],
    ("vote_prices", "prices"): [b"prices", (END // HOUR - 1).to_bytes(4, "little")],
    ("post", "counter"): [b"post", bytes(address("operator 0"))],
}
"""Of each account that an instruction's valid call makes."""


def other_bumps(seeds: list[bytes]) -> Iterator[Pubkey]:
    """The next addresses of these seeds that are no points of the curve, below the one that counts."""
    program = client.PROGRAM.address
    _, bump = Pubkey.find_program_address(seeds, program)
    for lower in range(bump - 1, max(bump - 40, -1), -1):
        parts = [*seeds, bytes([lower]), bytes(program), b"ProgramDerivedAddress"]
        where = Pubkey.from_bytes(sha256(b"".join(parts)).digest())
        if not where.is_on_curve():
            yield where


def test_these_are_all_of_them() -> None:
    assert SEEDS.keys() == {(name, slot) for name, slots in SUBJECT.created.items() for slot in slots}
    for (instruction, slot), seeds in SEEDS.items():
        where, _ = Pubkey.find_program_address(seeds, client.PROGRAM.address)
        assert SUBJECT.matrix.account_of(instruction, slot) == where


@pytest.mark.parametrize(("instruction", "slot"), SEEDS)
def test_no_second_account_of_the_same_seeds(instruction: str, slot: str) -> None:
    world = SUBJECT.matrix.world(instruction)
    others = list(other_bumps(SEEDS[instruction, slot]))
    assert len(others) > 5
    for other in others:
        assert world.chain.get(other) is None
        call = SUBJECT.matrix.put(instruction, **{slot: other})
        assert refused(world, call) == "InvalidSeeds"
