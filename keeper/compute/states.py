"""How an agent with a lease, and a cluster as its renter sees it, go from one state to the next.

A table each, as one ``match``: whatever it doesn't name is refused, so that no agent is ever in a state that
nobody thought of. The chain's word wins over any message: LEASE_OVER leads out of every state that has a
sandbox. A pause that is asked for during a lease is for the agent to say again once it is idle.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keeper.errors import UserError

PREPARE_SECONDS = 8 * 60
"""For runtime, sandbox, overlay and KEY, before the lease is accepted: it lapses after ten minutes."""
JOIN_SECONDS = 5 * 60
"""From the lease's start to a node that is alive, and once more after a restart."""
BACKOFF = (5, 15, 45)
"""Seconds before each try to start a node that died; after the last one the lease is ended."""
GONE_SECONDS = 30
"""A sandbox is gone so long after its lease ended on the chain."""


class Refused(UserError):
    """A state that doesn't know what happened; nothing changes."""


class Proving(StrEnum):
    """What a device shows of proof of work meanwhile."""

    NOTHING = "nothing"
    ORDINARY = "ordinary"
    HIRED = "hired"
    """With the longer deadline."""


class AgentState(StrEnum):
    """Where an agent is with its lease."""

    OFFLINE = "offline"
    IDLE = "idle"
    PREPARING = "preparing"
    JOINING = "joining"
    ACTIVE = "active"
    RESTARTING = "restarting"
    DRAINING = "draining"
    PAUSED = "paused"
    BLOCKED = "blocked"

    @property
    def has_sandbox(self) -> bool:
        """Whether there may be something of a renter's on the device."""
        return self in WITH_SANDBOX

    @property
    def proving(self) -> Proving:
        """What the device answers of waves; one that has begun is never aborted."""
        if self in (AgentState.IDLE, AgentState.PREPARING):
            return Proving.ORDINARY
        if self in (AgentState.JOINING, AgentState.ACTIVE, AgentState.RESTARTING):
            return Proving.HIRED
        return Proving.NOTHING

    @property
    def limit(self) -> int | None:
        """Seconds until :data:`AgentEvent.LATE`; None without such a limit."""
        return {AgentState.PREPARING: PREPARE_SECONDS, AgentState.JOINING: JOIN_SECONDS}.get(self)


WITH_SANDBOX = frozenset(
    {
        AgentState.PREPARING,
        AgentState.JOINING,
        AgentState.ACTIVE,
        AgentState.RESTARTING,
        AgentState.DRAINING,
    }
)


class AgentEvent(StrEnum):
    """What happens to an agent."""

    STARTED = "started"
    """Its process begins, perhaps after it was killed: sandboxes end with it."""
    READY = "ready"
    """Enrolled, and the doctor found nothing."""
    UNFIT = "unfit"
    """The doctor found something, or the version is too old."""
    MENDED = "mended"
    PAUSE = "pause"
    RESUME = "resume"
    MATCHED = "matched"
    RUNNING = "running"
    """The lease's hours have begun: it was accepted, and a gang's is filled."""
    JOINED = "joined"
    """The device's node is alive in the head's list."""
    NODE_DIED = "node_died"
    LATE = "late"
    """The state's :attr:`AgentState.limit` is over."""
    LEASE_OVER = "lease_over"
    """On the chain: ended, by its time, or gone."""
    CLEARED = "cleared"
    """The sandbox is killed, its data deleted, the card's memory overwritten."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A state and how often it was tried since the node was last alive."""

    state: AgentState = AgentState.OFFLINE
    tries: int = 0

    @property
    def wait(self) -> int:
        """Seconds before the next try; 0 when none is due."""
        return BACKOFF[self.tries - 1] if self.state is AgentState.RESTARTING else 0


@dataclass(frozen=True, slots=True)
class Step:
    """Where an agent is now, and whether it has to end the lease because it can't serve it."""

    agent: Agent
    ends_lease: bool = False


def step(agent: Agent, event: AgentEvent) -> Step:  # noqa: PLR0911, PLR0912 - a row each
    """What an event makes of an agent; raises Refused for one that its state doesn't know."""
    state, e = AgentState, AgentEvent
    match agent.state, event:
        case state.OFFLINE | state.IDLE | state.BLOCKED, e.STARTED:
            return Step(Agent(state.OFFLINE))
        case ((state.JOINING | state.PREPARING | state.DRAINING | state.PAUSED), e.STARTED):
            return Step(agent)
        case state.ACTIVE, e.STARTED:
            return Step(Agent(state.RESTARTING, 1))
        case state.RESTARTING, e.STARTED:
            return Step(agent)
        case state.OFFLINE | state.BLOCKED, e.READY:
            return Step(Agent(state.IDLE))
        case state.OFFLINE | state.IDLE | state.PAUSED, e.UNFIT:
            return Step(Agent(state.BLOCKED))
        case state.BLOCKED, e.MENDED:
            return Step(Agent(state.IDLE))
        case state.IDLE, e.PAUSE:
            return Step(Agent(state.PAUSED))
        case state.PAUSED, e.RESUME:
            return Step(Agent(state.IDLE))
        case state.IDLE | state.PAUSED, e.MATCHED:  # An operator may match before it sees the pause.
            return Step(Agent(state.PREPARING))
        case state.PREPARING, e.RUNNING:
            return Step(Agent(state.JOINING))
        case state.PREPARING, e.LATE:
            return Step(Agent(state.DRAINING), ends_lease=True)
        case state.JOINING | state.RESTARTING, e.JOINED:
            return Step(Agent(state.ACTIVE))
        case state.JOINING, (e.LATE | e.NODE_DIED):
            if agent.tries:
                return Step(Agent(state.DRAINING), ends_lease=True)
            return Step(Agent(state.JOINING, 1))
        case state.ACTIVE, e.NODE_DIED:
            return Step(Agent(state.RESTARTING, 1))
        case state.RESTARTING, e.NODE_DIED:
            if agent.tries == len(BACKOFF):
                return Step(Agent(state.DRAINING), ends_lease=True)
            return Step(Agent(state.RESTARTING, agent.tries + 1))
        case (
            (state.PREPARING | state.JOINING | state.ACTIVE | state.RESTARTING | state.DRAINING),
            e.LEASE_OVER,
        ):
            return Step(Agent(state.DRAINING))
        case state.DRAINING, e.CLEARED:
            return Step(Agent(state.IDLE))
        case _:
            raise Refused(f"an agent that is {agent.state} doesn't know {event}: nothing has changed")


# -- the cluster, as its renter sees it ----------------------------------------------------------


class ClusterState(StrEnum):
    """Where an order's cluster is."""

    WAITING = "waiting"
    """No lease runs."""
    FORMING = "forming"
    """Leases run, and not every node has been alive at once yet."""
    READY = "ready"
    """Every running lease's node is alive."""
    DEGRADED = "degraded"
    """Fewer are."""
    HEADLESS = "headless"
    """The head is lost: what ran is gone, and the next lease becomes the head."""
    ENDED = "ended"
    """The order has no lease, and takes none any more."""


class ClusterEvent(StrEnum):
    """What its renter sees happen."""

    LEASE_RUNS = "lease_runs"
    ALL_ALIVE = "all_alive"
    SOME_MISSING = "some_missing"
    HEAD_LOST = "head_lost"
    HEAD_NAMED = "head_named"
    """Another lease runs that is the head by the chain: a new epoch."""
    LAST_LEASE_OVER = "last_lease_over"
    ORDER_OVER = "order_over"


def cluster_step(at: ClusterState, event: ClusterEvent) -> ClusterState:  # noqa: PLR0911 - a row each
    """What an event makes of a cluster; raises Refused for one that its state doesn't know."""
    state, e = ClusterState, ClusterEvent
    match at, event:
        case state.WAITING, e.LEASE_RUNS:
            return state.FORMING
        case ((state.FORMING | state.READY | state.DEGRADED | state.HEADLESS), e.LEASE_RUNS):
            # A further device: a cluster that was ready is short of it until its node is alive.
            return state.DEGRADED if at is state.READY else at
        case ((state.FORMING | state.READY | state.DEGRADED), e.ALL_ALIVE):
            return state.READY
        case ((state.READY | state.DEGRADED), e.SOME_MISSING):
            return state.DEGRADED
        case state.FORMING, e.SOME_MISSING:
            return at
        case ((state.FORMING | state.READY | state.DEGRADED | state.HEADLESS), e.HEAD_LOST):
            return state.HEADLESS
        case state.HEADLESS, e.HEAD_NAMED:
            return state.FORMING
        case ((state.FORMING | state.READY | state.DEGRADED | state.HEADLESS), e.LAST_LEASE_OVER):
            return state.WAITING
        case state.WAITING, e.ORDER_OVER:
            return state.ENDED
        case _:
            raise Refused(f"a cluster that is {at} doesn't know {event}: nothing has changed")
