"""Attacks on matching and acceptance: the wrong device, the wrong moment, twice."""

from __future__ import annotations

import pytest
from solders.pubkey import Pubkey

from keeper.clients import orders as client
from keeper.clients import staking
from keeper.economy.orders import EndReason
from keeper.economy.supply import IO
from tests.programs.world import DAY, World, key
from tests.security.orders import stages
from tests.security.orders.stages import (
    ASK_IO,
    FREE,
    HOUR_FEE,
    OPERATOR,
    OTHER_WAITING,
    RATE,
    RUNNING,
    WAITING,
    WHOLE,
    accept,
    device,
    end,
    lease,
    match,
    moved,
    open_order,
    order,
    put,
    stage,
    take,
    where,
)
from tests.security.outcomes import refused
from tests.security.people import OPERATORS, address, do
from tests.security.staking.stages import APPLE, GPU

ALICE, MALLORY, ADMIN = (address(name) for name in ("alice", "mallory", "admin"))


def change(world: World, worker: str, **changed: object) -> None:
    """Change what a device's supplier says of it."""
    terms = {"tier": 4, "country": "CH", "ask_io": ASK_IO, "ask_usdc": stages.ASK_USDC, **changed}
    do(world, staking.change_device(device(world, worker), **terms))


def wanted(**changed: object) -> World:
    """Carol's order with other terms."""
    world = stages.ready()
    open_order(world, **changed)
    return world


# -- who -----------------------------------------------------------------------------------------


def test_a_supplier_needs_no_operator() -> None:
    world = stages.matching()
    world.chain.warp_to(order(world).exclusive_until)
    before = world.account(ALICE).lamports
    do(world, *take(world, FREE))
    rent = world.account(where(FREE)).lamports
    assert before - world.account(ALICE).lamports == rent
    assert lease(world, FREE).payer == ALICE
    assert order(world).open == 0


def test_an_operator_who_was_removed_matches_no_more() -> None:
    world = stages.ready()
    left = staking.Params(tuple(map(address, OPERATORS[1:])), 2)
    do(world, staking.propose_params(ADMIN, left))
    world.chain.advance(7 * DAY)
    open_order(world)
    do(world, match(world, RUNNING))
    do(world, staking.apply_params())
    assert refused(world, match(world, FREE)) == "NotMatcher"
    do(world, match(world, FREE, matcher=OPERATORS[1]))


@pytest.mark.parametrize("part", ["supplier", "worker", "payout"])
def test_nobody_rents_its_own_device(part: str) -> None:
    """Renting from oneself would buy a record, and the rewards of a hired device, for the fees alone."""
    world = stages.opened()
    renter = {"supplier": "alice", "worker": FREE, "payout": "mallory"}[part]
    if part == "worker":
        world.person(FREE)
        world.give(address(FREE), 1_000 * IO)
    if part == "payout":
        do(world, staking.set_payout(device(world, FREE), MALLORY))
        world.chain.advance(1)
    open_order(world, renter, 8)
    assert refused(world, match(world, FREE, renter, 8)) == "OwnDevice"
    do(world, match(world, WAITING, renter, 8))
    world.chain.warp_to(order(world, renter, 8).exclusive_until)
    assert refused(world, *take(world, FREE, renter, 8)) == "OwnDevice"


# -- which device --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"classes": (APPLE,)}, "WrongClass"),
        ({"processors": 3}, "WrongProcessors"),
        ({"processors": 5}, "WrongProcessors"),
        ({"countries": ("DE", "US")}, "WrongCountry"),
        ({"price": ASK_IO - 1}, "PriceTooHigh"),
    ],
)
def test_a_device_that_the_order_does_not_want(changed: dict[str, object], error: str) -> None:
    world = wanted(**changed)
    assert refused(world, match(world, FREE)) == error
    world.chain.warp_to(order(world).exclusive_until)
    assert refused(world, *take(world, FREE)) == error


@pytest.mark.parametrize(
    "changed",
    [
        {"classes": (APPLE, GPU)},
        {"countries": ("DE", "CH")},
        {"price": ASK_IO},
        {"min_tier": 4},
        {"colocated": True},
    ],
)
def test_a_device_that_just_fits(changed: dict[str, object]) -> None:
    world = wanted(**changed)
    do(world, match(world, FREE))


def test_a_tier_below_the_orders() -> None:
    world = stages.ready()
    change(world, FREE, tier=2)
    change(world, RUNNING, tier=3)
    world.chain.advance(1)
    open_order(world, min_tier=3)
    assert refused(world, match(world, FREE)) == "TierTooLow"
    do(world, match(world, RUNNING))


def test_a_colocated_order_stays_in_one_country() -> None:
    world = stages.ready()
    change(world, FREE, country="DE")
    world.chain.advance(1)
    open_order(world, colocated=True)
    do(world, match(world, RUNNING))
    assert refused(world, match(world, FREE)) == "WrongCountry"
    # The first one goes, and with it the country.
    do(world, end(world, "carol"), client.close_lease(lease(world)))
    do(world, match(world, FREE))
    assert refused(world, match(world, RUNNING)) == "WrongCountry"


def test_a_price_that_changes_after_the_match() -> None:
    world = stages.opened()
    do(world, match(world, FREE))
    change(world, FREE, ask_io=3 * IO)
    do(world, accept(world, FREE))
    assert lease(world, FREE).rate == RATE


def test_a_payout_that_changes_after_the_match() -> None:
    world = stages.serving()
    do(world, staking.set_payout(device(world, RUNNING), MALLORY))
    assert "alice" in moved(world, stages.settle(world))


def test_a_device_that_is_let_in_the_other_currency_only() -> None:
    world = stages.opened()
    change(world, FREE, ask_io=0)
    assert refused(world, match(world, FREE)) == "NotLet"
    do(world, match(world, FREE, "mallory"))


def test_a_device_that_can_not_serve() -> None:
    """Terminated, with a slash pending, with too little stake."""
    world = stages.opened()
    do(world, staking.unstake(device(world, FREE)))
    assert refused(world, match(world, FREE)) == "StakeInsufficient"
    do(world, staking.terminate_device(device(world, WAITING)))
    assert refused(world, match(world, WAITING)) == "DeviceTerminated"
    for operator in OPERATORS[:2]:
        do(world, staking.vote_slash(address(operator), device(world, RUNNING), b"e" * 32, 1_000))
    assert refused(world, match(world, RUNNING)) == "SlashPending"
    assert order(world).open == order(world).terms.devices


# -- booked twice --------------------------------------------------------------------------------


def test_two_operators_book_one_device_in_one_order() -> None:
    world = stages.opened()
    first, second = (match(world, FREE, matcher=operator) for operator in OPERATORS[:2])
    assert refused(world, first, second) == "System.AccountAlreadyInUse"
    do(world, first)
    assert refused(world, second) == "System.AccountAlreadyInUse"
    assert (order(world).open, order(world).leases, order(world).held) == (2, 1, WHOLE)


def test_two_operators_book_one_device_in_two_orders() -> None:
    world = stages.opened()
    first = match(world, FREE)
    second = match(world, FREE, "mallory", matcher=OPERATORS[1])
    assert refused(world, first, second) == "DeviceLeased"
    do(world, second)
    assert refused(world, first) == "DeviceLeased"
    assert device(world, FREE).lease == where(FREE, "mallory")
    assert (order(world).open, order(world).leases) == (3, 0)


def test_a_leased_device_is_booked_by_nobody() -> None:
    world = stage("matching")
    for worker in (RUNNING, OTHER_WAITING):
        renter = "mallory" if worker == RUNNING else "carol"
        others = match(world, worker, renter, matcher=OPERATORS[1])
        assert refused(world, others) == ("OrderFull" if renter == "mallory" else "DeviceLeased")


def test_a_lease_of_another_device_or_order() -> None:
    world = stage("matching")
    call = match(world, FREE)
    for other in (where(RUNNING), where(FREE, "mallory"), key("elsewhere").pubkey()):
        assert refused(world, put(call, lease=other)) == "InvalidSeeds"


# -- time ----------------------------------------------------------------------------------------


def test_matching_ends_to_the_second() -> None:
    world = stages.opened()
    world.chain.warp_to(order(world).match_until - 1)
    do(world, match(world, FREE))
    world.chain.advance(1)
    assert refused(world, match(world, RUNNING)) == "MatchingOver"


def test_a_full_order_takes_no_more() -> None:
    world = stages.matching()
    do(world, match(world, FREE))
    assert refused(world, match(world, OTHER_WAITING)) == "OrderFull"


def test_a_cancelled_order_takes_no_more() -> None:
    world = stages.matching()
    do(world, stages.cancel(world))
    assert refused(world, match(world, FREE)) == "OrderClosed"
    # What was matched before is accepted all the same.
    do(world, accept(world, WAITING))


def test_acceptance_ends_to_the_second() -> None:
    world = stages.matching()
    world.chain.warp_to(lease(world, WAITING).accept_until - 1)
    late = accept(world, WAITING)
    assert moved(world, late) == {}
    world = stages.matching()
    world.chain.warp_to(lease(world, WAITING).accept_until)
    assert refused(world, late) == "AcceptanceOver"


def test_accepting_twice() -> None:
    world = stages.matching()
    again = accept(world, WAITING)
    assert refused(world, again, again) == "LeaseState"
    before = order(world)
    assert moved(world, again) == {}
    after = order(world)
    assert (after.served - before.served, after.fees, after.transactions) == (1, 0, before.transactions)
    assert (after.free, after.held) == (before.free, before.held), "it is set apart since the match"
    assert refused(world, again) == "LeaseState"


def test_a_lease_lapses_to_the_second() -> None:
    world = stages.matching()
    until = lease(world, WAITING).accept_until
    world.chain.warp_to(until - 1)
    for stranger in ("mallory", OPERATOR, "elsewhere"):
        assert refused(world, end(world, stranger, WAITING)) == "NotParty"
    world.chain.warp_to(until)
    before = order(world)
    assert moved(world, end(world, "mallory", WAITING)) == {}
    after = order(world)
    assert (after.open - before.open, after.free - before.free) == (1, WHOLE)
    assert lease(world, WAITING).reason == EndReason.LAPSED
    assert device(world, WAITING).lease == staking.NOBODY
    assert refused(world, accept(world, WAITING)) == "LeaseState"
    # Its place can be taken by another device; by the same one not for an hour.
    do(world, match(world, FREE))
    assert refused(world, match(world, WAITING)) == "System.AccountAlreadyInUse"
    do(world, client.close_lease(lease(world, WAITING)))
    assert refused(world, match(world, WAITING)) == "DeviceBarred"


@pytest.mark.parametrize(
    ("caller", "reason", "reopened"),
    [
        ("carol", EndReason.WITHDRAWN, 0),
        ("bob", EndReason.DECLINED, 1),
        (WAITING, EndReason.DECLINED, 1),
    ],
)
def test_a_lease_that_a_party_does_not_want(caller: str, reason: EndReason, reopened: int) -> None:
    world = stages.matching()
    before = order(world)
    assert moved(world, end(world, caller, WAITING)) == {}
    after = order(world)
    assert lease(world, WAITING).reason == reason
    back = WHOLE if reopened else WHOLE - HOUR_FEE
    assert (after.open - before.open, after.free - before.free) == (reopened, back)
    assert refused(world, end(world, caller, WAITING)) == "LeaseState"
    one = device(world, WAITING)
    assert (one.leases_done, one.leases_failed, one.strikes) == (0, 0, reopened)
    do(world, client.close_lease(lease(world, WAITING)))
    assert device(world, WAITING) == one


# -- many ----------------------------------------------------------------------------------------


def test_five_hundred_devices_in_an_order() -> None:
    """Each is a transaction and an account of its own; nothing grows with the order."""
    devices = 500
    world = stages.ready()
    supplier = key("community")
    do(world, staking.open_wallet(address("payer"), supplier.pubkey()))
    workers = [key(f"worker {number}") for number in range(devices + 1)]
    stake = 250 * IO
    for worker in workers:
        owner = supplier.pubkey()
        terms = {"processors": 1, "tier": 1, "country": "CH", "ask_io": 2 * IO}
        setup = staking.register_device(owner, worker.pubkey(), owner, GPU, **terms)
        world.do(setup, signers=[supplier, worker])
        world.do(staking.stake(_device(world, worker.pubkey()), stake), signers=[supplier])
    world.chain.advance(1)
    opened = open_order(world, devices=devices, processors=1, hours=1, price=2 * IO)
    size, vault, turn = len(world.account(opened.address).data), opened.vault, stages.tick(world)
    units = []
    for worker in workers[:devices]:
        call = client.match_device(address(OPERATOR), opened, _device(world, worker.pubkey()), turn)
        units.append(world.do(call, signers=[key(OPERATOR)]).compute_units)
    found = order(world)
    assert (found.open, found.leases, found.free) == (0, devices, 0)
    assert found.held == found.deposit == world.tokens(vault)
    assert len(world.account(found.address).data) == size
    # A match's cost depends on its address's bump alone: some of the first and of the last have the best.
    assert min(units[:50]) == min(units[-50:])
    one_more = client.match_device(address(OPERATOR), opened, _device(world, workers[-1].pubkey()), turn)
    assert refused(world, one_more) == "OrderFull"


def _device(world: World, worker: Pubkey) -> staking.Device:
    return staking.parse_device(world.account(staking.device_address(worker)).data)
