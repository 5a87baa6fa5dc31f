"""``/offers``, ``/slashes``: who looks for a co-staker, and whose stake may burn."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from keeper.api.fields import AskedAddress
from keeper.api.queries import activity
from keeper.api.routes import activity as api_activity
from keeper.api.routes import offers as api
from keeper.api.routes import slashes as api_slashes
from keeper.web.pages.network import class_list
from keeper.web.visits import Visiting

router = APIRouter()
SHOWN = 20
SLASH_STATES = ("voting", "pending", "vetoed", "executed")


@router.get("/offers")
async def offers(visit: Visiting, asking: Annotated[api.Offers, Query()]) -> object:
    """Open offers, the smallest first."""
    found: Any = await api.offers(visit.asked, visit.on, asking)
    if asking.format == "csv":
        return found
    classes = await class_list(visit)
    return visit.page(
        "offers.html",
        rows=found.data,
        further=visit.further(found.next),
        csv=visit.csv,
        asking=asking,
        classes=classes,
        class_names={each.id: each.name for each in classes},
    )


@router.get("/slashes")
async def slashes(visit: Visiting, asking: Annotated[api_slashes.Slashes, Query()]) -> object:
    """What operators voted to slash for."""
    found: Any = await api_slashes.slashes(visit.asked, visit.on, asking)
    if asking.format == "csv":
        return found
    return visit.page(
        "slashes.html",
        rows=found.data,
        further=visit.further(found.next),
        csv=visit.csv,
        asking=asking,
        state_options=[(each, each) for each in SLASH_STATES],
    )


@router.get("/slashes/{address}")
async def slash(visit: Visiting, address: AskedAddress) -> str:
    """One proposal to slash, with what happened to its device."""
    found: Any = (await api_slashes.slash(visit.asked, visit.on, address)).data  # type: ignore[attr-defined]
    device = str(found.device)
    asking = api_activity.Asking(address=device, limit=SHOWN)
    happened = await activity.around(visit.on, device, asking, ["staking"], list(SLASHING))
    return visit.page("slash.html", slash=found, events=happened[:SHOWN])


SLASHING = ("SlashVoted", "SlashAppealed", "SlashVetoed", "SlashVoided", "Slashed")
