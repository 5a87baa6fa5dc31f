"""The job that puts proposed parameters into force once their notice is over, as anybody may."""

from __future__ import annotations

from keeper.chain import ChainReader, Event
from keeper.jobs.port import Port, do
from keeper.wallet.roles import CLIENTS, Governed, find_governed, shown


async def apply_params(port: Port) -> list[Event]:
    """Apply every program's parameters that are due."""
    events = []
    for name in CLIENTS:
        due = await _due(port.chain, name)
        if due is None:
            continue
        revision, pending_at = due.config.revision, due.config.pending_at

        async def still_due(name: str = name, pending_at: int = pending_at) -> bool:
            found = await _due(port.chain, name)
            return found is not None and found.config.pending_at == pending_at

        key = f"params:{name}:{revision}:{pending_at}"
        done = await do(port, due.program, [due.client.apply_params()], still_due, key=key)
        if done:
            changed = {each: shown(value) for each, value in due.proposed.items()}
            port.log.info("params.applied", program=name, changed=changed)
        events += done
    return events


async def _due(chain: ChainReader, name: str) -> Governed | None:
    """A program whose proposed parameters can be applied now."""
    found = await find_governed(chain, name)
    if found is None or not found.params:
        return None
    pending_at = found.config.pending_at
    return found if pending_at and found.now >= pending_at else None
