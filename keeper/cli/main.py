"""``ionet``: what users, operators and auditors type."""

from __future__ import annotations

import sys
from itertools import chain, takewhile
from typing import Any

import typer
from typer.core import TyperGroup

from keeper.cli.lazy import LazyCommand
from keeper.errors import UserError

PANELS = {
    "Looking": (
        LazyCommand(
            "network",
            "keeper.cli.network:network",
            "All four programs: who governs them, their parameters, what is stopped, what waits until when.",
        ),
        LazyCommand(
            "supply",
            "keeper.cli.network:supply",
            "Where all IO is, whether it adds up, and whether vaults have what they owe.",
        ),
        LazyCommand(
            "audit",
            "keeper.cli.audit:app",
            "Recompute everything that a network claims, and name a lie.",
            extra="keeper",
        ),
        LazyCommand(
            "balance",
            "keeper.cli.money:balance",
            "What a wallet has: SOL, IO, USDC, what is staked and cools.",
        ),
        LazyCommand(
            "history",
            "keeper.cli.history:history",
            "Everything that happened around an address, newest first, with amounts and transactions.",
            extra="keeper",
        ),
        LazyCommand("class", "keeper.cli.class_:app", "Classes of processors."),
        LazyCommand("market", "keeper.cli.market:app", "The market: prices, quotes, who gets what, and why."),
        LazyCommand("slash", "keeper.cli.slash:app", "Slashes: what they are for, and whether it is so."),
        LazyCommand("pow", "keeper.cli.pow:app", "Proof of work: what it shows of devices.", extra="keeper"),
        LazyCommand(
            "emission", "keeper.cli.emission:emission", "The emission's calendar, from its formula alone."
        ),
        LazyCommand(
            "schema", "keeper.cli.schema:schema", "The JSON Schema of what a command answers with --json."
        ),
    ),
    "Renting and supplying": (
        LazyCommand("order", "keeper.cli.orders:app", "Rent compute: orders, their leases and their money."),
        LazyCommand("cluster", "keeper.cli.cluster:app", "Clusters: what has become of an order's devices."),
        LazyCommand("device", "keeper.cli.devices:app", "Lease devices out: register, price, take orders."),
        LazyCommand(
            "rewards", "keeper.cli.rewards:app", "Reward blocks: what was published, and whether it is right."
        ),
    ),
    "Staking": (
        LazyCommand("stake", "keeper.cli.stake:app", "Stakes: put IO on a device, take it out again."),
        LazyCommand("co-stake", "keeper.cli.co_stake:app", "Co-stakes: stake on somebody else's device."),
    ),
    "A wallet's own": (
        LazyCommand("key", "keeper.cli.key:app", "Keys in files."),
        LazyCommand("send", "keeper.cli.money:send", "Send IO or USDC to another wallet."),
        LazyCommand("burn", "keeper.cli.money:burn", "Burn IO of yours: it is gone, and the supply with it."),
        LazyCommand("season", "keeper.cli.season:app", "Airdrop seasons: what there is, and claims."),
        LazyCommand("vesting", "keeper.cli.vesting:app", "Vesting: what is free of the genesis supply."),
    ),
    "Proving a device's work": (
        LazyCommand(
            "worker",
            "keeper.cli.worker:app",
            "Prove a device's work, from the device itself.",
            extra="worker",
        ),
    ),
    "Running a keeper": (
        LazyCommand(
            "keeper", "keeper.cli.keeper:app", "The bot that does what is due on chain.", extra="keeper"
        ),
        LazyCommand(
            "operator",
            "keeper.cli.operator:app",
            "An operator's challenge service; its votes, matches and postings by hand.",
            extra="keeper",
        ),
        LazyCommand("buyback", "keeper.cli.buyback:app", "Fees, their auctions, the burning of IO."),
        LazyCommand(
            "index",
            "keeper.cli.database:index",
            "Index every program's events up to now, and check that the chain's accounts follow from them.",
            extra="keeper",
        ),
        LazyCommand("db", "keeper.cli.database:app", "The keeper's database.", extra="keeper"),
        LazyCommand(
            "api", "keeper.cli.api:app", "The network's figures over HTTP, read only.", extra="keeper"
        ),
    ),
    "A network of one's own": (
        LazyCommand(
            "demo",
            "keeper.cli.demo:demo",
            "Run the whole economy on an embedded chain: genesis, airdrops, 20 years of emission.",
            extra="demo",
        ),
        LazyCommand(
            "localnet",
            "keeper.cli.localnet:localnet",
            "Run a network of one's own until Ctrl+C: a node for any client, and keys of people with money.",
            extra="demo",
        ),
        LazyCommand(
            "faucet",
            "keeper.cli.faucet:faucet",
            "Get SOL, IO and USDC of a test network: a running ionet localnet, or a saved chain.",
        ),
        LazyCommand("clock", "keeper.cli.clock:app", "The time of a running ionet localnet."),
        LazyCommand("chain", "keeper.cli.chain:app", "Chains in files."),
        LazyCommand(
            "deploy",
            "keeper.cli.founding:put_on_chain",
            "Put the programs on a chain, or upgrade those whose bytes differ.",
        ),
        LazyCommand(
            "genesis",
            "keeper.cli.founding:genesis",
            "Create the mint, write the tables of genesis and classes, launch, set up buyback and orders.",
        ),
    ),
    "Governing it": (
        LazyCommand("guardian", "keeper.cli.guardian:app", "The guardian's: stop, hold back, veto."),
        LazyCommand(
            "admin", "keeper.cli.admin:app", "The admin's: propose changes; they hold after a notice."
        ),
    ),
}
"""All commands, by what one is about."""
COMMANDS = tuple(chain.from_iterable(PANELS.values()))


class _Commands(TyperGroup):
    """The commands above."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for panel, commands in PANELS.items():
            for command in commands:
                command.rich_help_panel = panel
                self.add_command(command)


app = typer.Typer(cls=_Commands, no_args_is_help=True, add_completion=False)


@app.callback()
def ionet() -> None:
    """An open, auditable economy for a compute network."""


def main() -> None:
    """Run the command line; whatever a user can cause ends in one line that says what to do.

    With ``--json`` that line is JSON.

    Anything else is a defect, and shows its trace.
    """
    as_json = "--json" in sys.argv
    try:
        # What was typed wrongly is told in a frame, unless programs read it.
        sys.exit(app(standalone_mode=not as_json) or 0)
    except UserError as error:
        from keeper.cli import failures  # noqa: PLC0415 - the errors' modules, which no success needs

        failures.show(error, as_json=as_json)
        sys.exit(1)
    except typer.TyperException as error:  # something that was typed is wrong
        from keeper.cli import failures  # noqa: PLC0415 - as above

        said = getattr(error, "format_message", error.__str__)() or "it was interrupted"
        failures.write(said, f"see {' '.join(['ionet', *_command(sys.argv[1:])])} --help")
        sys.exit(getattr(error, "exit_code", 1))


def _command(arguments: list[str]) -> list[str]:
    """What is a command's name in what was typed."""
    found = list(takewhile(lambda each: not each.startswith("-"), arguments))
    group = next((each for each in COMMANDS if found and each.name == found[0]), None)
    return found[: 2 if group and ":app" in group.path else 1] if group else []
