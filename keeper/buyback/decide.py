"""What is due in the buyback, as pure functions of what is on chain: auditors can repeat each decision.

A dry run prints the same steps that the jobs carry out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keeper.clients.buyback import PAUSE_BID, PAUSE_START, Auction, Config
from keeper.economy.buyback import BPS
from keeper.economy.money import show
from keeper.economy.orders import Currency
from keeper.economy.supply import io


class StepKind(StrEnum):
    """What the keeper can do."""

    BURN = "burn fees"
    CLOSE = "close auction"
    START = "start auction"
    BID = "bid"


@dataclass(frozen=True, slots=True)
class View:
    """What decisions are made from: base units, unix seconds; ``auction`` is the open one, if any.

    ``frozen``: the issuer froze the vault for USDC, so that nobody can be paid out of it.
    """

    now: int
    config: Config
    auction: Auction | None
    io_vault: int
    usdc_vault: int
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """What an IO is worth: ``price`` is base units of IO per USDC, ``at`` unix seconds."""

    price: int
    at: int
    source: str


@dataclass(frozen=True, slots=True)
class BidLimits:
    """How far the keeper goes with its own money.

    It pays at most ``max_io`` base units for a lot, and ``margin_bps`` less than the lot is worth.
    """

    max_io: int
    margin_bps: int


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is due, or why it isn't.

    ``at`` is when it will be due if nothing else changes, unix seconds; None where that isn't known.
    ``number`` is the auction's, ``max_io`` what a bid offers, base units.
    """

    kind: StepKind
    due: bool
    why: str
    at: int | None = None
    number: int = 0
    max_io: int = 0


FROZEN = "the issuer has frozen the vault"


def burn(view: View) -> Step:
    """Burn all fees in IO."""
    if view.io_vault:
        return Step(StepKind.BURN, True, f"{io(view.io_vault)} IO in the vault", view.now)
    return Step(StepKind.BURN, False, "no IO in the vault")


def close(view: View) -> Step:
    """End the auction that nobody took."""
    auction = view.auction
    if auction is None:
        return Step(StepKind.CLOSE, False, "no auction is open")
    over = view.now >= auction.ends_at
    why = "its time is over, and nobody took it" if over else "it is still running"
    return Step(StepKind.CLOSE, over, why, max(view.now, auction.ends_at), auction.number)


def start(view: View) -> Step:
    """Start the next auction."""
    config, number = view.config, view.config.started
    if obstacle := _unfit(view) or _too_early(view):
        why, at = obstacle
        return Step(StepKind.START, False, why, at, number)
    lot = config.next_lot(view.usdc_vault)
    return Step(StepKind.START, True, f"a lot of {show(lot, Currency.USDC)} USDC", view.now, number)


Obstacle = tuple[str, int | None]
"""Why not, and until when if that is known."""


def _unfit(view: View) -> Obstacle | None:
    """Why no auction can start, whatever the time."""
    config, least = view.config, view.config.params.min_lot
    if view.auction:
        return f"auction {view.auction.number} is open", None
    if not config.standing.reference:
        return "the admin has announced no first price", None
    if view.frozen:
        return FROZEN, None
    if view.usdc_vault < least:
        has, smallest = show(view.usdc_vault, Currency.USDC), show(least, Currency.USDC)
        return f"{has} USDC in the vault, the smallest lot is {smallest}", None
    return None


def _too_early(view: View) -> Obstacle | None:
    """Why no auction can start yet."""
    config, now = view.config, view.now
    if config.is_paused(PAUSE_START | PAUSE_BID, now):
        return "the guardian stopped it", config.pause_until
    if now < config.next_start:
        why = "at most one a day" if config.reference_price else "the first price waits for its notice"
        return why, config.next_start
    return None


def bid(view: View, quote: Quote | None, limits: BidLimits, inventory: int) -> Step:
    """Bid on the open auction, out of ``inventory`` base units of IO.

    A lot is worth buying at a price of at most the quote's less the margin: then it is worth more than the
    IO that it costs. The offer is what the lot costs now, as the price only falls until the bid lands.
    """
    auction = view.auction
    if auction is None:
        return Step(StepKind.BID, False, "no auction is open")
    cost = auction.path.cost(view.now) or 0
    obstacle = _stopped(view, auction) or _too_dear(auction, view.now, quote, limits)
    if not obstacle and cost > inventory:
        obstacle = f"{io(cost)} IO is more than the {io(inventory)} at hand", None
    if obstacle:
        why, at = obstacle
        return Step(StepKind.BID, False, why, at, auction.number)
    why = f"{show(auction.lot, Currency.USDC)} USDC for {io(cost)} IO"
    return Step(StepKind.BID, True, why, view.now, auction.number, cost)


def _stopped(view: View, auction: Auction) -> Obstacle | None:
    """Why nobody can bid."""
    if view.config.void:
        return "bids were stopped during it: it takes no more", None
    if view.config.is_paused(PAUSE_BID, view.now):
        return "the guardian stopped it", view.config.pause_until
    if view.now >= auction.ends_at:
        return "its time is over", None
    if view.frozen:
        return FROZEN, None
    return None


def _too_dear(auction: Auction, now: int, quote: Quote | None, limits: BidLimits) -> Obstacle | None:
    """Why the lot isn't worth its cost now, or is too large."""
    if quote is None:
        return "no source says what an IO is worth", None
    price, most = auction.path.price(now) or 0, worth_buying_at(quote, limits)
    if price > most:
        at = auction.path.reaches(most)
        why = f"the price is {io(price)} IO per USDC; bids start at {io(most)}, by {quote.source}"
        return why if at else f"{why}: this auction stays above that", at
    cost = auction.path.cost(now) or 0
    if cost > limits.max_io:
        return f"{io(cost)} IO is more than the limit of {io(limits.max_io)}", None
    return None


def worth_buying_at(quote: Quote, limits: BidLimits) -> int:
    """The highest price to bid at, base units of IO per USDC, rounded down."""
    return quote.price * (BPS - limits.margin_bps) // BPS
