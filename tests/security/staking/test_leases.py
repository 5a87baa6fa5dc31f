"""Attacks on what orders tells staking: that a device is leased, free again, and what became of a lease.

The address that signs is put as signer here, as only the orders program can on a real chain.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.clients import orders
from keeper.clients import staking as client
from keeper.clients.staking import Params
from keeper.economy.supply import IO
from tests.programs.orders.world import TERMS, OrdersWorld
from tests.programs.staking.world import PRICES
from tests.programs.world import DAY, HOUR, World, key
from tests.security.outcomes import refused
from tests.security.people import IMPOSTOR, OPERATORS, address, do
from tests.security.staking import stages
from tests.security.staking.stages import (
    EVIDENCE,
    GPU,
    LEASE,
    MINIMUM,
    OFFER,
    REWARD_BPS,
    SLASH_BPS,
    device,
    free_device,
    lease_device,
    record_lease,
    stage,
)

ALICE, CAROL, ADMIN = (address(name) for name in ("alice", "carol", "admin"))
OTHER = key("other lease").pubkey()
CALLS = {"lease_device": lease_device, "free_device": free_device, "record_lease": record_lease}


def signed_by(call: Instruction, who: Pubkey, *, signs: bool = True) -> Instruction:
    """The call with somebody in the place of orders' authority."""
    metas = [AccountMeta(who, signs, False), *call.accounts[1:]]
    return Instruction(call.program_id, bytes(call.data), metas)


@pytest.mark.parametrize("instruction", CALLS)
def test_orders_address_alone_is_no_signature(instruction: str) -> None:
    world = stage("leased" if instruction == "free_device" else "staked")
    call = CALLS[instruction](device(world, "worker"))
    unsigned = signed_by(call, orders.LEASE_AUTHORITY, signs=False)
    assert refused(world, unsigned) == "MissingRequiredSignature"
    for program in (IMPOSTOR, client.PROGRAM.address):
        other, _ = Pubkey.find_program_address([b"lease_authority"], program)
        assert refused(world, signed_by(call, other, signs=False)) == "MissingRequiredSignature"


def test_a_device_is_leased_once() -> None:
    world = stage("leased")
    for lease in (LEASE, OTHER):
        assert refused(world, lease_device(device(world, "worker"), lease)) == "DeviceLeased"
    fresh = stage("staked")
    one = device(fresh, "worker")
    assert refused(fresh, lease_device(one), lease_device(one, OTHER)) == "DeviceLeased"


def test_a_lease_of_nobody() -> None:
    world = stage("staked")
    assert refused(world, lease_device(device(world, "worker"), SYSTEM_PROGRAM)) == "ZeroAddress"


def test_only_its_own_lease_frees_a_device() -> None:
    world = stages.leased()
    one = device(world, "worker")
    for lease in (OTHER, SYSTEM_PROGRAM):
        assert refused(world, free_device(one, lease)) == "WrongLease"
    assert refused(world, free_device(one), free_device(one)) == "WrongLease"
    do(world, free_device(one))
    assert device(world, "worker").lease == client.NOBODY
    assert refused(world, free_device(one)) == "WrongLease"
    # Free, it has no lease of zero that could be freed.
    assert refused(world, free_device(one, SYSTEM_PROGRAM)) == "WrongLease"


def test_what_can_not_be_leased() -> None:
    """A device that waits for a slash, has too little stake, cools, or is terminated."""
    world = stage("running")
    for worker, error in (
        ("worker", "SlashPending"),
        ("slashed worker", "SlashPending"),
        ("bob's worker", "StakeInsufficient"),
        ("leaving worker", "StakeInsufficient"),
        ("empty worker", "DeviceTerminated"),
    ):
        assert refused(world, lease_device(device(world, worker))) == error


def test_one_base_unit_below_the_minimum() -> None:
    world = stages.initialized()
    one = stages.register(world, "worker")
    do(world, client.stake(one, MINIMUM - 1))
    assert refused(world, lease_device(one)) == "StakeInsufficient"
    do(world, client.stake(device(world, "worker"), 1))
    do(world, lease_device(one))


def test_the_minimum_is_that_of_the_moment() -> None:
    """A higher multiplier in force asks for more stake; what is leased already stays leased."""
    world = stages.staked()
    do(world, client.change_class(ADMIN, GPU, 150))
    world.chain.advance(30 * DAY)
    assert refused(world, lease_device(device(world, "worker"))) == "StakeInsufficient"


def test_another_class_has_no_say() -> None:
    world = stage("staked")
    call = lease_device(device(world, "worker"))
    metas = list(call.accounts)
    metas[2] = AccountMeta(client.class_address(stages.APPLE), False, False)
    assert refused(world, Instruction(call.program_id, bytes(call.data), metas)) == "WrongClass"


def shared() -> World:
    """Bob's device, leased, with carol's co-stake on it."""
    world = stages.staked()
    one = device(world, "bob's worker")
    do(world, client.take_offer(one, CAROL, OFFER, REWARD_BPS), lease_device(one))
    return world


def test_while_it_is_leased_the_suppliers_minimum_stays() -> None:
    """No unstaking, no termination, beside a co-staker neither; then everything as ever."""
    world = stages.leased()
    one = device(world, "worker")
    for call in (client.unstake(one), client.terminate_device(one)):
        assert refused(world, call) == "DeviceLeased"
    before = world.balance(ALICE)
    do(world, client.withdraw_overflow(one, 100 * IO))
    assert world.balance(ALICE) - before == 100 * IO
    assert refused(world, client.withdraw_overflow(device(world, "worker"), 1)) == "ExceedsOverflow"
    together = shared()
    rented = device(together, "bob's worker")
    assert refused(together, client.unstake(rented)) == "DeviceLeased"
    do(together, free_device(rented), client.unstake(rented))


def test_a_lease_keeps_no_co_staker_in() -> None:
    """A supplier who rents its own device, for a price of nothing, can't hold the co-stake: it counts for the
    device for seven days more, and is back after the cooldown, while the lease goes on."""
    world = shared()
    one = device(world, "bob's worker")
    do(world, client.leave_co_stake(one, CAROL))
    world.chain.advance(7 * DAY - 1)
    do(world, client.settle_device(one))
    assert device(world, "bob's worker").sufficient_since > 0
    world.chain.advance(1)
    do(world, client.settle_device(one))
    assert device(world, "bob's worker").sufficient_since == 0
    world.chain.advance(14 * DAY - 1)
    assert refused(world, client.withdraw_co_stake(one, CAROL)) == "NothingToWithdraw"
    world.chain.advance(1)
    before = world.balance(CAROL)
    do(world, client.withdraw_co_stake(one, CAROL))
    assert world.balance(CAROL) - before == OFFER
    assert device(world, "bob's worker").lease == LEASE
    do(world, free_device(one))
    assert refused(world, lease_device(one)) == "StakeInsufficient"


def test_a_real_lease_of_a_year_keeps_no_co_staker_in() -> None:
    """The supplier's friend rents at the network's price; the co-staker is out after three weeks."""
    world = OrdersWorld.ready()
    supplier, friend = world.supplier("supplier"), world.renter("friend")
    helper = world.earner("helper", 500 * IO)
    world.let("machine", supplier, ask_io=1, ask_usdc=0)
    price = PRICES.price_io
    terms = 500 * IO, REWARD_BPS
    world.do(client.open_offer(world.read_device("machine"), *terms), signers=[supplier])
    world.do(
        client.take_offer(world.read_device("machine"), helper.pubkey(), *terms),
        client.withdraw_overflow(world.read_device("machine"), 500 * IO),
        signers=[helper, supplier],
    )
    order = world.order(friend, 1, replace(TERMS, price=price, hours=8_760, devices=1))
    world.take(order, "machine", supplier)
    one = world.read_device("machine")
    world.do(client.leave_co_stake(one, helper.pubkey()), signers=[helper])
    world.chain.advance(21 * DAY)
    world.do(client.withdraw_co_stake(one, helper.pubkey()))
    assert world.balance(helper.pubkey()) == 500 * IO
    # The lease goes on, and is paid.
    found = world.read_device("machine")
    assert (found.own, found.lease) == (500 * IO, one.lease)
    before = world.balance(supplier.pubkey())
    assert world.settle(order, "machine").error is None
    # The price of four processors and each hour that settling has come to, less a fee of 25 basis points.
    hours = 21 * 24 - orders.Params().settlement_lag // HOUR
    assert world.balance(supplier.pubkey()) - before == 4 * price * hours * 9_975 // 10_000


def test_a_slash_is_executed_while_the_device_is_leased() -> None:
    """Renting one's device to a friend is no shelter, and the lease goes on."""
    world = stages.leased()
    one = device(world, "worker")
    for operator in OPERATORS[:2]:
        do(world, client.vote_slash(address(operator), one, EVIDENCE, SLASH_BPS))
    world.chain.advance(30 * DAY)
    supply = world.supply()
    do(world, client.execute_slash(one, EVIDENCE))
    assert supply - world.supply() == (MINIMUM + 100 * IO) // 10
    assert device(world, "worker").lease == LEASE
    do(world, free_device(one))
    assert refused(world, lease_device(one)) == "StakeInsufficient"


def test_staking_needs_to_know_the_orders_program() -> None:
    """The address of zero is none, and another program's authority is not the one that is recorded."""
    world = stages.empty()
    terms = Params(tuple(map(address, OPERATORS)), 2)
    nobody = client.initialize(ADMIN, address("guardian"), terms, SYSTEM_PROGRAM)
    assert refused(world, nobody) == "ZeroAddress"
    do(world, client.initialize(ADMIN, address("guardian"), terms, IMPOSTOR))
    do(world, client.add_class(ADMIN, GPU, "RTX 4090", 125, 0, 0, PRICES))
    do(world, client.open_wallet(address("payer"), ALICE))
    one = stages.register(world, "worker")
    do(world, client.stake(one, MINIMUM))
    assert refused(world, lease_device(one)) == "NotOrders"
