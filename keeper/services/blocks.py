"""The jobs of the reward blocks: publishing and attesting an hour, making it final, closing old ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from solders.keypair import Keypair
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, Event
from keeper.clients import staking, tokenomics
from keeper.clients.staking import PROGRAM, Attestation, Block, BlockStatus
from keeper.economy import emission
from keeper.economy.calendar import HOUR, month_start
from keeper.rewards import tables
from keeper.rewards.publication import PublicationError, publish, read_manifest
from keeper.rewards.rows import OBSERVATION, Hour, Rows, class_rows, device_rows
from keeper.services.due import pick, send

Observe = Callable[[int], Awaitable[Rows | None]]
"""What was seen of the devices in an hour (``OBSERVATION`` rows), None while nobody knows yet."""


def observations_in(folder: Path) -> Observe:
    """Read observations from ``<folder>/<hour>.csv``."""

    async def observe(hour: int) -> Rows | None:
        path = folder / f"{hour}.csv"
        return tables.decode(path.read_bytes(), OBSERVATION, str(path)) if path.exists() else None

    return observe


async def attest_hours(
    chain: Chain, operator: Keypair, log: FilteringBoundLogger, *, folder: Path, observe: Observe
) -> list[Event]:
    """Publish every hour that has ended in ``folder``, and attest it on chain.

    Devices are read when the job runs: operators who want to agree run it as the hour ends. An hour
    that was published is not computed again. Where the other operators agreed on something else, or
    the hour before can't be read, this stops and logs an error: what follows would differ, too.
    """
    terms = await staking.read_config(chain)
    economy = await tokenomics.read_config(chain)
    if terms is None or economy is None or not economy.launched:
        log.info("blocks.not_initialised")
        return []
    key = operator.pubkey()
    if key not in terms.params.operators:
        log.error("blocks.not_an_operator", key=str(key))
        return []
    now = (await chain.clock()).unix_timestamp
    ended = emission.hours_ended(economy.start_month, now)
    hours = range(terms.next_hour, min(ended, terms.next_hour + staking.MAX_HOURS_AHEAD))
    blocks = await staking.read_hours(chain, hours)
    events: list[Event] = []
    for number in hours:
        start = month_start(economy.start_month) + number * HOUR
        hour = Hour(number, start, emission.cumulative(economy.start_month, number + 1))
        try:
            said = await _published(chain, log, folder, hour, observe)
        except PublicationError as error:
            log.error("block.unpublished", hour=number, reason=str(error))
            break
        if said is None:
            break
        block = blocks.get(number)
        if block and block.status != BlockStatus.OPEN and block.revision == terms.revision:
            if (block.root, block.data_hash) != (said.root, said.data_hash):
                log.error("block.differs", hour=number, ours=said.root.hex(), theirs=block.root.hex())
                break
            continue
        if block and block.vote(terms, key) == said.hash:
            continue

        async def still_open(number: int = number) -> bool:
            found = (await staking.read_hours(chain, [number])).get(number)
            return found is None or found.status == BlockStatus.OPEN

        instructions = [staking.attest(key, number, said)]
        for event in await send(chain, operator, log, PROGRAM, instructions, still_open):
            log.info("block.attested", **pick(event.fields, "hour", "total", "devices", "agreed", "conflict"))
            events.append(event)
    return events


async def finalise_blocks(chain: Chain, payer: Keypair, log: FilteringBoundLogger) -> list[Event]:
    """Make agreed blocks final whose challenge window is over, in order; close those that pay no more."""
    events: list[Event] = []
    while block := await _agreed(chain):

        async def still_agreed(block: Block = block) -> bool:
            return block == await _agreed(chain)

        done = await send(chain, payer, log, PROGRAM, [staking.finalise(block.hour)], still_agreed)
        for event in done:
            log.info("block.finalised", **pick(event.fields, "hour", "total", "devices"))
        events += done
    for block in await _replaced(chain):

        async def still_there(block: Block = block) -> bool:
            return block in await _replaced(chain)

        closing = [staking.close_block(block.hour, block.payer)]
        events += await send(chain, payer, log, PROGRAM, closing, still_there)
    return events


async def _published(
    chain: Chain, log: FilteringBoundLogger, folder: Path, hour: Hour, observe: Observe
) -> Attestation | None:
    """What to say about an hour, from its files or computed now; None while nothing was observed."""
    if (folder / str(hour.number)).exists():
        return read_manifest(folder, hour.number).attestation
    seen = await observe(hour.number)
    if seen is None:
        log.warning("block.not_observed", hour=hour.number)
        return None
    devices = await staking.device_accounts(chain)
    rows = device_rows(list(devices), list(devices.values()), seen)
    classes = class_rows(await staking.read_classes(chain), hour.start)
    manifest = publish(folder, hour, rows, classes)
    log.info(
        "block.published",
        hour=hour.number,
        **{name: getattr(manifest, name) for name in ("root", "devices", "succeeded", "paid", "carried")},
    )
    return manifest.attestation


async def _agreed(chain: Chain) -> Block | None:
    """The next block, when it can be made final now."""
    config = await staking.read_config(chain)
    if config is None:
        return None
    now = (await chain.clock()).unix_timestamp
    if config.is_paused(staking.PAUSE_REWARDS, now):
        return None
    block = (await staking.read_hours(chain, [config.next_hour])).get(config.next_hour)
    if block is None or block.status != BlockStatus.AGREED or block.revision != config.revision:
        return None
    return block if now >= block.agreed_at + config.params.challenge_window else None


async def _replaced(chain: Chain) -> list[Block]:
    """Blocks whose roots pay no more."""
    config = await staking.read_config(chain)
    if config is None:
        return []
    kept = config.next_hour - staking.KEPT_ROOTS
    return [block for block in await staking.read_blocks(chain) if block.hour < kept]
