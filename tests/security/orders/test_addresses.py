"""What an account says of its own address: a bump by which nothing could be signed would lock its money."""

from __future__ import annotations

import pytest
from solders.pubkey import Pubkey

from keeper.clients import orders as client
from tests.security.orders import stages
from tests.security.orders.stages import EVIDENCE, RUNNING, io, lease, order, where
from tests.security.people import do

BUMP = 9
"""Where each account has its bump: after the discriminator and the version."""


@pytest.mark.parametrize("kind", ["config", "order", "lease", "fault", "parked"])
def test_an_account_records_the_bump_of_its_address(kind: str) -> None:
    world = stages.aside() if kind == "parked" else stages.matching()
    if kind == "fault":
        do(world, stages.vote(world))
    opened = order(world)
    seeds = {
        "config": (b"config",),
        "order": (b"order", bytes(opened.renter), opened.id.to_bytes(8, "little")),
        "lease": (b"lease", bytes(opened.address), bytes(lease(world).device)),
        "fault": (b"fault", bytes(where(RUNNING)), EVIDENCE, (1).to_bytes(4, "little")),
        "parked": (b"parked", bytes(io("alice"))),
    }
    address, bump = Pubkey.find_program_address(seeds[kind], client.PROGRAM.address)
    account = world.chain.get(address)
    assert account is not None
    assert account.data[BUMP] == bump
