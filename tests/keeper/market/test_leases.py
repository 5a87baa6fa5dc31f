"""What is due, decided on accounts alone; the program agrees in tests/keeper/jobs/test_leases.py."""

from dataclasses import replace

import pytest
from solders.pubkey import Pubkey

from keeper.clients import orders
from keeper.clients.orders import Fault, Lease, Order, Parked
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import MIN_TAIL, EndReason, LeaseStatus, OrderStatus, Payment, fee
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
    exclusive_until=NOW - DAY + 300,
    match_until=NOW - DAY + 1_200,
    match_window=1_200,
    accept_window=600,
    settlement_lag=LAG,
    filled_at=NOW - DAY,
    gang_until=0,
    transactions=2,
    deposit=10**9,
    free=0,
    held=RATE * 10 + fee(RATE * 10, 25),
    paid=0,
    fees=0,
    fees_due=0,
    refunded=0,
    renter=RENTER,
    vault=key("vault").pubkey(),
    terms=TERMS,
    taken=1,
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
        accepted_at=start,
        start=start,
        stop=start + hours * HOUR,
        ended_at=0,
        held=RATE * hours + fee(RATE * hours, 25),
        paid=0,
        hold_from=0,
        hold_until=0,
        number=1,
        registered_at=NOW - DAY,
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
    matched = replace(lease(NOW), status=LeaseStatus.MATCHED, accepted_at=0, start=0, stop=0)
    return replace(matched, accept_until=accept_until)


def accepted(gang_until: int = NOW + 600) -> Lease:
    """One of a gang, accepted ten seconds after its match."""
    return replace(waiting(gang_until), status=LeaseStatus.ACCEPTED, accepted_at=NOW + 10)


GANG = replace(
    ORDER,
    open=1,
    served=1,
    filled_at=0,
    gang_until=NOW + 600,
    match_until=NOW + 900,
    free=10 * ORDER.place,
    terms=replace(TERMS, devices=2, min_devices=2),
)
"""An order for two devices together, one of which has accepted."""


def actions(row: Lease | None, now: int, *faults: Fault, blocked=(), **changed: object) -> list[DueKind]:
    order = replace(ORDER, **changed)
    leases = {row.address: row} if row else {}
    votes = {each.address: each for each in faults}
    book = OrderAccounts({order.address: order}, leases, votes, blocked=blocked)
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
        number=row.number,
        registered_at=row.registered_at,
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


# -- payees that can't be paid ------------------------------------------------------------------


def test_a_blocked_payee_of_a_running_lease_waits_and_is_parked_in_the_end():
    row = lease(NOW)
    assert actions(row, NOW + DAY, blocked={row.address}) == []
    assert actions(row, row.stop, blocked={row.address}) == [DueKind.END]
    ended = {"status": LeaseStatus.ENDED, "reason": EndReason.COMPLETED, "ended_at": NOW + 10 * HOUR}
    row = lease(NOW, hours=10, **ended)
    assert actions(row, row.stop + LAG - 1, blocked={row.address}) == []
    assert actions(row, row.stop + LAG, blocked={row.address}) == [DueKind.PARK_PAY]
    assert actions(row, row.stop + LAG) == [DueKind.SETTLE]


def test_what_is_due_to_the_network_alone_waits_for_no_payee():
    rest = fee(RATE * 10, 25) - fee(RATE * 3, 25)
    end = {"status": LeaseStatus.ENDED, "reason": EndReason.RENTER, "ended_at": NOW + 3 * HOUR}
    paid = {"paid": RATE * 3, "fees": fee(RATE * 3, 25), "held": rest}
    row = lease(NOW, hours=10, stop=NOW + 3 * HOUR, **end, **paid)
    assert actions(row, row.stop + LAG, blocked={row.address}) == [DueKind.SETTLE]


def test_fees_are_parked_when_they_are_all_that_an_order_waits_for():
    over = {"leases": 0, "match_until": NOW, "fees_due": 5}
    assert actions(None, NOW, **over) == [DueKind.CLOSE_ORDER], "which sends them itself"
    assert actions(None, NOW, blocked={ORDER.address}, **over) == [DueKind.PARK_FEES]
    assert actions(None, NOW, blocked={ORDER.address}, **{**over, "fees_due": 0}) == [DueKind.CLOSE_ORDER]
    assert actions(lease(NOW), NOW, blocked={ORDER.address}, fees_due=5) == []


def test_parked_money_is_paid_once_it_can_be():
    parked = Parked(7, SUPPLIER, key("mint").pubkey(), key("tokens").pubkey(), STRANGER)
    book = OrderAccounts({}, {}, {}, {parked.address: parked})
    assert due(book, NOW) == [Due(DueKind.PAY_PARKED, parked.address)]
    assert due(replace(book, blocked={parked.address}), NOW) == []


# -- gangs -------------------------------------------------------------------------------------


def test_a_gang_that_is_not_filled_ends_and_a_filled_one_runs_unwritten():
    row = accepted()
    gang = {"filled_at": 0, "gang_until": NOW + 600}
    assert actions(row, NOW + 599, **gang) == []
    assert actions(row, NOW + 600, **gang) == [DueKind.END]
    filled = {**gang, "filled_at": NOW + 20}
    assert actions(row, NOW + 600, **filled) == []
    assert actions(row, NOW + 20 + 23 * HOUR - 1, **filled) == []
    assert actions(row, NOW + 20 + 23 * HOUR, **filled) == [DueKind.SETTLE]
    assert actions(row, NOW + 20 + 100 * HOUR, **filled) == [DueKind.END]


def test_what_ending_before_a_gang_is_filled_does():
    row, held = accepted(), accepted().held
    end = ending(GANG, row, STRANGER, NOW + 600, worker_may_end=False)
    assert (end.reason, end.released, end.order.open) == (EndReason.UNFILLED, held, 2)
    assert end.order.match_until == NOW + 600 + GANG.match_window
    end = ending(GANG, row, WORKER, NOW + 599, worker_may_end=False)
    assert (end.reason, end.order.open) == (EndReason.DECLINED, 2)
    with pytest.raises(EndingRefused, match="neither renter nor supplier"):
        ending(GANG, row, STRANGER, NOW + 599, worker_may_end=False)


def test_a_renter_that_withdraws_one_of_a_gang_wants_none_of_it():
    """That is the fee on an hour of it, and on one of each open place as long as devices are looked for."""
    row, hour = accepted(), fee(GANG.hourly, 25)
    end = ending(GANG, row, RENTER, NOW + 599, worker_may_end=False)
    assert (end.reason, end.order.status, end.order.open) == (
        EndReason.WITHDRAWN,
        OrderStatus.CANCELLED,
        0,
    )
    assert end.order.fees_due == end.order.fees == 2 * hour
    assert end.order.free == GANG.free + row.held - 2 * hour
    late = ending(replace(GANG, match_until=NOW), row, RENTER, NOW + 599, worker_may_end=False)
    assert late.order.fees_due == hour
    other = ending(end.order, row, STRANGER, NOW + 600, worker_may_end=False)
    assert (other.reason, other.order.open) == (EndReason.UNFILLED, 0)
    assert other.order.fees_due == 3 * hour


def test_who_leaves_a_gang_that_is_never_filled_is_not_to_blame():
    """Its matching is over, or its renter has cancelled it, and too few wait."""
    row, hour = accepted(), fee(GANG.hourly, 25)
    over = replace(GANG, match_until=NOW)
    cancelled = replace(GANG, status=OrderStatus.CANCELLED, open=0)
    for order, charged in ((over, 0), (cancelled, hour)):
        for waits in (row, waiting(NOW + 600)):
            for caller, at in ((WORKER, NOW + 1), (STRANGER, NOW + 600)):
                end = ending(order, waits, caller, at, worker_may_end=False)
                assert (end.reason, end.order.fees_due) == (EndReason.UNFILLED, charged)
                # One place is no gang of two: it doesn't open again.
                assert (end.order.open, end.order.match_until) == (0, order.match_until)
    both = replace(over, open=0, taken=2)
    assert ending(both, row, WORKER, NOW + 1, worker_may_end=False).reason == EndReason.DECLINED
    assert not replace(cancelled, taken=2).is_stranded(NOW)
    assert not replace(over, filled_at=NOW).is_stranded(NOW)
    # Who is ended late in a cancelled gang excuses nobody else.
    assert (
        ending(replace(cancelled, taken=2), row, STRANGER, NOW + 600, worker_may_end=False).order.taken == 2
    )


def test_a_place_that_opens_again_brings_back_none_that_was_over():
    row = lease(NOW, hours=10)
    for until, places in ((NOW + 101, 4), (NOW + 100, 1)):
        order = replace(ORDER, open=3, match_until=until)
        after = ending(order, row, SUPPLIER, NOW + 100, worker_may_end=False).order
        assert (after.open, after.taken, after.match_until) == (places, 0, NOW + 100 + order.match_window)


# -- what ending does --------------------------------------------------------------------------


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
    end = ending(ORDER, row, caller, NOW + after, worker_may_end=True)
    assert (end.reason, end.stop) == (reason, NOW + seconds)
    assert end.pay == RATE * seconds // HOUR
    # The renter's fee is whole, unless the supplier broke off.
    assert end.fee == fee(end.pay if reason == EndReason.SUPPLIER else RATE * 10, 25)
    assert end.pay + end.fee + end.released == row.held
    assert (end.order.free, end.order.held) == (ORDER.free + end.released, ORDER.held - end.released)
    reopened = (1, NOW + after + ORDER.match_window)
    unchanged = (ORDER.open, ORDER.match_until)
    assert (end.order.open, end.order.match_until) == (unchanged if seconds else reopened)


def test_a_renter_pays_the_fee_on_a_day_more_at_most():
    row = lease(NOW, hours=100)
    end = ending(ORDER, row, RENTER, NOW + 10 * HOUR, worker_may_end=False)
    assert end.fee == fee(RATE * 10 + RATE * MIN_TAIL // HOUR, 25)


def test_a_worker_ends_a_running_lease_only_where_its_supplier_lets_it():
    row = lease(NOW, hours=10)
    with pytest.raises(EndingRefused, match="doesn't let its worker end"):
        ending(ORDER, row, WORKER, NOW + HOUR, worker_may_end=False)
    assert ending(ORDER, row, WORKER, row.stop, worker_may_end=False).reason == EndReason.COMPLETED
    assert ending(ORDER, row, SUPPLIER, NOW + HOUR, worker_may_end=False).reason == EndReason.SUPPLIER


def test_ending_before_it_runs_and_what_is_refused():
    row = waiting()
    rich = replace(ORDER, free=ORDER.place)
    ways = ((RENTER, EndReason.WITHDRAWN, 0), (WORKER, EndReason.DECLINED, 1))
    for caller, reason, reopened in ways:
        end = ending(rich, row, caller, NOW, worker_may_end=False)
        assert (end.reason, end.released, end.order.open) == (reason, row.held, reopened)
        assert end.order.fees_due == (0 if reopened else fee(ORDER.hourly, 25))
    withdrawn = ending(ORDER, row, RENTER, NOW, worker_may_end=False).order
    assert (withdrawn.free, withdrawn.fees_due) == (0, row.held), "no more than is free"
    assert ending(ORDER, row, STRANGER, NOW + 600, worker_may_end=False).reason == EndReason.LAPSED
    for refused in (row, lease(NOW)):
        with pytest.raises(EndingRefused, match="neither renter nor supplier"):
            ending(ORDER, refused, STRANGER, NOW, worker_may_end=False)
    with pytest.raises(EndingRefused, match="has ended already"):
        ending(ORDER, lease(NOW, status=LeaseStatus.ENDED), RENTER, NOW, worker_may_end=False)


def test_what_was_due_is_not_taken_back_by_a_supplier_that_leaves():
    """With a short lag, more than the last whole hour can be due already."""
    order = replace(ORDER, settlement_lag=60)
    end = ending(order, lease(NOW), SUPPLIER, NOW + 2 * HOUR - 1, worker_may_end=False)
    assert end.stop == NOW + 2 * HOUR - 61
    assert orders.Params().settlement_lag == LAG
