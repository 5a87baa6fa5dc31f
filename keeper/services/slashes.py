"""The job that carries slashes out: what nobody vetoed in the appeal period is burned."""

from __future__ import annotations

from solders.keypair import Keypair
from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, Event
from keeper.clients import staking
from keeper.clients.staking import PROGRAM, Device, Slash, SlashStatus
from keeper.services.due import pick, send


async def execute_slashes(chain: Chain, payer: Keypair, log: FilteringBoundLogger) -> list[Event]:
    """Burn the stakes of every slash whose appeal period is over."""
    events: list[Event] = []
    for slash, device in await _due(chain):

        async def still_due(slash: Slash = slash) -> bool:
            return any(each == slash for each, _ in await _due(chain))

        instructions = [staking.execute_slash(device, slash.evidence, slash.bps)]
        for event in await send(chain, payer, log, PROGRAM, instructions, still_due):
            log.info("slash.executed", device=str(slash.device), **pick(event.fields, "bps", "burned"))
            events.append(event)
    return events


async def _due(chain: Chain) -> list[tuple[Slash, Device]]:
    """Slashes that nobody vetoed in time, with their devices."""
    now = (await chain.clock()).unix_timestamp
    slashes = [
        each
        for each in await staking.read_slashes(chain)
        if each.status == SlashStatus.PENDING and now >= each.appeal_until
    ]
    accounts = await chain.accounts([each.device for each in slashes])
    return [
        (slash, staking.parse_device(account.data))
        for slash, account in zip(slashes, accounts, strict=True)
        if account
    ]
