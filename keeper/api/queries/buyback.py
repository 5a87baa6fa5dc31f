"""Auctions and fees."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.index import Index
from keeper.api.paging import Page
from keeper.api.queries.network import config
from keeper.chain.program import Fields
from keeper.clients import buyback

TOTALS = ("fees_io", "fees_usdc", "burned_fees", "burned_auctions", "usdc_sold", "sold", "unsold")
"""The config's sums, by their names on chain."""


async def auctions(on: AsyncConnection, index: Index, page: Page) -> list[Fields]:
    """A page of auctions in the order of their numbers, and one more if there is one.

    They are numbered without gaps and are never closed, so that a page is a range of addresses.
    """
    started: int = (await config(on, index, "buyback"))["started"]
    key = page.key(int)
    if page.newest_first:
        top = started - 1 if key is None else min(key[0], started) - 1
        numbers = range(top, max(-1, top - page.limit - 1), -1)
    else:
        first = 0 if key is None else max(key[0], -1) + 1
        numbers = range(first, min(started, first + page.limit + 1))
    found = await index.accounts(on, "buyback", "Auction", map(buyback.auction_address, numbers))
    return sorted(found.values(), key=lambda each: each["number"], reverse=page.newest_first)
