"""What tokenomics' events do to its accounts."""

from __future__ import annotations

from collections.abc import Mapping

from keeper.chain.program import Fields
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import PROGRAM, SeasonStatus
from keeper.indexer.book import Book, Fold
from keeper.indexer.folds.roles import NOBODY, role_folds


def _config(book: Book) -> Fields:
    return book.change("Config", client.CONFIG)


def initialized(book: Book, event: Fields, at: int) -> None:
    """The config exists."""
    address, bump = PROGRAM.pda_and_bump("emit", "config")
    book.create("Config", address, bump, genesis_vault=client.GENESIS_VAULT, **event)


def allocation_added(book: Book, event: Fields, at: int) -> None:
    """The genesis table has one more row."""
    address, bump = PROGRAM.pda_and_bump("add_allocation", "allocation", id=event["id"])
    row = {name: value for name, value in event.items() if name != "allocated"}
    book.create("Allocation", address, bump, **row)
    config = _config(book)
    config["allocations"] += 1
    config["allocated"] = event["allocated"]


def launched(book: Book, event: Fields, at: int) -> None:
    """The calendar is fixed."""
    _config(book).update(launched=True, launched_at=event["at"], start_month=event["start_month"])


def released(book: Book, event: Fields, at: int) -> None:
    """A beneficiary was paid."""
    book.change("Allocation", client.allocation_address(event["allocation"]))["released"] = event["released"]
    _config(book)["released"] += event["amount"]


def beneficiary_proposed(book: Book, event: Fields, at: int) -> None:
    """A beneficiary named a successor."""
    row = book.change("Allocation", client.allocation_address(event["allocation"]))
    row["pending_beneficiary"] = event["pending"]


def beneficiary_changed(book: Book, event: Fields, at: int) -> None:
    """The successor accepted."""
    row = book.change("Allocation", client.allocation_address(event["allocation"]))
    row.update(beneficiary=event["to"], pending_beneficiary=NOBODY)


def season_opened(book: Book, event: Fields, at: int) -> None:
    """A season is funded."""
    number = event["season"]
    address, bump = PROGRAM.pda_and_bump("open_season", "season_account", season=number)
    vault = client.season_vault_address(number)
    book.create("Season", address, bump, mint=client.MINT, vault=vault, total=sum(event["pools"]), **event)


def claim_page_opened(book: Book, event: Fields, at: int) -> None:
    """A page of claim bits exists."""
    address, bump = client.claim_page_address_and_bump(event["season"], event["page"])
    book.create("ClaimPage", address, bump, **event)


def claim_page_closed(book: Book, event: Fields, at: int) -> None:
    """A page is gone."""
    book.close("ClaimPage", client.claim_page_address(event["season"], event["page"]))


def season_claimed(book: Book, event: Fields, at: int) -> None:
    """A wallet was paid, and its bit set."""
    season = book.change("Season", client.season_address(event["season"]))
    season["claimed"] = event["claimed"]
    season["claims"] += 1
    page, bit = divmod(event["index"], client.PAGE_CLAIMS)
    fields = book.change("ClaimPage", client.claim_page_address(event["season"], page))
    bits = bytearray(fields["bits"])
    bits[bit // 8] |= 1 << bit % 8
    fields["bits"] = bytes(bits)


def season_cancelled(book: Book, event: Fields, at: int) -> None:
    """A season was vetoed."""
    book.change("Season", client.season_address(event["season"]))["status"] = SeasonStatus.CANCELLED


def season_closed(book: Book, event: Fields, at: int) -> None:
    """The rest of a season went back to its funder."""
    season = book.change("Season", client.season_address(event["season"]))
    season.update(status=SeasonStatus.CLOSED, returned=event["returned"])


def emitted(book: Book, event: Fields, at: int) -> None:
    """Hours were minted."""
    _config(book).update(emitted=event["emitted"], emitted_hours=event["to_hour"])


def burned(book: Book, event: Fields, at: int) -> None:
    """Tokens were burned, here or elsewhere, and counted."""
    _config(book)["burned"] = event["burned"]


FOLDS: Mapping[str, Fold] = {
    **role_folds(client.CONFIG),
    "Initialized": initialized,
    "AllocationAdded": allocation_added,
    "Launched": launched,
    "Released": released,
    "BeneficiaryProposed": beneficiary_proposed,
    "BeneficiaryChanged": beneficiary_changed,
    "SeasonOpened": season_opened,
    "ClaimPageOpened": claim_page_opened,
    "ClaimPageClosed": claim_page_closed,
    "SeasonClaimed": season_claimed,
    "SeasonCancelled": season_cancelled,
    "SeasonClosed": season_closed,
    "Emitted": emitted,
    "Burned": burned,
    "BurnsCounted": burned,
}
