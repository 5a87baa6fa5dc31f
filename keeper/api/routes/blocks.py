"""``/blocks``: the hours' rewards, who attested them, and what each device got."""

from __future__ import annotations

from pathlib import Path as Folder
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.answers import PAGES, Answer, Asked, On, Reading, Rows, list_of, one_of
from keeper.api.fields import Address, Amount, AskedAddress, Form, Hex, account_model, shown
from keeper.api.paging import Hour, Page
from keeper.api.problems import GONE, NOT_FOUND
from keeper.api.queries import blocks as queries
from keeper.api.queries.wallets import newest_hour
from keeper.api.rows import keys
from keeper.clients import staking
from keeper.clients.staking import BlockStatus
from keeper.economy.classes import Pool
from keeper.rewards import publication
from keeper.rewards.rule import DeviceStatus, Reason

router = APIRouter(tags=["blocks"])


class FinalBlock(Form):
    """An hour whose rewards are final; amounts in IO base units."""

    hour: int
    root: str = Field(description="of the tree over all wallets, hex")
    data_hash: str = Field(description="SHA-256 of the manifest of the files that it follows from, hex")
    total: Amount = Field(description="all that was ever earned by then")
    devices: int
    finalised_slot: int
    finalised_at: int = Field(description="unix seconds")
    starts_at: int | None = Field(description="unix seconds; null, as all below, until the files are in")
    emitted: Amount | None
    pot: Amount | None = Field(description="could be paid")
    paid: Amount | None
    carried: Amount | None = Field(description="to the next hour")
    succeeded: int | None = Field(description="devices")
    failed: int | None
    missed: int | None
    wallets: int | None
    rule: int | None = Field(description="the version of the rule")


class _OpenBlockMore(Form):
    """An hour that isn't final yet."""

    address: Address
    state: str = Field(description="open, or agreed: it is final when the time to challenge it is over")
    final_from: Amount | None = Field(description="unix seconds; null while it is open")


OpenBlock = account_model(staking.PROGRAM, "Block", _OpenBlockMore, "OpenBlock")


class Attestation(Form):
    """What an operator said of an hour."""

    operator: Address
    at: Amount = Field(description="unix seconds")
    root: Hex
    total: Amount
    devices: int
    data_hash: Hex
    conflict: bool = Field(description="whether it said otherwise than one before it")
    agreed: bool = Field(description="whether enough had said the same by then")
    signature: str = Field(description="of its transaction")


class DeviceHour(Form):
    """What a device got for an hour; amounts in IO base units."""

    hour: int
    device: str
    pool: str
    status: str = Field(description="succeeded, failed or missed")
    reasons: list[str] = Field(description="why it got nothing, or what it missed")
    score: Amount
    normalised: Amount
    reward: Amount = Field(description="supplier + co_staker")
    supplier: Amount
    co_staker: Amount


class PublishedFile(Form):
    """A file of an hour."""

    name: str
    sha256: str = Field(description="of its bytes, hex; the manifest's own is on chain")
    bytes: Amount
    rows: Amount = Field(description="of a table; of `pow.json` the waves")
    path: str = Field(description="where it is served, this one and no other")


class Reasons(Form):
    """Devices of an hour that stand alike for the same reasons."""

    status: str = Field(description="succeeded, failed or missed")
    reasons: list[str] = Field(description="all of them together; none of those that were paid")
    devices: int


ReasonName = Literal[
    "not_rewarded",
    "terminated",
    "slash_pending",
    "insufficient_stake",
    "uptime",
    "vram",
    "work_missing",
    "work_failed",
    "offline",
    "barred",
    "work_slow",
    "work_unshown",
]
"""The rule's, in the order of their bits."""
HourNumber = Annotated[int, Field(ge=0, lt=2**32)]


class Hours(Page):
    """Which final hours."""

    from_: HourNumber | None = Field(default=None, alias="from", description="the first hour")
    to: HourNumber | None = Field(default=None, description="the last one, too")


class HourDevices(Page):
    """Which devices of an hour."""

    device: AskedAddress | None = Field(default=None, description="its own address")
    status: Literal["succeeded", "failed", "missed"] | None = None
    reason: ReasonName | None = Field(
        default=None, description="why it got nothing, or what it missed, maybe among others"
    )


@router.get("/blocks", response_model=Rows[FinalBlock], responses=PAGES)
async def blocks(asked: Asked, on: On, page: Annotated[Hours, Query()]) -> object:
    """Hours that are final, in the order in which they became so."""
    found = await queries.final(on, page, page.from_, page.to)
    return asked.page(page, [FinalBlock(**row) for row in found], keys(found, queries.KEY))


@router.get("/blocks/open", response_model=list_of(OpenBlock))
async def open_blocks(asked: Asked, on: On) -> object:
    """Hours that operators attest now, or whose time to be challenged runs."""
    window = await queries.challenge_window(on, asked.index)
    found = await asked.index.accounts(on, "staking", "Block")
    waiting = [each for each in found.values() if each["status"] != BlockStatus.FINAL]
    return asked.one(
        [
            OpenBlock(
                address=staking.block_address(each["hour"]),
                state=BlockStatus(each["status"]).name.lower(),
                final_from=each["agreed_at"] + window if each["status"] == BlockStatus.AGREED else None,
                **shown(each),
            )
            for each in sorted(waiting, key=lambda each: int(each["hour"]))
        ]
    )


@router.get("/blocks/{hour}", response_model=one_of(FinalBlock), responses=NOT_FOUND)
async def block(asked: Asked, on: On, hour: Hour) -> object:
    """One hour that is final."""
    found = await queries.final_of(on, asked.index, hour)
    if found is None:
        raise HTTPException(404, f"hour {hour} isn't final: /blocks has those that are")
    # What it paid is taken in a little later.
    return asked.one(FinalBlock(**found), for_ever=found["paid"] is not None)


@router.get("/blocks/{hour}/files", responses=NOT_FOUND)
async def files(asked: Asked, request: Request, hour: Hour) -> Answer[list[PublishedFile]]:
    """What an hour was computed from and came to, with the hashes that the chain vouches for."""
    folder: Folder | None = request.app.state.rewards
    if folder is None:
        raise HTTPException(404, "no files of hours are served here")
    found = await published(folder, hour)
    if found is None:
        raise HTTPException(404, f"emission hour {hour} isn't published here")
    return asked.one(found)


async def published(folder: Folder, hour: int) -> list[PublishedFile] | None:
    """An hour's files; None where they aren't in the folder."""
    try:
        manifest = await run_in_threadpool(publication.read_manifest, folder, hour)
    except publication.PublicationError:
        return None
    return [
        PublishedFile(
            name=name,
            sha256=each.sha256,
            bytes=each.bytes,
            rows=each.rows,
            path=f"/rewards/{hour}/{name}?sha256={each.sha256}",
        )
        for name, each in publication.files_of(manifest).items()
    ]


@router.get("/blocks/{hour}/attestations")
async def attestations(asked: Asked, on: On, hour: Hour) -> Answer[list[Attestation]]:
    """What each operator said of an hour, in the order of time."""
    return asked.one([Attestation(**each) for each in await queries.attestations(on, hour)])


@router.get("/blocks/{hour}/devices", response_model=Rows[DeviceHour], responses=PAGES | NOT_FOUND | GONE)
async def devices(asked: Asked, on: On, hour: Hour, page: Annotated[HourDevices, Query()]) -> object:
    """What each device got in an hour of the last 30 days, by address; older ones are in the hour's files."""
    found = await queries.devices(
        on,
        hour,
        page,
        device=page.device,
        status=None if page.status is None else DeviceStatus[page.status.upper()],
        reason=None if page.reason is None else Reason[page.reason.upper()],
    )
    if not found and page.after is None and not await queries.has_devices(on, hour):
        await _refuse_empty(asked, on, hour)
    return asked.page(page, [DeviceHour(**words(row)) for row in found], keys(found, ("device",)))


@router.get("/blocks/{hour}/reasons", responses=NOT_FOUND | GONE)
async def reasons(asked: Asked, on: On, hour: Hour) -> Answer[list[Reasons]]:
    """How many devices were paid in an hour of the last 30 days, and why the others weren't."""
    found = await queries.reasons(on, hour)
    if not found:
        await _refuse_empty(asked, on, hour)
    return asked.one(
        [
            Reasons(
                status=DeviceStatus(status).name.lower(),
                reasons=[each.name.lower() for each in Reason if each.name and bits & each],
                devices=devices,
            )
            for status, bits, devices in found
        ]
    )


@router.get("/devices/{address}/hours", response_model=Rows[DeviceHour], responses=PAGES)
async def hours(asked: Asked, on: On, address: AskedAddress, page: Annotated[Page, Query()]) -> object:
    """What a device, by its own address, got in each hour of the last 30 days in which it was registered."""
    found = await queries.earned(on, address, await newest_hour(on), page)
    return asked.page(page, [DeviceHour(**words(row)) for row in found], keys(found, ("hour",)))


async def _refuse_empty(asked: Reading, on: AsyncConnection, hour: int) -> None:
    """Say why there are no devices of an hour; return where there simply were none. Raises HTTPException."""
    row = await queries.final_of(on, asked.index, hour)
    if row is None:
        raise HTTPException(404, f"hour {hour} isn't final")
    if row["paid"] is None:
        raise HTTPException(404, f"the files of hour {hour} aren't taken in yet: come again in a minute")
    if row["succeeded"] + row["failed"] + row["missed"]:
        raise HTTPException(
            410, f"devices of hour {hour} aren't kept any more: rewards.csv of the hour's files has them"
        )


def words(row: dict[str, Any]) -> dict[str, Any]:
    """A device's row of an hour, with words for its codes."""
    return row | {
        "pool": Pool(row["pool"]).name.lower(),
        "status": DeviceStatus(row["status"]).name.lower(),
        "reasons": [each.name.lower() for each in Reason if each.name and row["reasons"] & each],
    }
