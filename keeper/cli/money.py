"""``ionet balance``, ``send`` and ``burn``: a wallet's SOL, IO and USDC."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.cli.signing import Session, signs
from keeper.cli.terms import Unit
from keeper.economy.money import parse
from keeper.economy.orders import Currency
from keeper.terminal import holdings as holding_tables
from keeper.terminal import tables
from keeper.wallet import money
from keeper.wallet.money import Holdings, read_holdings

AmountArgument = Annotated[str, typer.Argument(help="such as 250.5")]


def balance(
    wallet: Annotated[str | None, typer.Argument(help="whose", show_default="your key's")] = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """What a wallet has: SOL, IO, USDC, what is staked and cools."""
    settings = options.settings(chain, keypair)
    owner = address(wallet) if wallet else settings.signer().pubkey()

    async def read() -> Holdings:
        async with connect(settings.chain) as connected:
            return await read_holdings(connected, owner)

    found = asyncio.run(read())
    if as_json:
        print(json.dumps(holding_tables.as_json(found)))
    else:
        tables.show(holding_tables.holdings(found))


@signs
async def send(
    session: Session,
    amount: AmountArgument,
    currency: Annotated[Unit, typer.Argument(help="what of", case_sensitive=False)],
    to: Annotated[str, typer.Argument(help="the wallet that gets it")],
) -> None:
    """Send IO or USDC to another wallet."""
    kind = Currency[currency.name]
    mint = await money.mint_of(session.chain, kind)
    plan = money.send(session.address, address(to), parse(amount, kind), kind, mint)
    await session.carry_out(plan)


@signs
async def burn(session: Session, amount: AmountArgument) -> None:
    """Burn IO of yours: it is gone, and the supply with it."""
    await session.carry_out(money.burn(session.address, parse(amount, Currency.IO)))
