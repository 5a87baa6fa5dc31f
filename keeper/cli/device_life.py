"""``ionet device``: how a device stands, its terms, its payout, its end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from solders.pubkey import Pubkey

from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.extras import needs
from keeper.cli.money import KeylessOption
from keeper.cli.options import ChainOption, address, require_folders
from keeper.cli.signing import Session, signs
from keeper.cli.stake import DeviceArgument, FolderOption
from keeper.clients import orders, staking
from keeper.clients.records import data_at
from keeper.clients.staking import NOBODY
from keeper.errors import UserError, why
from keeper.rewards.last_seen import read_last_seen
from keeper.settings import Settings
from keeper.terminal import records, standing, tables
from keeper.terminal.answers import leasing
from keeper.terminal.records import Record
from keeper.terminal.standing import Standing
from keeper.wallet import devices
from keeper.wallet.receivers import require_wallet
from keeper.wallet.stakes import read_device, read_staked

app = typer.Typer()

RecordOption = Annotated[
    bool | None,
    typer.Option(
        "--record/--no-record",
        help="what its reputation follows from, by all events of its leases",
        show_default="if the chain is a file, or a keeper's index is there",
    ),
]


@app.command()
@answers(leasing.Standing)
def show(
    device: DeviceArgument,
    folder: FolderOption = None,
    record: RecordOption = None,
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """How a device stands: what keeps it from earning and from being leased, its stakes, its record.

    What operators see of it is in the published hours: without them four lines stay unknown.
    """
    at, settings = address(device), options.settings(chain)
    if folder:
        require_folders(folder)

    async def read() -> Standing:
        async with connect(settings.chain) as connected:
            now = (await connected.clock()).unix_timestamp
            staked = await read_staked(connected, at, now)
            lease = staked.device.lease
            (data,) = await data_at(connected, orders.PROGRAM, [lease]) if lease != NOBODY else (None,)
            seen = await read_last_seen(connected, folder or settings.rewards, at)
        return Standing(staked, orders.parse_lease(data) if data else None, seen)

    found = asyncio.run(read())
    about = _record_of(settings, at, record)
    if as_json:
        write(standing.as_json(found, about))
        return
    for table in (standing.to_earn(found), standing.to_be_leased(found), standing.facts(found)):
        tables.show(table)
    _show_record(about, wanted=record is True)


def _record_of(chosen: Settings, device: Pubkey, wanted: bool | None) -> Record | None:
    """What its reputation follows from; None where that isn't ``wanted``, or isn't known.

    Unless somebody asks for it, a node's whole history isn't read, and nothing is in the way of the rest.
    """
    if wanted is False:
        return None
    try:
        with needs("keeper", "ionet device show --record"):
            from keeper.cli import ticks  # noqa: PLC0415 - the database, which the checklist does without
        return ticks.record(chosen, device) if wanted or ticks.is_at_hand(chosen) else None
    except UserError:
        if wanted:
            raise
        return None


def _show_record(found: Record | None, *, wanted: bool) -> None:
    """Its reputation, and the leases that it follows from."""
    if found is None:
        asked = "it isn't final yet, ask again in a minute" if wanted else "--record reads all of its leases"
        tables.console.print(f"What its waiting weighs by its record: {asked}.", soft_wrap=True)
        return
    if found.ends:
        tables.show(records.leases(found))
    tables.console.print(records.in_words(found.reputation), soft_wrap=True)


@app.command()
@signs
async def payout(
    session: Session,
    device: DeviceArgument,
    wallet: Annotated[str, typer.Argument(help="the wallet that is paid from now on")],
    keyless: KeylessOption = False,
) -> None:
    """Have what a device of yours earns from now on paid to another wallet."""
    found, to = await read_device(session.chain, address(device)), address(wallet)
    about = await require_wallet(session.chain, to, keyless=keyless)
    has_wallet = await staking.read_wallet(session.chain, to) is not None
    plan = devices.payout(found, to, has_wallet)
    await session.carry_out(replace(plan, notes=(*plan.notes, *about)))


@app.command()
@signs
async def terminate(session: Session, device: DeviceArgument) -> None:
    """End a device of yours for good: it earns and leases nothing any more."""
    await session.carry_out(devices.terminate(await read_device(session.chain, address(device))))


@app.command()
@signs
async def close(session: Session, device: DeviceArgument) -> None:
    """Close a terminated device without stakes: its deposit comes back."""
    await session.carry_out(devices.close(await read_device(session.chain, address(device))))


@app.command()
@signs
async def appeal(
    session: Session,
    device: DeviceArgument,
    evidence: Annotated[str, typer.Argument(help="the evidence's SHA-256, as ionet slash show has it")],
    statement: Annotated[
        Path, typer.Option(help="file of what you have to say; its SHA-256 is put on record")
    ],
) -> None:
    """Appeal against a slash of a device of yours.

    Example: ionet device appeal DEVICE SHA256 --statement statement.txt
    """
    found = await read_device(session.chain, address(device))
    at = staking.device_address(found.worker)
    slashes = [
        each
        for each in await staking.read_slashes(session.chain)
        if each.device == at and each.evidence.hex() == evidence.lower()
    ]
    if not slashes:
        raise UserError(f"there is no slash of {at} for {evidence}; see ionet slash show {at}")
    try:
        digest = sha256(statement.read_bytes()).digest()
    except OSError as error:
        raise UserError(f"{statement} can't be read: {why(error)}") from error
    await session.carry_out(devices.appeal(found, slashes[0], digest, session.now))
