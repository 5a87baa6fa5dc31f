"""What the events say of money, to the base unit: readers rebuild every balance from them alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from solders.instruction import Instruction

from keeper.chain import token
from keeper.clients import orders as client
from keeper.clients.orders import PROGRAM
from keeper.economy.orders import Currency, EndReason
from tests.programs.world import DAY, HOUR, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    ACCEPT,
    FEE,
    HOUR_FEE,
    OPERATOR,
    OTHER_RUNNING,
    PLACE,
    RATE,
    RUNNING,
    USDC_FEES,
    USDC_MINT,
    WAITING,
    WHOLE,
    WINDOW,
    accept,
    cancel,
    close,
    config,
    device,
    end,
    fee,
    freeze_usdc,
    io,
    lease,
    match,
    order,
    park_fees,
    park_pay,
    pay_parked,
    refund,
    settle,
    tick,
    usdc,
)
from tests.security.people import address, do, signers
from tests.security.tokens import freeze_anyway

ALICE, BOB, MALLORY = (address(name) for name in ("alice", "bob", "mallory"))


def told(world: World, call: Instruction) -> list[tuple[str, dict[str, Any]]]:
    """Execute a call; orders' events with their fields."""
    record = world.do(call, signers=signers(call))
    return [(each.name, dict(each.fields)) for each in PROGRAM.events(record)]


def test_an_order_is_told_to_the_base_unit() -> None:
    """With the windows and fees that it keeps, though the parameters may change."""
    world = stages.ready()
    params, now = config(world).params, world.chain.now()
    (booked, fields), paid = told(world, stages.create())
    opened = order(world)
    asked = fields.pop("terms")
    assert (asked["price"], asked["hours"], asked["devices"], asked["processors"]) == (
        *(stages.TERMS.price, stages.TERMS.hours),
        *(stages.TERMS.devices, stages.TERMS.processors),
    )
    deposit = stages.TERMS.devices * PLACE
    minutes = stages.TERMS.devices * stages.TERMS.hours * 60
    assert (booked, fields) == (
        "BookProduct",
        {
            "customer_id": address("carol"),
            "cluster_id": opened.address,
            "currency": 0,
            "hardware_type": 0,
            "hardware_quantity": stages.TERMS.devices * stages.TERMS.processors,
            "total_cost": deposit,
            "compute_minutes_hired": minutes,
            "compute_minutes_worked": 0,
            "worked_amount": 0,
            "paid": deposit,
            "id": 1,
            "at": now,
            "exclusive_until": now + params.exclusive,
            "match_until": now + params.match_window,
            "accept_window": params.accept_window,
            "settlement_lag": params.settlement_lag,
            "renter_fee_bps": params.renter_fee_bps,
            "supplier_fee_bps": params.supplier_fee_bps,
        },
    )
    assert paid == ("Pay", {"transaction_id": 0, "cluster_id": opened.address, "amount": deposit})


def test_a_settlement_is_told_to_the_base_unit() -> None:
    """Each from where the last one stopped, with fees that are rounded on the sums and not on the parts."""
    world = stages.matching()
    opened, one, before = order(world), lease(world), (0, 0)
    for seconds in (3 * HOUR + 59, 3 * HOUR + 61, 7 * HOUR + 1, 40 * HOUR):
        world.chain.warp_to(one.start + seconds)
        number = order(world).transactions
        until = min(seconds - 2 * HOUR, 10 * HOUR)
        paid = RATE * until // HOUR
        amount, charge = paid - before[0], fee(paid) - fee(before[0])
        assert told(world, settle(world)) == [
            (
                "Worked",
                {
                    "cluster_id": opened.address,
                    "compute_minutes": until // 60,
                    "amount": amount,
                    "transaction_id": number,
                    "lease": one.address,
                    "payout": ALICE,
                    "fee": charge,
                    "renter_fee": charge,
                    "paid": paid,
                    "until": one.start + until,
                },
            ),
            (
                "Earn",
                {"transaction_id": number + 1, "cluster_id": opened.address, "amount": 2 * charge},
            ),
        ]
        before = paid, until
        assert told(world, settle(world)) == []


def test_the_rest_of_a_fee_is_told_without_an_amount() -> None:
    """Of a lease that was paid up when its renter ended it."""
    world = stages.ready(client.Params(settlement_lag=0))
    stages.open_order(world, devices=1)
    stages.run(world, RUNNING)
    world.chain.advance(4 * HOUR)
    do(world, settle(world), end(world, "carol"))
    (worked, fields), (earn, network) = told(world, settle(world))
    rest = FEE - fee(4 * RATE)
    assert (worked, fields["amount"], fields["fee"], fields["renter_fee"]) == ("Worked", 0, 0, rest)
    assert (earn, network["amount"]) == ("Earn", rest)


def test_fees_that_could_not_leave_are_told_when_they_do() -> None:
    world = stages.serving()
    freeze_usdc(world, USDC_FEES)
    names = [name for name, _ in told(world, settle(world, OTHER_RUNNING, "mallory"))]
    assert names == ["Worked"], "nothing reached the network"
    due = order(world, "mallory").fees_due
    stages.thaw_usdc(world, USDC_FEES)
    (earn,) = told(world, settle(world, OTHER_RUNNING, "mallory"))
    assert earn[1]["amount"] == due == fee(8 * stages.USDC) + fee(8 * stages.USDC, 225)


def ended(world: World, caller: str, worker: str = RUNNING) -> dict[str, Any]:
    """What is told of an end."""
    before, one = order(world), lease(world, worker)
    ((name, fields),) = told(world, end(world, caller, worker))
    after = order(world)
    assert name == "LeaseEnded"
    assert (fields["lease"], fields["order"], fields["device"]) == (one.address, one.order, one.device)
    assert (fields["open"], fields["match_until"]) == (after.open, after.match_until)
    assert fields["charged"] == after.fees - before.fees
    assert fields["released"] - fields["charged"] == after.free - before.free
    assert fields["held"] == lease(world, worker).held
    return fields


def figures(fields: dict[str, Any], start: int) -> tuple[int, ...]:
    """Reason, hours to the stop, held, released, charged, open places."""
    served = (fields["stop"] - start) // HOUR if fields["stop"] else 0
    return (fields["reason"], served, *(fields[each] for each in ("held", "released", "charged", "open")))


def test_an_end_is_told_to_the_base_unit() -> None:
    """What is owed, what the renter has again, what giving up costs, which places are open."""
    world = stages.matching()
    assert figures(ended(world, "carol", WAITING), 0) == (EndReason.WITHDRAWN, 0, 0, WHOLE, HOUR_FEE, 1)
    world = stages.matching()
    assert figures(ended(world, "bob", WAITING), 0) == (EndReason.DECLINED, 0, 0, WHOLE, 0, 2)
    world = stages.matching()
    world.chain.advance(ACCEPT)
    fields = ended(world, "mallory", WAITING)
    assert figures(fields, 0) == (EndReason.LAPSED, 0, 0, WHOLE, 0, 2)
    assert fields["match_until"] == world.chain.now() + WINDOW
    start = lease(world).start
    world.chain.warp_to(start + HOUR - 1)
    # Of the places that nobody took in time none is open again.
    assert figures(ended(world, "alice"), start) == (EndReason.SUPPLIER, 0, 0, WHOLE, 0, 1)
    for caller, seconds, wanted in (
        (
            "alice",
            5 * HOUR - 1,
            (EndReason.SUPPLIER, 4, 4 * RATE + fee(4 * RATE), 6 * RATE + FEE - fee(4 * RATE)),
        ),
        ("carol", 5 * HOUR, (EndReason.RENTER, 5, 5 * RATE + FEE, 5 * RATE)),
        ("carol", 1, (EndReason.RENTER, 1, RATE + FEE, 9 * RATE)),
        ("mallory", 10 * HOUR, (EndReason.COMPLETED, 10, WHOLE, 0)),
    ):
        world = stages.matching()
        start = lease(world).start
        world.chain.warp_to(start + seconds)
        assert figures(ended(world, caller), start) == (*wanted, 0, 1)


def test_a_fault_is_told_to_the_base_unit() -> None:
    world = stages.matching()
    world.chain.advance(4 * HOUR)
    do(world, stages.vote(world, 0, 3))
    (voted, votes), (name, fields) = told(world, stages.vote(world, 1, 3))
    one = lease(world)
    assert (voted, votes["votes"], votes["decided"]) == ("FaultVoted", 0b11, True)
    assert (votes["number"], votes["registered_at"]) == (one.number, one.registered_at)
    assert name == "LeaseEnded"
    assert figures(fields, one.start) == (
        *(EndReason.FAULT, 3, 3 * RATE + fee(3 * RATE)),
        *(7 * RATE + FEE - fee(3 * RATE), 0, 1),
    )


def test_a_closed_order_is_told_to_the_base_unit() -> None:
    """What came in is what went to suppliers, the network and the renter; a gift is beside it."""
    world = stages.serving()
    world.chain.advance(DAY)
    do(world, settle(world), end(world, "mallory"))
    for worker in (RUNNING, WAITING):
        do(world, client.close_lease(lease(world, worker)))
    opened, number = order(world), order(world).transactions
    do(world, token.transfer(io("mallory"), opened.vault, MALLORY, 7))
    paid, fees = 10 * RATE - fee(10 * RATE), fee(10 * RATE) + FEE
    rest = 3 * PLACE - paid - fees
    assert told(world, close(world)) == [
        ("Refund", {"transaction_id": number, "cluster_id": opened.address, "amount": rest}),
        (
            "OrderClosed",
            {
                "order": opened.address,
                "reason": 0,
                "deposit": 3 * PLACE,
                "paid": paid,
                "fees": fees,
                "refunded": rest,
                "surplus": 7,
            },
        ),
    ]


def test_an_order_whose_money_went_back_before_is_closed_without_a_refund() -> None:
    world = stages.opened()
    opened = order(world)
    world.chain.warp_to(opened.match_until)
    do(world, refund(world))
    fields = {"order": opened.address, "reason": 1, "deposit": 3 * PLACE, "refunded": 3 * PLACE}
    assert told(world, close(world)) == [("OrderClosed", {**fields, "paid": 0, "fees": 0, "surplus": 0})]


def test_a_cancelled_order_is_told_to_the_base_unit() -> None:
    world = stages.opened()
    address_ = order(world).address
    charged = fee(12 * 3 * stages.IO)
    assert charged == fee(3 * 4 * stages.TERMS.price)
    cancelled = {"order": address_, "open": 3, "charged": charged}
    assert told(world, cancel(world)) == [("OrderCancelled", cancelled)]
    earn, back, closed = told(world, close(world))
    assert (earn[0], earn[1]["amount"], earn[1]["transaction_id"]) == ("Earn", charged, 1)
    assert (back[0], back[1]["amount"], back[1]["transaction_id"]) == ("Refund", 3 * PLACE - charged, 2)
    assert (closed[1]["reason"], closed[1]["fees"], closed[1]["paid"]) == (2, charged, 0)


def test_a_match_and_its_acceptance_are_told() -> None:
    world = stages.opened()
    ((name, fields),) = told(world, match(world, RUNNING))
    one, now = lease(world), world.chain.now()
    assert name == "LeaseMatched"
    assert fields == {
        "lease": one.address,
        "order": one.order,
        "device": one.device,
        "country": b"CH",
        "supplier": ALICE,
        "worker": address(RUNNING),
        "payout": ALICE,
        "matcher": address(OPERATOR),
        "tick": tick(world),
        "number": 1,
        "registered_at": device(world, RUNNING).registered_at,
        "rate": RATE,
        "hours": 10,
        "held": WHOLE,
        "accept_until": now + ACCEPT,
    }
    ((name, fields),) = told(world, accept(world, RUNNING))
    assert (name, fields["accepted_at"], fields["start"]) == ("LeaseAccepted", now, now)
    assert (fields["stop"], fields["filled_at"]) == (now + 10 * HOUR, now)


def test_a_gang_that_begins_is_told_first() -> None:
    """With the hours that it had then: what the same instruction adds or cuts comes in its own event."""
    world = stages.ready()
    stages.open_order(world, devices=2, min_devices=2)
    for worker in (RUNNING, WAITING):
        do(world, match(world, worker))
    for worker in (RUNNING, WAITING):
        do(world, accept(world, worker))
    filled = order(world).filled_at
    world.chain.advance(HOUR)
    started, extended, paid = told(world, stages.extend(world, 2))
    assert (started[0], started[1]["start"], started[1]["stop"]) == (
        *("LeaseStarted", filled),
        filled + 10 * HOUR,
    )
    assert (extended[0], extended[1]["stop"]) == ("Extend", filled + 12 * HOUR)
    assert (paid[0], paid[1]["amount"]) == ("Pay", 2 * RATE + fee(12 * RATE) - FEE)


@pytest.mark.parametrize(
    ("touch", "then"),
    [
        (settle, ["Worked", "Earn"]),
        (park_pay, ["Worked", "PayParked", "Earn"]),
        (stages.hold, ["LeaseHeld"]),
        (stages.vote, ["FaultVoted"]),
        (lambda world: end(world, "carol"), ["LeaseEnded"]),
    ],
    ids=["settle", "park_pay", "hold_lease", "vote_fault", "end_lease"],
)
def test_whatever_touches_a_lease_first_tells_that_its_gang_began(
    touch: Callable[[World], Instruction], then: list[str]
) -> None:
    world = stages.ready()
    stages.open_order(world, devices=2, min_devices=2)
    for worker in (RUNNING, WAITING):
        do(world, match(world, worker))
    for worker in (RUNNING, WAITING):
        do(world, accept(world, worker))
    filled = order(world).filled_at
    assert (lease(world).start, filled) == (0, world.chain.now())
    world.chain.advance(4 * HOUR)
    if touch is park_pay:
        freeze_anyway(world, io("alice"))
    (started, fields), *rest = told(world, touch(world))
    assert (started, fields["start"], fields["stop"]) == ("LeaseStarted", filled, filled + 10 * HOUR)
    assert [name for name, _ in rest] == then
    assert lease(world).start == filled


def test_what_is_set_aside_is_told_to_the_base_unit() -> None:
    world = stages.serving()
    freeze_anyway(world, io("alice"))
    record, amount = client.parked_address(io("alice")), 2 * RATE - fee(2 * RATE)
    about = {
        "record": record,
        "wallet": ALICE,
        "mint": config(world).io_mint,
        "destination": io("alice"),
        "amount": amount,
    }
    worked, parked, earn = told(world, park_pay(world))
    assert (worked[0], worked[1]["amount"] - worked[1]["fee"]) == ("Worked", amount)
    assert parked == ("PayParked", {"lease": lease(world).address, **about, "payer": BOB})
    assert earn[1]["amount"] == 2 * fee(2 * RATE)
    freeze_anyway(world, io("alice"), let_go=True)
    assert told(world, pay_parked(world, io("alice"))) == [("ParkedPaid", about)]


def test_fees_that_are_set_aside_are_told_to_the_base_unit() -> None:
    world = stages.blocked()
    opened = order(world, "mallory")
    fields = {
        "transaction_id": opened.transactions,
        "cluster_id": opened.address,
        "record": client.parked_address(USDC_FEES),
        "mint": USDC_MINT,
        "destination": USDC_FEES,
        "amount": opened.fees_due,
        "payer": BOB,
    }
    assert told(world, park_fees(world, "mallory")) == [("FeesParked", fields)]
    stages.thaw_usdc(world, USDC_FEES)
    about = {name: fields[name] for name in ("record", "mint", "destination", "amount")}
    paid = {**about, "wallet": USDC_FEES}
    assert told(world, pay_parked(world, USDC_FEES)) == [("ParkedPaid", paid)]
    assert config(world).fees(Currency.USDC) == USDC_FEES
    assert world.tokens(usdc("bob")) > 0


def test_a_refund_is_told_to_the_base_unit() -> None:
    world = stages.matching()
    number, back = order(world).transactions, 2 * stages.SURPLUS
    fields = {"transaction_id": number, "cluster_id": order(world).address, "amount": back}
    assert told(world, refund(world)) == [("Refund", fields)]
