"""``/search``: what an address, a signature or a number is."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from solders.pubkey import Pubkey
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.answers import Answer, Asked, On
from keeper.api.fields import Form
from keeper.api.paging import MAX_CURSOR
from keeper.api.problems import NOT_FOUND
from keeper.api.queries import views

router = APIRouter(tags=["activity"])
SIGNATURE = re.compile(r"[1-9A-HJ-NP-Za-km-z]{64,88}")
MAX_HOUR_DIGITS = 9
KINDS = (
    ("devices", views.DEVICES, ("address", "worker")),
    ("orders", views.ORDERS, ("address",)),
    ("leases", views.LEASES, ("address",)),
)
"""Lists by what has an address in them, the first first."""


class Searching(BaseModel):
    """What somebody looks for."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(
        default="", max_length=MAX_CURSOR, description="an address, a signature, or an hour's number"
    )


class Found(Form):
    """Where it is."""

    kind: str = Field(description="devices, orders, leases, wallets, tx or blocks")
    path: str = Field(description="of its page, and under /api/v1 of what the API has of it")


async def find(on: AsyncConnection, looked: str) -> Found:
    """Say where something is; every address that is nothing else is a wallet's. Raises HTTPException."""
    if looked.isascii() and looked.isdigit() and len(looked) <= MAX_HOUR_DIGITS:
        return Found(kind="blocks", path=f"/blocks/{int(looked)}")
    if SIGNATURE.fullmatch(looked):
        return Found(kind="tx", path=f"/tx/{looked}")
    try:
        address = str(Pubkey.from_string(looked))
    except ValueError:
        raise HTTPException(
            404, "this is no address, no transaction's signature and no hour's number: look for one of them"
        ) from None
    for kind, view, names in KINDS:
        if await views.last_of(on, view, dict.fromkeys(names, address)):
            return Found(kind=kind, path=f"/{kind}/{address}")
    return Found(kind="wallets", path=f"/wallets/{address}")


@router.get("/search", responses=NOT_FOUND)
async def search(asked: Asked, on: On, asking: Annotated[Searching, Query()]) -> Answer[Found]:
    """What something is: of an address, whatever has it."""
    return asked.one(await find(on, asking.q.strip()))
