"""What buyback's events do to its accounts."""

from __future__ import annotations

from collections.abc import Mapping

from keeper.chain.program import Fields
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from keeper.clients.buyback import PROGRAM, AuctionStatus
from keeper.indexer.book import Book, Fold
from keeper.indexer.folds.roles import param_folds, role_folds

FIRST_SHARE_BPS: int = PROGRAM.constants["FIRST_SHARE_BPS"]


def _config(book: Book) -> Fields:
    return book.change("Config", client.CONFIG)


# -- config --------------------------------------------------------------------------------------


def initialized(book: Book, event: Fields, at: int) -> None:
    """The config exists."""
    address, bump = PROGRAM.pda_and_bump("bid", "config")
    known = {"tokenomics": tokenomics.CONFIG, "next_share_bps": FIRST_SHARE_BPS}
    book.create("Config", address, bump, **known, **event)


def pause_set(book: Book, event: Fields, at: int) -> None:
    """The guardian paused something; an auction that runs without bids is void."""
    _config(book).update(pause_mask=event["mask"], pause_until=event["until"], void=event["voided"])


def first_price_proposed(book: Book, event: Fields, at: int) -> None:
    """The first auction has a price to refer to, after its notice."""
    _config(book).update(first_price=event["price"], first_price_at=event["at"])


def first_price_cancelled(book: Book, event: Fields, at: int) -> None:
    """The guardian dropped it."""
    _config(book).update(first_price=0, first_price_at=0)


# -- auctions and fees ---------------------------------------------------------------------------


def started(book: Book, event: Fields, at: int) -> None:
    """A lot is for sale; the first one's start uses the first price up."""
    number = event["number"]
    address, bump = PROGRAM.pda_and_bump("start_auction", "auction", number=number)
    kept = ("number", "lot", "share_bps", "start_price", "floor_price", "started_at", "ends_at")
    book.create("Auction", address, bump, **{name: event[name] for name in kept})
    config = _config(book)
    config.update(
        open=True, waiting_since=event["started_at"], started=number + 1, fees_usdc=event["fees_usdc"]
    )
    if not config["reference_price"]:
        config.update(reference_price=config["first_price"], first_price=0, first_price_at=0)


def sold(book: Book, event: Fields, at: int) -> None:
    """A bidder took the lot."""
    outcome = {name: event[name] for name in ("bidder", "cost", "price")}
    _ended(book, event, AuctionStatus.SOLD, **outcome)
    config = _config(book)
    config["sold"] += 1
    config.update(
        open=False,
        fees_usdc=event["fees_usdc"],
        usdc_sold=event["usdc_sold"],
        burned_auctions=event["burned"],
        reference_price=event["price"],
        anchor_price=event["anchor_price"],
        next_share_bps=event["next_share_bps"],
    )


def unsold(book: Book, event: Fields, at: int) -> None:
    """Nobody took the lot."""
    _ended(book, event, AuctionStatus.VOID if event["void"] else AuctionStatus.UNSOLD)
    config = _config(book)
    config["unsold"] += 1
    config.update(open=False, void=False, reference_price=event["reference_price"])


def repurchase(book: Book, event: Fields, at: int) -> None:
    """The network's own record of a sale, which is an event of its own."""


def fees_burned(book: Book, event: Fields, at: int) -> None:
    """Fees in IO were burned: all that came in."""
    _config(book).update(fees_io=event["fees_io"], burned_fees=event["fees_io"])


def _ended(book: Book, event: Fields, status: AuctionStatus, **outcome: object) -> None:
    auction = book.change("Auction", client.auction_address(event["number"]))
    auction.update(status=int(status), closed_at=event["at"], **outcome)


FOLDS: Mapping[str, Fold] = {
    **role_folds(client.CONFIG),
    **param_folds(client.CONFIG),
    "Initialized": initialized,
    "PauseSet": pause_set,
    "FirstPriceProposed": first_price_proposed,
    "FirstPriceCancelled": first_price_cancelled,
    "AuctionStarted": started,
    "AuctionSold": sold,
    "Repurchase": repurchase,
    "AuctionUnsold": unsold,
    "FeesBurned": fees_burned,
}
