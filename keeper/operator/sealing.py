"""A wave's way from open to collected, a step at a time; each may be repeated after a kill."""

from __future__ import annotations

import asyncio

from keeper.chain import ChainError, Commitment
from keeper.operator.desk import Desk
from keeper.operator.posting import Key, post
from keeper.operator.store import wave_name
from keeper.operator.waves import OPENING_SECONDS, POST_BEFORE, SEAL_AFTER, Held, State
from keeper.pow import files
from keeper.pow.anchored import Posting, PostKind
from keeper.pow.clock import WaveKind
from keeper.pow.replay import first_at


async def advance(desk: Desk, held: Held) -> None:
    """Take the steps that are due; what fails by the chain is tried again.

    Raises StoreUnusable, BookUnusable.
    """
    try:
        while (state := held.state) in STEPS:
            await STEPS[state](desk, held)
            if held.state is state:
                return
            desk.book.put_wave(held.entry())
            desk.book.save()
    except ChainError as error:
        desk.log.warning("pow.wave_waits", slot=held.wave.slot, state=held.state, reason=str(error))


async def _seal(desk: Desk, held: Held) -> None:
    if desk.newest < held.wave.slot + SEAL_AFTER:
        return
    hour = held.wave.hour
    # However many devices come in the hour itself, the file isn't longer than others read.
    taken = [mine for device, mine in held.taken.items() if not desk.is_late(device, hour)]
    rows = files.wave_rows((each.signed, each.ms) for mine in taken for each in mine)
    held.state = State.SEALED
    desk.store.write(hour, wave_name(held.wave.slot, desk.operator), files.write_wave(rows))
    held.learn(each.signed for mine in taken for each in mine)
    held.taken.clear()
    desk.metrics.waves.labels("sealed").inc()
    desk.log.info("pow.wave_sealed", slot=held.wave.slot, hour=hour, commits=len(rows))


async def _anchor(desk: Desk, held: Held) -> None:
    wave = held.wave
    key = Key(desk.operator, wave.hour, PostKind.WAVE, wave.slot)
    name = wave_name(wave.slot, desk.operator)
    digest = desk.store.digest(wave.hour, name)
    if digest is not None and desk.newest < wave.slot + POST_BEFORE:
        posted: Posting | None = await post(desk.port, desk.postings, key, digest)
    else:
        await desk.postings.refresh(desk.operator)
        posted = desk.postings.first.get(key)
    held.state = State.CLOSED
    held.anchored = posted is not None and posted.hash == digest and posted.now_slot < wave.slot + POST_BEFORE
    desk.metrics.posts.labels("wave", "in_time" if held.anchored else "late").inc()
    if held.anchored:
        desk.log.info("pow.wave_anchored", slot=wave.slot, hour=wave.hour)
    else:
        desk.log.error("pow.wave_unanchored", slot=wave.slot, hour=wave.hour)


async def _draw(desk: Desk, held: Held) -> None:
    if held.wave.seed not in desk.finals:
        return
    opening = await desk.chain.head(held.wave.open_from, Commitment.FINALIZED)
    if opening is None:
        return
    await prepare(desk, held)
    held.opening, held.state, held.drawn_at = opening, State.DRAWN, desk.monotonic()
    desk.news.opening(held.wave, opening)
    desk.log.info("pow.wave_drawn", slot=held.wave.slot, hour=held.wave.hour, open_slot=opening.slot)


async def prepare(desk: Desk, held: Held) -> None:
    """What openings are judged by that the book doesn't have."""
    fleet = await desk.fleet(held.wave.hour)
    held.shares = fleet.shares
    if held.wave.kind is WaveKind.RESIDENCY and held.epoch_seed is None:
        day = await first_at(desk.chain, held.wave.epoch_start, Commitment.FINALIZED)
        held.epoch_seed = desk.network.epoch_seed(day.slot, day.blockhash) if day else None
    for name in desk.store.names(held.wave.hour):
        await asyncio.to_thread(desk.learn, held, name, fleet.devices)
    held.prepared = True


async def _collect(desk: Desk, held: Held) -> None:
    if not held.prepared:
        await prepare(desk, held)
    if desk.monotonic() - held.drawn_at > OPENING_SECONDS:
        held.state = State.COLLECTED


STEPS = {State.OPEN: _seal, State.SEALED: _anchor, State.CLOSED: _draw, State.DRAWN: _collect}
