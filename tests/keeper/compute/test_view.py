"""A cluster as its renter sees it, from leases and messages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.compute.bodies import Body, Bye, Joined, Key, Leaving, Seen, Tickets, View
from keeper.compute.members import members
from keeper.compute.states import ClusterState as State
from keeper.compute.view import Phase, view
from keeper.compute.wire import Message
from keeper.economy.orders import LeaseStatus
from tests.keeper.compute.leases import START, lease, order
from tests.keeper.compute.messages import NETWORK

ORDER = order()
LEASES = [lease(ORDER, name, START + at, number=5) for at, name in enumerate(("head", "two", "three"))]
HEAD, TWO, THREE = (each.worker for each in LEASES)
NOW = START + 300
EPOCH = members(ORDER, LEASES, NOW).epoch
KEY, JOINED = Key(bytes(32), 5, bytes(32), (), 0), Joined(bytes(28), 8, 1, 1 << 33)


def said(sender: Pubkey, body: Body, at: int = START + 60, epoch: int = EPOCH) -> Message:
    return Message(NETWORK, ORDER.address, sender, epoch, 1, at * 1_000, body)


def seen(*messages: Message, heard: int = NOW - 10, now: int = NOW, leases=LEASES, of=ORDER):
    """``heard`` is the second of everybody's last BEAT."""
    return view(of, leases, messages, dict.fromkeys((HEAD, TWO, THREE), heard * 1_000), now)


ALL = [said(each, JOINED, START + 60 + n) for n, each in enumerate((HEAD, TWO, THREE))]


def phases(found) -> list[Phase]:
    return [each.phase for each in found.nodes]


def test_from_forming_to_ready() -> None:
    assert phases(seen()) == [Phase.STARTING] * 3 and seen().state is State.FORMING
    keys = [said(each, KEY, START - 60, epoch=0) for each in (HEAD, TWO, THREE)]
    assert phases(seen(*keys)) == [Phase.JOINING] * 3
    assert (
        phases(seen(*(replace(each, body=replace(KEY, number=4)) for each in keys))) == [Phase.STARTING] * 3
    )
    two = seen(*keys, *ALL[:2])
    assert (two.state, two.alive, two.why) == (State.FORMING, 2, "2 of 3 nodes are alive")
    ready = seen(*keys, *ALL)
    assert (ready.state, ready.alive, ready.why, ready.epoch) == (State.READY, 3, "", EPOCH)
    assert [(each.cpus, each.gpus, each.memory) for each in ready.nodes] == [(8, 1, 1 << 33)] * 3


def test_a_node_that_is_not_heard_is_suspect_and_then_lost() -> None:
    assert phases(seen(*ALL, heard=NOW - 89)) == [Phase.ALIVE] * 3
    suspect = seen(*ALL, heard=NOW - 90)
    assert phases(suspect) == [Phase.SUSPECT] * 3 and suspect.state is State.READY
    lost = seen(*ALL, heard=NOW - 180)
    assert phases(lost) == [Phase.LOST] * 3 and lost.state is State.HEADLESS
    assert "the head is lost" in lost.why


def test_a_node_that_the_head_does_not_see_or_that_leaves_degrades_it() -> None:
    three = LEASES[2].device
    gone = said(HEAD, View((Seen(three, False, START + 100),)), START + 120)
    back = said(HEAD, View((Seen(three, True, START + 130),)), START + 140)
    assert (seen(*ALL, gone).state, phases(seen(*ALL, gone))[2]) == (State.DEGRADED, Phase.LOST)
    assert seen(*ALL, gone, back).state is State.READY
    assert seen(*ALL, said(TWO, gone.body, START + 120)).state is State.READY  # Nobody but the head says it.
    bye = said(TWO, Bye(Leaving.FAILED), START + 130)
    assert phases(seen(*ALL, bye))[1] is Phase.LEAVING and seen(*ALL, bye).state is State.DEGRADED
    again = said(THREE, JOINED, START + 150)
    assert seen(*ALL, gone, again).state is State.READY


def test_a_further_device_degrades_a_ready_cluster_until_it_is_there() -> None:
    late = lease(ORDER, "late", START + 200)
    assert seen(*ALL, leases=[*LEASES, late]).state is State.DEGRADED
    assert seen(*ALL, said(late.worker, JOINED, START + 210), leases=[*LEASES, late]).state is State.READY


def test_what_was_said_to_another_head_or_in_an_earlier_lease_is_past() -> None:
    other = [said(each, JOINED, epoch=EPOCH ^ 1) for each in (HEAD, TWO, THREE)]
    assert seen(*other).state is State.FORMING
    before = [said(each, JOINED, START - 5) for each in (HEAD, TWO, THREE)]
    assert seen(*before).state is State.FORMING


def test_tickets_are_for_these_members() -> None:
    right = members(ORDER, LEASES, NOW).hash()
    assert seen(said(HEAD, Tickets(right, ()))).ticketed
    for other in (said(HEAD, Tickets(bytes(32), ())), said(TWO, Tickets(right, ()))):
        assert not seen(other).ticketed


def test_before_the_first_lease_and_after_the_last() -> None:
    waits = lease(ORDER, "w", status=LeaseStatus.MATCHED, start=0, stop=0, accept_until=NOW + 60)
    open_ = replace(ORDER, open=1, match_until=NOW + 60)
    empty = seen(leases=[], of=open_)
    assert (empty.state, empty.why) == (State.WAITING, "no device is matched yet")
    one = seen(leases=[waits], of=open_)
    assert (one.state, one.why, one.for_worker) == (State.WAITING, "devices that have to accept: 1", 1)
    over = seen(leases=[])
    assert (over.state, over.why) == (State.ENDED, "the order has no lease, and takes none any more")
    gang = order(gang=3, filled_at=0)
    accepted = lease(gang, "w", status=LeaseStatus.ACCEPTED, start=0, stop=0, accept_until=NOW + 60)
    assert seen(leases=[accepted], of=gang).for_gang == 1


@given(st.permutations(ALL), st.integers(0, 400))
def test_the_order_of_messages_changes_nothing_and_every_state_has_its_row(read: list, ago: int) -> None:
    assert seen(*read, heard=NOW - ago) == seen(*ALL, heard=NOW - ago)


@pytest.mark.parametrize("count", range(4))
def test_every_prefix_has_a_state(count: int) -> None:
    assert seen(*ALL[:count]).state is (State.READY if count == 3 else State.FORMING)
