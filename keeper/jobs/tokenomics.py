"""The jobs that keep tokenomics up to date: emission, vesting, seasons, burns.

Each reads the chain, sends what is due, and does nothing when nothing is. The chain's clock decides,
not this machine's, and the program refuses whatever isn't due, so that a job may run late, twice or
beside another keeper's. After a refusal it looks again: when nothing is due any more, somebody else
was faster, and that is no failure.
"""

from __future__ import annotations

from keeper.chain import ChainReader, Event
from keeper.chain.token import create_associated
from keeper.clients import tokenomics
from keeper.clients.tokenomics import Allocation, ClaimPage, Season
from keeper.economy import emission
from keeper.economy.supply import GENESIS_SUPPLY
from keeper.jobs.port import Port, do, do_all, pick
from keeper.sender import Action


async def emit_finished_hours(port: Port) -> list[Event]:
    """Mint every hour of the emission that has ended, all missed ones at once.

    What the program minted is compared with the formula; a difference is logged as an error.
    """
    config = await tokenomics.read_config(port.chain)
    if config is None or not config.launched:
        port.log.info("emission.not_launched")
        return []
    hours = await _hours_due(port.chain)
    now = (await port.chain.clock()).unix_timestamp
    if hours and config.is_paused(tokenomics.PAUSE_EMISSION, now):
        port.log.warning("emission.paused", until=config.pause_until, waiting_hours=hours)
        return []
    if not hours:
        return []
    events = await do(
        port,
        tokenomics.PROGRAM,
        [tokenomics.emit()],
        lambda: _hours_due(port.chain),
        key=f"emission:from-hour:{config.emitted_hours}",
    )
    for event in events:
        fields = event.fields
        expected = emission.cumulative(config.start_month, fields["to_hour"])
        port.log.info("emission.emitted", **pick(fields, "from_hour", "to_hour", "amount", "emitted"))
        if fields["emitted"] != expected:
            port.log.error("emission.mismatch", emitted=fields["emitted"], expected=expected)
    return events


async def release_vested(port: Port) -> list[Event]:
    """Pay every beneficiary what vesting has freed; one whose account can't be paid is tried again."""
    actions = []
    for row in await _vesting_due(port.chain):

        async def still_due(row: Allocation = row) -> bool:
            return row in await _vesting_due(port.chain)

        instructions = (
            create_associated(port.payer, row.beneficiary, tokenomics.MINT),
            tokenomics.release(row.id, row.beneficiary),
        )
        key = f"vesting:{row.id}:after:{row.released}"
        actions.append(Action(key, instructions, still_due, patient=True))
    events = await do_all(port, tokenomics.PROGRAM, actions)
    for event in events:
        port.log.info("vesting.released", **pick(event.fields, "allocation", "amount", "released"))
    return events


async def close_ended_seasons(port: Port) -> list[Event]:
    """Pay back the rest of seasons that were vetoed or are over, and close the pages of all that ended.

    A funder whose token account can't be paid (handed over, say) holds up its own money alone: that is
    tried again.
    """
    closings = []
    for season in await _seasons_over(port.chain):

        async def season_still_there(season: Season = season) -> bool:
            return season in await _seasons_over(port.chain)

        instructions = (
            create_associated(port.payer, season.funder, tokenomics.MINT),
            tokenomics.close_season(season.season, season.funder),
        )
        key = f"season:{season.season}:close"
        closings.append(Action(key, instructions, season_still_there, patient=True))
    events = await do_all(port, tokenomics.PROGRAM, closings)
    for event in events:
        port.log.info("season.closed", **pick(event.fields, "season", "returned"))
    pages = []
    for page in await _pages_over(port.chain):

        async def page_still_there(page: ClaimPage = page) -> bool:
            return page in await _pages_over(port.chain)

        closing = (tokenomics.close_claim_page(page.season, page.page, page.payer),)
        pages.append(Action(f"season:{page.season}:page:{page.page}:close", closing, page_still_there))
    return events + await do_all(port, tokenomics.PROGRAM, pages)


async def count_burns(port: Port) -> list[Event]:
    """Count what other programs, or anybody, burned."""
    config = await tokenomics.read_config(port.chain)
    if config is None or not await _burns_due(port.chain):
        return []
    events = await do(
        port,
        tokenomics.PROGRAM,
        [tokenomics.sync_burned()],
        lambda: _burns_due(port.chain),
        key=f"burns:after:{config.burned}",
    )
    for event in events:
        port.log.info("burns.counted", **pick(event.fields, "amount", "burned"))
    return events


async def _hours_due(chain: ChainReader) -> int:
    """Hours of the emission that have ended and are not minted."""
    config = await tokenomics.read_config(chain)
    if config is None or not config.launched:
        return 0
    now = (await chain.clock()).unix_timestamp
    return emission.hours_ended(config.start_month, now) - config.emitted_hours


async def _burns_due(chain: ChainReader) -> int:
    """Base units that were burned and are not counted."""
    config = await tokenomics.read_config(chain)
    if config is None or not config.launched:
        return 0
    supply = await tokenomics.read_supply(chain)
    return GENESIS_SUPPLY + supply.emitted - supply.burned - supply.supply


async def _vesting_due(chain: ChainReader) -> list[Allocation]:
    """Allocations of which more has vested than was paid."""
    config = await tokenomics.read_config(chain)
    if config is None or not config.launched:
        return []
    now = (await chain.clock()).unix_timestamp
    rows = await tokenomics.read_allocations(chain)
    return [row for row in rows if row.schedule.vested(config.start_month, now) > row.released]


async def _seasons_over(chain: ChainReader) -> list[Season]:
    """Seasons that have ended, and whose rest has not gone back."""
    now = (await chain.clock()).unix_timestamp
    seasons = await tokenomics.read_seasons(chain)
    return [each for each in seasons if each.has_ended(now) and not each.is_paid_back]


async def _pages_over(chain: ChainReader) -> list[ClaimPage]:
    """Claim pages of seasons that have ended."""
    now = (await chain.clock()).unix_timestamp
    ended = {each.season for each in await tokenomics.read_seasons(chain) if each.has_ended(now)}
    return [page for page in await tokenomics.read_claim_pages(chain) if page.season in ended]
