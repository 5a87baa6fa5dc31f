"""An account has one address: nobody makes a second one of the same seeds at another bump.

A second lease of a device for an order would be hidden from whoever derives its address, a second fault would
have votes of its own, a second record would hide money from its payee.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest
from solders.pubkey import Pubkey

from keeper.clients import orders as client
from keeper.clients import staking
from tests.security.orders import stages
from tests.security.orders.stages import EVIDENCE, FREE, RUNNING, USDC_FEES, io, put, where
from tests.security.orders.subject import SUBJECT
from tests.security.outcomes import refused
from tests.security.people import address

ORDER = client.order_address(address("carol"), 1)
SEVENTH = client.order_address(address("carol"), 7)
SEEDS: dict[tuple[str, str], list[bytes]] = {
    ("initialize", "config"): [b"config"],
    ("create_order", "order"): [b"order", bytes(address("carol")), (7).to_bytes(8, "little")],
    ("create_order", "vault"): [b"vault", bytes(SEVENTH)],
    ("match_device", "lease"): [b"lease", bytes(ORDER), bytes(staking.device_address(address(FREE)))],
    ("park_pay", "record"): [b"parked", bytes(io("alice"))],
    ("park_fees", "record"): [b"parked", bytes(USDC_FEES)],
}
"""Of each account that an instruction's valid call makes."""
FAULT = [b"fault", bytes(where(RUNNING)), EVIDENCE, (1).to_bytes(4, "little")]
"""That of a first vote."""


def other_bumps(seeds: list[bytes]) -> Iterator[Pubkey]:
    """The next addresses of these seeds that are no points of the curve, below the one that counts."""
    program = client.PROGRAM.address
    _, bump = Pubkey.find_program_address(seeds, program)
    for lower in range(bump - 1, max(bump - 40, -1), -1):
        parts = [*seeds, bytes([lower]), bytes(program), b"ProgramDerivedAddress"]
        other = Pubkey.from_bytes(sha256(b"".join(parts)).digest())
        if not other.is_on_curve():
            yield other


def test_these_are_all_of_them() -> None:
    assert SEEDS.keys() == {(name, slot) for name, slots in SUBJECT.created.items() for slot in slots}
    for (instruction, slot), seeds in SEEDS.items():
        there, _ = Pubkey.find_program_address(seeds, client.PROGRAM.address)
        assert SUBJECT.matrix.account_of(instruction, slot) == there


@pytest.mark.parametrize(("instruction", "slot"), SEEDS)
def test_no_second_account_of_the_same_seeds(instruction: str, slot: str) -> None:
    world = SUBJECT.matrix.world(instruction)
    others = list(other_bumps(SEEDS[instruction, slot]))
    assert len(others) > 5
    for other in others:
        assert refused(world, SUBJECT.matrix.put(instruction, **{slot: other})) == "InvalidSeeds"


def test_no_second_fault_for_the_same_evidence() -> None:
    world = stages.stage("matching")
    call = stages.vote(world)
    for other in other_bumps(FAULT):
        assert refused(world, put(call, fault=other)) == "InvalidSeeds"
