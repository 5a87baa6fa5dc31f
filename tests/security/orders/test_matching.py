"""Attacks on matching and acceptance: the wrong device, the wrong price, the wrong moment, twice."""

from __future__ import annotations

from dataclasses import replace

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
    OPERATOR,
    OTHER_WAITING,
    PLACE,
    RATE,
    RUNNING,
    WAITING,
    accept,
    create,
    device,
    end,
    fee,
    lease,
    match,
    moved,
    order,
    put,
    stage,
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
    do(world, create(**changed))
    return world


# -- who -----------------------------------------------------------------------------------------


def test_a_supplier_needs_no_operator() -> None:
    world = stages.matching()
    before = world.account(ALICE).lamports
    do(world, match(world, FREE, matcher="alice"), accept_new(world, FREE))
    rent = world.account(where(FREE)).lamports
    assert before - world.account(ALICE).lamports == rent
    assert lease(world, FREE).payer == ALICE
    assert order(world).open == 0


def accept_new(world: World, worker: str):
    """The acceptance of a lease that the call before it makes."""
    model = replace(lease(world, WAITING), worker=address(worker), payout=device(world, worker).payout)
    call = client.accept_lease(stages.config(world), order(world), model)
    return put(call, lease=where(worker))


def test_an_operator_who_was_removed_matches_no_more() -> None:
    world = stages.ready()
    left = staking.Params(tuple(map(address, OPERATORS[1:])), 2)
    do(world, staking.propose_params(ADMIN, left))
    world.chain.advance(7 * DAY)
    do(world, create())
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
    do(world, create(renter, number=8))
    for matcher in (OPERATOR, "alice"):
        assert refused(world, match(world, FREE, renter, 8, matcher)) == "OwnDevice"
    do(world, match(world, WAITING, renter, 8))


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
    for matcher in (OPERATOR, "alice"):
        assert refused(world, match(world, FREE, matcher=matcher)) == error


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
    world = wanted(min_tier=3)
    change(world, FREE, tier=2)
    assert refused(world, match(world, FREE)) == "TierTooLow"
    change(world, FREE, tier=3)
    do(world, match(world, FREE))


def test_a_colocated_order_stays_in_one_country() -> None:
    world = wanted(colocated=True)
    change(world, FREE, country="DE")
    do(world, match(world, RUNNING))
    assert refused(world, match(world, FREE)) == "WrongCountry"
    # The first one goes, and with it the country.
    do(world, end(world, "carol"), client.close_lease(lease(world)))
    do(world, match(world, FREE))
    assert refused(world, match(world, RUNNING)) == "WrongCountry"


@pytest.mark.parametrize("ask", [ASK_IO - 1, ASK_IO + 1, 3 * IO + 1, 0])
def test_a_price_that_changed_since_it_was_seen(ask: int) -> None:
    """Neither side gets another price than the matcher saw, whichever transaction comes first."""
    world = stages.opened()
    seen = match(world, FREE)
    change(world, FREE, ask_io=ask)
    assert refused(world, seen) == ("PriceChanged" if ask else "NotLet")
    # At the new price only if it is offered, and no more than the order pays.
    now = match(world, FREE)
    if 0 < ask <= 3 * IO:
        do(world, now)
        assert lease(world, FREE).rate == 4 * ask
    else:
        assert refused(world, now) == ("PriceTooHigh" if ask else "NotLet")


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
    assert (order(world).open, order(world).leases, order(world).held) == (2, 1, PLACE)


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
    stages.let(world, "new worker")
    assert refused(world, match(world, "new worker")) == "OrderFull"


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
    assert after.free - before.free == before.held - after.held == PLACE - 10 * RATE - fee(10 * RATE)
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
    assert (after.open - before.open, after.free - before.free) == (1, PLACE)
    assert lease(world, WAITING).reason == EndReason.LAPSED
    assert device(world, WAITING).lease == staking.NOBODY
    assert refused(world, accept(world, WAITING)) == "LeaseState"
    # Its place can be taken by another device, and after its account is closed by the same one.
    do(world, match(world, FREE))
    assert refused(world, match(world, WAITING)) == "System.AccountAlreadyInUse"
    do(world, client.close_lease(lease(world, WAITING)))
    do(world, match(world, WAITING))


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
    assert (after.open - before.open, after.free - before.free) == (reopened, PLACE)
    assert refused(world, end(world, caller, WAITING)) == "LeaseState"
    record = device(world, WAITING)
    do(world, client.close_lease(lease(world, WAITING)))
    assert device(world, WAITING) == record, "what was never accepted is on nobody's record"


# -- many ----------------------------------------------------------------------------------------


def test_five_hundred_devices_in_an_order() -> None:
    """Each is a transaction and an account of its own; nothing grows with the order."""
    devices = 500
    world = stages.ready()
    supplier = key("community")
    do(world, staking.open_wallet(address("payer"), supplier.pubkey()))
    do(world, create(devices=devices, processors=1, hours=1, price=2 * IO))
    size, vault = len(world.account(order(world).address).data), order(world).vault
    workers = [key(f"worker {number}") for number in range(devices + 1)]
    stake = 250 * IO
    for worker in workers:
        owner = supplier.pubkey()
        terms = {"processors": 1, "tier": 1, "country": "CH", "ask_io": 2 * IO}
        setup = staking.register_device(owner, worker.pubkey(), owner, GPU, **terms)
        world.do(setup, signers=[supplier, worker])
        world.do(staking.stake(_device(world, worker.pubkey()), stake), signers=[supplier])
    opened = order(world)
    units = []
    for worker in workers[:devices]:
        call = client.match_device(address(OPERATOR), opened, _device(world, worker.pubkey()))
        units.append(world.do(call, signers=[key(OPERATOR)]).compute_units)
    found = order(world)
    assert (found.open, found.leases, found.free) == (0, devices, 0)
    assert found.held == found.deposit == world.tokens(vault)
    assert len(world.account(found.address).data) == size
    # A match's cost depends on its address's bump alone: some of the first and of the last have the best.
    assert min(units[:50]) == min(units[-50:])
    one_more = client.match_device(address(OPERATOR), opened, _device(world, workers[-1].pubkey()))
    assert refused(world, one_more) == "OrderFull"


def _device(world: World, worker: Pubkey) -> staking.Device:
    return staking.parse_device(world.account(staking.device_address(worker)).data)
