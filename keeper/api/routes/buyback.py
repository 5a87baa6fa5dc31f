"""``/buyback``, ``/auctions``: fees that become IO, and IO that is burned."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import Field

from keeper.api.answers import PAGES, Answer, Asked, On, one_of, rows_of
from keeper.api.fields import Address, Amount, Form, account_model, shown
from keeper.api.paging import Page
from keeper.api.problems import NOT_FOUND
from keeper.api.queries import buyback as queries
from keeper.api.queries import network
from keeper.chain.program import Fields
from keeper.clients import buyback

router = APIRouter(tags=["buyback"])


class Buyback(Form):
    """The fees that wait, and what became of the others; base units."""

    fees_io: Amount = Field(description="IO fees that wait to be burned")
    fees_usdc: Amount = Field(description="USDC fees that wait for an auction")
    burned_fees: Amount = Field(description="IO fees that were burned")
    burned_auctions: Amount = Field(description="IO that auctions' winners paid and that was burned")
    usdc_sold: Amount
    sold: int = Field(description="auctions that sold")
    unsold: int
    next_lot: Amount = Field(description="USDC that the next auction sells, as things stand")
    next_start_price: Amount = Field(description="IO base units per USDC")
    next_floor_price: Amount
    next_start: Amount = Field(description="the earliest moment, unix seconds")
    open_auction: int | None = Field(description="the number of the one that runs")


class _AuctionMore(Form):
    """A falling price for a lot of USDC: IO base units per whole USDC."""

    address: Address
    state: str = Field(description="open, sold, unsold or void")
    price_now: Amount | None = Field(description="at `as_of.time`; null when nothing can be bid")
    cost_now: Amount | None = Field(description="IO for the whole lot, base units")


Auction = account_model(buyback.PROGRAM, "Auction", _AuctionMore)


@router.get("/buyback")
async def state(asked: Asked, on: On) -> Answer[Buyback]:
    """What waits, what was burned, and what the next auction would be."""
    config = buyback.config_of(await network.config(on, asked.index, "buyback"))
    start, floor = config.next_prices()
    return asked.one(
        Buyback(
            **{name: getattr(config, name) for name in queries.TOTALS},
            next_lot=config.next_lot(config.fees_usdc),
            next_start_price=start,
            next_floor_price=floor,
            next_start=config.next_start,
            open_auction=config.started - 1 if config.open else None,
        )
    )


@router.get("/auctions", response_model=rows_of(Auction), responses=PAGES)
async def auctions(asked: Asked, on: On, page: Annotated[Page, Query()]) -> object:
    """All auctions, the newest first unless asked otherwise."""
    found = await queries.auctions(on, asked.index, page)
    rows = [_shown(each, asked.state.time) for each in found]
    return asked.page(page, rows, [(each["number"],) for each in found])


@router.get("/auctions/{number}", response_model=one_of(Auction), responses=NOT_FOUND)
async def auction(asked: Asked, on: On, number: Annotated[int, Path(ge=0, lt=2**32)]) -> object:
    """One auction, with its price now."""
    found = await asked.index.account(on, "buyback", "Auction", buyback.auction_address(number))
    if found is None:
        raise HTTPException(404, f"there was no auction {number}")
    row = _shown(found, asked.state.time)
    return asked.one(row, for_ever=row.state != "open")


def _shown(fields: Fields, now: int) -> _AuctionMore:
    """An auction at ``now``."""
    found = buyback.auction_of(fields)
    is_open = found.status == buyback.AuctionStatus.OPEN
    return Auction(
        address=buyback.auction_address(found.number),
        state=buyback.AuctionStatus(found.status).name.lower(),
        price_now=found.path.price(now) if is_open else None,
        cost_now=found.path.cost(now) if is_open else None,
        **shown(fields),
    )
