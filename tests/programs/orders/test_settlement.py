"""However often a lease is settled, supplier, network and renter get the same: two leases that differ in
nothing but that, on the real program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair

from keeper.clients import buyback, orders, staking
from keeper.economy.classes import ClassPrices
from keeper.economy.orders import Currency, EndReason
from tests.programs.orders.world import HOUR, TERMS, USDC_MINT, OrdersWorld
from tests.programs.world import finish

NAMES = "often", "once"
ODD_CLASS = 3
PRICES = ClassPrices(199_999_999, 1, 10**9, 1_000_003, 1, 10**9)
"""What it costs: odd, so that every second is rounded."""
RATES = {Currency.IO: PRICES.price_io * 4, Currency.USDC: PRICES.price_usdc * 4}
HOURS = 30
"""More than a day, so that an early end leaves some of the renter's fee uncharged."""
DAY = 24 * HOUR


@dataclass(frozen=True)
class Story:
    """What happens to both leases: seconds from their start, and at which of them one is settled too."""

    settled: list[int]
    ends_by: str
    ended: int
    held: int
    hold: int

    def timeline(self) -> list[tuple[int, str]]:
        """Moments and what happens at them; in one second the end is before a hold, settlements last."""
        ended = self.ended if self.ends_by != "time" else HOURS * HOUR
        held = [(self.held, "hold")] if self.hold else []
        return sorted([(ended, "end"), *held, *((at, "settle") for at in self.settled)])


stories = st.builds(
    Story,
    settled=st.lists(
        st.integers(0, 34 * HOUR) | st.sampled_from([HOUR, 3 * HOUR, HOURS * HOUR]), max_size=12
    ),
    ends_by=st.sampled_from(["time", "renter", "supplier", "fault"]),
    ended=st.integers(1, HOURS * HOUR - 1) | st.sampled_from([1, HOUR - 1, HOUR, 3 * HOUR, 6 * HOUR]),
    held=st.integers(1, 32 * HOUR),
    hold=st.sampled_from([0, 0, 1, HOUR, DAY]),
)


class Twins:
    """A world in which two devices are leased to one order, time and again."""

    def __init__(self, currency: Currency, lag: int) -> None:
        self.world = OrdersWorld.ready(settlement_lag=lag)
        self.currency = currency
        self.renter = self.world.renter("renter")
        self.suppliers = {name: self.world.supplier(f"supplier {name}") for name in NAMES}
        admin = self.world.admin
        odd = staking.add_class(admin.pubkey(), ODD_CLASS, "odd", 100, 0, 0, PRICES)
        self.world.do(odd, signers=[admin])
        self.world.chain.advance(7 * DAY)
        for name, supplier in self.suppliers.items():
            self.world.let(name, supplier, device_class=ODD_CLASS, ask_io=1, ask_usdc=1)
        self.fees = buyback.IO_VAULT if currency == Currency.IO else buyback.fee_vault(USDC_MINT)
        self.numbers = count()

    def tell(self, story: Story) -> None:
        """Lease both devices, follow the story, and compare everybody's money."""
        world = self.world
        # Whoever broke off in the story before is leased again after a while.
        barred = max(world.read_device(name).barred_until for name in NAMES)
        world.chain.warp_to(max(world.chain.now(), barred))
        renter, network = self.money(self.renter), world.tokens(self.fees)
        before = {name: self.money(each) for name, each in self.suppliers.items()}
        rate = RATES[self.currency]
        terms = replace(TERMS, classes=(ODD_CLASS,), price=rate, currency=self.currency, hours=HOURS)
        order = world.order(self.renter, next(self.numbers), terms)
        for name in NAMES:
            world.run(order, name)
        assert world.tokens(self.fees) == network, "nothing is charged before it is served"
        start = world.lease(order, "once").start
        for at, what in story.timeline():
            world.chain.warp_to(max(world.chain.now(), start + at))
            self.act(order, story, what)
        world.chain.advance(2 * DAY)
        sums = {}
        for name, supplier in self.suppliers.items():
            world.do(orders.settle(world.orders_config(), order, world.lease(order, name)))
            lease = world.lease(order, name)
            assert lease.held == 0
            sums[name] = lease.paid, self.money(supplier) - before[name], lease.stop, lease.fees
            world.do(orders.close_lease(lease))
        for fault in finish(orders.read_faults(world.chain)):
            world.do(orders.close_fault(fault))
        world.do(orders.close_order(world.orders_config(), order))
        assert sums["often"] == sums["once"]
        paid, gained, stop, fees = sums["once"]
        # One payment over the whole time, by hand.
        assert paid == rate * (stop - start) // HOUR
        assert gained == paid - -(-paid * 25 // 10_000)
        bps = 25 if self.currency == Currency.IO else 225
        on = {EndReason.COMPLETED: rate * HOURS, EndReason.RENTER: min(rate * HOURS, paid + 24 * rate)}
        assert fees == -(-on.get(EndReason(lease.reason), paid) * bps // 10_000)
        assert world.tokens(self.fees) - network == 2 * (paid - gained + fees)
        assert renter - self.money(self.renter) == 2 * (paid + fees)

    def act(self, order: orders.Order, story: Story, what: str) -> None:
        """One moment of the story, on both leases unless it is a settlement."""
        world = self.world
        if what == "settle":
            world.do(orders.settle(world.orders_config(), order, world.lease(order, "often")))
            return
        for name, supplier in self.suppliers.items():
            lease = world.lease(order, name)
            if what == "hold" and lease.held:
                hold = orders.hold_lease(world.guardian.pubkey(), lease, world.chain.now() + story.hold)
                world.do(hold, signers=[world.guardian])
            elif what == "end" and story.ends_by == "fault":
                good = (world.chain.now() - lease.start) // HOUR
                for operator in world.operators[:2]:
                    vote = orders.vote_fault(operator.pubkey(), lease, b"e" * 32, good)
                    world.do(vote, signers=[operator])
            elif what == "end":
                callers = {"time": world.payer, "renter": self.renter, "supplier": supplier}
                assert world.end(order, name, callers[story.ends_by]).error is None

    def money(self, person: Keypair) -> int:
        """What somebody has in the order's currency."""
        return self.world.money(person.pubkey(), self.currency)


@pytest.mark.parametrize("lag", [2 * HOUR, 0], ids=["late", "at once"])
@pytest.mark.parametrize("currency", list(Currency), ids=lambda each: each.name)
def test_settlements_change_nothing_but_when(currency: Currency, lag: int) -> None:
    """Without a lag a lease is often paid up when it ends: only the rest of the renter's fee is due then."""
    twins = Twins(currency, lag)

    @settings(
        max_examples=40,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(story=stories)
    def tell(story: Story) -> None:
        twins.tell(story)

    tell()
