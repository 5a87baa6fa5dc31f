"""What is due, decided on accounts alone; the program agrees in tests/keeper/jobs/test_leases.py."""

from dataclasses import replace

import pytest
from solders.pubkey import Pubkey

from keeper.clients import orders
from keeper.clients.orders import Fault, Lease, Order
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import EndReason, LeaseStatus, OrderStatus, Payment, fee
from keeper.market.leases import Due, DueKind, EndingRefused, OrderAccounts, due, ending
from tests.programs.orders.world import TERMS
from tests.programs.world import key

NOW = 2_000_000_000
LAG = 2 * HOUR
RATE = 3_601
"""Base units an hour: one and a fraction a second."""
RENTER, SUPPLIER, WORKER, STRANGER = (key(n).pubkey() for n in ("renter", "supplier", "worker", "stranger"))

ORDER = Order(
    status=OrderStatus.OPEN,
    open=0,
    leases=1,
    served=1,
    renter_fee_bps=25,
    supplier_fee_bps=25,
    country=bytes(2),
    id=1,
    created_at=NOW - DAY,
    match_until=NOW - DAY + 1_200,
    accept_window=600,
    settlement_lag=LAG,
    transactions=2,
    deposit=10**9,
    free=0,
    held=RATE * 10 + fee(RATE * 10, 25),
    paid=0,
    fees=0,
    refunded=0,
    renter=RENTER,
    vault=key("vault").pubkey(),
    terms=TERMS,
)


def lease(start: int, *, hours: int = 100, **changed: int) -> Lease:
    """A lease that runs since ``start`` and of which nothing is paid."""
    found = Lease(
        status=LeaseStatus.RUNNING,
        reason=EndReason.NONE,
        hours=hours,
        rate=RATE,
        matched_at=start,
        accept_until=start + 600,
        start=start,
        stop=start + hours * HOUR,
        ended_at=0,
        held=RATE * hours + fee(RATE * hours, 25),
        paid=0,
        hold_from=0,
        hold_until=0,
        order=ORDER.address,
        device=key("device").pubkey(),
        supplier=SUPPLIER,
        worker=WORKER,
        payout=SUPPLIER,
        payer=STRANGER,
        fees=0,
        renter_fee_bps=ORDER.renter_fee_bps,
    )
    return replace(found, **changed)


def settled(row: Lease, now: int) -> Lease:
    """The lease after somebody has settled it."""
    paid = row.due(ORDER, now)
    left = row.held - paid.amount - paid.renter_fee
    return replace(row, paid=row.paid + paid.amount, fees=row.fees + paid.renter_fee, held=left)


def waiting(accept_until: int = NOW + 600) -> Lease:
    """One that nobody has accepted."""
    return replace(lease(NOW), status=LeaseStatus.MATCHED, start=0, stop=0, accept_until=accept_until)


def actions(row: Lease | None, now: int, *faults: Fault, **changed: int) -> list[DueKind]:
    order = replace(ORDER, **changed)
    leases = {row.address: row} if row else {}
    book = OrderAccounts({order.address: order}, leases, {each.address: each for each in faults})
    return [each.kind for each in due(book, now)]


def test_an_unaccepted_lease_lapses_when_its_time_is_over():
    row = waiting(accept_until=NOW)
    assert actions(row, NOW - 1) == []
    assert actions(row, NOW) == [DueKind.END]
    ended = replace(row, status=LeaseStatus.ENDED, ended_at=NOW, held=0)
    assert actions(ended, NOW) == [DueKind.CLOSE_LEASE], "its device can come back at once"


def test_a_running_lease_is_paid_once_a_day_and_ends_with_its_time():
    row = lease(NOW)
    assert actions(row, NOW + 23 * HOUR - 1) == []
    assert actions(row, NOW + 23 * HOUR) == [DueKind.SETTLE]
    after = settled(row, NOW + 23 * HOUR)
    assert after.paid == RATE * 21
    assert after.fees == fee(RATE * 21, 25)
    assert actions(after, NOW + 46 * HOUR - 1) == []
    assert actions(after, NOW + 46 * HOUR) == [DueKind.SETTLE]
    assert actions(after, row.stop) == [DueKind.END]


def test_an_ended_lease_is_paid_when_all_is_due_and_then_closed():
    ended = {"status": LeaseStatus.ENDED, "reason": EndReason.COMPLETED}
    row = lease(NOW, hours=10, ended_at=NOW + 10 * HOUR, **ended)
    assert actions(row, row.stop + LAG - 1) == []
    assert actions(row, row.stop + LAG) == [DueKind.SETTLE]
    paid = settled(row, row.stop + LAG)
    assert (paid.held, paid.paid, paid.fees) == (0, RATE * 10, fee(RATE * 10, 25))
    assert actions(paid, row.stop + LAG) == [DueKind.CLOSE_LEASE]


def test_the_rest_of_the_renters_fee_is_charged_where_nothing_else_is_due():
    """The renter ended what was paid to the second: without a lag, or where seconds earn next to nothing."""
    rest = fee(RATE * 10, 25) - fee(RATE * 3, 25)
    row = lease(
        NOW,
        hours=10,
        status=LeaseStatus.ENDED,
        reason=EndReason.RENTER,
        stop=NOW + 3 * HOUR,
        ended_at=NOW + 3 * HOUR,
        paid=RATE * 3,
        fees=fee(RATE * 3, 25),
        held=rest,
    )
    assert actions(row, row.stop + LAG - 1) == []
    assert actions(row, row.stop + LAG) == [DueKind.SETTLE]
    assert row.due(ORDER, row.stop + LAG) == Payment(0, 0, 0, rest)
    after = settled(row, row.stop + LAG)
    assert after.held == 0
    assert not after.due(ORDER, row.stop + DAY)
    assert actions(after, row.stop + LAG) == [DueKind.CLOSE_LEASE]


def test_an_ended_lease_without_earnings_is_kept_for_an_hour():
    """Whoever computes the hour's rewards reads it then."""
    ended = {"status": LeaseStatus.ENDED, "reason": EndReason.SUPPLIER}
    row = lease(NOW, stop=NOW, held=0, ended_at=NOW + 60, **ended)
    assert actions(row, NOW + 60 + HOUR - 1) == []
    assert actions(row, NOW + 60 + HOUR) == [DueKind.CLOSE_LEASE]


def test_a_held_lease_waits_for_the_guardian():
    row = lease(NOW, hours=10, hold_from=NOW, hold_until=NOW + 7 * DAY)
    assert actions(row, NOW + 2 * DAY) == [DueKind.END]
    ended = replace(row, status=LeaseStatus.ENDED, reason=EndReason.COMPLETED, ended_at=row.stop)
    assert actions(ended, NOW + 7 * DAY - 1) == []
    assert actions(ended, NOW + 7 * DAY) == [DueKind.SETTLE]


def test_an_orders_rest():
    rows = {"open": 1, "match_until": NOW, "free": ORDER.place + 7}
    running = lease(NOW)
    assert actions(running, NOW - 1, **rows) == [], "a device may still come"
    assert actions(running, NOW, **rows) == [DueKind.REFUND]
    assert actions(running, NOW, **{**rows, "free": 0}) == []
    assert actions(None, NOW - 1, leases=0, **rows) == []
    assert actions(None, NOW, leases=0, **rows) == [DueKind.CLOSE_ORDER]
    assert actions(None, NOW - 1, leases=0, status=OrderStatus.CANCELLED, **rows) == [DueKind.CLOSE_ORDER]


def test_faults_go_after_their_leases():
    row = lease(NOW)
    fault = Fault(
        decided=True,
        good_hours=1,
        revision=0,
        votes=3,
        lease=row.address,
        lease_start=row.start,
        evidence=bytes(32),
        payer=STRANGER,
    )
    assert actions(row, NOW, fault) == []
    assert actions(None, NOW, fault, leases=1) == [DueKind.CLOSE_FAULT]


def test_the_order_in_which_things_are_done():
    ended = lease(NOW, hours=1, status=LeaseStatus.ENDED, ended_at=NOW + HOUR)
    over = replace(lease(NOW, hours=1), device=key("another").pubkey())
    order = replace(ORDER, free=5, leases=2)
    book = OrderAccounts({order.address: order}, {each.address: each for each in (ended, over)}, {})
    found = due(book, NOW + DAY)
    steps = ((DueKind.END, over), (DueKind.SETTLE, ended), (DueKind.REFUND, order))
    assert found == [Due(kind, row.address) for kind, row in steps]


@pytest.mark.parametrize(
    ("after", "caller", "reason", "seconds"),
    [
        (0, RENTER, EndReason.RENTER, HOUR),
        (HOUR + 1, RENTER, EndReason.RENTER, HOUR + 1),
        (HOUR - 1, SUPPLIER, EndReason.SUPPLIER, 0),
        (2 * HOUR - 1, WORKER, EndReason.SUPPLIER, HOUR),
        (10 * HOUR, STRANGER, EndReason.COMPLETED, 10 * HOUR),
    ],
)
def test_what_ending_does(after: int, caller: Pubkey, reason: EndReason, seconds: int):
    row = lease(NOW, hours=10)
    end = ending(ORDER, row, caller, NOW + after)
    assert (end.reason, end.stop) == (reason, NOW + seconds)
    assert end.pay == RATE * seconds // HOUR
    # The renter's fee is whole, unless the supplier broke off.
    assert end.fee == fee(end.pay if reason == EndReason.SUPPLIER else RATE * 10, 25)
    assert end.pay + end.fee + end.released == row.held


def test_ending_before_it_runs_and_what_is_refused():
    row = waiting()
    for caller, reason in ((RENTER, EndReason.WITHDRAWN), (WORKER, EndReason.DECLINED)):
        end = ending(ORDER, row, caller, NOW)
        assert (end.reason, end.released) == (reason, row.held)
    assert ending(ORDER, row, STRANGER, NOW + 600).reason == EndReason.LAPSED
    for refused in (row, lease(NOW)):
        with pytest.raises(EndingRefused, match="neither renter nor supplier"):
            ending(ORDER, refused, STRANGER, NOW)
    with pytest.raises(EndingRefused, match="has ended already"):
        ending(ORDER, lease(NOW, status=LeaseStatus.ENDED), RENTER, NOW)


def test_what_was_due_is_not_taken_back_by_a_supplier_that_leaves():
    """With a short lag, more than the last whole hour can be due already."""
    order = replace(ORDER, settlement_lag=60)
    end = ending(order, lease(NOW), SUPPLIER, NOW + 2 * HOUR - 1)
    assert end.stop == NOW + 2 * HOUR - 61
    assert orders.Params().settlement_lag == LAG
