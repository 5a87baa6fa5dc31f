"""Hired in an hour: from accounts and from events the same, and never changed by what happens later."""

from __future__ import annotations

import pytest

from keeper.chain import Chain
from keeper.clients import orders, staking
from keeper.rewards.hired import Term, hired, read_events, replay
from tests.programs.orders.world import HOUR, OrdersWorld
from tests.programs.world import finish, key

DEVICE = key("device").pubkey()
START = 100 * HOUR


@pytest.mark.parametrize(
    ("term", "is_hired"),
    [
        (Term(DEVICE, 1), False),
        (Term(DEVICE, 1, START - HOUR, START), False),
        (Term(DEVICE, 1, START - HOUR + 1, START + 1), True),
        (Term(DEVICE, 1, START + HOUR - 1, START + 2 * HOUR - 1), True),
        (Term(DEVICE, 1, START + HOUR, START + 2 * HOUR), False),
        (Term(DEVICE, 9, START - HOUR, START, START), False),
        (Term(DEVICE, 9, START - HOUR, START, START + 1), True),
        (Term(DEVICE, 9, START - HOUR, START - HOUR, START + 1), False),
        (Term(DEVICE, 9, START - HOUR, START - HOUR, START + HOUR), True),
        (Term(DEVICE, 1, START - HOUR, START, START + 60), False),
    ],
    ids=[
        "never accepted",
        "over before",
        "its last second",
        "begins in the last second",
        "begins after",
        "ended before",
        "ended in the hour, paid to its start",
        "ended without earnings",
        "ended without earnings, but later",
        "ended late by a keeper",
    ],
)
def test_an_hour(term, is_hired):
    assert hired([term], START) == ({DEVICE} if is_hired else set())


async def read_terms(chain: Chain) -> list[Term]:
    """The terms of all leases that have accounts."""
    leases = (await orders.read_leases(chain)).values()
    return [Term(each.device, each.hours, each.start, each.stop, each.ended_at) for each in leases]


def test_events_tell_what_the_accounts_told():
    """Every way a lease goes; what a later reader replays is what was on chain at each hour's end."""
    world = OrdersWorld.ready()
    renter, supplier = world.renter("renter"), world.supplier("supplier")
    names = ("completed", "by renter", "by supplier", "broken", "faulty", "extended", "lapsed")
    for name in names:
        world.let(name, supplier)
    begin = world.chain.now()
    order = world.order(renter, devices=7, hours=3)
    for name in names:
        world.match(order, name)
        if name != "lapsed":
            world.accept(order, name)
    config = world.orders_config()
    seen = []
    for hour in range(7):
        world.chain.warp_to(begin + hour * HOUR + 11 * 60)
        if hour == 0:
            world.end(order, "broken", supplier)
            world.do(orders.close_lease(world.lease(order, "broken")))
            extension = orders.extend_lease(config, order, world.lease(order, "extended"), 2)
            world.do(extension, signers=[renter])
            world.end(order, "lapsed", world.payer)
            world.do(orders.close_lease(world.lease(order, "lapsed")))
            world.run(order, "lapsed")
        elif hour == 1:
            world.end(order, "by renter", renter)
            world.end(order, "by supplier", supplier)
        elif hour == 2:
            for operator in world.operators[:2]:
                vote = orders.vote_fault(operator.pubkey(), world.lease(order, "faulty"), b"e" * 32, 1)
                world.do(vote, signers=[operator])
        elif hour == 3:
            world.end(order, "completed", world.payer)
        end = begin + (hour + 1) * HOUR
        world.chain.warp_to(end - 1)
        seen.append(hired(finish(read_terms(world.chain)), end - HOUR))
    events = finish(read_events(world.chain))
    known = finish(read_terms(world.chain))
    assert len(replay(events)) == len(known) + 2, "two were closed"
    for hour, at_the_time in enumerate(seen):
        end = begin + (hour + 1) * HOUR
        for until in (end, end + HOUR, end + 100 * HOUR):
            terms = replay([(at, event) for at, event in events if at < until])
            assert hired(terms, end - HOUR) == at_the_time, (hour, until)
    workers = {staking.device_address(key(name).pubkey()): name for name in names}
    assert [sorted(workers[each] for each in hour) for hour in seen[1:6]] == [
        ["by renter", "by supplier", "completed", "extended", "faulty", "lapsed"],
        ["completed", "extended", "faulty", "lapsed"],
        ["extended", "lapsed"],
        ["extended"],
        [],
    ]
