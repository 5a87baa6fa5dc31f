"""The reference model of the buyback program: every instruction in plain Python, prices as fractions.

No chain and none of the keeper's code. A method refuses with :class:`~tests.model.state.Refused` and
changes nothing, or changes the state and returns its events; refusals come in the program's order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import ceil

from tests.model.buyback.rule import MAX_PRICE, Rule
from tests.model.buyback.state import (
    IO_VAULT,
    OPEN,
    SOLD,
    UNSOLD,
    USDC,
    USDC_VAULT,
    VOID,
    Auction,
    BuybackConfig,
    Params,
    Scene,
)
from tests.model.roles import ParamRoles, require_somebody
from tests.model.schedule import DAY, GENESIS
from tests.model.state import U64, Address, Event, Refused, Tokens, require, wallet
from tests.model.tokenomics.program import Tokenomics

PAUSE_START, PAUSE_BID = 1, 2


def check(params: Params) -> None:
    """The bounds in the program's code."""
    bounds = {
        "max_lot": (params.min_lot, 10_000_000 * USDC),
        "min_lot": (USDC, params.max_lot),
        "min_price": (1, MAX_PRICE),
        "duration": (3_600, 7 * DAY),
        "notice": (DAY, 90 * DAY),
        "start_bps": (11_000, 50_000),
        "floor_bps": (1_000, 9_000),
    }
    within = (least <= getattr(params, name) <= most for name, (least, most) in bounds.items())
    require(all(within), "ParamsInvalid")


def price_at(auction: Auction, now: int) -> Fraction:
    """The exact price at a moment, base units of IO per USDC: a straight line."""
    part = Fraction(now - auction.started_at, auction.ends_at - auction.started_at)
    return auction.start_price + (auction.floor_price - auction.start_price) * part


@dataclass
class Buyback(ParamRoles):
    """The whole state; IO, its mint and the clock are ``economy``'s, ``usdc`` is every USDC account."""

    economy: Tokenomics
    addresses: dict[str, Address]
    """Of the mints and vaults, as the first event names them."""
    auction_address: Callable[[int], Address]
    upgrade_authority: Address
    config: BuybackConfig | None = None
    auctions: dict[int, Auction] = field(default_factory=dict)
    scenes: dict[int, Scene] = field(default_factory=dict)
    unpaid: Fraction = Fraction(1)
    sold_bps: int = 0
    """As the next auction's scene has them."""
    usdc: dict[Tokens, int] = field(default_factory=dict)
    usdc_supply: int = 0
    frozen: bool = False
    """The vault for USDC, by its issuer."""
    burned_by_holders: int = 0
    """On the token program, past every program of ours."""

    @property
    def now(self) -> int:
        """The chain's clock."""
        return self.economy.now

    def invariants(self) -> None:
        """The protocol's invariants; AssertionError where one is broken."""
        self.economy.invariants()
        config, economy = self.config, self.economy
        assert sum(self.usdc.values()) == self.usdc_supply, "USDC came from nowhere"
        if config is None:
            return
        assert economy.config is not None
        burned = config.burned_fees + config.burned_auctions + self.burned_by_holders
        assert economy.supply == GENESIS + economy.config.emitted - burned
        sold = [each for each in self.auctions.values() if each.status == SOLD]
        ended = [each for each in self.auctions.values() if each.status in {UNSOLD, VOID}]
        opened = [each for each in self.auctions.values() if each.status == OPEN]
        assert len(opened) == config.open <= 1
        assert (len(self.auctions), len(sold), len(ended)) == (config.started, config.sold, config.unsold)
        assert config.usdc_sold == sum(each.lot for each in sold)
        assert config.burned_auctions == sum(each.cost for each in sold)
        assert config.fees_usdc <= self.usdc[USDC_VAULT] + config.usdc_sold
        assert config.fees_io == config.burned_fees
        assert all(each.lot <= self.usdc[USDC_VAULT] for each in opened), "the open lot is not there"
        for each in sold:
            # Whoever buys pays the exact price or up to one base unit of price and of cost more.
            exact = each.lot * price_at(each, each.closed_at) / USDC
            assert exact <= each.cost < exact + Fraction(each.lot, USDC) + 1
            assert each.floor_price <= each.price <= each.start_price
            assert each.cost > 0
            assert each.started_at <= each.closed_at < each.ends_at
        for each in ended:
            assert each.closed_at >= each.ends_at
        starts = sorted(each.started_at for each in self.auctions.values())
        assert all(later - sooner >= DAY for sooner, later in pairwise(starts))
        for number, scene in self.scenes.items():
            self._nothing_is_given_away(self.auctions[number], scene)

    def _nothing_is_given_away(self, auction: Auction, scene: Scene) -> None:
        """What can be lost is bounded, whatever bidders, starters and the admin did before.

        After auctions that nobody took, a lot is at most that part of a whole one to which their floors fell;
        it is at most twice the share that was sold last; and it costs at least its floor, which is no lower
        than its share of what bidders paid.
        """
        params, whole = scene.params, scene.whole
        least = max(Fraction(params.min_lot), Fraction(whole, 100))
        if not scene.anchor:
            assert auction.lot <= max(least, Fraction(whole, 16))
            return
        assert auction.lot <= max(least, whole * scene.unpaid)
        assert auction.lot <= max(least, Fraction(whole * 2 * scene.sold_bps, 10_000))
        kept = Fraction(params.floor_bps, 10_000)
        floor_at_worth = Fraction(auction.floor_price + 1, scene.anchor)
        assert auction.lot <= max(least, whole * floor_at_worth / kept)
        if auction.status == SOLD:
            lost = auction.lot * (1 - Fraction(auction.price, scene.anchor))
            # A share s at the lowest price: s * (1 - kept * s), which is most at 1 or at 1 / (2 * kept).
            assert lost <= max(least, whole * (1 - kept), whole / (4 * kept) if kept > Fraction(1, 2) else 0)

    # -- what a check needs ----------------------------------------------------------------------

    def _config(self) -> BuybackConfig:
        if self.config is None:
            raise Refused("AccountMissing")
        return self.config

    def _check(self, params: Params) -> None:
        check(params)

    def _auction(self, number: int) -> Auction:
        require(number in self.auctions, "AccountMissing")
        return self.auctions[number]

    def _count_usdc(self) -> int:
        """USDC that came in so far: what is there and what was sold."""
        fees = self.usdc[USDC_VAULT] + self._config().usdc_sold
        require(fees <= U64, "Overflow")
        return fees

    # -- roles -----------------------------------------------------------------------------------

    def initialize(self, admin: Address, guardian: Address, params: Params) -> list[Event]:
        require(self.config is None, "AccountInUse")
        require(admin == self.upgrade_authority, "NotUpgradeAuthority")
        check(params)
        require_somebody(admin, guardian)
        self.config = BuybackConfig(admin, guardian, params)
        self.economy.tokens[IO_VAULT] = 0
        self.usdc[USDC_VAULT] = 0
        roles = {"admin": admin, "guardian": guardian}
        return [("Initialized", {**roles, **self.addresses, "params": params.fields()})]

    def set_pause(self, guardian: Address, mask: int, until: int) -> Event:
        name, fields = super().set_pause(guardian, mask, until)
        config = self._config()
        if config.open and mask & PAUSE_BID and self.now < until:
            config.void = True
        return name, {**fields, "voided": config.void}

    def propose_first_price(self, admin: Address, price: int) -> Event:
        config = self._config()
        require(admin == config.admin, "NotAdmin")
        require(config.reference_price == 0, "FirstPriceSet")
        require(config.params.min_price <= price <= MAX_PRICE, "PriceOutOfBounds")
        config.first_price, config.first_price_at = price, self.now + config.params.notice
        return "FirstPriceProposed", {"price": price, "at": config.first_price_at}

    def cancel_first_price(self, guardian: Address) -> Event:
        config = self._config()
        require(guardian == config.guardian, "NotGuardian")
        require(config.first_price_at > 0, "NothingProposed")
        price = config.first_price
        config.first_price, config.first_price_at = 0, 0
        return "FirstPriceCancelled", {"price": price}

    def rule(self) -> Rule:
        """What the next auction follows; the first one follows the first price."""
        config = self._config()
        reference = config.reference_price or config.first_price
        return Rule(config.params, reference, config.anchor_price, config.next_share_bps)

    # -- fees and auctions -----------------------------------------------------------------------

    def start_auction(self, number: int) -> list[Event]:
        config = self._config()
        require(number not in self.auctions, "AccountInUse")
        require(not self.frozen, "VaultFrozen")
        self._require_running(PAUSE_START | PAUSE_BID)
        require(not config.open, "AuctionOpen")
        require(number == config.started, "WrongNumber")
        if not config.reference_price:
            require(config.first_price_at > 0, "NoFirstPrice")
            require(self.now >= config.first_price_at, "NoticeNotOver")
        require(self.now - config.waiting_since >= DAY, "TooEarly")
        fees, rule, vault = self._count_usdc(), self.rule(), self.usdc[USDC_VAULT]
        require(vault >= config.params.min_lot, "LotTooSmall")
        config.reference_price, config.first_price, config.first_price_at = rule.reference, 0, 0
        config.open, config.waiting_since, config.fees_usdc = True, self.now, fees
        config.started += 1
        auction = Auction(
            number,
            rule.lot(vault),
            rule.start_price(),
            rule.floor_price(),
            self.now,
            self.now + config.params.duration,
            share_bps=rule.share(),
        )
        self.auctions[number] = auction
        whole = min(vault, config.params.max_lot)
        self.scenes[number] = Scene(config.params, whole, config.anchor_price, self.unpaid, self.sold_bps)
        names = ("number", "lot", "share_bps", "start_price", "floor_price", "started_at", "ends_at")
        fields = {name: getattr(auction, name) for name in names}
        return [("AuctionStarted", {"auction": self.auction_address(number), **fields, "fees_usdc": fees})]

    def bid(self, bidder: Address, number: int, to: Tokens, max_io: int, min_usdc: int) -> list[Event]:
        config, auction = self._config(), self._auction(number)
        self._require_running(PAUSE_BID)
        require(auction.status == OPEN, "AuctionClosed")
        require(self.now < auction.ends_at, "AuctionOver")
        price = ceil(price_at(auction, self.now))
        cost = ceil(Fraction(auction.lot * price, USDC))
        require(cost <= U64, "Overflow")
        require(cost <= max_io, "CostAboveLimit")
        require(auction.lot >= min_usdc, "LotBelowLimit")
        require(not config.void, "AuctionVoid")
        fees, source = self._count_usdc(), wallet(bidder)
        require(source in self.economy.tokens, "InvalidAccountData")
        require(cost <= self.economy.tokens[source], "InsufficientFunds")
        require(to in self.usdc, "InvalidAccountData")
        require(not self.frozen, "AccountFrozen")
        self.economy.token_burn(bidder, source, cost)
        self.usdc[USDC_VAULT] -= auction.lot
        self.usdc[to] += auction.lot
        auction.status, auction.closed_at, auction.bidder = SOLD, self.now, bidder
        auction.price, auction.cost = price, cost
        after = self.rule().sold(price)
        config.open, config.fees_usdc, config.reference_price = False, fees, price
        config.anchor_price, config.next_share_bps = after.anchor, after.largest_share
        config.sold += 1
        self.unpaid, self.sold_bps = Fraction(1), auction.share_bps
        config.usdc_sold += auction.lot
        config.burned_auctions += cost
        address = self.auction_address(number)
        sold = {
            "auction": address,
            "number": number,
            "bidder": bidder,
            "lot": auction.lot,
            "cost": cost,
            "price": price,
            "at": self.now,
            "anchor_price": config.anchor_price,
            "next_share_bps": config.next_share_bps,
            "fees_usdc": config.fees_usdc,
            "usdc_sold": config.usdc_sold,
            "burned": config.burned_auctions,
        }
        repurchase = {"cluster_id": address, "amount_in": auction.lot, "amount_out": cost}
        return [("AuctionSold", sold), ("Repurchase", repurchase)]

    def close_auction(self, number: int) -> list[Event]:
        config, auction = self._config(), self._auction(number)
        require(auction.status == OPEN, "AuctionClosed")
        require(self.now >= auction.ends_at, "AuctionRunning")
        void = config.void
        auction.status, auction.closed_at = VOID if void else UNSOLD, self.now
        if not void:
            config.reference_price = auction.floor_price
            scene = self.scenes[number]
            lowest = Fraction(scene.params.min_price, scene.anchor or auction.floor_price)
            self.unpaid = max(self.unpaid * Fraction(scene.params.floor_bps, 10_000), lowest)
        config.open, config.void = False, False
        config.unsold += 1
        fields = {
            "auction": self.auction_address(number),
            "number": number,
            "lot": auction.lot,
            "void": void,
            "reference_price": config.reference_price,
            "at": self.now,
        }
        return [("AuctionUnsold", fields)]

    def burn_fees(self) -> list[Event]:
        config = self._config()
        amount = self.economy.tokens[IO_VAULT]
        require(amount > 0, "NothingToBurn")
        config.burned_fees += amount
        config.fees_io = config.burned_fees
        self.economy.tokens[IO_VAULT] = 0
        self.economy.supply -= amount
        return [("FeesBurned", {"amount": amount, "fees_io": config.fees_io})]

    # -- the token program, used directly --------------------------------------------------------

    def mint_usdc(self, to: Tokens, amount: int) -> None:
        """The issuer mints; a total past 64 bits is refused."""
        require(self.usdc_supply + amount <= U64, "Overflow")
        self.usdc[to] += amount
        self.usdc_supply += amount

    def move_usdc(self, owner: Address, to: Tokens, amount: int) -> None:
        """A holder's transfer from its associated account."""
        require(amount <= self.usdc[wallet(owner)], "InsufficientFunds")
        self.usdc[wallet(owner)] -= amount
        self.usdc[to] += amount

    def token_burn(self, owner: Address, amount: int) -> None:
        """A holder burns IO past every program."""
        self.economy.token_burn(owner, wallet(owner), amount)
        self.burned_by_holders += amount
