"""``/days``: what moved on each day, by the events of the programs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from keeper.api.answers import PAGES, Asked, On, Rows
from keeper.api.fields import Amount, Form
from keeper.api.paging import Page
from keeper.api.rows import keys, read_page
from keeper.db.views import DAY_TOTAL
from keeper.economy.calendar import DAY

router = APIRouter(tags=["network"])


class Day(Form):
    """What moved on a day of UTC; days on which nothing did are left out."""

    day: int = Field(description="its number, days since 1970")
    starts_at: int = Field(description="unix seconds")
    amount: Amount = Field(description="base units")
    count: int = Field(description="events that moved it")


class Days(Page):
    """Sums of what."""

    program: Literal["tokenomics", "staking", "orders", "buyback"]
    name: str = Field(
        pattern="^[a-z_]{1,40}$",
        description="of tokenomics: minted, emitted, released, season_claimed, burned; of staking: staked, "
        "unstaked, slashed, claimed, registered; of orders, each with _io or _usdc: escrowed, rent, "
        "supplied, order_fees, refunded, ordered, and without: accepted; of buyback: auctioned_usdc, "
        "auction_burned, fees_burned",
    )


@router.get("/days", response_model=Rows[Day], responses=PAGES)
async def days(asked: Asked, on: On, asking: Annotated[Days, Query()]) -> object:
    """What moved on each day, the newest first; nothing where nothing ever did."""
    own = [DAY_TOTAL.c.program == asking.program, DAY_TOTAL.c.name == asking.name]
    found = await read_page(on, DAY_TOTAL, asking, ("day",), own)
    rows = [
        Day(starts_at=row["day"] * DAY, **{name: row[name] for name in ("day", "amount", "count")})
        for row in found
    ]
    return asked.page(asking, rows, keys(found, ("day",)))
