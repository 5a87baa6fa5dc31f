"""``ionet balance``, ``send`` and ``burn``: a wallet's SOL, IO and USDC."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated

import typer

from keeper.chain import token
from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.cli.signing import Session, signs
from keeper.cli.terms import Unit
from keeper.clients import tokenomics
from keeper.economy.money import parse
from keeper.economy.orders import Currency
from keeper.terminal import holdings as holding_tables
from keeper.terminal import tables
from keeper.terminal.answers import looking
from keeper.wallet import money
from keeper.wallet.money import Holdings, read_holdings
from keeper.wallet.receivers import require_payable, require_wallet

KeylessOption = Annotated[
    bool, typer.Option("--keyless", help="the receiver is a program's vault, such as a multisig's")
]
AmountArgument = Annotated[str, typer.Argument(help="such as 250.5")]


@answers(looking.Holdings)
def balance(
    wallet: Annotated[str | None, typer.Argument(help="whose balance", show_default="your key's")] = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a wallet has: SOL, IO, USDC, what is staked and cools."""
    settings = options.settings(chain, keypair)
    owner = address(wallet) if wallet else settings.signer().pubkey()

    async def read() -> Holdings:
        async with connect(settings.chain) as connected:
            return await read_holdings(connected, owner)

    found = asyncio.run(read())
    if as_json:
        write(holding_tables.as_json(found))
    else:
        tables.show(holding_tables.holdings(found))


@signs
async def send(
    session: Session,
    amount: AmountArgument,
    currency: Annotated[Unit, typer.Argument(help="what of", case_sensitive=False)],
    to: Annotated[str, typer.Argument(help="the wallet that gets it")],
    keyless: KeylessOption = False,
) -> None:
    """Send IO or USDC to another wallet."""
    kind, receiver = Currency[currency.name], address(to)
    found = await money.read_money(session.chain, kind)
    plan = money.send(session.address, receiver, parse(amount, kind), found)
    about = await require_wallet(session.chain, receiver, keyless=keyless)
    await require_payable(session.chain, receiver, found.mint, kind)
    await session.carry_out(replace(plan, notes=(*plan.notes, *about)))


@signs
async def burn(session: Session, amount: AmountArgument) -> None:
    """Burn IO of yours: it is gone, and the supply with it."""
    (found,) = await session.chain.accounts([tokenomics.tokens_address(session.address)])
    await session.carry_out(money.burn(session.address, parse(amount, Currency.IO), token.balance(found)))
