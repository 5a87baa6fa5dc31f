"""``/classes``: what a processor of each class counts and costs."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from keeper.api.answers import Asked, On, list_of
from keeper.api.fields import Address, Amount, Form, account_model, shown
from keeper.clients import staking
from keeper.economy.classes import Pool, ProcessorKind
from keeper.economy.orders import Currency
from keeper.economy.staking import minimum

router = APIRouter(tags=["classes"])


class PriceNow(Form):
    """What a processor costs for an hour: base units of a currency, 0 where it isn't leased for that."""

    amount: Amount
    low: Amount = Field(description="what an ask counts at least")
    high: Amount = Field(description="what an ask counts at most")
    is_stale: bool = Field(description="no step came for too long: a lease costs what the device asks")


class _ClassMore(Form):
    """A class of processors, as of `as_of.time`."""

    address: Address
    pool_name: str = Field(description="which pool of rewards it shares")
    kind_name: str
    multiplier_now: int = Field(description="in force, hundredths")
    minimum_stake: Amount = Field(description="of a device of one processor, IO base units")
    is_open: bool = Field(description="whether its devices can be leased")
    prices: dict[str, PriceNow] = Field(description="in force, by currency")


Class = account_model(staking.PROGRAM, "Class", _ClassMore)


@router.get("/classes", response_model=list_of(Class))
async def classes(asked: Asked, on: On) -> object:
    """All classes, by number."""
    now = asked.state.time
    rows = []
    for address, fields in (await asked.index.accounts(on, "staking", "Class")).items():
        found = staking.class_of(fields)
        multiplier = found.multiplier_at(now)
        rows.append(
            Class(
                address=address,
                pool_name=Pool(found.pool).name.lower(),
                kind_name=ProcessorKind(found.kind).name.lower(),
                multiplier_now=multiplier,
                minimum_stake=minimum(multiplier, 1),
                is_open=found.is_open(now),
                prices={each.name: PriceNow.model_validate(found.price(each, now)) for each in Currency},
                **shown(fields),
            )
        )
    return asked.one(sorted(rows, key=lambda row: row.model_dump()["id"]))
