"""``ionet faucet``: SOL, IO and USDC of a network of one's own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from solders.pubkey import Pubkey

from keeper.chain.asking import asking
from keeper.chain.errors import NodeRefused
from keeper.chain.framework import LAMPORTS, sol
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.economy.money import show
from keeper.economy.orders import Currency
from keeper.economy.supply import io
from keeper.errors import UserError
from keeper.localnet import faucet as source
from keeper.localnet.chain import LocalChain
from keeper.localnet.node import Node, treasury_in
from keeper.localnet.refusal import NO_METHOD, Refusal
from keeper.terminal.answers import looking
from keeper.terminal.tables import console


@answers(looking.Gift)
def faucet(
    wallet: Annotated[str | None, typer.Argument(help="who gets it", show_default="your key")] = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    keys: Annotated[
        Path | None, typer.Option(help="of a saved chain: folder of keys", show_default="keys beside it")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Get SOL, IO and USDC of a test network: a running ionet localnet, or a saved chain.

    IO and USDC are their owner's, who signs for them; a validator for tests gives SOL alone.
    """
    settings = options.settings(chain, keypair)
    to = address(wallet) if wallet else settings.signer().pubkey()
    if settings.chain.startswith(("http://", "https://")):
        given = asyncio.run(_asked(settings.chain, to))
    else:
        path = Path(settings.chain)
        if keys:
            options.require_folders(keys)
        given = asyncio.run(_taken(path, keys or path.parent / "keys", to))
    if as_json:
        told = {"lamports": given["sol"], "io": given["io"], "usdc": given["usdc"]}
        write({"wallet": str(to), **{name: str(amount) for name, amount in told.items()}})
        return
    parts = [f"{sol(given['sol'])} SOL"]
    parts += [f"{io(given['io'])} IO"] if given["io"] else []
    parts += [f"{show(given['usdc'], Currency.USDC)} USDC"] if given["usdc"] else []
    console.print(f"{to} got {', '.join(parts)}", soft_wrap=True)
    if not given["io"] and not given["usdc"]:
        console.print(
            "No IO and no USDC: whoever owns them on this network can send them, by ionet send; ionet "
            "localnet and a saved chain find their owner's key in a folder keys, as admin.json (--keys).",
            soft_wrap=True,
        )


async def _asked(url: str, to: Pubkey) -> dict[str, Any]:
    """Ask a node; one that isn't ours, but has airdrops, gives SOL."""
    async with asking(url) as asker:
        try:
            return dict(await asker.ask("ionet_faucet", [str(to)], _object, again=False))
        except NodeRefused as refused:
            if refused.code != NO_METHOD:
                raise
        try:
            gift = 10 * LAMPORTS
            await asker.ask("requestAirdrop", [str(to), gift], str, again=False)
        except NodeRefused as refused:
            raise UserError(
                f"this network gives nothing away ({refused}): only a network for tests does, such as ionet "
                "localnet without --public"
            ) from refused
        return {"sol": gift, "io": 0, "usdc": 0}


async def _taken(path: Path, keys: Path, to: Pubkey) -> dict[str, Any]:
    """Take it on a saved chain, which is saved again."""
    chain = LocalChain.load(path)
    try:
        given = await source.give(Node(chain, treasury_in(keys)), to)
    except Refusal as refused:
        raise UserError(str(refused)) from refused
    chain.save(path)
    return given


def _object(result: Any) -> Any:
    if not isinstance(result, dict):
        raise ValueError("not what a faucet says")
    return result
