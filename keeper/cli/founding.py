"""``ionet deploy`` and ``genesis``: a network's beginning, all of it checked and shown first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress
from solders.pubkey import Pubkey

from keeper import deploy
from keeper.chain import Chain, Signer
from keeper.chain.connect import connect, writing
from keeper.chain.contact import contact
from keeper.chain.fees import FeePolicy
from keeper.chain.framework import sol
from keeper.cli import options
from keeper.cli.answering import SignsJsonOption, answers, write
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.cli.signing import DryRunOption, YesOption
from keeper.clients import staking, tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.deploy import Change, Forecast
from keeper.economy.calendar import moment, month_of, month_start, parse_month
from keeper.economy.classes import read_classes
from keeper.economy.genesis import read_table
from keeper.economy.money import U64_MAX, parse
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.resources import DEV_KEYS, binary
from keeper.terminal import founding as founding_tables
from keeper.terminal.answers import signed
from keeper.terminal.network import totals
from keeper.terminal.tables import console, errors, progress_of, show

KeysOption = Annotated[
    Path, typer.Option(help="folder of the programs' keypairs", show_default="the public development keys")
]


@answers(signed.Deployment)
def put_on_chain(
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    keys: KeysOption = DEV_KEYS,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: SignsJsonOption = False,
) -> None:
    """Put the programs on a chain, or upgrade those whose bytes differ.

    Whoever signs pays, and is their upgrade authority. Shows first what it would do and cost, and asks.
    """
    _require_answer(as_json, yes, dry_run)
    settings = options.settings(chain, keypair)
    authority = settings.signer()

    async def work() -> list[Forecast]:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            found = [await deploy.forecast(connected, name, authority.pubkey(), keys) for name in PROGRAMS]
            if not as_json:
                contacts = contact(binary(found[0].name)).get("contacts", "nobody")
                show(founding_tables.forecast(found, authority.pubkey(), escape(contacts)))
            todo = [each for each in found if each.change is not Change.NONE]
            if todo:
                await _require_sol(connected, authority, founding_tables.needed(found))
            if dry_run or not todo:
                return found
            if not yes:
                typer.confirm("Put these on chain?", abort=True)
            for each in todo:
                with Progress(console=errors if as_json else console, transient=True) as progress:
                    told = progress_of(progress, each.name)
                    async with writing(connected):
                        await deploy.deploy_program(
                            connected, each.name, authority, keys, told, settings.fees
                        )
                if not as_json:
                    console.print(f"{each.name}: deployed")
            return found

    found = asyncio.run(work())
    if as_json:
        write(founding_tables.forecast_json(found, authority.pubkey(), sent=not dry_run))
    elif all(each.change is Change.NONE for each in found):
        console.print("All programs are on chain already, with the same bytes.")
    elif dry_run:
        console.print("Dry run: nothing was sent.")


def _require_answer(as_json: bool, yes: bool, dry_run: bool) -> None:
    if as_json and not (yes or dry_run):
        raise UserError("--json asks no question: add --yes to go on, or --dry-run")


async def _require_sol(chain: Chain, payer: Signer, needed: int) -> None:
    (account,) = await chain.accounts([payer.pubkey()])
    has = account.lamports if account else 0
    if has < needed:
        raise UserError(
            f"{payer.pubkey()} has {sol(has)} SOL, and needs {sol(needed)} to do this: send it some"
        )


@answers(signed.Founded)
def genesis(  # noqa: PLR0913, PLR0917 - an option for each answer
    guardian: Annotated[str, typer.Option(help="address of who may pause and veto")],
    beneficiaries: Annotated[
        Path, typer.Option(help="JSON file: each allocation's label and its owner's address")
    ],
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
    keys: KeysOption = DEV_KEYS,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: SignsJsonOption = False,
) -> None:
    """Create the mint, write the tables of genesis and classes, launch, set up buyback and orders.

    Whoever signs must be the programs' upgrade authority, and becomes the admin. Checks all of it, shows what
    it would write, and asks. Goes on where it was interrupted; with other answers it writes nothing.

    Example: ionet genesis --guardian ADDRESS --beneficiaries owners.json --test-usdc 1000000
    """
    if (usdc_mint is None) == (test_usdc is None):
        raise UserError(
            "name USDC's mint by --usdc-mint, or, on a test network, make one by --test-usdc AMOUNT"
        )
    _require_answer(as_json, yes, dry_run)
    settings = options.settings(chain, keypair)
    admin = settings.signer()
    made = deploy.address_of_test_usdc(admin.pubkey())
    amount = None if test_usdc is None else parse(test_usdc, Currency.USDC)
    told = deploy.Answers(
        address(guardian),
        tuple(address(each) for each in operator or ()) or (admin.pubkey(),),
        made if usdc_mint is None else address(usdc_mint),
        parse_month(start) if start else None,
        makes_usdc=usdc_mint is None,
    )
    owners, program = deploy.read_beneficiaries(beneficiaries), deploy.staking_program(keys)

    async def work() -> signed.Founded:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            month, whole = await _checked(connected, told, owners, amount, admin.pubkey())
            if not whole:
                if not as_json:
                    show(founding_tables.genesis(admin.pubkey(), replace(told, start_month=month), owners))
                if dry_run:
                    return founding_tables.genesis_json(told, month, sent=False)
                if not yes:
                    typer.confirm("Write all of this?", abort=True)
            if not dry_run:
                async with writing(connected):
                    await _write(connected, admin, told, owners, month, amount, program, settings.fees)
            if not as_json:
                await _say(connected)
                if whole:
                    console.print("Genesis is done, by the same answers: nothing was left to write.")
            return founding_tables.genesis_json(told, month, sent=not dry_run)

    done = asyncio.run(work())
    if as_json:
        write(done)
    elif told.makes_usdc and done["sent"]:
        console.print(f"test USDC, which your key can mint: {told.usdc_mint}")
    elif dry_run:
        console.print("Dry run: all of it was checked, and nothing was written.")


async def _checked(
    chain: Chain, told: deploy.Answers, owners: Mapping[str, Pubkey], test_usdc: int | None, admin: Pubkey
) -> tuple[int, bool]:
    """Check everything before anything is written; gives emission's first month, and whether all is done."""
    begun = await deploy.read_begun(chain)
    if wrong := deploy.contradictions(begun, told):
        raise UserError(
            f"this chain has a network that began otherwise: {'; '.join(wrong)}. Nothing was "
            "written: give the answers of before to go on, or name another chain"
        )
    deploy.require_table(await tokenomics.read_allocations(chain), read_table(), owners)
    deploy.require_classes(await staking.read_classes(chain), read_classes())
    if test_usdc is not None:
        await deploy.require_test_usdc(chain, told.usdc_mint, test_usdc)
    month = await _first_month(chain, told.start_month, begun.tokenomics)
    if not begun.is_whole:
        await deploy.require_foundable(chain, begun, told, admin, month)
    return month, begun.is_whole


async def _write(
    chain: Chain,
    admin: Signer,
    told: deploy.Answers,
    owners: Mapping[str, Pubkey],
    month: int,
    test_usdc: int | None,
    program: Pubkey,
    fees: FeePolicy,
) -> None:
    veto, mint = told.guardian, told.usdc_mint
    await deploy.genesis(
        chain,
        admin,
        table=read_table(),
        beneficiaries=owners,
        guardian=veto,
        staking_program=program,
        start_month=month,
        fees=fees,
    )
    await deploy.staking_genesis(
        chain, admin, guardian=veto, operators=told.operators, classes=read_classes(), fees=fees
    )
    if test_usdc is not None:
        await deploy.make_test_usdc(chain, admin, test_usdc, fees=fees)
    await deploy.buyback_genesis(chain, admin, guardian=veto, usdc_mint=mint, fees=fees)
    await deploy.orders_genesis(chain, admin, guardian=veto, usdc_mint=mint, fees=fees)


async def _say(chain: Chain) -> None:
    """Where all IO is, and what comes when."""
    found, config = await tokenomics.read_supply(chain), await tokenomics.read_config(chain)
    classes = (await staking.read_classes(chain)).values()
    assert config is not None  # genesis raised otherwise
    show(totals(found, config))
    first = month_start(config.start_month)
    if found.time < first:
        console.print(
            f"emission begins {moment(first)}: until then nobody earns IO, and there is only what is free of "
            "the genesis supply at launch (ionet vesting show). Who owns some of it is paid by ionet keeper "
            "once vesting, or by any keeper that runs.",
            soft_wrap=True,
        )
    opens_at = max((each.opens_at for each in classes if each.opens_at < U64_MAX), default=0)
    if found.time < opens_at:
        console.print(f"devices can be leased and earn once their classes open: {moment(opens_at)}")


async def _first_month(chain: Chain, told: int | None, begun: tokenomics.Config | None) -> int:
    """The first month of emission: as it is on chain, else as it was told, else the chain's next month."""
    if begun and begun.launched:
        return begun.start_month
    return month_of((await chain.clock()).unix_timestamp) + 1 if told is None else told
