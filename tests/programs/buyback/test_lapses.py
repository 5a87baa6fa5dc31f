"""What is lost when nobody bids for a while, or only one does: measured, bounded, compared with the document.

Days of auctions are played on the rule as the reference model has it, and on the one before; one history
is played on the program, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from keeper.clients import buyback
from tests.model.buyback.bidders import (
    WORTH,
    Auctions,
    Before,
    Bid,
    Fees,
    Sale,
    away,
    best,
    doubling,
    first,
    lost,
    rivals,
    settled,
    waits,
)
from tests.model.buyback.rule import WHOLE, Rule
from tests.model.buyback.state import USDC, Params
from tests.model.schedule import DAY, IO
from tests.programs.buyback.world import BuybackWorld

DOCUMENT = Path(__file__).parents[3] / "docs" / "buyback.md"
LOT = Params().max_lot
TWO = rivals(100, 95)
Worth = Callable[[int], int]


def times(numerator: int, denominator: int = 1) -> Worth:
    """What a USDC is worth from the first day on."""
    return lambda day: WORTH * numerator // denominator


def played(
    days: int, bid: Bid, worth: Worth | None = None, start: Callable[[], tuple[Before, Rule]] = settled
) -> tuple[int, int]:
    """What is lost under the rule before, and under this one, in whole USDC."""
    before, now = (whole(lost(Fees(rule).days(days, bid, worth or times(1)))) for rule in start())
    return before, now


def whole(amount: int) -> int:
    """The nearest whole USDC."""
    return (amount + USDC // 2) // USDC


# -- bidders who compete -------------------------------------------------------------------------


def bound(days_away: int, more: float, share: float | None = None) -> int:
    """The most that is lost until the price is right again, when bidders compete: USDC.

    Each sale at a start price below the worth doubles the price and at most the lot, so that all of them
    together sell less than the first one's share times ``more``, how often the worth contains what was paid
    before. After more than six days away the range begins below what was paid, for two lots of a share of one
    and two in a hundred.
    """
    share = max(0.5**days_away, 0.01) if share is None else share
    late = 0.03 if days_away > 6 else 0
    return round(LOT * (share * more * (more > 2) + late)) // USDC


def seconds(sales: list[Sale], widest: int) -> int:
    """What is lost by the fall of a price within a second, where nobody can bid in between: USDC."""
    return 1 + sum(-(-sale.lot * widest // (sale.worth * DAY)) for sale in sales) // USDC


@pytest.mark.parametrize("days", [*range(15), 30, 90])
@pytest.mark.parametrize("sixteenths", [1, 8, 16, 32, 64, 256])
def test_whoever_competes_pays_the_worth_after_any_absence(days: int, sixteenths: int) -> None:
    """But for what the worth rose meanwhile, and then it is little."""
    worth = times(sixteenths, 16)
    sales = Fees(settled()[1]).days(days + 30, away(days, TWO), worth)
    within = seconds(sales, 2 * max(WORTH, worth(0)))
    if days:
        assert lost(sales) <= (bound(days, sixteenths / 16) + within) * USDC
    # Never more than under the rule before: that of days without absence is a jump of the worth.
    before = lost(Fees(settled()[0]).days(days + 30, away(days, TWO), worth))
    assert lost(sales) <= before + within * USDC


@pytest.mark.parametrize("floor_bps", [1_000, 5_000, 9_000])
@pytest.mark.parametrize("start_bps", [11_000, 20_000, 50_000])
@pytest.mark.parametrize("days", [1, 4, 8, 40])
def test_the_first_lot_after_a_lapse_is_small_with_any_parameters(
    floor_bps: int, start_bps: int, days: int
) -> None:
    """At most the part to which the floors fell, or a hundredth, or the smallest lot; whoever bids first."""
    params = replace(Params(), floor_bps=floor_bps, start_bps=start_bps)
    most = max(LOT * floor_bps**days // WHOLE**days, LOT // 100, params.min_lot)
    for bid in (TWO, waits):
        sales = Fees(replace(settled()[1], params=params)).days(days + 2, away(days, bid))
        assert 0 < sales[0].lot <= most
        assert sales[1].lot <= max(2 * sales[0].lot, LOT // 50)


def test_many_pay_no_less_than_two() -> None:
    for days in (0, 7):
        many = rivals(100, *range(50, 100))
        assert played(days + 14, away(days, many)) == played(days + 14, away(days, TWO))


@pytest.mark.parametrize("part", [2, 8, 64])
def test_a_first_price_that_is_too_low_sells_little(part: int) -> None:
    sales = Fees(first(WORTH // part)[1]).days(14, TWO)
    assert sales[0].lot == LOT // 16
    assert lost(sales) <= bound(0, part, 1 / 16) * USDC
    assert sales[-1].lot == LOT


def test_a_first_price_that_is_too_high_is_found_within_days() -> None:
    for many in (2, 16, 1_000):
        sales = Fees(first(WORTH * many)[1]).days(30, TWO)
        assert sales[0].day <= many.bit_length()
        assert lost(sales) <= seconds(sales, 2 * WORTH) * USDC


# -- a bidder without rivals -------------------------------------------------------------------------


def alone(days_away: int, days: int) -> int:
    """The most that a bidder without rivals takes below worth by waiting for each floor: USDC.

    Half of the price, little more than half of the lot: less than twice the first lot in all, then a
    hundredth of a whole one a day.
    """
    return round(LOT * (2 * max(0.5**days_away, 0.01) + days / 100)) // USDC


def test_who_always_waits_for_the_floor_gets_less_and_less() -> None:
    for days in (7, 14, 30, 90):
        sales = Fees(settled()[1]).days(days, waits)
        assert lost(sales) <= alone(0, days) * USDC
        assert all(later.lot < sooner.lot for sooner, later in pairwise(sales[:8]))


def test_who_stays_away_first_gets_even_less() -> None:
    found = [played(days + 30, away(days, waits))[1] for days in range(9)]
    assert found == sorted(found, reverse=True)
    assert all(each <= alone(days, 30) for days, each in enumerate(found))


def test_no_auction_loses_more_than_half_of_a_whole_lot_of_what_bidders_paid() -> None:
    """However cleverly one bidder goes about it."""
    for days in (1, 7):
        assert best(settled()[1], days) <= days * LOT // 2 + days


# -- who would keep lots small, or fees from being sold ------------------------------------------------


def recovery(rule: Rule, income: int) -> tuple[int, int, int]:
    """After it was driven up: the first lot, the most that waits, auctions until nine tenths are sold.

    Base units of USDC; ``income`` a day, and bidders who pay the worth.
    """
    fees, waiting, lots = Fees(rule, vault=0, income=income), 0, []
    for day in range(400):
        lots += [sale.lot for sale in fees.days(1, TWO)]
        waiting = max(waiting, fees.vault)
        assert isinstance(fees.rule, Rule)
        if lots and fees.rule.share() >= 9_000:
            return lots[0], waiting, day + 1
    raise AssertionError("lots stay small")


@pytest.mark.parametrize("doublings", [1, 2, 3, 4])
def test_keeping_lots_small_costs_more_than_the_fees_that_wait(doublings: int) -> None:
    """Who bids far above worth burns it, sells nobody's fees below worth, and is forgotten within weeks."""
    income = 1_000 * USDC
    rule, cost = doubling(settled()[1], doublings, income)
    _, waiting, auctions = recovery(rule, income)
    assert cost == income * (2 ** (doublings + 1) - 2 - doublings) >= (2 / 3) * waiting
    assert auctions <= 100
    sales = Fees(rule, vault=0, income=income).days(100, TWO)
    assert lost(sales) <= seconds(sales, rule.start_price()) * USDC


@pytest.mark.parametrize("income", [100, 1_000, 3_000, 5_000])
def test_fees_do_not_pile_up_for_ever(income: int) -> None:
    """After a week away, up to half of the largest lot a day: the vault is empty again within a month."""
    fees = Fees(settled()[1], vault=0, income=income * USDC)
    fees.days(45, away(7, TWO))
    assert fees.vault < USDC


@pytest.mark.parametrize(("part", "auctions"), [(2, 12), (10, 54)])
def test_a_market_that_fell_gets_whole_lots_again(part: int, auctions: int) -> None:
    """Nine tenths after so many auctions; the first sale's share is about the part."""
    fees = Fees(settled()[1])
    sales = fees.days(auctions, TWO, times(1, part))
    assert isinstance(fees.rule, Rule) and fees.rule.share() < 9_000
    assert LOT // part // 2 <= sales[0].lot <= LOT * 5 // 4 // part
    fees.days(1, TWO, times(1, part))
    assert fees.rule.share() >= 9_000


def test_an_ordinary_market_leaves_little_in_the_vault() -> None:
    """A price that goes up and down by a tenth each day: less than a fifth of a day's fees wait."""
    fees = Fees(settled()[1], vault=0, income=1_000 * USDC)
    after = []
    for day in range(100):
        fees.days(1, TWO, times((95, 100, 105)[day % 3], 100))
        after.append(fees.vault)
    assert max(after) < 200 * USDC


# -- the document ----------------------------------------------------------------------------------


def losses() -> Iterator[tuple[str, tuple[int, int], str]]:
    """Rows of the table: what happens, what is lost before and now, at most."""
    for days, called in ((6, "six days"), (7, "a week"), (30, "30 days")):
        yield f"nobody bids for {called}, then two", played(days + 21, away(days, TWO)), f"{bound(days, 1):,}"
    for worth, more, called in (
        (times(1, 2), 0.5, "halves"),
        (times(2), 2, "doubles"),
        (times(4), 4, "is four times as much"),
        (times(16), 16, "is 16 times as much"),
    ):
        name = f"nobody bids for a week, the worth {called}, then two"
        yield name, played(28, away(7, TWO), worth), f"{bound(7, more):,}"
    yield (
        "two always bid, the worth is 8 times as much from one day to the next",
        played(21, TWO, times(8)),
        "",
    )
    first_price = played(21, TWO, start=lambda: first(WORTH // 8))
    yield "the first price is an eighth of the worth, two bid", first_price, f"{bound(0, 8, 1 / 16):,}"
    for days in (7, 14, 30):
        name = f"one bids, each time in the last second, for {days} days"
        yield name, played(days, waits), f"{alone(0, days):,}"
    name = "nobody bids for a week, then one, in the last second, for a week"
    yield name, played(14, away(7, waits)), f"{alone(7, 7):,}"
    for days in (7, 14):
        both: list[Auctions] = list(settled())
        found = [whole(best(rule, days)) for rule in both]
        name = f"one bids, as cleverly as a search finds, for {days} days"
        yield name, (found[0], found[1]), f"{days * LOT // 2 // USDC:,}"


def nuisances() -> Iterator[tuple[int, ...]]:
    """Rows of the other table: doublings, cost, first lot, most that waits, auctions; whole USDC."""
    income = 1_000 * USDC
    for doublings in (1, 2, 3, 4):
        rule, cost = doubling(settled()[1], doublings, income)
        lot, waiting, auctions = recovery(rule, income)
        yield 2**doublings, cost // USDC, lot // USDC, waiting // USDC, auctions


def test_the_document_has_these_figures() -> None:
    text = DOCUMENT.read_text()
    rows = [f"| {name} | {before:,} | {now:,} | {most} |" for name, (before, now), most in losses()]
    rows += ["| " + " | ".join(f"{each:,}" for each in row) + " |" for row in nuisances()]
    assert [row for row in rows if row not in text] == []


# -- on the program --------------------------------------------------------------------------------


@pytest.mark.parametrize("bid", [TWO, waits])
def test_the_program_sells_as_the_simulation_says(bid: Bid) -> None:
    """Six days without a bid, then eight with: lot by lot, price by price, and what is in whose purse."""
    days = 14
    fees = Fees(settled()[1], income=0)
    expected = fees.days(days, away(6, bid))
    world = BuybackWorld.ready()
    # A sale at WORTH: until then nobody has paid anything.
    buyer = world.bidder("buyer", 10**6 * IO)
    path = world.start(100 * USDC).path
    world.chain.warp_to(path.reaches(WORTH))
    assert world.bid(buyer, 0).error is None
    assert world.buyback_config().standing == buyback.Standing(WORTH, WORTH, WHOLE)
    world.pay_usdc(200_000 * USDC)
    world.chain.warp_to(path.ends_at)
    found = []
    for day in range(days):
        path = world.start().path
        sale = next((each for each in expected if each.day == day), None)
        if sale is None:
            world.chain.warp_to(path.ends_at)
            world.do(buyback.close_auction(day + 1))
            continue
        at = path.reaches(sale.price)
        assert at is not None
        world.chain.warp_to(at)
        held = world.balance(buyer.pubkey()), world.usdc(buyer.pubkey())
        assert world.bid(buyer, day + 1).error is None
        paid, got = held[0] - world.balance(buyer.pubkey()), world.usdc(buyer.pubkey()) - held[1]
        assert paid == -(-sale.lot * sale.price // USDC)
        found.append(Sale(day, got, world.auction(day + 1).price, WORTH))
        world.chain.warp_to(path.ends_at)
    assert found == expected
    assert world.usdc_vault() == fees.vault
