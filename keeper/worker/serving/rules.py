"""What a device with a lease has to do next: from its state, the chain's word and its node. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from solders.pubkey import Pubkey

from keeper.compute.bodies import Serving
from keeper.compute.states import JOIN_SECONDS, Agent, AgentEvent, AgentState, step
from keeper.economy.orders import LeaseStatus
from keeper.worker.lease_book import KeptLease, LeaseKey

SERVING = {
    AgentState.JOINING: Serving.JOINING,
    AgentState.ACTIVE: Serving.ACTIVE,
    AgentState.RESTARTING: Serving.RESTARTING,
}
"""What a BEAT says of each state in which a lease runs."""


@dataclass(frozen=True, slots=True)
class Service:
    """How far a device is with a lease, as the disk has it before anything follows from it."""

    device: Pubkey
    agent: Agent = field(default_factory=Agent)
    since: float = 0.0
    """When this state, or this try in it, began: unix seconds."""
    lease: LeaseKey | None = None
    """The last one that was taken up: not taken up again, once it was given up."""
    order: Pubkey | None = None
    private: bytes = b""
    """X25519, 32 bytes: of the one KEY that there is for the lease. Nothing once it is over."""
    ends: bool = False
    """Whether the lease is still to be ended, as it can't be served."""

    @property
    def lease_name(self) -> str:
        """What the lease's folder is called; nothing without one."""
        lease = self.lease
        return f"{self.order}-{lease.registered_at}-{lease.number}" if lease else ""


@dataclass(slots=True)
class Facts:
    """What is known of a device's sandbox and node since this process began."""

    unfit: str = ""
    """What the machine lacks for any sandbox; nothing where it can make one."""
    looked: bool = False
    """Whether that was looked at."""
    joined: bool = False
    """The node is alive in the head's list."""
    died: str = ""
    """Why it isn't any more, or never was."""
    cleared: bool = False
    skew: float = 0.0
    """Seconds by which the chain's clock is ahead of this machine's."""

    def anew(self) -> Facts:
        """The same machine, of whose node nothing is known."""
        return Facts(self.unfit, self.looked, skew=self.skew)


def is_over(kept: KeptLease | None, now: float) -> bool:
    """Whether a lease is nothing to serve any more at ``now``, the chain's unix seconds.

    A lease that isn't noted is none of ours to serve.
    """
    if kept is None or kept.gone or kept.status == LeaseStatus.ENDED:
        return True
    if kept.status == LeaseStatus.RUNNING:
        return now >= kept.stop
    return now >= kept.accept_until


def due(service: Service, kept: KeptLease | None, facts: Facts, now: float) -> AgentEvent | None:  # noqa: PLR0911 - a row each
    """What has happened to a device that its state has to follow; None while nothing has.

    ``kept`` is the lease that it serves, or in a state without a sandbox the newest one of the device;
    ``now`` are unix seconds of this machine, as :attr:`Service.since` are. The
    chain's word comes first, whatever the node does.
    """
    state, events = service.agent.state, AgentEvent
    if state in (AgentState.OFFLINE, AgentState.BLOCKED):
        if not facts.looked:
            return None
        if facts.unfit:
            return events.UNFIT if state is AgentState.OFFLINE else None
        return events.READY if state is AgentState.OFFLINE else events.MENDED
    if state in (AgentState.IDLE, AgentState.PAUSED):
        new = kept is not None and kept.key != service.lease and not is_over(kept, now + facts.skew)
        return events.MATCHED if new else None
    if state is AgentState.DRAINING:
        return events.CLEARED if facts.cleared else None
    if is_over(kept, now + facts.skew):
        return events.LEASE_OVER
    assert kept is not None
    late = now - service.since
    if state is AgentState.PREPARING:
        if kept.status == LeaseStatus.RUNNING:
            return events.RUNNING
        # One of a gang that has accepted is ready, and waits for the others.
        return events.LATE if kept.status == LeaseStatus.MATCHED and _is_late(service, late) else None
    if facts.died:
        return events.NODE_DIED
    if state is AgentState.ACTIVE:
        return None
    if facts.joined:
        return events.JOINED
    if state is AgentState.RESTARTING:
        return events.NODE_DIED if late >= service.agent.wait + JOIN_SECONDS else None
    return events.LATE if _is_late(service, late) else None


def follow(
    service: Service, event: AgentEvent, kept: KeptLease | None, now: float, private: bytes = b""
) -> Service:
    """The service after an event at ``now``; ``private`` is a fresh key, for a lease that is taken up.

    Raises Refused for an event that its state doesn't know.
    """
    found = step(service.agent, event)
    after = replace(service, agent=found.agent, since=now, ends=service.ends or found.ends_lease)
    if event is AgentEvent.MATCHED:
        assert kept is not None
        return replace(after, lease=kept.key, order=kept.order, private=private, ends=False)
    if event is AgentEvent.CLEARED:
        return replace(after, private=b"")
    return after


def is_blamed(service: Service, event: AgentEvent) -> bool:
    """Whether an event would end the lease because its node doesn't start.

    A renter who makes nodes fail would have an hour for nothing that way: so the device is tried by itself
    first, see :meth:`~keeper.worker.serving.host.Host.is_sound`.
    """
    if service.agent.state not in (AgentState.JOINING, AgentState.RESTARTING):
        return False
    return event is not AgentEvent.LEASE_OVER and step(service.agent, event).ends_lease


def again(service: Service, now: float) -> Service:
    """The same state once more: the device is sound, and what fails isn't its own."""
    return replace(service, since=now)


def may_start(service: Service, now: float) -> bool:
    """Whether a node may be started now: after one that died not before the pause that its try has."""
    return service.agent.state in SERVING and now - service.since >= service.agent.wait


def _is_late(service: Service, late: float) -> bool:
    limit = service.agent.state.limit
    return limit is not None and late >= limit
