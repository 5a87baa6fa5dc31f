"""What buyback's events do to its accounts."""

from __future__ import annotations

from collections.abc import Mapping

from keeper.chain.program import Fields
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from keeper.clients.buyback import PROGRAM, AuctionStatus
from keeper.indexer.book import Book, Fold
from keeper.indexer.folds.roles import param_folds, role_folds


def _config(book: Book) -> Fields:
    return book.change("Config", client.CONFIG)


# -- config --------------------------------------------------------------------------------------


def initialized(book: Book, event: Fields, at: int) -> None:
    """The config exists."""
    address, bump = PROGRAM.pda_and_bump("bid", "config")
    book.create("Config", address, bump, tokenomics=tokenomics.CONFIG, **event)


def params_applied(book: Book, event: Fields, at: int) -> None:
    """The proposal is in force."""
    _config(book).update(params=event["params"], pending_at=0)


def pause_set(book: Book, event: Fields, at: int) -> None:
    """The guardian paused something; an auction that runs without bids is void."""
    _config(book).update(pause_mask=event["mask"], pause_until=event["until"], void=event["voided"])


def first_price_set(book: Book, event: Fields, at: int) -> None:
    """The first auction has a price to refer to."""
    _config(book).update(reference_price=event["price"], waiting_since=event["at"])


# -- auctions and fees ---------------------------------------------------------------------------


def started(book: Book, event: Fields, at: int) -> None:
    """A lot is for sale."""
    number = event["number"]
    address, bump = PROGRAM.pda_and_bump("start_auction", "auction", number=number)
    kept = ("number", "lot", "start_price", "floor_price", "started_at", "ends_at")
    book.create("Auction", address, bump, **{name: event[name] for name in kept})
    _config(book).update(
        open=True, waiting_since=event["started_at"], started=number + 1, fees_usdc=event["fees_usdc"]
    )


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
    "ParamsApplied": params_applied,
    "PauseSet": pause_set,
    "FirstPriceSet": first_price_set,
    "AuctionStarted": started,
    "AuctionSold": sold,
    "Repurchase": repurchase,
    "AuctionUnsold": unsold,
    "FeesBurned": fees_burned,
}
