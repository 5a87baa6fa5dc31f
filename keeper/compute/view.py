"""A cluster as its renter sees it: from the chain, and from what its members have said on any board.

A function of both and of the time: whoever asks later, or elsewhere, sees the same. Members' words are a
hint, as a device may say that it serves and not do so; who is paid is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from solders.pubkey import Pubkey

from keeper.clients.orders import Lease, Order
from keeper.compute.bodies import EGRESS, Bye, Joined, Key, Tickets, View
from keeper.compute.liveness import LOST_SECONDS, SUSPECT_SECONDS
from keeper.compute.members import Members, Node, members
from keeper.compute.states import ClusterEvent, ClusterState, cluster_step
from keeper.compute.wire import Message
from keeper.economy.orders import LeaseStatus


class Phase(StrEnum):
    """How far a node is."""

    STARTING = "starting"
    """Its lease runs, and its worker hasn't posted its KEY to any board."""
    JOINING = "joining"
    ALIVE = "alive"
    SUSPECT = "suspect"
    """It was alive, and hasn't been heard for 90 seconds."""
    LOST = "lost"
    """Not for 180, or the head's list of nodes doesn't have it any more."""
    LEAVING = "leaving"

    @property
    def is_lost(self) -> bool:
        """Whether it has been there and isn't."""
        return self in (Phase.LOST, Phase.LEAVING)


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node, and since when: unix seconds, 0 for never."""

    node: Node
    phase: Phase
    joined: int
    heard: int
    cpus: int = 0
    gpus: int = 0
    memory: int = 0
    """Bytes."""
    lets_out: bool = False
    """Whether its supplier lets a renter's code out to some hosts, by its KEY."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """An order's cluster at ``now``; the first node is the head."""

    order: Pubkey
    now: int
    state: ClusterState
    epoch: int
    nodes: tuple[NodeSeen, ...]
    ticketed: bool
    """Whether the head has posted tickets for these members."""
    for_worker: int
    """Leases that wait for their worker to accept."""
    for_gang: int
    """Those that wait for the rest of their gang."""
    takes_devices: bool

    @property
    def alive(self) -> int:
        """How many nodes are there."""
        return sum(each.phase in (Phase.ALIVE, Phase.SUSPECT) for each in self.nodes)

    @property
    def why(self) -> str:
        """What it waits for: a sentence, empty where it waits for nothing."""
        waits = []
        if self.for_worker:
            waits.append(f"devices that have to accept: {self.for_worker}")
        if self.for_gang:
            waits.append(f"devices that wait for the rest of their gang: {self.for_gang}")
        match self.state:
            case ClusterState.WAITING if not waits:
                return "no device is matched yet" if self.takes_devices else "it takes no more devices"
            case ClusterState.ENDED:
                return "the order has no lease, and takes none any more"
            case ClusterState.HEADLESS:
                waits.insert(0, "the head is lost; once its lease ends, the next device is the head")
            case ClusterState.FORMING | ClusterState.DEGRADED:
                waits.insert(0, f"{self.alive} of {len(self.nodes)} nodes are alive")
        return "; ".join(waits)


def view(
    order: Order,
    leases: Iterable[Lease],
    said: Iterable[Message],
    heard: Mapping[Pubkey, int],
    now: int,
) -> Cluster:
    """The cluster of an order at ``now`` (unix seconds).

    ``said`` are rightly signed messages of the order, in any order; ``heard`` is when each worker signed its
    last BEAT to any operator, unix ms.
    """
    mine = [each.begun(order) for each in leases if each.order == order.address]
    found = members(order, mine, now)
    messages = sorted(said, key=lambda each: each.ms)
    missing = _missing(found, messages)
    nodes = tuple(
        _seen(each, found, messages, heard.get(each.worker, 0), missing, now) for each in found.nodes
    )
    waiting = [each for each in mine if now < each.accept_until]
    of_gang = sum(each.status == LeaseStatus.ACCEPTED for each in waiting)
    for_worker = sum(each.status == LeaseStatus.MATCHED for each in waiting)
    takes = order.takes_devices(now)
    state = _state(nodes)
    if state is ClusterState.WAITING and not takes and not of_gang and not for_worker:
        state = cluster_step(state, ClusterEvent.ORDER_OVER)
    head, right = found.head, found.hash()
    tickets = (
        each.body
        for each in messages
        if isinstance(each.body, Tickets) and head is not None and each.sender == head.worker
    )
    ticketed = any(each.members == right for each in tickets)
    return Cluster(order.address, now, state, found.epoch, nodes, ticketed, for_worker, of_gang, takes)


def _seen(
    node: Node,
    found: Members,
    messages: list[Message],
    heard_ms: int,
    missing: Mapping[Pubkey, int],
    now: int,
) -> NodeSeen:
    mine = [each for each in messages if each.sender == node.worker]
    # What was said to another head, or in an earlier lease of the same device, is past.
    here = [each for each in mine if each.epoch == found.epoch and each.ms // 1_000 >= node.start]
    keys = [each.body for each in mine if isinstance(each.body, Key) and each.body.number == node.number]
    lets_out = bool(keys and keys[0].capabilities & EGRESS)
    joined = next((each for each in reversed(here) if isinstance(each.body, Joined)), None)
    heard = heard_ms // 1_000 if heard_ms // 1_000 >= node.start else 0
    if joined is None:
        return NodeSeen(node, Phase.JOINING if keys else Phase.STARTING, 0, heard, lets_out=lets_out)
    assert isinstance(joined.body, Joined)
    at = joined.ms // 1_000
    silent = now - max(heard, at)
    phase = Phase.ALIVE
    if any(isinstance(each.body, Bye) and each.ms > joined.ms for each in here):
        phase = Phase.LEAVING
    elif silent >= LOST_SECONDS or missing.get(node.device, 0) > at:
        phase = Phase.LOST
    elif silent >= SUSPECT_SECONDS:
        phase = Phase.SUSPECT
    body = joined.body
    return NodeSeen(node, phase, at, heard, body.cpus, body.gpus, body.memory, lets_out)


def _missing(found: Members, messages: list[Message]) -> dict[Pubkey, int]:
    """Devices that the newest VIEW of the head that names them says aren't alive, and when it said so."""
    said: dict[Pubkey, int] = {}
    for each in messages:
        if isinstance(each.body, View) and found.head and each.sender == found.head.worker:
            for row in each.body.seen:
                said.pop(row.device, None)
                if not row.alive:
                    said[row.device] = each.ms // 1_000
    return said


def _state(nodes: tuple[NodeSeen, ...]) -> ClusterState:
    """What the table makes of all that has happened to the nodes that there are."""
    at = ClusterState.WAITING
    began = [(each.node.start, 0, index) for index, each in enumerate(nodes)]
    came = [(max(each.joined, each.node.start), 1, index) for index, each in enumerate(nodes) if each.joined]
    running: set[int] = set()
    alive: set[int] = set()
    for _, joins, index in sorted(began + came):
        if joins:
            alive.add(index)
            if alive >= running:
                at = cluster_step(at, ClusterEvent.ALL_ALIVE)
        else:
            running.add(index)
            at = cluster_step(at, ClusterEvent.LEASE_RUNS)
    if nodes and nodes[0].phase.is_lost:
        return cluster_step(at, ClusterEvent.HEAD_LOST)
    if any(each.phase.is_lost for each in nodes):
        return cluster_step(at, ClusterEvent.SOME_MISSING)
    return at
