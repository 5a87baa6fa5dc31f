"""The jobs that keep tokenomics up to date: emission, vesting, seasons.

Each reads the chain, sends what is due, and does nothing when nothing is. The chain's clock decides,
not this machine's, and the program refuses whatever isn't due, so that a job may run late, twice or
beside another keeper's. A job never raises for a refusal that only says that somebody was faster.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, Event, TransactionFailed
from keeper.chain.token import create_associated
from keeper.clients import tokenomics
from keeper.economy import emission

Job = Callable[[Chain, Keypair, FilteringBoundLogger], Awaitable[list[Event]]]
"""One step of the keeper: returns the events of what it did, none when nothing was due."""


async def emit_finished_hours(chain: Chain, payer: Keypair, log: FilteringBoundLogger) -> list[Event]:
    """Mint every hour of the emission that has ended, all missed ones at once.

    What the program minted is compared with the formula; a difference is logged as an error.
    """
    config = await tokenomics.read_config(chain)
    if config is None or not config.launched:
        log.info("emission.not_launched")
        return []
    now = (await chain.clock()).unix_timestamp
    hours = emission.hours_ended(config.start_month, now)
    if hours <= config.emitted_hours:
        log.debug("emission.nothing_due", hours=hours)
        return []
    if config.is_paused(tokenomics.PAUSE_EMISSION, now):
        log.warning("emission.paused", until=config.pause_until, waiting_hours=hours - config.emitted_hours)
        return []
    events = await _send(chain, payer, log, [tokenomics.emit()], settled=("NothingDue", "Paused"))
    for event in events:
        fields = event.fields
        expected = emission.cumulative(config.start_month, fields["to_hour"])
        log.info("emission.emitted", **_of(fields, "from_hour", "to_hour", "amount", "emitted"))
        if fields["emitted"] != expected:
            log.error("emission.mismatch", emitted=fields["emitted"], expected=expected)
    return events


async def release_vested(chain: Chain, payer: Keypair, log: FilteringBoundLogger) -> list[Event]:
    """Pay every beneficiary what vesting has freed."""
    config = await tokenomics.read_config(chain)
    if config is None or not config.launched:
        return []
    now = (await chain.clock()).unix_timestamp
    events = []
    for row in await tokenomics.read_allocations(chain):
        if row.schedule.vested(config.start_month, now) <= row.released:
            continue
        instructions = [
            create_associated(payer.pubkey(), row.beneficiary, tokenomics.MINT),
            tokenomics.release(row.id, row.beneficiary),
        ]
        # The beneficiary may hand the allocation over in between: the next run pays the new one.
        settled = ("NothingDue", "NotAssociatedAccount")
        for event in await _send(chain, payer, log, instructions, settled=settled):
            log.info("vesting.released", **_of(event.fields, "allocation", "amount", "released"))
            events.append(event)
    return events


async def close_ended_seasons(chain: Chain, payer: Keypair, log: FilteringBoundLogger) -> list[Event]:
    """Close seasons whose claim period is over, and the pages of all that ended."""
    now = (await chain.clock()).unix_timestamp
    events = []
    ended = set()
    for season in await tokenomics.read_seasons(chain):
        if season.is_open and now >= season.claim_end:
            instructions = [
                create_associated(payer.pubkey(), season.funder, tokenomics.MINT),
                tokenomics.close_season(season.season, season.funder),
            ]
            events += await _send(chain, payer, log, instructions, settled=("SeasonNotOpen",))
            log.info("season.closed", season=season.season, returned=season.total - season.claimed)
        if not season.is_open or now >= season.claim_end:
            ended.add(season.season)
    for page in await tokenomics.read_claim_pages(chain):
        if page.season in ended:
            instruction = tokenomics.close_claim_page(page.season, page.page, page.payer)
            events += await _send(chain, payer, log, [instruction], settled=("AccountNotInitialized",))
    return events


ALL: dict[str, Job] = {
    "emission": emit_finished_hours,
    "vesting": release_vested,
    "seasons": close_ended_seasons,
}
"""Every job by name, in the order they run in."""


async def _send(
    chain: Chain,
    payer: Keypair,
    log: FilteringBoundLogger,
    instructions: Sequence[Instruction],
    settled: Sequence[str],
) -> list[Event]:
    """Send, and give the program's events; an error named in ``settled`` means others were faster."""
    try:
        record = await chain.send(instructions, [payer])
    except TransactionFailed as failure:
        name = tokenomics.PROGRAM.error(failure.code).name if failure.code is not None else ""
        if name not in settled:
            raise
        log.info("keeper.others_were_faster", refusal=name)
        return []
    return tokenomics.PROGRAM.events(record)


def _of(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: fields[name] for name in names}
