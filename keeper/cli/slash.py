"""``ionet slash``: what operators voted to slash for, and whether it is so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.chain.connect import connect
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption, settings
from keeper.clients import staking
from keeper.clients.staking import Slash, SlashStatus
from keeper.errors import UserError
from keeper.pow.profiles_by_hour import ByHour, read_profiles_by_hour
from keeper.rewards.facts import read_facts, read_network
from keeper.rewards.hired import read_events, replay
from keeper.rewards.offences import Kind, Offence, OffenceError, is_excused, prove
from keeper.rewards.proofs import fetch_offence, read_offence
from keeper.settings import Settings
from keeper.terminal.answers import earning
from keeper.terminal.tables import console, plain, show

app = typer.Typer(help="Slashes: what they are for, and whether it is so.", no_args_is_help=True)

SAYS = {
    Kind.CONFLICT: "The device's worker key signed two different roots for one wave: an honest worker signs "
    "one.",
    Kind.WRONG_WORK: "In two waves within seven days the device committed itself to products that are wrong, "
    "as computing the opened segments again shows.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A slash and what its evidence proves; ``problem`` is empty where it does."""

    slash: Slash
    offence: Offence | None
    problem: str


@app.callback()
def slash() -> None:
    """Slashes: what they are for, and whether it is so."""


@app.command("show")
@answers(earning.Slashes)
def show_slash(
    which: Annotated[str, typer.Argument(metavar="DEVICE|EVIDENCE", help="a device, or evidence's SHA-256")],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="folder, or URL of a rewards service, with the evidence",
            show_default="IONET_REWARDS",
        ),
    ] = None,
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the evidence of a device's slashes by the chain alone; exit code 1 where it proves nothing."""
    chosen = settings(chain)
    found = asyncio.run(_verified(chosen, which, source or str(chosen.rewards)))
    if as_json:
        write({"slashes": [_json(each) for each in found]})
    else:
        for each in found:
            _print(each)
    if any(each.problem for each in found):
        raise typer.Exit(1)


async def _verified(chosen: Settings, which: str, source: str) -> list[Finding]:
    profiles = read_profiles_by_hour(chosen.profiles)
    async with connect(chosen.chain) as chain:
        mine = [each for each in await staking.read_slashes(chain) if _is(each, which)]
        if not mine:
            raise UserError(f"there is no slash of {which}: name a device's address or evidence's SHA-256")
        return [await _finding(chain, each, source, profiles) for each in mine]


def _is(slash: Slash, which: str) -> bool:
    return which in (str(slash.device), slash.evidence.hex())


async def _finding(chain: ChainReader, slash: Slash, source: str, profiles: ByHour) -> Finding:
    offence = None
    try:
        if urlsplit(source).scheme in ("http", "https"):
            offence = await fetch_offence(source, slash.evidence)
        else:
            offence = read_offence(Path(source), slash.evidence)
        if offence.device != slash.device:
            raise OffenceError(f"the evidence is about device {offence.device}, not this one")
        network = await read_network(chain)
        if network is None:
            raise OffenceError("there is no network on this chain: --chain names another")
        facts = await read_facts(chain, network, [act.slot for act in offence.acts])
        terms = replay(await read_events(chain))

        def excused(time: int) -> bool:
            return is_excused(terms, slash.device, time)

        prove(offence, facts, profiles, slash.registered_at, excused)
    except OffenceError as error:
        return Finding(slash, offence, str(error))
    return Finding(slash, offence, "")


def _json(found: Finding) -> earning.Slash:
    slash, offence = found.slash, found.offence
    acts = offence.acts if offence else ()
    return {
        "device": str(slash.device),
        "evidence": slash.evidence.hex(),
        "status": SlashStatus(slash.status).name.lower(),
        "bps": slash.bps,
        "votes": list(slash.votes),
        "appeal_until": slash.appeal_until,
        "proven": not found.problem,
        "problem": found.problem,
        "kind": offence.kind.name.lower() if offence else None,
        "acts": [{"slot": act.slot, "root": act.commit.message.root.hex()} for act in acts],
    }


def _print(found: Finding) -> None:
    slash, offence = found.slash, found.offence
    table = plain(f"Slash of device {slash.device}", "", "")
    table.add_row("evidence, SHA-256", slash.evidence.hex())
    table.add_row("status", SlashStatus(slash.status).name.lower())
    table.add_row("part of the stakes", f"{(slash.bps or max(slash.votes)) / 100:g} %")
    table.add_row("votes", str(sum(vote > 0 for vote in slash.votes)))
    if slash.appeal_until:
        until = datetime.fromtimestamp(slash.appeal_until, UTC)
        table.add_row("appeal until", f"{until:%Y-%m-%d %H:%M:%S} UTC")
    for act in offence.acts if offence else ():
        table.add_row(f"root signed for the wave of slot {act.slot}", str(Pubkey(act.commit.message.root)))
    show(table)
    if found.problem:
        console.print(f"Not proven: {found.problem}.")
    elif offence is not None:
        console.print(f"Proven. {SAYS[offence.kind]}")
        console.print(
            "The signatures, the waves' blocks, leases and the registration were checked on this chain. When "
            "the commits were signed follows from the hour's files alone: ionet pow verify."
        )
