"""Every pair of state and event, and every sequence of events."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from keeper.compute.states import (
    BACKOFF,
    Agent,
    AgentEvent,
    AgentState,
    ClusterEvent,
    ClusterState,
    Proving,
    Refused,
    cluster_step,
    step,
)

S, E, C, V = AgentState, AgentEvent, ClusterState, ClusterEvent
TABLE = """
offline    started>offline ready>idle unfit>blocked
idle       started>offline unfit>blocked pause>paused matched>preparing
preparing  started>preparing running>joining late>draining! lease_over>draining
joining    started>joining joined>active late>joining+ node_died>joining+ lease_over>draining
active     started>restarting+ node_died>restarting+ lease_over>draining
restarting started>restarting joined>active node_died>restarting+ lease_over>draining
draining   started>draining lease_over>draining cleared>idle
paused     started>paused unfit>blocked resume>idle matched>preparing
blocked    started>offline ready>idle mended>idle
"""
"""Section by section of the design: ``!`` ends the lease, ``+`` is a further try."""
CLUSTER = """
waiting  lease_runs>forming order_over>ended
forming  lease_runs>forming all_alive>ready some_missing>forming head_lost>headless last_lease_over>waiting
ready    lease_runs>degraded all_alive>ready some_missing>degraded head_lost>headless last_lease_over>waiting
degraded lease_runs>degraded all_alive>ready some_missing>degraded head_lost>headless last_lease_over>waiting
headless lease_runs>headless head_lost>headless head_named>forming last_lease_over>waiting
ended
"""


def rows(table: str) -> dict[tuple[str, str], str]:
    found = {}
    for line in table.strip().splitlines():
        state, *steps = line.split()
        found |= {(state, each.partition(">")[0]): each.partition(">")[2] for each in steps}
    return found


@pytest.mark.parametrize(("state", "event"), list(product(S, E)), ids=str)
def test_every_pair_of_an_agent(state: S, event: E) -> None:
    wanted = rows(TABLE).get((state, event))
    before = Agent(state, 1 if state is S.RESTARTING else 0)
    if wanted is None:
        with pytest.raises(Refused, match=f"{state} doesn't know {event}"):
            step(before, event)
        return
    found = step(before, event)
    assert found.agent.state == wanted.rstrip("!+")
    assert found.ends_lease == wanted.endswith("!")
    assert (found.agent.tries == before.tries + 1) == wanted.endswith("+")


@pytest.mark.parametrize(("state", "event"), list(product(C, V)), ids=str)
def test_every_pair_of_a_cluster(state: C, event: V) -> None:
    wanted = rows(CLUSTER).get((state, event))
    if wanted is None:
        with pytest.raises(Refused, match=f"{state} doesn't know {event}"):
            cluster_step(state, event)
    else:
        assert cluster_step(state, event) == wanted


def test_a_node_is_tried_three_times_with_growing_waits() -> None:
    agent, waits = Agent(S.ACTIVE), []
    for _ in BACKOFF:
        agent = step(agent, E.NODE_DIED).agent
        waits.append(agent.wait)
    assert waits == [5, 15, 45]
    assert step(agent, E.NODE_DIED).ends_lease and step(agent, E.NODE_DIED).agent == Agent(S.DRAINING)
    assert step(step(agent, E.JOINED).agent, E.NODE_DIED).agent.wait == 5


def test_joining_is_tried_once_more() -> None:
    again = step(Agent(S.JOINING), E.LATE).agent
    assert again == Agent(S.JOINING, 1)
    assert step(again, E.LATE).ends_lease and step(again, E.NODE_DIED).ends_lease


def test_limits_and_what_is_proved() -> None:
    assert {each: each.limit for each in S if each.limit} == {S.PREPARING: 480, S.JOINING: 300}
    hired = {each for each in S if each.proving is Proving.HIRED}
    assert hired == {S.JOINING, S.ACTIVE, S.RESTARTING}
    assert {each for each in S if each.proving is Proving.ORDINARY} == {S.IDLE, S.PREPARING}


class Life(RuleBasedStateMachine):
    """Any events in any order: what holds in all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.agent, self.leased = Agent(), False

    @rule(event=st.sampled_from(E))
    def happens(self, event: E) -> None:
        before = self.agent
        try:
            found = step(before, event)
        except Refused:
            return
        self.agent = found.agent
        if event is E.MATCHED:
            self.leased = True
        if found.ends_lease or event is E.LEASE_OVER:
            self.leased = False
            assert self.agent.state is S.DRAINING
        if before.state.has_sandbox and not self.agent.state.has_sandbox:
            assert (before.state, event) == (S.DRAINING, E.CLEARED)  # Nothing of a renter's is ever left.

    @invariant()
    def a_lease_has_a_place(self) -> None:
        assert not self.leased or self.agent.state.has_sandbox
        assert 0 <= self.agent.tries <= len(BACKOFF)
        assert self.agent.tries == 0 or self.agent.state in (S.JOINING, S.RESTARTING)

    @invariant()
    def the_chain_s_word_leads_out(self) -> None:
        if self.agent.state.has_sandbox:
            assert step(self.agent, E.LEASE_OVER).agent.state is S.DRAINING

    @invariant()
    def killed_anywhere_it_goes_on(self) -> None:
        once = step(self.agent, E.STARTED).agent
        assert once.state.has_sandbox == self.agent.state.has_sandbox
        assert step(once, E.STARTED).agent == once


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(st.lists(st.sampled_from(V), max_size=60))
def test_a_cluster_ends_only_without_leases_and_never_comes_back(events: list[V]) -> None:
    at, leases = C.WAITING, False
    for event in events:
        try:
            after = cluster_step(at, event)
        except Refused:
            continue
        assert at is not C.ENDED
        leases = (leases or event is V.LEASE_RUNS) and event is not V.LAST_LEASE_OVER
        assert leases == (after not in (C.WAITING, C.ENDED))
        at = after
