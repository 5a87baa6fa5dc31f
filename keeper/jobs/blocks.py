"""The jobs of the reward blocks: publishing and attesting an hour, making it final, closing old ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import httpx2 as httpx
from structlog.typing import FilteringBoundLogger

from keeper.chain import ChainReader, Event
from keeper.chain.http import PeerError
from keeper.clients import staking, tokenomics
from keeper.clients.staking import PROGRAM, Attestation, Block, BlockStatus
from keeper.economy import emission
from keeper.economy.calendar import HOUR, month_start
from keeper.jobs.adoption import adopt
from keeper.jobs.port import Port, do, do_all, pick
from keeper.pow.anchored import EVIDENCE_SECONDS
from keeper.pow.clock import Network
from keeper.pow.profiles_by_hour import ProfilesUnknown
from keeper.rewards.fetch import fetch_from_any
from keeper.rewards.history import History
from keeper.rewards.observed import observations
from keeper.rewards.publication import (
    MANIFEST,
    PublicationError,
    published_hours,
    read_manifest,
    read_observed,
)
from keeper.rewards.publishing import publish
from keeper.rewards.rows import Hour, class_rows, field_rows
from keeper.rewards.work import Work, network_of
from keeper.sender import Action

MISSING = (
    "its block is final, but its files aren't here and can't be made any more: name operators that "
    "serve theirs in IONET_PEERS, or run ionet rewards fetch --from URL"
)
ATTEST_SECONDS = 4_500
"""From an hour's start to its attestation: evidence is posted until 3,900, and then fetched and verified."""
AGAIN_SECONDS = 300
"""So often an hour that isn't agreed on is put together anew: operators may have handed on more meanwhile."""


async def attest_hours(
    port: Port,
    *,
    folder: Path,
    work: Work,
    history: History,
    peers: Sequence[str] = (),
) -> list[Event]:
    """Publish every hour that ended ``ATTEST_SECONDS`` after its start in ``folder``, and attest it on chain.

    An hour's devices and leases are made from the events up to its end, once these are final, and what became
    of ``work`` from the files that operators anchored: operators agree whenever they look. Accounts were
    compared since that end, so that no event is missing. An hour that was published is put together again
    every ``AGAIN_SECONDS`` while operators don't agree on it, as one may hold a file that others hadn't got:
    what comes of more files replaces its vote. The last final hour's files, which the next hour goes on
    from, come from one of ``peers`` where they are missing; otherwise the missing hours are made up for.
    Where the other operators agreed on something else, that is taken over if it is right by the files that it
    names (:mod:`keeper.jobs.adoption`). Where it isn't, or the hour before can't be read, this stops and logs
    an error: what follows would differ, too.
    """
    terms = await staking.read_config(port.chain)
    economy = await tokenomics.read_config(port.chain)
    if terms is None or economy is None or not economy.launched:
        port.log.info("blocks.not_initialised")
        return []
    key = port.payer
    if key not in terms.params.operators:
        port.log.error("blocks.not_an_operator", key=str(key))
        return []
    now = (await port.chain.clock()).unix_timestamp
    ended = emission.hours_ended(economy.start_month, now - (ATTEST_SECONDS - HOUR))
    if ended <= terms.next_hour:
        return []
    first = await _first_hour(port.chain, port.log, folder, terms.next_hour, peers)
    hours = range(first, min(ended, terms.next_hour + staking.MAX_HOURS_AHEAD))
    # Final blocks keep their accounts for this long.
    blocks = await staking.read_hours(
        port.chain, [h for h in hours if h >= terms.next_hour - staking.KEPT_ROOTS]
    )
    network = await network_of(port.chain, month_start(economy.start_month))
    events: list[Event] = []
    for number in hours:
        start = month_start(economy.start_month) + number * HOUR
        hour = Hour(number, start, emission.cumulative(economy.start_month, number + 1))
        block = blocks.get(number)
        is_open = number >= terms.next_hour and not (block and block.is_decided(terms))
        try:
            if _is_to_be_made(folder, number, work, is_open, now):
                if not await _publish(port, folder, hour, work, network, history):
                    if number < terms.next_hour:
                        port.log.error("block.unpublished", hour=number, reason=MISSING)
                    break
                work.made[number] = now
            attestation = read_manifest(folder, number).attestation
        except PublicationError as error:
            port.log.error("block.unpublished", hour=number, reason=str(error))
            break
        if block and block.is_decided(terms):
            take_over = partial(
                adopt,
                port,
                folder=folder,
                hour=hour,
                block=block,
                peers=peers,
                work=work,
                network=network,
                history=history,
            )
            is_due = now >= work.tried.get(number, now - AGAIN_SECONDS) + AGAIN_SECONDS
            work.tried[number] = now if is_due else work.tried[number]
            if not await _agrees(port, hour, block, attestation, take_over, is_due):
                break
            continue
        if number < terms.next_hour or (block and block.vote(terms, key) == attestation.hash):
            continue

        async def still_open(number: int = number) -> bool:
            found = (await staking.read_hours(port.chain, [number])).get(number)
            return found is None or not found.is_decided(terms)

        instructions = [staking.attest(key, number, attestation)]
        # A veto, another key in the slot or another vote void what was attested: then it is a new action.
        before = block.vote(terms, key) if block else None
        since = f"{terms.revision}:{block.vetoes if block else 0}:{before.hex() if before else '-'}"
        name = f"attest:{key}:{number}:{since}:{attestation.hash.hex()}"
        events += _told(port, await do(port, PROGRAM, instructions, still_open, key=name))
    return events


async def finalise_blocks(port: Port) -> list[Event]:
    """Finalise agreed blocks whose challenge window is over, in order; close those that no longer pay.

    One whose operators were replaced, so that too few are left of those who agreed, is open again by the same
    call: they attest it anew.
    """
    events: list[Event] = []
    while block := await _agreed(port.chain):

        async def still_agreed(block: Block = block) -> bool:
            return block == await _agreed(port.chain)

        final = [staking.finalise(block.hour)]
        name = f"block:{block.hour}:finalise:{block.agreed_at}"
        done = await do(port, PROGRAM, final, still_agreed, key=name)
        if not done:
            # It waits after a refusal, or another keeper was faster: the next run will see.
            break
        events += _told(port, done)
    actions = []
    for block in await _replaced(port.chain):

        async def still_there(block: Block = block) -> bool:
            return block in await _replaced(port.chain)

        closing = (staking.close_block(block.hour, block.payer),)
        actions.append(Action(f"block:{block.hour}:close", closing, still_there))
    return events + await do_all(port, PROGRAM, actions)


async def _first_hour(
    chain: ChainReader, log: FilteringBoundLogger, folder: Path, next_hour: int, peers: Sequence[str]
) -> int:
    """The hour to begin with: the last final one, from a peer if need be, or the last one that is here."""
    last = next_hour - 1
    if last < 0 or (folder / str(last)).exists():
        return max(0, last)
    block = (await staking.read_hours(chain, [last])).get(last)

    def refused(peer: str, error: PeerError) -> None:
        log.warning("block.peer_refused", hour=last, peer=httpx.URL(peer).host, reason=str(error))

    if block and (found := await fetch_from_any(peers, folder, last, block, refused)):
        log.info("block.fetched", hour=last, peer=httpx.URL(found[0]).host)
        return last
    return max((hour for hour in published_hours(folder) if hour < last), default=0)


def _told(port: Port, events: list[Event]) -> list[Event]:
    """The same events, after each was logged."""
    for event in events:
        fields = event.fields
        if event.name == "Attested":
            shown = pick(fields, "hour", "total", "devices", "agreed", "conflict")
            port.log.info("block.attested", **shown)
        elif event.name == "BlockReopened":
            port.log.warning("block.reopened", **pick(fields, "hour", "revision"))
        else:
            port.log.info("block.finalised", **pick(fields, "hour", "total", "devices"))
    return events


def _is_to_be_made(folder: Path, number: int, work: Work, is_open: bool, now: int) -> bool:
    """Whether an hour is to be put together: it isn't here, or isn't agreed on and may come to be another."""
    if not (folder / str(number) / MANIFEST).exists():
        return True
    if not is_open:
        return False
    before = read_manifest(folder, number - 1).hash if number else None
    known = work.made.get(number, now - AGAIN_SECONDS)
    return read_manifest(folder, number).previous != before or now >= known + AGAIN_SECONDS


async def _publish(
    port: Port, folder: Path, hour: Hour, work: Work, network: Network, history: History
) -> bool:
    """Put an hour together and write its files; returns whether that could be done now."""
    log = port.log
    # Raises before anything is read for nothing.
    before = read_observed(folder, hour.number)
    if not await history.knows(hour.start + EVIDENCE_SECONDS):
        log.info("block.not_final_yet", hour=hour.number)
        return False
    if not await history.is_whole(log):
        log.error("block.accounts_differ", hour=hour.number)
        return False
    found = await history.hour(hour.start)
    seen = await work.of(port.chain, network, hour.number, found, before)
    if seen is None:
        log.info("block.not_final_yet", hour=hour.number)
        return False
    rows = field_rows(found.devices, observations(seen.observed), found.hired)
    here = (folder / str(hour.number) / MANIFEST).exists()
    published = read_manifest(folder, hour.number) if here else None
    manifest = publish(folder, hour, seen, rows, class_rows(found.classes, hour.start))
    if manifest != published:
        figures = "root", "devices", "succeeded", "paid", "carried"
        log.info("block.published", hour=hour.number, **{name: getattr(manifest, name) for name in figures})
    return True


async def _agrees(
    port: Port,
    hour: Hour,
    block: Block,
    attestation: Attestation,
    take_over: Callable[[], Awaitable[str | None]],
    is_due: bool,
) -> bool:
    """Whether an hour here is the one that operators agreed on, or has come to be by ``take_over``."""
    if (block.root, block.data_hash) == (attestation.root, attestation.data_hash):
        return True
    if not is_due:
        return False
    try:
        reason = await take_over()
    except (PublicationError, ProfilesUnknown) as error:
        reason = str(error)
    if reason is None:
        return True
    ours, theirs = attestation.root.hex(), block.root.hex()
    port.log.error("block.differs", hour=hour.number, ours=ours, theirs=theirs, reason=reason)
    return False


async def _agreed(chain: ChainReader) -> Block | None:
    """The next block, when it can be made final now, or must be opened again."""
    config = await staking.read_config(chain)
    now = (await chain.clock()).unix_timestamp
    if config is None or config.is_paused(staking.PAUSE_REWARDS, now):
        return None
    block = (await staking.read_hours(chain, [config.next_hour])).get(config.next_hour)
    if block is None or block.status != BlockStatus.AGREED:
        return None
    if not block.stands(config):
        return block
    if now < block.agreed_at + config.params.challenge_window:
        return None
    economy = await tokenomics.read_config(chain)
    if economy and economy.emitted < block.total and economy.is_paused(tokenomics.PAUSE_EMISSION, now):
        return None
    return block


async def _replaced(chain: ChainReader) -> list[Block]:
    """Blocks whose roots no longer pay."""
    config = await staking.read_config(chain)
    if config is None:
        return []
    kept = config.next_hour - staking.KEPT_ROOTS
    return [block for block in await staking.read_blocks(chain) if block.hour < kept]
