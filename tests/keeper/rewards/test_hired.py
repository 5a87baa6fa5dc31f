"""Hired in an hour: from accounts and from events the same, and never changed by what happens later."""

from __future__ import annotations

from itertools import chain as chain_of

import pytest

from keeper.chain import Chain
from keeper.clients import orders, staking
from keeper.indexer.book import Book
from keeper.indexer.folds import FOLDS
from keeper.rewards.hired import Term, hired, read_events, replay, terms_of
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
    opened = await orders.read_orders(chain)
    leases = (await orders.read_leases(chain)).values()
    begun = [each.begun(opened[each.order]) for each in leases]
    return [Term(each.device, each.hours, each.start, each.stop, each.ended_at) for each in begun]


NAMES = ("completed", "by renter", "by supplier", "broken", "faulty", "extended", "lapsed")
GANG = ("of the gang", "its last", "of another", "who never came")


class Hours(OrdersWorld):
    """Every way a lease goes, hour by hour."""

    @classmethod
    def started(cls) -> Hours:
        world = cls.ready()
        assert isinstance(world, Hours)
        world.ruth, world.owner = world.renter("ruth"), world.supplier("supplier")
        for name in (*NAMES, "instead", *GANG):
            world.let(name, world.owner)
        world.begin = world.chain.now()
        world.one = world.order(world.ruth, devices=7, hours=3)
        for name in NAMES:
            world.match(world.one, name)
            if name != "lapsed":
                world.accept(world.one, name)
        return world

    def live(self, hour: int) -> None:
        """What happens in an hour, up to its last second."""
        start = self.begin + hour * HOUR
        act = getattr(self, f"_in_{hour}", None)
        self.chain.warp_to(start + 60)
        if act:
            act(start)
        self.chain.warp_to(start + HOUR - 1)

    def _in_0(self, start: int) -> None:
        self.end(self.one, "broken", self.owner)
        self.do(orders.close_lease(self.lease(self.one, "broken")))
        config, extended = self.orders_config(), self.lease(self.one, "extended")
        most = extended.extension(2)
        self.do(orders.extend_lease(config, self.one, extended, 2, max_amount=most), signers=[self.ruth])
        self.chain.warp_to(start + 11 * 60)
        self.end(self.one, "lapsed", self.payer)
        self.do(orders.close_lease(self.lease(self.one, "lapsed")))
        self.run(self.read_order(self.ruth), "instead")

    def _in_1(self, start: int) -> None:
        self.end(self.one, "by renter", self.ruth)
        self.end(self.one, "by supplier", self.owner)
        self.chain.warp_to(start + HOUR - 120)
        terms = {"hours": 1, "devices": 2, "min_devices": 2}
        self.two, self.three = (self.order(self.ruth, number, **terms) for number in (2, 3))
        for order, name in zip((self.two, self.two, self.three, self.three), GANG, strict=True):
            self.match(order, name)
        self.accept(self.two, "of the gang")
        self.accept(self.three, "of another")

    def _in_2(self, start: int) -> None:
        self.accept(self.two, "its last")
        for operator in self.operators[:2]:
            vote = orders.vote_fault(operator.pubkey(), self.lease(self.one, "faulty"), b"e" * 32, 1)
            self.do(vote, signers=[operator])
        self.chain.warp_to(start + 11 * 60)
        self.end(self.three, "of another", self.payer)

    def _in_3(self, start: int) -> None:
        self.chain.warp_to(start + 11 * 60)
        self.end(self.one, "completed", self.payer)
        self.end(self.two, "of the gang", self.payer)


def test_events_tell_what_the_accounts_told():
    """What a later reader replays is what was on chain at each hour's end."""
    world = Hours.started()
    seen = []
    for hour in range(7):
        world.live(hour)
        seen.append(hired(finish(read_terms(world.chain)), world.begin + hour * HOUR))
    events = finish(read_events(world.chain))
    known = finish(read_terms(world.chain))
    assert len(replay(events)) == len(known) + 2, "two were closed"
    for hour, at_the_time in enumerate(seen):
        end = world.begin + (hour + 1) * HOUR
        for until in (end, end + HOUR, end + 100 * HOUR):
            terms = replay([(at, event) for at, event in events if at < until])
            assert hired(terms, end - HOUR) == at_the_time, (hour, until)
    workers = {staking.device_address(key(name).pubkey()): name for name in (*NAMES, "instead", *GANG)}
    assert [sorted(workers[each] for each in hour) for hour in seen] == [
        ["by renter", "by supplier", "completed", "extended", "faulty", "instead"],
        ["by renter", "by supplier", "completed", "extended", "faulty", "instead"],
        ["completed", "extended", "faulty", "instead", "its last", "of the gang"],
        ["completed", "extended", "instead", "its last", "of the gang"],
        ["extended"],
        ["extended"],
        [],
    ]


def test_a_gang_runs_from_when_it_is_filled_however_its_history_is_read():
    """From all events; or from accounts of before it was filled, or after, and the events since."""
    world = OrdersWorld.ready()
    renter, supplier = world.renter("renter"), world.supplier("supplier")
    for name in ("one", "two"):
        world.let(name, supplier)
    order = world.order(renter, hours=1, devices=2, min_devices=2)
    world.match(order, "one")
    world.match(order, "two")
    slots = []
    for name in ("one", "two"):
        world.accept(order, name)
        slots.append(len(world.chain.transactions()))
        world.chain.advance(60)
    filled_at = world.read_order(renter).filled_at
    devices = [staking.device_address(key(name).pubkey()) for name in ("one", "two")]
    events = [
        [(record.time, event) for event in orders.PROGRAM.events(record)]
        for record in world.chain.transactions()
    ]
    for at in (0, *slots):
        book = Book(orders.PROGRAM)
        for record in world.chain.transactions()[:at]:
            for event in orders.PROGRAM.events(record):
                FOLDS["orders"][event.name](book, event.fields, record.time)
        before = terms_of(book.of_kind("Lease"), book.of_kind("Order"))
        found = replay(chain_of.from_iterable(events[at:]), before)
        times = {each.device: (each.start, each.stop) for each in found}
        assert times == dict.fromkeys(devices, (filled_at, filled_at + HOUR)), at
