"""The job that carries slashes out: what nobody vetoed in the appeal period is burned.

Votes from before a change of the operators or the config are void: the job says so on chain, and nothing is
burned.
"""

from __future__ import annotations

from keeper.chain import ChainReader, Event
from keeper.clients import staking
from keeper.clients.staking import PROGRAM, Device, Slash, SlashStatus
from keeper.jobs.port import Port, do_all, pick
from keeper.sender import Action


async def execute_slashes(port: Port) -> list[Event]:
    """Burn the stakes of every slash whose appeal period is over; void those that are outdated."""
    actions = []
    for slash, device in await _due(port.chain):

        async def still_due(slash: Slash = slash) -> bool:
            return any(each == slash for each, _ in await _due(port.chain))

        instructions = (staking.execute_slash(device, slash.evidence),)
        key = f"slash:{slash.device}:{slash.evidence.hex()}:{slash.revision}"
        actions.append(Action(key, instructions, still_due))
    events = await do_all(port, PROGRAM, actions)
    for event in events:
        where = str(event.fields["device"])
        if event.name == "Slashed":
            port.log.info("slash.executed", **pick(event.fields, "bps", "burned"), device=where)
        else:
            port.log.warning("slash.voided", **pick(event.fields, "revision"), device=where)
    return events


async def _due(chain: ChainReader) -> list[tuple[Slash, Device]]:
    """Slashes that nobody vetoed in time, and outdated ones, with their devices."""
    config = await staking.read_config(chain)
    if config is None:
        return []
    now = (await chain.clock()).unix_timestamp
    slashes = [
        each
        for each in await staking.read_slashes(chain)
        if each.status == SlashStatus.PENDING
        and (each.revision != config.revision or now >= each.appeal_until)
    ]
    accounts = await chain.accounts([each.device for each in slashes])
    return [
        (slash, staking.parse_device(account.data))
        for slash, account in zip(slashes, accounts, strict=True)
        if account
    ]
