"""What staking's random sequences do to classes and their prices, and what operators post."""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from keeper.clients import staking as client
from tests.model import schedule
from tests.model.schedule import HOUR
from tests.model.staking.prices import price_leaf
from tests.model.staking.state import MAX_PRICE, MAX_STEP, Bounds
from tests.model.state import U64, Address
from tests.programs.side_by_side import MALLORY
from tests.programs.staking.machine import CLASSES, PRICES, StakingMachine

STEPS = (0, 1, -1, 333, -333, MAX_STEP, MAX_STEP, -MAX_STEP)
BOUNDS = (
    Bounds(10**8, 3 * 10**8, 1, 10**9),
    Bounds(1, 10**9, 10**6, 10**6),
    # Not leased for USDC any more.
    Bounds(1, MAX_PRICE, 0, 0),
)
BAD_BOUNDS = Bounds(2, 1, 1, 1), Bounds(0, 1, 1, 1), Bounds(1, MAX_PRICE + 1, 1, 1)
BAD_PRICES = (
    replace(PRICES, price_io=PRICES.high_io + 1),
    replace(PRICES, low_usdc=0),
    replace(PRICES, price_usdc=0),
    replace(PRICES, high_io=MAX_PRICE + 1),
)
BAD_CLASS = {"name": bytes(24), "multiplier": 50_001, "pool": 2, "kind": 3}


class PriceActs(StakingMachine):
    """A method for each instruction, and for stories of several."""

    # -- classes ---------------------------------------------------------------------------------

    def add_class(self) -> None:
        row = replace(self.choose(*CLASSES), id=self.choose(1, 2, 3))
        bad = (replace(row, **{name: value}) for name, value in BAD_CLASS.items())
        prices = self.mostly(self.choose(PRICES, replace(PRICES, price_io=PRICES.low_io)), *BAD_PRICES)
        self.do_add_class(self.mostly(self.config.admin, MALLORY), self.mostly(row, *bad), prices)

    def change_class(self) -> None:
        admin, number = self.mostly(self.config.admin, MALLORY), self.some_class()
        multiplier = self.mostly(self.choose(0, 100, 125, 150, 500), 50_001)
        self.act(
            "change_class",
            lambda: self.model.change_class(admin, number, multiplier),
            client.change_class(Pubkey(admin), number, multiplier),
            admin,
        )

    def change_bounds(self) -> None:
        admin, number = self.mostly(self.config.admin, MALLORY), self.some_class()
        bounds = self.mostly(self.choose(*BOUNDS), *BAD_BOUNDS)
        self.act(
            "change_bounds",
            lambda: self.model.change_bounds(admin, number, bounds),
            client.change_bounds(Pubkey(admin), number, client.Bounds(**vars(bounds))),
            admin,
        )

    def cancel_class(self) -> None:
        guardian, number = self.mostly(self.config.guardian, MALLORY), self.some_class()
        self.act(
            "cancel_class",
            lambda: self.model.cancel_class(guardian, number),
            client.cancel_class(Pubkey(guardian), number),
            guardian,
        )

    def cancel_price(self) -> None:
        guardian, number = self.mostly(self.config.guardian, MALLORY), self.some_class()
        self.act(
            "cancel_price",
            lambda: self.model.cancel_price(guardian, number),
            client.cancel_price(Pubkey(guardian), number),
            guardian,
        )

    def some_class(self) -> int:
        """A class's number, sometimes one that isn't there."""
        return self.mostly(self.choose(*(self.model.classes or (1,))), 9)

    # -- prices ----------------------------------------------------------------------------------

    def steps(self, hour: int) -> dict[int, tuple[int, int]]:
        """An hour's steps by class; the same whoever is asked."""
        if hour not in self.tables:
            too_far = MAX_STEP + 1, -MAX_STEP - 1
            self.tables[hour] = {
                number: (
                    self.mostly(self.choose(*STEPS), *too_far),
                    self.mostly(self.choose(*STEPS), *too_far),
                )
                for number in (1, 2, 3)
            }
        return self.tables[hour]

    def table(self, hour: int) -> list[bytes]:
        """An hour's hashed leaves."""
        return [price_leaf(hour, number, steps) for number, steps in self.steps(hour).items()]

    def vote_prices(self) -> None:
        operator = self.mostly(self.choose(*self.config.params.operators), MALLORY)
        hour = self.some_hour()
        good = schedule.root(self.table(hour))
        self.do_vote_prices(operator, hour, self.mostly(good, b"o" * 32, b"o" * 32, bytes(32)))

    def do_vote_prices(self, operator: Address, hour: int, root: bytes) -> None:
        self.act(
            "vote_prices",
            lambda: self.model.vote_prices(operator, hour, root),
            client.vote_prices(Pubkey(operator), hour, root),
            operator,
        )

    def apply_price(self) -> None:
        self.do_apply_price(self.choose(1, 2, 3), self.voted_hour())

    def do_apply_price(self, number: int, hour: int) -> None:
        leaves, position = self.table(hour), list(self.steps(hour)).index(number)
        good = b"".join(schedule.proof(leaves, position))
        steps, proof = self.steps(hour)[number], self.mostly(good, good[32:], good[:-1])
        number = self.mostly(number, 4 - number)
        self.act(
            "apply_price",
            lambda: self.model.apply_price(number, hour, steps, proof),
            client.apply_price(number, hour, *steps, proof),
        )

    def close_prices(self) -> None:
        hour = self.voted_hour()
        table = self.model.prices.get(hour)
        payer = self.mostly(table.payer if table else MALLORY, MALLORY)
        self.act(
            "close_prices",
            lambda: self.model.close_prices(payer, hour),
            client.close_prices(hour, Pubkey(payer)),
        )

    def some_hour(self) -> int:
        """The hour whose prices are voted now, sometimes another one."""
        return self.mostly(self.now // HOUR - 1, self.now // HOUR, self.now // HOUR - 2)

    def voted_hour(self) -> int:
        """An hour that somebody has voted on, mostly the last one."""
        hours = list(self.model.prices)
        if not hours:
            return self.some_hour()
        return self.choose(hours[-1], hours[-1], self.choose(*hours))

    def priced_hour(self) -> None:
        """Two operators agree on the prices, and they are applied to every class."""
        self.pair.warp(self.now - self.now % HOUR + HOUR + self.choose(0, 1, 2_399))
        hour = self.now // HOUR - 1
        for operator in self.config.params.operators[:2]:
            self.do_vote_prices(operator, hour, schedule.root(self.table(hour)))
        for number in (1, 2, 3):
            self.do_apply_price(number, hour)

    # -- postings ----------------------------------------------------------------------------------

    def post(self) -> None:
        operator = self.mostly(self.choose(*self.config.params.operators), MALLORY)
        kind, slot = self.mostly(self.choose(1, 2, 3), 0, 4), self.choose(0, 7, U64)
        number, digest = self.choose(0, 12_345), self.choose(b"h" * 32, bytes(32))
        self.act(
            "post",
            lambda: self.model.post(operator, number, kind, slot, digest, self.pair.last.slot),
            client.post(Pubkey(operator), number, kind, slot, digest),
            operator,
        )
