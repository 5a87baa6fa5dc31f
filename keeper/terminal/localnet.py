"""What a network of one's own says when it is up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from rich.console import RenderableType

from keeper.chain.framework import LAMPORTS
from keeper.deploy import DeployRefused, read_keypair
from keeper.economy.buyback import USDC
from keeper.economy.calendar import moment
from keeper.economy.supply import IO
from keeper.localnet.faults import Faults
from keeper.localnet.node import Node
from keeper.terminal.tables import plain
from keeper.wallet.money import read_holdings

PEOPLE = "renter", "supplier", "staker", "operator-1", "admin", "guardian"
"""Whose money and addresses are shown, by the names of their keys' files."""


class Found(NamedTuple):
    """Where a network is, where it came from and goes to, and who is on it."""

    url: str
    source: Path
    kept_in: Path | None
    keys: Path
    faults: Faults
    public: bool


async def opening(found: Found, node: Node) -> list[RenderableType]:
    """All of it: where it listens, whose keys there are, what gets lost, what to try."""
    chain = node.chain
    websocket = found.url.replace("http", "ws", 1)
    lines = [
        f"[bold]A network of your own[/] at {found.url}, notices at {websocket} and on the next port",
        f"It began as {found.source}; it is {moment(chain.now())} there, slot {chain.newest_slot():,}; "
        f"{chain.speed:g} seconds pass in one of yours",
        f"What happens is saved in {found.kept_in}"
        if found.kept_in
        else "What happens is gone when it ends: ionet localnet --keep saves it",
    ]
    if found.faults:
        lines.append(f"Faults are on: {found.faults}")
    if found.public:
        lines.append("Others can reach it: there are no airdrops, no faucet, and nobody moves its clock")
    return ["\n".join(lines), *await _people(found, node), _next(found)]


async def _people(found: Found, node: Node) -> list[RenderableType]:
    money = plain("People", "", "SOL", "IO", "IO staked", "USDC")
    addresses = plain(f"Their keys are in {found.keys}", "", "address")
    addresses.columns[1].justify = "left"
    for name in PEOPLE:
        try:
            owner = read_keypair(found.keys / f"{name}.json").pubkey()
        except DeployRefused:
            continue
        has = await read_holdings(node.chain, owner)
        amounts = has.lamports // LAMPORTS, has.io // IO, has.staked // IO, (has.usdc or 0) // USDC
        money.add_row(name, *(f"{each:,}" for each in amounts))
        addresses.add_row(f"{name}.json", str(owner))
    if money.row_count:
        return [money, addresses]
    return [
        f"There are no keys in {found.keys}: make one by ionet key new FILE; ionet faucet gives it SOL, and "
        "IO and USDC where --keys names a folder with their owner's key, admin.json"
    ]


def _next(found: Found) -> str:
    """Commands that work as they are."""
    program, keys = sys.argv[0], found.keys
    chain = "" if found.url == "http://127.0.0.1:8899" else f" --chain {found.url}"
    tried = [
        f"{program} supply{chain}",
        f"{program} device list{chain}",
        f"{program} balance --keypair {keys}/renter.json{chain}",
        f"{program} clock advance 1h{chain}",
    ]
    if not found.public:
        tried.insert(3, f"{program} faucet --keypair {keys}/staker.json{chain}")
    return "To try, in another terminal; Ctrl+C ends it:\n  " + "\n  ".join(tried)
