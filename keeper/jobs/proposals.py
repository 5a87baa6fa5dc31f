"""The operators' job that votes to slash: for what a device's own signatures prove, in hours that are final.

It looks at the last days' published verdicts, makes the evidence from the files that the hours were made of,
proves it as anybody would, publishes it, and votes once. A device that has a slash beyond the vote is left
alone: whether more is due is for people to say.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from solders.pubkey import Pubkey

from keeper.chain import Event
from keeper.clients import staking, tokenomics
from keeper.clients.records import data_at
from keeper.clients.staking import PROGRAM, Config, Device, Slash, SlashStatus
from keeper.economy.calendar import DAY, HOUR, month_start
from keeper.jobs.port import Port, do, pick
from keeper.pow.anchored import EVIDENCE_SECONDS
from keeper.pow.clock import Network
from keeper.pow.profiles_by_hour import ByHour
from keeper.rewards.held import HeldFiles
from keeper.rewards.hired import Term
from keeper.rewards.history import History
from keeper.rewards.offences import WITHIN, Facts, Kind, Offence, OffenceError, is_excused, prove
from keeper.rewards.proofs import write_offence
from keeper.rewards.publication import (
    VERDICTS,
    PublicationError,
    published_hours,
    read_manifest,
    read_record,
    read_table,
)
from keeper.rewards.suspicion import Suspicion, chosen, conflict, facts_of, suspicions, wrong_work
from keeper.rewards.work import network_of

SLASH_BPS = 1_000
"""The part of a device's stakes that is voted for, basis points: the same by all operators, or none agree. As
much as is allowed where that is less."""
HOURS_BACK = (WITHIN + DAY) // HOUR
"""Hours that are looked at: two waves seven days apart, and a day for an operator that was away."""

Suspected = dict[Pubkey, list[Suspicion]]


@dataclass
class Docket:
    """Where an operator's files are, and the final hours that this process has looked at."""

    rewards: Path
    files: Path
    profiles: ByHour
    history: History
    seen: dict[int, Suspected] = field(default_factory=dict)
    next_hour: int = 0
    judged: dict[tuple[Pubkey, int], Offence | None] = field(default_factory=dict)
    """What is proven of a device and its registration, until another hour is final (``next_hour``)."""


async def propose_slashes(port: Port, *, docket: Docket) -> list[Event]:
    """Vote for every device that is to be slashed and wasn't voted for."""
    config = await staking.read_config(port.chain)
    economy = await tokenomics.read_config(port.chain)
    if config is None or economy is None or port.payer not in config.params.operators:
        return []
    suspected = await _suspected(port, docket, config)
    if not suspected:
        return []
    slashes = await staking.read_slashes(port.chain)
    addresses = sorted(suspected, key=bytes)
    accounts = await data_at(port.chain, staking.PROGRAM, addresses)
    network = await network_of(port.chain, month_start(economy.start_month))
    events: list[Event] = []
    for address, account in zip(addresses, accounts, strict=True):
        if account is None:
            continue
        device = staking.parse_device(account)
        mine = [
            each for each in slashes if (each.device, each.registered_at) == (address, device.registered_at)
        ]
        # A terminated one is no exception: its stake cools for days, and else ending it were a way out.
        if any(each.status != SlashStatus.VOTING for each in mine):
            continue
        name = address, device.registered_at
        if name not in docket.judged:
            terms = await _terms(docket.history, suspected[address])
            if terms is None:
                port.log.info("slash.not_final_yet", device=str(address))
                continue
            judge = partial(_judged, docket, network, device, terms)
            docket.judged[name] = await asyncio.to_thread(_first, judge, suspected[address], port)
        found = docket.judged[name]
        if found is not None and not _has_voted(config, port.payer, found.evidence, mine):
            events += await _vote(port, docket, config, device, found)
    return events


async def _suspected(port: Port, docket: Docket, config: Config) -> Suspected:
    """The devices with suspicious verdicts in the last final hours."""
    first = max(0, config.next_hour - HOURS_BACK)
    if docket.next_hour != config.next_hour:
        docket.next_hour = config.next_hour
        docket.judged.clear()
    for old in [hour for hour in docket.seen if hour < first]:
        del docket.seen[old]
    fresh = [each for each in published_hours(docket.rewards) if first <= each < config.next_hour]
    fresh = [each for each in fresh if each not in docket.seen]
    kept = [each for each in fresh if each >= config.next_hour - staking.KEPT_ROOTS]
    blocks = await staking.read_hours(port.chain, kept) if kept else {}
    for hour in fresh:
        try:
            manifest = read_manifest(docket.rewards, hour)
            if hour in blocks and blocks[hour].data_hash.hex() != manifest.hash:
                continue  # The job that attests says so.
            verdicts = await asyncio.to_thread(read_table, docket.rewards, manifest, VERDICTS)
            docket.seen[hour] = suspicions(read_record(docket.rewards, manifest), verdicts)
        except PublicationError as error:
            port.log.error("slash.hour_unreadable", hour=hour, reason=str(error))
    found: defaultdict[Pubkey, list[Suspicion]] = defaultdict(list)
    for _, of_hour in sorted(docket.seen.items()):
        for device, each in of_hour.items():
            found[device] += each
    return dict(found)


async def _terms(history: History, found: list[Suspicion]) -> list[Term] | None:
    """All leases so far; None while what happened until after the last wave isn't indexed."""
    if not await history.knows(max(each.time for each in found) + EVIDENCE_SECONDS):
        return None
    return await history.leases()


def _first(
    judge: Callable[[list[Suspicion]], Offence | None], found: list[Suspicion], port: Port
) -> Offence | None:
    try:
        return judge(found)
    except (OffenceError, PublicationError) as error:
        port.log.warning("slash.unproven", reason=str(error))
        return None


def _judged(
    docket: Docket, network: Network, device: Device, terms: list[Term], found: list[Suspicion]
) -> Offence | None:
    """The first offence of a device that is proven; None where there is nothing to prove.

    Raises OffenceError where the files for it aren't held.
    """
    address = staking.device_address(device.worker)

    def excused(time: int) -> bool:
        return is_excused(terms, address, time)

    countable = [each for each in found if each.time >= device.registered_at and not excused(each.time)]
    for acts in chosen(countable):
        facts: dict[int, Facts] = {}
        made = []
        for each in acts:
            record = read_record(docket.rewards, read_manifest(docket.rewards, each.hour))
            facts[each.slot] = facts_of(record, network, each.slot)
            held = HeldFiles(docket.files, each.hour)
            if len(acts) == 1:
                offence = conflict(device.worker, record, facts[each.slot], held)
            else:
                made.append(wrong_work(device.worker, record, facts[each.slot], held, docket.profiles))
        if made:
            offence = Offence(Kind.WRONG_WORK, device.worker, tuple(made))
        prove(offence, facts, docket.profiles, device.registered_at, excused)
        return offence
    return None


def _has_voted(config: Config, operator: Pubkey, evidence: bytes, slashes: list[Slash]) -> bool:
    """Whether an operator's vote for this evidence stands."""
    slot = config.params.operators.index(operator)
    return any(
        each.evidence == evidence and each.votes[slot] and config.stands(slot, each.revision)
        for each in slashes
    )


async def _vote(port: Port, docket: Docket, config: Config, device: Device, found: Offence) -> list[Event]:
    """Publish an offence and vote for it."""
    evidence, key = found.evidence, port.payer
    await asyncio.to_thread(write_offence, docket.rewards, found)

    async def still_due() -> bool:
        now, slashes = await staking.read_config(port.chain), await staking.read_slashes(port.chain)
        mine = [each for each in slashes if (each.device, each.evidence) == (found.device, evidence)]
        over = any(each.status != SlashStatus.VOTING for each in mine)
        return now is not None and not over and not _has_voted(now, key, evidence, mine)

    bps = min(SLASH_BPS, config.params.max_slash_bps)
    name = f"proposal:{key}:{found.device}:{evidence.hex()}:{config.revision}"
    instructions = [staking.vote_slash(key, device, evidence, bps)]
    events = await do(port, PROGRAM, instructions, still_due, key=name)
    for event in events:
        words = pick(event.fields, "bps", "pending")
        device_name, hashed = str(found.device), evidence.hex()
        port.log.warning(
            "slash.voted", device=device_name, evidence=hashed, kind=found.kind.name.lower(), **words
        )
    return events
