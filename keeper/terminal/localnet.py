"""What a network of one's own says when it is up."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import NamedTuple

from rich.console import RenderableType
from rich.markup import escape

from keeper.chain.framework import LAMPORTS
from keeper.clients import staking
from keeper.deploy import DeployRefused, read_keypair
from keeper.economy.buyback import USDC
from keeper.economy.calendar import moment
from keeper.economy.supply import IO
from keeper.localnet.faults import Faults
from keeper.localnet.node import Node
from keeper.terminal.tables import plain
from keeper.wallet.money import read_holdings

DEFAULT = "http://127.0.0.1:8899"
"""Where commands look for a chain when they are told of none."""
WHEN = (
    "Time stands while somebody has something to do. Orders are matched once operators have agreed "
    "on an hour in which devices have proven their work, 75 minutes after it began: an order of before that "
    "finds nobody, and its money comes back after 20 minutes. Devices earn once they are up for more than "
    "five hours. docs/localnet.md has what one sees when"
)
"""What devices do when, on a network on which some work."""
PEOPLE = "renter", "supplier", "staker", "operator-1", "admin", "guardian"
"""Whose money and addresses are shown, by the names of their keys' files."""


class Part(NamedTuple):
    """A process that runs beside the node: what it is called, what it does, and its log."""

    name: str
    does: str
    log: Path


class Found(NamedTuple):
    """Where a network is, where it came from and goes to, and who is on it."""

    url: str
    source: Path
    kept_in: Path | None
    keys: Path
    faults: Faults
    public: bool
    parts: tuple[Part, ...] = ()


async def opening(found: Found, node: Node) -> list[RenderableType]:
    """All of it: where it listens, whose keys there are, what gets lost, what to try."""
    chain = node.chain
    websocket = found.url.replace("http", "ws", 1)
    lines = [
        f"[bold]A network of your own[/] at {found.url}, notices at {websocket} and on the next port",
        f"It began as {escape(str(found.source))}; it is {moment(chain.now())} there, and "
        f"{pace(chain.speed)}",
        f"What happens is saved in {escape(str(found.kept_in))}"
        if found.kept_in
        else "What happens is gone when it ends: ionet localnet --keep saves it",
    ]
    if found.faults:
        lines.append(f"Faults are on, drawn from seed {found.faults.seed}: {wrong(found.faults)}")
    if found.public:
        lines.append("Others can reach it: there are no airdrops, no faucet, and nobody moves its clock")
    return ["\n".join(lines), *_parts(found), *await _people(found, node), await _next(found, node)]


def wrong(faults: Faults) -> str:
    """What goes wrong, and how often, in words."""
    said = {
        f"{faults.drop * 100:g} % of the transactions that it takes are lost": faults.drop,
        f"answers and landings come up to {faults.delay:g} seconds late": faults.delay,
        f"{faults.stale * 100:g} % of the answers are those of a node that is behind": faults.stale,
        f"{faults.expire * 100:g} % of the blockhashes are too old": faults.expire,
    }
    return "; ".join(words for words, there in said.items() if there)


def pace(speed: float) -> str:
    """How fast a network's time passes, in words."""
    if not speed:
        return "its clock stands still"
    return "a second passes in a second" if speed == 1 else f"{speed:g} seconds pass in a second"


def _parts(found: Found) -> list[RenderableType]:
    if not found.parts:
        return []
    table = plain("What runs", "", "")
    table.columns[1].justify = "left"
    for each in found.parts:
        table.add_row(each.name, each.does)
    table.caption = f"Logs are in {escape(str(found.parts[0].log.parent))}, a file for each"
    table.caption_justify = "left"
    return [table, WHEN]


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
        whole, part = divmod(has.lamports * 100 // LAMPORTS, 100)
        amounts = has.io // IO, has.staked // IO, (has.usdc or 0) // USDC
        money.add_row(name, f"{whole:,}.{part:02}", *(f"{each:,}" for each in amounts))
        addresses.add_row(f"{name}.json", str(owner))
    if money.row_count:
        return [money, addresses]
    return [
        f"There are no keys in {found.keys}: make one by ionet key new FILE; ionet faucet gives it SOL, and "
        "IO and USDC where --keys names a folder with their owner's key, admin.json"
    ]


async def _next(found: Found, node: Node) -> str:
    """Commands that work as they are."""
    program, keys = sys.argv[0], found.keys
    chain = "" if found.url == DEFAULT else f" --chain {found.url}"
    tried = [f"supply{chain}", f"device list{chain}", f"market price{chain}"]
    if (keys / "renter.json").exists():
        tried.append(f"balance --keypair {keys}/renter.json{chain}")
        device = next((each for each in await _willing(node)), None)
        if device is not None:
            tried.append(f"order create {device} --currency io --hours 2 --keypair {keys}/renter.json{chain}")
    if not found.public:
        if (keys / "staker.json").exists():
            tried.append(f"faucet --keypair {keys}/staker.json{chain}")
        tried.append(f"clock advance 1h{chain}")
    return "To try, in another terminal; Ctrl+C here ends it:\n  " + "\n  ".join(
        f"{program} {each}" for each in tried
    )


async def _willing(node: Node) -> list[str]:
    """What an order names to get one of the devices that are free."""
    classes = await staking.read_classes(node.chain)
    return [
        f"--class {shlex.quote(classes[each.device_class].name)} --processors {each.processors}"
        for each in (await staking.read_devices(node.chain)).values()
        if each.lease == staking.NOBODY and not each.terminated and each.device_class in classes
    ]
