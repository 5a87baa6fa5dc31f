"""``/offers``: devices that give a part of their rewards to who stakes with them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from keeper.api.answers import PAGES, Asked, On, Rows
from keeper.api.fields import Amount, Form
from keeper.api.paging import Page
from keeper.api.queries import offers as queries
from keeper.api.queries import views, wallets
from keeper.api.rows import keys

router = APIRouter(tags=["devices"])
MOST_BPS = 10_000


class CoStakeOffer(Form):
    """A device that looks for a co-staker; amounts in IO base units."""

    device: str = Field(description="its address")
    class_: int = Field(serialization_alias="class", description="a class's number")
    processors: int
    country: str
    tier: int
    state: str = Field(description="ready, leased, short (of stake) or terminated")
    supplier: str
    offer: Amount = Field(description="what a co-staker stakes")
    offer_reward_bps: int = Field(description="the part of its rewards that a co-staker gets")
    own: Amount = Field(description="what its supplier stakes")
    leases_done: int
    leases_failed: int
    disputes: int
    earned_week: Amount | None = Field(
        description="by it in the 168 hours that end with the newest whose files are in; null where it was "
        "in none of them"
    )
    paid_hours: int | None = Field(description="of these hours, those that it was paid for")
    yearly_bps: int | None = Field(
        description="earned_week x offer_reward_bps x 8,760 / 168 / offer: no promise"
    )


class Offers(Page):
    """Which offers."""

    class_: int | None = Field(default=None, ge=0, lt=2**16, alias="class", description="a class's number")
    min_share: int | None = Field(default=None, ge=0, le=MOST_BPS, description="basis points of rewards")
    max_io: int | None = Field(default=None, ge=0, lt=2**63, description="stake at most, base units")
    order: Literal["asc", "desc"] = Field(default="asc", description="of what is to be staked")


@router.get("/offers", response_model=Rows[CoStakeOffer], responses=PAGES)
async def offers(asked: Asked, on: On, asking: Annotated[Offers, Query()]) -> object:
    """Open offers by what is to be staked, the smallest first."""
    table, where = views.DEVICES.table.c, []
    if asking.class_ is not None:
        where.append(table["class"] == asking.class_)
    if asking.min_share is not None:
        where.append(table.offer_reward_bps >= asking.min_share)
    if asking.max_io is not None:
        where.append(table.offer <= asking.max_io)
    found = await queries.offers(on, asking, where)
    newest = await wallets.newest_hour(on)
    weeks = await queries.weeks(on, [row["address"] for row in found], newest)
    rows = []
    for row in found:
        week = weeks.get(row["address"])
        rows.append(
            CoStakeOffer(
                device=row["address"],
                class_=row["class"],
                earned_week=week and week.earned,
                paid_hours=week and week.paid_hours,
                yearly_bps=week and queries.yearly_bps(week, row["offer"], row["offer_reward_bps"]),
                **{name: row[name] for name in _SAME},
            )
        )
    return asked.page(asking, rows, keys(found, queries.KEY))


_SAME = (
    *("processors", "country", "tier", "state", "supplier", "offer", "offer_reward_bps", "own"),
    *("leases_done", "leases_failed", "disputes"),
)
