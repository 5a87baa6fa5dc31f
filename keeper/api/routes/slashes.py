"""``/slashes``: what operators voted to slash for, and until when that can be appealed."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from keeper.api.answers import PAGES, Asked, On, one_of, rows_of
from keeper.api.fields import AskedAddress, Form, account_model, shown
from keeper.api.paging import Page
from keeper.api.problems import NOT_FOUND
from keeper.api.queries import slashes as queries
from keeper.chain.program import Fields
from keeper.clients import staking
from keeper.clients.staking import SlashStatus

router = APIRouter(tags=["slashes"])


class _SlashMore(Form):
    """A proposal to slash a device for a piece of evidence; amounts in IO base units."""

    address: str = Field(description="of the proposal")
    state: str = Field(description="voting, pending (an appeal may stop it), vetoed or executed")
    votes_cast: int = Field(description="operators that voted for a part")
    can_be_appealed: bool = Field(description="as of `as_of.time`")


Slash = account_model(staking.PROGRAM, queries.KIND, _SlashMore)


class Slashes(Page):
    """Which slashes."""

    device: AskedAddress | None = Field(default=None, description="a device's address")
    state: Literal["voting", "pending", "vetoed", "executed"] | None = None
    order: Literal["asc", "desc"] = Field(default="asc", description="of address")


@router.get("/slashes", response_model=rows_of(Slash), responses=PAGES)
async def slashes(asked: Asked, on: On, asking: Annotated[Slashes, Query()]) -> object:
    """Proposals to slash by address. What each is for is in the file that its evidence is the SHA-256 of."""
    equal: dict[str, str | int] = {} if asking.device is None else {"device": asking.device}
    if asking.state is not None:
        equal["status"] = int(SlashStatus[asking.state.upper()])
    found = await queries.slashes(on, asked.index, asking, equal)
    rows = [_shown(address, each, asked.state.time) for address, each in found]
    return asked.page(asking, rows, [(address,) for address, _ in found])


@router.get("/slashes/{address}", response_model=one_of(Slash), responses=NOT_FOUND)
async def slash(asked: Asked, on: On, address: AskedAddress) -> object:
    """One proposal to slash."""
    found = await asked.index.account(on, "staking", queries.KIND, address)
    if found is None:
        raise HTTPException(404, "no slash has this address: /slashes has those that there are")
    return asked.one(_shown(address, found, asked.state.time))


def _shown(address: str, fields: Fields, now: int) -> _SlashMore:
    state = SlashStatus(fields["status"])
    return Slash(
        address=address,
        state=state.name.lower(),
        votes_cast=sum(each > 0 for each in fields["votes"]),
        can_be_appealed=state is SlashStatus.PENDING and now < fields["appeal_until"],
        **shown(fields),
    )
