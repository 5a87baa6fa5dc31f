"""The job that carries slashes out: what nobody vetoed in the appeal period is burned.

Where operators who voted have been replaced and too few are left, the job says so on chain, and nothing is
burned: the stakes stay frozen for a while, so that operators can vote anew.
"""

from __future__ import annotations

from keeper.chain import ChainReader, Event
from keeper.clients import staking
from keeper.clients.records import data_at
from keeper.clients.staking import PROGRAM, Config, Device, Slash, SlashStatus
from keeper.jobs.port import Port, do_all, pick
from keeper.sender import Action


async def execute_slashes(port: Port) -> list[Event]:
    """Burn the stakes of every slash whose appeal period is over; void what lost its votes."""
    actions = []
    for slash, device in await _due(port.chain):

        async def still_due(slash: Slash = slash) -> bool:
            return any(each == slash for each, _ in await _due(port.chain))

        instructions = (staking.execute_slash(device, slash.evidence),)
        # Voted for again after it was voided, it has another end of its appeal.
        key = f"slash:{slash.device}:{slash.evidence.hex()}:{slash.appeal_until}"
        actions.append(Action(key, instructions, still_due))
    events = await do_all(port, PROGRAM, actions)
    for event in events:
        where = str(event.fields["device"])
        if event.name == "Slashed":
            port.log.info("slash.executed", **pick(event.fields, "bps", "burned"), device=where)
        else:
            port.log.warning("slash.voided", **pick(event.fields, "frozen_until"), device=where)
    return events


async def _due(chain: ChainReader) -> list[tuple[Slash, Device]]:
    """Slashes that have something due, with their devices."""
    config = await staking.read_config(chain)
    if config is None:
        return []
    now = (await chain.clock()).unix_timestamp
    slashes = [each for each in await staking.read_slashes(chain) if _is_due(each, config, now)]
    devices = await data_at(chain, staking.PROGRAM, [each.device for each in slashes])
    return [(slash, staking.parse_device(each)) for slash, each in zip(slashes, devices, strict=True) if each]


def _is_due(slash: Slash, config: Config, now: int) -> bool:
    """Whether a slash is to be carried out or voided."""
    return slash.status == SlashStatus.PENDING and (now >= slash.appeal_until or not slash.stands(config))
