"""How far each device is with its lease: on the disk with every step, before anything follows from it."""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from keeper.compute.states import Agent, AgentEvent, AgentState, step
from keeper.worker.lease_book import LeaseKey
from keeper.worker.serving.rules import Service
from keeper.worker.state import Store


class ServiceBook:
    """What a folder has of it. Every method raises StateError when the disk doesn't take or give it."""

    def __init__(self, store: Store) -> None:
        """Keep it in ``store``."""
        self._store = store

    def keep(self, service: Service) -> None:
        """Note how far a device is."""
        lease = service.lease
        number = (lease.registered_at, lease.number) if lease else (0, 0)
        self._store.write(
            "INSERT OR REPLACE INTO service VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(bytes(service.device), service.agent.state, service.agent.tries, service.since, *number),
            *(bytes(service.order) if service.order else b"", service.private, service.ends),
        )

    def service(self, device: Pubkey) -> Service:
        """How far a device was; at the beginning it is OFFLINE."""
        rows = self._store.read("SELECT * FROM service WHERE device = ?", bytes(device))
        if not rows:
            return Service(device)
        ((_, state, tries, since, registered_at, number, order, private, ends),) = rows
        return Service(
            device,
            Agent(AgentState(state), tries),
            since,
            LeaseKey(device, registered_at, number) if order else None,
            Pubkey(order) if order else None,
            private,
            bool(ends),
        )

    def begin(self, device: Pubkey, now: float) -> Service:
        """How a device goes on in a process that begins at ``now``, perhaps after the last one was killed."""
        before = self.service(device)
        found = replace(before, agent=step(before.agent, AgentEvent.STARTED).agent, since=now)
        self.keep(found)
        return found
