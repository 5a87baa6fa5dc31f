"""``/devices``: what is registered, and how one device stands."""

from __future__ import annotations

from pathlib import Path as Folder
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from solders.pubkey import Pubkey

from keeper.api.queries import activity, blocks, wallets
from keeper.api.routes import activity as api_activity
from keeper.api.routes import devices as api
from keeper.api.routes import orders
from keeper.api.routes import slashes as api_slashes
from keeper.api.routes.blocks import DeviceHour, words
from keeper.clients import staking
from keeper.rewards import publication
from keeper.rewards.last_seen import seen_in
from keeper.rewards.nomination import Line, Seen, checklist
from keeper.rewards.publication import Manifest, PublicationError
from keeper.tables import Rows
from keeper.web.figures import bars
from keeper.web.pages.network import IO, NAMED, STATES, class_list, class_names
from keeper.web.visits import Visit, Visiting

router = APIRouter()
SHOWN_HOURS = 48
SHOWN = 20
"""Leases and events on a device's page."""


@router.get("/devices")
async def devices(visit: Visiting, asking: Annotated[api.Asking, Query()]) -> object:
    """Devices by what one looks for."""
    found: Any = await api.devices(visit.asked, visit.on, asking)
    options, names = [(each, each) for each in STATES], await class_names(visit)
    return visit.listed("devices.html", found, asking, class_names=names, state_options=options)


@router.get("/devices/{address}")
async def device(visit: Visiting, address: Annotated[str, Path(max_length=44)]) -> str:
    """A device by its address or its worker's."""
    found: Any = (await api.device(visit.asked, visit.on, address)).data  # type: ignore[attr-defined]
    of_class = {each.id: each for each in await class_list(visit)}.get(getattr(found, "class"))
    asking = api_activity.Asking(address=found.address, limit=SHOWN)
    happened = await activity.around(visit.on, found.address, asking, [], [])
    leases: Any = await orders.leases(visit.asked, visit.on, orders.Leases(device=found.address, limit=SHOWN))
    slashes: Any = await api_slashes.slashes(
        visit.asked, visit.on, api_slashes.Slashes(device=found.address, limit=SHOWN)
    )
    newest = await wallets.newest_hour(visit.on)
    hours = [DeviceHour(**words(row)) for row in await _hours(visit, found.address, newest)]
    return visit.page(
        "device.html",
        device=found,
        of_class=of_class,
        checklist=None if found.closed_at else await _checklist(visit, found.address, newest),
        hours=hours,
        figure=_bars(hours),
        leases=leases.data,
        slashes=slashes.data,
        events=happened[:SHOWN],
    )


async def _hours(visit: Visit, address: str, newest: int | None) -> list[dict[str, Any]]:
    if newest is None:
        return []
    return await blocks.hours_of(visit.on, address, range(max(0, newest - SHOWN_HOURS + 1), newest + 1))


async def _checklist(visit: Visit, address: str, hour: int | None) -> list[Line] | None:
    """What it needs to be nominated, as seen in an hour; None where its account or class lacks."""
    fields = await visit.index.account(visit.on, "staking", "Device", address)
    if fields is None:
        return None
    found = staking.device_of(fields)
    at_class = staking.class_address(found.device_class)
    of_class = await visit.index.account(visit.on, "staking", "Class", at_class)
    if of_class is None:
        return None
    return checklist(found, staking.class_of(of_class), visit.now, await _seen(visit, address, hour))


async def _seen(visit: Visit, address: str, hour: int | None) -> Seen | None:
    """What operators saw of a device in an hour; None where that isn't known, or not what they agreed on."""
    folder: Folder | None = visit.request.app.state.rewards
    final = None if hour is None else await blocks.final_of(visit.on, visit.index, hour)
    if folder is None or final is None:
        return None
    try:
        rows, manifest = await visit.request.app.state.inputs(folder, final["hour"])
    except PublicationError:
        return None
    return seen(rows, manifest, final["data_hash"], Pubkey.from_string(address))


def seen(rows: Rows, manifest: Manifest, data_hash: str, address: Pubkey) -> Seen | None:
    """What an hour's inputs say of a device, where they are those that operators agreed on."""
    return seen_in(rows, manifest, address) if manifest.hash == data_hash else None


def inputs(folder: Folder, hour: int) -> tuple[Rows, Manifest]:
    """What operators saw in an hour; raises PublicationError."""
    manifest = publication.read_manifest(folder, hour)
    return publication.read_table(folder, manifest, "inputs.csv"), manifest


def _bars(hours: list[DeviceHour]) -> object:
    if not hours:
        return ""
    names = [str(each.hour) if place % NAMED == 0 else "" for place, each in enumerate(hours)]
    return bars("IO that it earned in each hour", names, [("reward", [each.reward / IO for each in hours])])
