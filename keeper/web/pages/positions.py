"""``/stake``: all that a wallet has staked, when which part of it is free, and what it can claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from solders.pubkey import Pubkey

from keeper.api.fields import AskedAddress
from keeper.api.routes import devices
from keeper.api.routes import wallets as api
from keeper.clients import staking
from keeper.economy.staking import CoStake, CoStakeState, settled
from keeper.web.pages.network import class_names
from keeper.web.visits import Visit, Visiting

router = APIRouter()
SHOWN = 200
"""Devices of each kind on the page; who has more finds the rest by the API."""


class Asking(BaseModel):
    """Whose positions."""

    model_config = ConfigDict(extra="forbid")

    wallet: AskedAddress | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A part of a device's stake, IO base units; free from ``free_at`` on, None while it works."""

    device: Any
    what: str
    state: str
    amount: int
    share_bps: int | None
    free_at: int | None


@router.get("/stake")
async def stake(visit: Visiting, asking: Annotated[Asking, Query()]) -> str:
    """A wallet's positions; a form for its address where none is named."""
    if asking.wallet is None:
        return visit.page("stake.html", wallet=None)
    owner = api.address_of(asking.wallet)
    holdings = (await api.wallet(visit.asked, visit.on, visit.request, owner)).data
    cooldown = await _cooldown(visit)
    rows = [
        position
        for name in ("supplier", "co_staker", "leaving_staker")
        for row in (await _of(visit, name, asking.wallet))
        for position in positions(row, name, cooldown, visit.now)
    ]
    waits = sorted((each for each in rows if each.free_at is not None), key=lambda each: each.free_at or 0)
    return visit.page(
        "stake.html",
        wallet=holdings,
        works=[each for each in rows if each.free_at is None],
        waits=waits,
        free=sum(each.amount for each in waits if (each.free_at or 0) <= visit.now),
        class_names=await class_names(visit),
    )


async def _of(visit: Visit, name: str, wallet: str) -> list[Any]:
    asking = devices.Asking.model_validate({name: wallet, "limit": SHOWN})
    found: Any = await devices.devices(visit.asked, visit.on, asking)
    return list(found.data)


async def _cooldown(visit: Visit) -> int:
    fields = await visit.index.account(visit.on, "staking", "Config", staking.CONFIG)
    return 0 if fields is None else staking.config_of(fields).params.cooldown


def positions(row: Any, name: str, cooldown: int, now: int) -> Iterator[Position]:
    """What of a device is the wallet's, which is its supplier, its co-staker, or one who has left."""
    if name == "supplier":
        if row.own:
            yield Position(row, "your device", row.state, row.own, None, None)
        if row.own_cooling:
            yield Position(row, "unstaked", _cooled(row.own_until, now), row.own_cooling, None, row.own_until)
        return
    part = "co" if name == "co_staker" else "leaving"
    found = CoStake(**{each: getattr(row, f"{part}_{each}") for each in CoStake.__dataclass_fields__})
    # A wait that is over is a cooldown, though nobody has written it down yet.
    now_is = max(settled(found, NOBODY, cooldown, now), key=lambda each: each.state)
    if now_is.state == CoStakeState.ACTIVE:
        yield Position(row, "co-stake", "running", now_is.amount, now_is.reward_bps, None)
    elif now_is.state == CoStakeState.WAITING:
        yield Position(row, "co-stake", "leaving", now_is.amount, None, now_is.until + cooldown)
    elif now_is.state == CoStakeState.COOLING:
        yield Position(row, "co-stake", _cooled(now_is.until, now), now_is.amount, None, now_is.until)


NOBODY = CoStake(Pubkey.default(), 0, 0, 0, CoStakeState.NONE)


def _cooled(until: int, now: int) -> str:
    return "free" if until <= now else "cooling"
