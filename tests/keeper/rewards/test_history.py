"""An hour's edges, to the second and to the slot: what counts is what was final and before its end."""

from __future__ import annotations

from collections import Counter
from random import Random

import sqlalchemy as sa
from solders.pubkey import Pubkey

from keeper.chain import Chain, Event
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.program import Fields
from keeper.clients import orders, staking
from keeper.clients.orders import Order
from keeper.db import Database
from keeper.db.tables import SIGNATURES, WATERMARKS
from keeper.economy.orders import LeaseStatus
from keeper.economy.supply import IO
from keeper.indexer.watermark import BEFORE_ALL
from keeper.rewards.hired import Term, read_events, replay, terms_of
from keeper.rewards.history import History
from tests.keeper.runtime.conftest import database
from tests.programs.orders.world import OrdersWorld
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, HOUR, START, finish, key

__all__ = ["database"]

# -- before an hour's end --------------------------------------------------------------------------


async def test_what_happens_at_the_edges_of_an_hour(database: Database) -> None:
    """A second before its end belongs to it, its end and a second later to the next."""
    world = StakingWorld.ready()
    supplier = world.earner("supplier", 10_000 * IO)
    device = world.device("worker", supplier)
    address = staking.device_address(device.worker)
    end = START + 2 * HOUR
    own = {}
    for at in (START, end - HOUR, end - 1, end, end + 1, end + HOUR):
        world.chain.warp_to(at)
        world.do(staking.stake(world.read_device("worker"), 100 * IO), signers=[supplier])
        own[at] = world.read_device("worker").own
    history = History(world.chain, database)
    await history.prepare()
    assert await history.knows(end + HOUR)
    for start, last in ((end - HOUR, end - 1), (end, end + 1), (end - 2 * HOUR, START)):
        found = await history.hour(start)
        assert found.devices[address]["own"] == own[last]


async def test_what_is_known_of_an_hour_that_ends_now(database: Database) -> None:
    world = StakingWorld.ready()
    history = History(world.chain, database)
    await history.prepare()
    world.chain.warp_to(START + HOUR - 1)
    assert not await history.knows(START + HOUR)
    assert await history.knows(START + HOUR - 1)
    world.chain.warp_to(START + HOUR)
    assert await history.knows(START + HOUR)
    assert not await history.knows(START + HOUR + 1)


async def test_the_last_slots_before_times(database: Database) -> None:
    """Against a search of all: several transactions a slot, failed ones without times, some not final."""
    history = History(EmbeddedChain(), database)
    await history.prepare()
    accounts, name = history._staking, staking.PROGRAM.name
    random = Random(4)
    for _ in range(150):
        slot, time = 0, 1_000
        rows: list[tuple[int, int, int | None]] = []
        for _ in range(random.randint(0, 8)):
            step = random.randint(1, 2)
            slot, time = slot + step, time + random.randint(0, step)
            for position in range(random.randint(1, 2)):
                rows.append((slot, position, random.choice((time, time, None))))
        # Final up to just below, at, or just above one of them.
        final = random.choice(rows)[0] + random.randint(-1, 1) if rows else 0
        async with database.transaction() as connection:
            await connection.execute(sa.delete(SIGNATURES))
            await connection.execute(sa.update(WATERMARKS).values(final_slot=final))
            for at, position, when in rows:
                row = {"program": name, "slot": at, "position": position, "signature": f"{at}.{position}"}
                await connection.execute(sa.insert(SIGNATURES).values(**row, time=when, failed=when is None))
        times = list(range(999, time + 3))
        expected = [
            max(
                (at for at, _, when in rows if when is not None and when < before and at <= final),
                default=BEFORE_ALL,
            )
            for before in times
        ]
        assert await accounts.last_slots(*times) == expected, (rows, final)


# -- leases by events and by accounts -----------------------------------------------------------------

WORKERS = ("a", "b", "c", "d", "e")


class Leases(OrdersWorld):
    """Two orders, one of them a gang's, whose leases go in random ways."""

    @classmethod
    def started(cls) -> Leases:
        world = cls.ready()
        assert isinstance(world, Leases)
        world.ruth, world.owner = world.renter("ruth", io=10**6 * IO), world.supplier("supplier")
        for name in WORKERS:
            world.let(name, world.owner)
        world.numbers = 0
        return world

    def leases(self) -> dict[str, orders.Lease]:
        """Of workers that have one."""
        found = finish(orders.read_leases(self.chain)).values()
        names = {staking.device_address(key(name).pubkey()): name for name in WORKERS}
        return {names[each.device]: each for each in found}

    def act(self, random: Random) -> None:
        """Try something; what is refused changes nothing."""
        leases = self.leases()
        name = random.choice(WORKERS)
        lease = leases.get(name)
        if lease is None:
            order = random.choice(self._orders(random))
            device = self.read_device(name)
            tick = self.turn(order)
            matcher = self.operators[0]
            found = self.send(orders.match_device(matcher.pubkey(), order, device, tick), signers=[matcher])
            if found.error is None and random.random() < 0.8:
                self._accept(random, name, order, self.lease(order, name))
            return
        order = next(each for each in self._all() if each.address == lease.order)
        acts = {
            LeaseStatus.MATCHED: [*(self._accept,) * 4, self._end, self._wait],
            LeaseStatus.ACCEPTED: [self._end, self._fault, self._wait],
            LeaseStatus.RUNNING: [self._extend, self._end, self._end, self._fault, self._wait, self._wait],
            LeaseStatus.ENDED: [self._fault, self._fault, self._close, self._wait],
        }[LeaseStatus(lease.begun(order).status)]
        random.choice(acts)(random, name, order, lease)

    def _all(self) -> list[Order]:
        return list(finish(orders.read_orders(self.chain)).values())

    def _orders(self, random: Random) -> list[Order]:
        now = self.chain.now()
        takes = [each for each in self._all() if each.takes_devices(now)]
        if not takes:
            self.numbers += 1
            gang = 2 if random.random() < 0.4 else 1
            hours = random.randint(1, 4)
            takes = [
                self.order(
                    self.ruth, self.numbers, hours=hours, devices=random.randint(2, 3), min_devices=gang
                )
            ]
            self.chain.advance(1)
        return takes

    def _accept(self, random: Random, name: str, order: Order, lease: orders.Lease) -> None:
        self.send(orders.accept_lease(self.orders_config(), order, lease), signers=[key(name)])

    def _end(self, random: Random, name: str, order: Order, lease: orders.Lease) -> None:
        self.end(order, name, random.choice((self.ruth, self.owner, self.payer)))
        if random.random() < 0.5:
            # Only what isn't due yet can be taken back.
            self.chain.advance(60)
            self._fault(random, name, order, self.lease(order, name))

    def _fault(self, random: Random, name: str, order: Order, lease: orders.Lease) -> None:
        evidence, good_hours = random.randbytes(32), random.randint(0, 2)
        for operator in self.operators[:2]:
            vote = orders.vote_fault(operator.pubkey(), lease, evidence, good_hours)
            self.send(vote, signers=[operator])

    def _extend(self, random: Random, name: str, order: Order, lease: orders.Lease) -> None:
        hours = random.randint(1, 2)
        most = lease.extension(hours)
        call = orders.extend_lease(self.orders_config(), order, lease, hours, max_amount=most)
        self.send(call, signers=[self.ruth])

    def _close(self, random: Random, name: str, order: Order, lease: orders.Lease) -> None:
        self.settle(order, name)
        self.send(orders.close_lease(lease))

    def _wait(self, random: Random, name: str, order: Order, lease: orders.Lease) -> None:
        self.chain.advance(random.choice((1, 600, HOUR - 1, HOUR, DAY)))


def by_accounts(chain: Chain) -> dict[Pubkey, Term]:
    """The terms of all leases that have accounts, as the accounts say."""
    kinds: dict[str, dict[Pubkey, Fields]] = {"Lease": {}, "Order": {}}
    for address, account in finish(chain.program_accounts(orders.PROGRAM.address)).items():
        kind, fields = orders.PROGRAM.decode_account(account.data)
        kinds.setdefault(kind, {})[address] = fields
    return terms_of(kinds["Lease"], kinds["Order"])


def lived(random: Random) -> list[tuple[int, Event]]:
    """A random history; after each step events make the accounts, from the first and from earlier ones."""
    world = Leases.started()
    events: list[tuple[int, Event]] = []
    read, at, earlier = 0, 0, by_accounts(world.chain)
    for step in range(150):
        world.act(random)
        for record in world.chain.transactions()[read:]:
            events += [(record.time, event) for event in orders.PROGRAM.events(record)]
        read = len(world.chain.transactions())
        terms = by_accounts(world.chain)
        for found in (replay(events), replay(events[at:], earlier)):
            there = found[len(found) - len(terms) :]
            assert Counter(there) == Counter(terms.values()), step
        assert len(replay(events)) == sum(event.name == "LeaseMatched" for _, event in events)
        if step % 20 == 0:
            at, earlier = len(events), terms
    return events


def test_events_make_the_terms_that_accounts_have() -> None:
    """A fault after an end moves the stop, and not the end; a gang starts with its last."""
    histories = [lived(Random(seed)) for seed in range(4)]
    names = {event.name for events in histories for _, event in events}
    assert {"LeaseStarted", "Extend", "LeaseClosed"} <= names
    ended = [Counter(e.fields["lease"] for _, e in each if e.name == "LeaseEnded") for each in histories]
    assert sum(count > 1 for each in ended for count in each.values()) >= 5


async def test_all_leases_that_there_ever_were(database: Database) -> None:
    """Those that are closed, too: a device that was ever let is excused, whoever closed the account."""
    world = Leases.started()
    random = Random(3)
    for _ in range(80):
        world.act(random)
    history = History(world.chain, database)
    await history.prepare()
    assert await history.knows(world.chain.now())
    found = await history.leases()
    assert found == replay(await read_events(world.chain))
    assert len(found) > len(by_accounts(world.chain)) > 0
