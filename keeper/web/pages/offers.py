"""``/offers``, ``/slashes``: who looks for a co-staker, and whose stake may burn."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from keeper.api.fields import AskedAddress
from keeper.api.queries import activity
from keeper.api.routes import activity as api_activity
from keeper.api.routes import offers as api
from keeper.api.routes import slashes as api_slashes
from keeper.web.pages.network import class_names
from keeper.web.visits import Visiting

router = APIRouter()
SHOWN = 20
SLASH_STATES = ("voting", "pending", "vetoed", "executed")


@router.get("/offers")
async def offers(visit: Visiting, asking: Annotated[api.Offers, Query()]) -> object:
    """Open offers, the smallest first."""
    found: Any = await api.offers(visit.asked, visit.on, asking)
    return visit.listed("offers.html", found, asking, class_names=await class_names(visit))


@router.get("/slashes")
async def slashes(visit: Visiting, asking: Annotated[api_slashes.Slashes, Query()]) -> object:
    """What operators voted to slash for."""
    found: Any = await api_slashes.slashes(visit.asked, visit.on, asking)
    options = [(each, each) for each in SLASH_STATES]
    return visit.listed("slashes.html", found, asking, state_options=options)


@router.get("/slashes/{address}")
async def slash(visit: Visiting, address: AskedAddress) -> str:
    """One proposal to slash, with what happened to its device."""
    found: Any = (await api_slashes.slash(visit.asked, visit.on, address)).data  # type: ignore[attr-defined]
    device = str(found.device)
    asking = api_activity.Asking(address=device, limit=SHOWN)
    happened = await activity.around(visit.on, device, asking, ["staking"], list(SLASHING))
    return visit.page("slash.html", slash=found, events=happened[:SHOWN])


SLASHING = ("SlashVoted", "SlashAppealed", "SlashVetoed", "SlashVoided", "Slashed")
