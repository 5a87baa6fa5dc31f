"""The jobs of the reward blocks: publishing and attesting an hour, making it final, closing old ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import httpx2 as httpx
from structlog.typing import FilteringBoundLogger

from keeper.chain import ChainReader, Event
from keeper.clients import staking, tokenomics
from keeper.clients.staking import PROGRAM, Attestation, Block, BlockStatus
from keeper.economy import emission
from keeper.economy.calendar import HOUR, month_start
from keeper.jobs.port import Port, do, do_all, pick
from keeper.rewards import tables
from keeper.rewards.fetch import PeerError, fetch_from_any
from keeper.rewards.history import History
from keeper.rewards.publication import PublicationError, publish, published_hours, read_manifest
from keeper.rewards.rows import OBSERVATION, Hour, Rows, class_rows, field_rows
from keeper.sender import Action

MISSING = (
    "its block is final, but neither its files nor its observations are here: name operators that "
    "serve theirs in IONET_PEERS, or run ionet rewards fetch --from URL"
)

Observe = Callable[[int], Awaitable[Rows | None]]
"""What was seen of the devices in an hour (``OBSERVATION`` rows), None while nobody knows yet."""


def observations_in(folder: Path) -> Observe:
    """Read observations from ``<folder>/<hour>.csv``."""

    async def observe(hour: int) -> Rows | None:
        path = folder / f"{hour}.csv"
        return tables.read(path, OBSERVATION) if path.exists() else None

    return observe


async def attest_hours(
    port: Port,
    *,
    folder: Path,
    observe: Observe,
    history: History,
    peers: Sequence[str] = (),
) -> list[Event]:
    """Publish every hour that has ended in ``folder``, and attest it on chain.

    An hour's devices and leases are made from the events up to its end, once these are final: operators
    agree whenever they look. Accounts were compared since that end, so that no event is missing. An hour that
    was published is not computed again. The last final hour's files, which the next hour goes on from, come
    from one of ``peers`` where they are missing; otherwise the missing hours are made up for. Where the other
    operators agreed on something else, or the hour before can't be read, this stops and logs an error: what
    follows would differ, too.
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
    ended = emission.hours_ended(economy.start_month, now)
    if ended <= terms.next_hour:
        return []
    first = await _first_hour(port.chain, port.log, folder, terms.next_hour, peers)
    hours = range(first, min(ended, terms.next_hour + staking.MAX_HOURS_AHEAD))
    # Final blocks keep their accounts for this long.
    blocks = await staking.read_hours(
        port.chain, [h for h in hours if h >= terms.next_hour - staking.KEPT_ROOTS]
    )
    events: list[Event] = []
    for number in hours:
        start = month_start(economy.start_month) + number * HOUR
        hour = Hour(number, start, emission.cumulative(economy.start_month, number + 1))
        try:
            attestation = await _published(port.log, folder, hour, observe, history)
        except PublicationError as error:
            port.log.error("block.unpublished", hour=number, reason=str(error))
            break
        if attestation is None:
            if number < terms.next_hour:
                port.log.error("block.unpublished", hour=number, reason=MISSING)
            break
        block = blocks.get(number)
        if block and block.is_decided(terms):
            if (block.root, block.data_hash) != (attestation.root, attestation.data_hash):
                ours, theirs = attestation.root.hex(), block.root.hex()
                port.log.error("block.differs", hour=number, ours=ours, theirs=theirs)
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


async def _published(
    log: FilteringBoundLogger, folder: Path, hour: Hour, observe: Observe, history: History
) -> Attestation | None:
    """What to attest for an hour, from its files or computed now; None while that can't be known."""
    if (folder / str(hour.number)).exists():
        return read_manifest(folder, hour.number).attestation
    if hour.number:
        # Raises before anything is read for nothing.
        read_manifest(folder, hour.number - 1)
    seen = await observe(hour.number)
    if seen is None:
        log.warning("block.not_observed", hour=hour.number)
        return None
    if not await history.knows(hour.start + HOUR):
        log.info("block.not_final_yet", hour=hour.number)
        return None
    if not await history.is_whole(log):
        log.error("block.accounts_differ", hour=hour.number)
        return None
    found = await history.hour(hour.start)
    rows = field_rows(found.devices, seen, found.hired)
    manifest = publish(folder, hour, rows, class_rows(found.classes, hour.start))
    log.info(
        "block.published",
        hour=hour.number,
        **{name: getattr(manifest, name) for name in ("root", "devices", "succeeded", "paid", "carried")},
    )
    return manifest.attestation


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
