"""Random sequences of every instruction of buyback, on the real program and on the reference model."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from functools import partial

from solders.pubkey import Pubkey

from keeper.chain.token import burn, transfer
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from tests.model.buyback.rule import MAX_PRICE
from tests.model.buyback.state import IO_VAULT, SOLD, USDC, USDC_VAULT
from tests.model.schedule import DAY, HOUR, IO
from tests.model.state import U32, U64, wallet
from tests.programs.buyback.machine import COMPETITORS, PENNILESS, BuybackMachine
from tests.programs.buyback.world import ISSUER, USDC_MINT
from tests.programs.buyback.world import USDC_VAULT as USDC_ADDRESS
from tests.programs.sequences import explore
from tests.programs.side_by_side import ADMIN, GUARDIAN, MALLORY
from tests.security.tokens import freeze, thaw


class Sequences(BuybackMachine):
    """A method for each instruction, and for what people do on the token programs."""

    def __init__(self, prices: set[int], seed: int, met: Counter[str]) -> None:
        """Add to ``prices`` all at which lots are sold."""
        super().__init__(seed, met)
        self.prices = prices

    def finish(self) -> None:
        """See RandomActs."""
        super().finish()
        self.prices.update(each.price for each in self.model.auctions.values() if each.status == SOLD)

    # -- roles -----------------------------------------------------------------------------------

    def initialize(self) -> None:
        params = self.config.params
        terms = client.Params(**asdict(params))
        self.act(
            "initialize",
            lambda: self.model.initialize(ADMIN, GUARDIAN, params),
            client.initialize(Pubkey(ADMIN), Pubkey(GUARDIAN), USDC_MINT, terms),
            ADMIN,
        )

    def propose_params(self) -> None:
        admin = self.mostly(self.config.admin, MALLORY)
        good = replace(
            self.config.params,
            max_lot=self.choose(100 * USDC, 10_000 * USDC),
            min_lot=self.choose(USDC, 100 * USDC),
            min_price=self.choose(1, IO // 100, 10 * IO),
            duration=self.choose(HOUR, DAY, 7 * DAY),
            notice=self.choose(DAY, 7 * DAY),
            start_bps=self.choose(11_000, 20_000, 50_000),
            floor_bps=self.choose(1_000, 5_000, 9_000),
        )
        bad = [replace(good, **{name: each}) for name, both in BOUNDS.items() for each in both]
        params = self.mostly(good, self.choose(*bad), self.choose(*bad))
        self.act(
            "propose_params",
            lambda: self.model.propose_params(admin, params),
            client.propose_params(Pubkey(admin), client.Params(**asdict(params))),
            admin,
        )

    def new_terms(self) -> None:
        """Parameters from proposal to effect."""
        self.propose_params()
        if self.config.pending_at:
            self.pair.warp(max(self.now, self.config.pending_at))
        self.apply_params()

    def propose_first_price(self) -> None:
        admin = self.mostly(self.config.admin, MALLORY)
        self.do_first_price(admin, self.mostly(4 * IO, 0, MAX_PRICE + 1, U64))

    def cancel_first_price(self) -> None:
        guardian = self.mostly(self.config.guardian, MALLORY)
        self.act(
            "cancel_first_price",
            lambda: self.model.cancel_first_price(guardian),
            client.cancel_first_price(Pubkey(guardian)),
            guardian,
        )

    # -- auctions --------------------------------------------------------------------------------

    def start_auction(self) -> None:
        started = self.config.started
        self.do_start(self.mostly(started, started + 1, max(0, started - 1), U32))

    def bid(self) -> None:
        """With limits at, above and below what the lot costs now."""
        number, bidder = self.some_auction(), self.mostly(self.choose(*COMPETITORS), PENNILESS)
        auction = self.model.auctions.get(number)
        path = auction and client.Path(
            auction.lot, auction.start_price, auction.floor_price, auction.started_at, auction.ends_at
        )
        cost, lot = (path.cost(self.now) or 0, path.lot) if path else (0, 0)
        cost = min(cost, U64)
        self.do_bid(
            bidder,
            number,
            max_io=self.mostly(self.choose(cost, U64), max(0, cost - 1), 0),
            min_usdc=self.mostly(self.choose(lot, 0), min(U64, lot + 1), U64),
            to=self.mostly(wallet(bidder), wallet(MALLORY), wallet(PENNILESS)),
        )

    def race(self) -> None:
        """All competitors bid in the same second: one gets the lot, the others keep their IO."""
        number = max(0, self.config.started - 1)
        order = self.random.sample(COMPETITORS, len(COMPETITORS))
        outcomes = [self.do_bid(each, number, max_io=U64, min_usdc=0) for each in order]
        assert outcomes.count("bid") <= 1
        if "bid" in outcomes:
            winner = order[outcomes.index("bid")]
            assert self.model.auctions[number].bidder == winner
            assert set(outcomes[outcomes.index("bid") + 1 :]) <= {"AuctionClosed"}

    def close_auction(self) -> None:
        number = self.some_auction()
        self.act("close_auction", lambda: self.model.close_auction(number), client.close_auction(number))

    def whole_auction(self) -> None:
        """Fees, a start as soon as it can be, some time, and a sale if it is still on."""
        self.do_pay_usdc(self.some_usdc())
        self.start_when_due()
        self.pair.warp(self.now + self.random.randrange(self.config.params.duration + HOUR))
        self.race()

    def start_when_due(self) -> None:
        """The next auction as soon as time allows, unless one is open."""
        if not self.config.open:
            due = max(self.config.waiting_since + DAY, self.config.first_price_at)
            self.pair.warp(max(self.now, due))
            self.do_start(self.config.started)

    def whole_end(self) -> None:
        """An auction that nobody takes, to its end and closed."""
        if self.config.open:
            number = self.config.started - 1
            self.pair.warp(max(self.now, self.model.auctions[number].ends_at))
            self.act("close_auction", lambda: self.model.close_auction(number), client.close_auction(number))

    def lapse(self) -> None:
        """Nobody bids for some auctions, then somebody does: at once, at some time, or for the floor."""
        self.do_pay_usdc(10_000 * USDC)
        for _ in range(self.random.randint(1, 9)):
            self.start_when_due()
            self.whole_end()
        for _ in range(self.random.randint(1, 4)):
            self.start_when_due()
            if self.config.open:
                ends = self.model.auctions[self.config.started - 1].ends_at
                self.pair.warp(max(self.now, self.choose(self.now, (self.now + ends) // 2, ends - 1)))
                self.race()

    def timed_terms(self) -> None:
        """A stranger puts parameters in force between a start and a bid: the open auction stays as it is."""
        self.propose_params()
        self.do_pay_usdc(self.some_usdc())
        if self.config.pending_at:
            self.pair.warp(max(self.now, self.config.pending_at))
        self.start_when_due()
        before = {number: replace(each) for number, each in self.model.auctions.items()}
        self.apply_params()
        assert self.model.auctions == before
        self.race()

    def stopped_bids(self) -> None:
        """A pause of bids while an auction is open, lifted again."""
        guardian = self.config.guardian
        for mask, until in ((2, self.now + HOUR), (0, 0)):
            self.act(
                "set_pause",
                lambda mask=mask, until=until: self.model.set_pause(guardian, mask, until),
                client.set_pause(Pubkey(guardian), mask, until),
                guardian,
            )
        self.race()

    # -- fees and burns --------------------------------------------------------------------------

    def pay_usdc(self) -> None:
        self.do_pay_usdc(self.some_usdc())

    def burn_fees(self) -> None:
        self.act("burn_fees", self.model.burn_fees, client.burn_fees())

    def pay_io(self) -> None:
        """Fees in IO, or a gift: the vault can't tell."""
        owner = self.choose(*COMPETITORS)
        amount = min(self.random.randrange(5 * IO), self.model.economy.tokens[wallet(owner)])
        self.act(
            "pay_io",
            lambda: self.model.economy.transfer(owner, wallet(owner), IO_VAULT, amount),
            transfer(self.pair.address(wallet(owner)), client.IO_VAULT, Pubkey(owner), amount),
            owner,
        )

    def frozen_vault(self) -> None:
        """USDC's issuer freezes the vault, people try what they do, and it lets it go on."""
        issuer = bytes(ISSUER.pubkey())
        self.pair.keys[issuer] = ISSUER

        def freezing(frozen: bool) -> None:
            def call() -> None:
                self.model.frozen = frozen

            name, build = ("freeze", freeze) if frozen else ("thaw", thaw)
            self.act(name, call, build(USDC_ADDRESS, USDC_MINT, ISSUER.pubkey()), issuer)

        freezing(True)
        for each in self.random.sample(("race", "start_auction", "whole_end", "burn_fees", "wait"), 3):
            getattr(self, each)()
        freezing(False)

    def donate_usdc(self) -> None:
        """A bidder gives USDC back, in the middle of an auction or not."""
        owner = self.choose(*COMPETITORS)
        amount = min(self.some_usdc(), self.model.usdc[wallet(owner)])
        source, to = self.pair.usdc_address(wallet(owner)), client.fee_vault(USDC_MINT)
        self.act(
            "donate_usdc",
            lambda: self.model.move_usdc(owner, USDC_VAULT, amount),
            transfer(source, to, Pubkey(owner), amount),
            owner,
        )

    def holder_burns(self) -> None:
        """A holder burns past every program."""
        owner = self.choose(*COMPETITORS)
        amount = min(7, self.model.economy.tokens[wallet(owner)])
        self.act(
            "holder_burns",
            lambda: self.model.token_burn(owner, amount),
            burn(self.pair.address(wallet(owner)), tokenomics.MINT, Pubkey(owner), amount),
            owner,
        )

    def sync_burned(self) -> None:
        """Tokenomics counts what all of them burned."""

        def call() -> None:
            self.model.economy.sync_burned()

        self.act("sync_burned", call, tokenomics.sync_burned())

    def emit(self) -> None:
        """Emission goes on beside it all."""

        def call() -> None:
            self.model.economy.emit()

        self.act("emit", call, tokenomics.emit())


BOUNDS = {
    "max_lot": (USDC - 1, 10_000_000 * USDC + 1),
    "min_lot": (USDC - 1, 10_000 * USDC + 1),
    "min_price": (0, MAX_PRICE + 1),
    "duration": (HOUR - 1, 7 * DAY + 1),
    "notice": (DAY - 1, 90 * DAY + 1),
    "start_bps": (10_999, 50_001),
    "floor_bps": (999, 9_001),
}

UNREACHABLE = {
    "UnknownVersion": "no instruction writes another version",
    "InvalidClock": "the clock goes forwards; the security tests turn it back",
    "NotUpgradeAuthority": "sequences begin initialised; the security tests try it",
    "ZeroAddress": "sequences begin initialised; the security tests try it",
    "WrongMint": "sequences begin initialised; the security tests try it",
    "WrongAccount": "clients name the recorded accounts; the security tests try others",
    "InvariantViolated": "no sequence makes a record contradict another",
    "VaultShort": "nothing but a sale takes USDC out; the security tests take some out by force",
}
"""Errors that sequences can't meet, and why."""
OTHERS = {
    "AccountMissing",
    "AccountFrozen",
    "AccountInUse",
    "InsufficientFunds",
    "InvalidAccountData",
    "NothingDue",
}

OFTEN = (
    *("wait",) * 8,
    *("whole_auction",) * 6,
    *("lapse",) * 3,
    *("start_auction", "bid", "race", "close_auction", "whole_end", "pay_usdc") * 3,
    *("stopped_bids", "burn_fees", "pay_io", "sync_burned", "set_pause"),
)
"""What leads far, or is refused in many ways."""
ACTIONS = (
    *client.PROGRAM.instructions,
    *OFTEN,
    *("donate_usdc", "frozen_vault", "holder_burns", "emit", "new_terms", "timed_terms"),
)


def test_program_and_model_agree() -> None:
    """Every instruction succeeds and every refusal is met; program and model agree throughout."""
    possible = client.PROGRAM.instructions.keys() | client.ERROR.keys() | OTHERS
    prices: set[int] = set()
    explore(partial(Sequences, prices), ACTIONS, possible - UNREACHABLE.keys(), examples=100)
    assert len(prices) > 50, "hardly anything was sold"
