"""``ionet deploy``, ``genesis``, ``network``, ``supply``: a network's beginning, its rules, its IO."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from keeper import deploy
from keeper.chain import Chain
from keeper.chain.connect import connect, writing
from keeper.cli import options
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.cli.signing import YesOption
from keeper.clients import staking, tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.economy import emission
from keeper.economy.calendar import moment, month_of, month_start, parse_month
from keeper.economy.classes import read_classes
from keeper.economy.genesis import read_table
from keeper.economy.money import U64_MAX, parse
from keeper.economy.orders import Currency
from keeper.economy.supply import GENESIS_SUPPLY, io
from keeper.errors import UserError
from keeper.resources import DEV_KEYS
from keeper.terminal import network as network_tables
from keeper.terminal.tables import console, plain, progress_of, show
from keeper.wallet.roles import Governed, read_governed


def put_on_chain(
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    keys: Annotated[Path, typer.Option(help="folder of the programs' keypairs")] = DEV_KEYS,
) -> None:
    """Put the programs on a chain, or upgrade those whose bytes differ.

    Whoever signs is their upgrade authority.
    """
    settings = options.settings(chain, keypair)
    authority = settings.signer()

    async def work() -> None:
        async with connect(settings.chain, live=True) as connected:
            for name in PROGRAMS:
                with Progress(console=console, transient=True) as progress:
                    show = progress_of(progress, name)
                    async with writing(connected):
                        changed = await deploy.deploy_program(
                            connected, name, authority, keys, show, settings.fees
                        )
                console.print(f"{name}: {'deployed' if changed else 'is on chain already'}")

    asyncio.run(work())


def genesis(  # noqa: PLR0913, PLR0917 - an option for each answer
    guardian: Annotated[str, typer.Option(help="address that may pause and veto")],
    beneficiaries: Annotated[Path, typer.Option(help="JSON: allocations' labels and owners' addresses")],
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    usdc_mint: Annotated[str | None, typer.Option(help="USDC's mint on this network")] = None,
    test_usdc: Annotated[
        str | None, typer.Option(help="on a network without USDC: make one, and this much of it for the key")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="first month of emission, such as 2027-01", show_default="the chain's next month"),
    ] = None,
    operator: Annotated[
        list[str] | None,
        typer.Option(help="address that attests reward blocks, repeat for each", show_default="the key's"),
    ] = None,
    keys: Annotated[Path, typer.Option(help="folder of the programs' keypairs")] = DEV_KEYS,
    yes: YesOption = False,
) -> None:
    """Create the mint, write the tables of genesis and classes, launch, set up buyback and orders.

    Whoever signs must be the programs' upgrade authority, and becomes the admin. Shows first what it would
    write, and asks. Goes on where it was interrupted; with other answers than before it writes nothing.
    """
    if (usdc_mint is None) == (test_usdc is None):
        raise UserError(
            "name USDC's mint by --usdc-mint, or, on a test network, make one by --test-usdc AMOUNT"
        )
    settings = options.settings(chain, keypair)
    admin, veto = settings.signer(), address(guardian)
    operators = tuple(address(each) for each in operator or ()) or (admin.pubkey(),)
    usdc = None if usdc_mint is None else address(usdc_mint)
    amount = None if test_usdc is None else parse(test_usdc, Currency.USDC)
    owners = deploy.read_beneficiaries(beneficiaries)

    async def work() -> tuple[tokenomics.Supply, tokenomics.Config | None, int]:
        async with connect(settings.chain, live=True) as connected, writing(connected):
            told = deploy.Answers(veto, operators, usdc, parse_month(start) if start else None)
            if wrong := await deploy.contradictions(connected, told):
                raise UserError(
                    f"this chain has a network that began otherwise: {'; '.join(wrong)}. Nothing was "
                    "written: give the answers of before to go on, or name another chain"
                )
            begun = await tokenomics.read_config(connected)
            month = await _first_month(connected, told.start_month, begun)
            if not await deploy.is_whole(connected):
                show(network_tables.genesis(admin.pubkey(), replace(told, start_month=month), owners))
                if not yes:
                    typer.confirm("Write all of this?", abort=True)
            await deploy.genesis(
                connected,
                admin,
                table=read_table(),
                beneficiaries=owners,
                guardian=veto,
                staking_program=deploy.staking_program(keys),
                start_month=month,
                fees=settings.fees,
            )
            await deploy.staking_genesis(
                connected,
                admin,
                guardian=veto,
                operators=operators,
                classes=read_classes(),
                fees=settings.fees,
            )
            mint = usdc
            if amount is not None:
                mint = await deploy.make_test_usdc(connected, admin, amount, fees=settings.fees)
                console.print(f"test USDC, which your key can mint: {mint}")
            assert mint is not None  # one of the two was given
            await deploy.buyback_genesis(connected, admin, guardian=veto, usdc_mint=mint, fees=settings.fees)
            await deploy.orders_genesis(connected, admin, guardian=veto, usdc_mint=mint, fees=settings.fees)
            classes = (await staking.read_classes(connected)).values()
            opens_at = max((each.opens_at for each in classes if each.opens_at < U64_MAX), default=0)
            return (
                await tokenomics.read_supply(connected),
                await tokenomics.read_config(connected),
                opens_at,
            )

    found, config, opens_at = asyncio.run(work())
    assert config is not None  # genesis raised otherwise
    show(totals(found, config))
    first = month_start(config.start_month)
    if found.time < first:
        console.print(
            f"emission begins {moment(first)}: until then nobody earns IO, and there is only what is free of "
            "the genesis supply at launch (ionet vesting show)",
            soft_wrap=True,
        )
    if found.time < opens_at:
        console.print(f"devices can be leased and earn once their classes open: {moment(opens_at)}")


def network(
    chain: ChainOption = None, as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False
) -> None:
    """All four programs: who governs them, their parameters, what is stopped, what waits until when."""

    async def read() -> list[Governed]:
        async with connect(options.settings(chain).chain) as connected:
            return [await read_governed(connected, name) for name in PROGRAMS]

    found = asyncio.run(read())
    if as_json:
        print(json.dumps(network_tables.as_json(found)))
        return
    for each in found:
        show(network_tables.governed(each))


async def _first_month(chain: Chain, told: int | None, begun: tokenomics.Config | None) -> int:
    """The first month of emission: as it is on chain, else as it was told, else the chain's next month."""
    if begun and begun.launched:
        return begun.start_month
    return month_of((await chain.clock()).unix_timestamp) + 1 if told is None else told


def supply(chain: ChainOption = None) -> None:
    """Where all IO is, and whether it adds up."""

    async def read() -> tuple[tokenomics.Supply, tokenomics.Config | None]:
        async with connect(options.settings(chain).chain) as connected:
            return await tokenomics.read_supply(connected), await tokenomics.read_config(connected)

    found, config = asyncio.run(read())
    assert config is not None  # read_supply raised if there is none
    show(totals(found, config))


def totals(found: tokenomics.Supply, config: tokenomics.Config) -> Table:
    """Where all IO is, with the sum that an auditor checks first."""
    at = datetime.fromtimestamp(found.time, UTC)
    table = plain(f"IO supply at {at:%Y-%m-%d %H:%M:%S} UTC", "", "IO")
    table.add_row("circulating", io(found.circulating))
    table.add_row("in airdrop seasons, not claimed yet", io(found.seasons))
    table.add_row("emitted, in the reward vault", io(found.rewards))
    table.add_row("locked: vesting", io(found.locked), end_section=True)
    table.add_row("supply of the mint", io(found.supply))
    minted = GENESIS_SUPPLY if config.launched else 0
    difference = minted + found.emitted - found.burned - found.supply
    table.add_row("genesis", io(minted))
    table.add_row("+ emitted", io(found.emitted))
    table.add_row("- burned", io(found.burned), end_section=True)
    table.add_row("genesis + emitted - burned - supply", io(difference) if difference else "0, as it must be")
    if config.launched:
        waiting = emission.hours_ended(config.start_month, found.time) - config.emitted_hours
        table.add_row("ended hours that are not emitted yet", f"{waiting:,}")
    return table
