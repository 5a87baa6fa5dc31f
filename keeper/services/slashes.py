"""The job that carries slashes out: what nobody vetoed in the appeal period is burned."""

from __future__ import annotations

from structlog.typing import FilteringBoundLogger

from keeper.chain import Chain, Event, Signer
from keeper.clients import staking
from keeper.clients.staking import PROGRAM, Device, Slash, SlashStatus
from keeper.sender import Action
from keeper.services.due import pick, send_all


async def execute_slashes(chain: Chain, payer: Signer, log: FilteringBoundLogger) -> list[Event]:
    """Burn the stakes of every slash whose appeal period is over."""
    actions = []
    for slash, device in await _due(chain):

        async def still_due(slash: Slash = slash) -> bool:
            return any(each == slash for each, _ in await _due(chain))

        instructions = (staking.execute_slash(device, slash.evidence, slash.bps),)
        key = f"slash:{slash.device}:{slash.evidence.hex()}:{slash.bps}"
        actions.append(Action(key, instructions, still_due))
    events = await send_all(chain, payer, log, PROGRAM, actions)
    for event in events:
        log.info("slash.executed", **pick(event.fields, "bps", "burned"), device=str(event.fields["device"]))
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
