"""Orders' and buyback's accounts from events alone: kept, taken up again, and no field left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Program
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import associated_token_address
from keeper.chain.program import Fields
from keeper.chain.token import transfer
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.db import Database
from keeper.economy.orders import Currency
from keeper.economy.supply import IO
from keeper.indexer import ProgramIndexer
from keeper.indexer.book import Book
from keeper.indexer.compare import differences
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from tests.keeper.indexer.busy import prepared
from tests.programs.buyback.world import FIRST_PRICE, USDC, BuybackWorld
from tests.programs.folded import folded
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import DAY, HOUR, World, finish, key
from tests.security.tokens import freeze_anyway

EVIDENCE = bytes(range(32))
NOTICE = 7 * DAY


def roles(world: World, client: Any, changed: Any) -> None:
    """What admin and guardian of orders and of buyback can do, each once; the roles stay where they were."""
    admin, guardian, heir = world.admin, world.guardian, world.person("heir")

    def do(instruction: Any, signer: Keypair) -> None:
        world.do(instruction, signers=[signer])

    do(client.propose_params(admin.pubkey(), changed), admin)
    do(client.cancel_params(guardian.pubkey()), guardian)
    do(client.propose_params(admin.pubkey(), changed), admin)
    world.chain.advance(NOTICE)
    world.do(client.apply_params())
    do(client.propose_params(admin.pubkey(), changed), admin)
    for named in (guardian, heir):
        do(client.propose_guardian(admin.pubkey(), named.pubkey()), admin)
    world.chain.advance(NOTICE)
    do(client.accept_guardian(heir.pubkey()), heir)
    do(client.propose_guardian(admin.pubkey(), guardian.pubkey()), admin)
    do(client.set_pause(heir.pubkey(), 1, world.chain.now() + HOUR), heir)
    world.chain.advance(HOUR)
    for old, new in ((admin, heir), (heir, admin)):
        do(client.propose_admin(old.pubkey(), new.pubkey()), old)
        do(client.accept_admin(new.pubkey()), new)
    do(client.propose_admin(admin.pubkey(), heir.pubkey()), admin)


class Let(OrdersWorld):
    """Orders to look at in between, and to bring to their ends."""

    gangs: list[tuple[orders.Order, str]]

    @classmethod
    def started(cls) -> Let:
        world = cls.ready()
        assert isinstance(world, Let)
        return world

    def begin(self) -> None:
        """Leases in every state, on three orders."""
        self.ruth, supplier = self.renter("ruth"), self.supplier("supplier")
        names = [f"worker {number}" for number in range(6)]
        for name in names:
            self.let(name, supplier)
        io = self.order(self.ruth, 1, price=3 * IO, hours=7, devices=4)
        usdc = self.order(self.ruth, 2, price=2 * USDC, currency=Currency.USDC, devices=3, colocated=True)
        self.order(self.ruth, 3, devices=1)
        self.placed = [(io, name) for name in names[:4]] + [(usdc, name) for name in names[4:]]
        for order, name in self.placed[1:]:
            self.run(order, name)
        self.match(*self.placed[0])
        self.gather()
        config, guardian = self.orders_config(), self.guardian
        for order, name in self.placed[4:]:
            lease = self.lease(order, name)
            more = orders.extend_lease(config, order, lease, 3, max_amount=lease.extension(3))
            self.do(more, signers=[self.ruth])
        self.chain.advance(3 * HOUR + 1_234)
        for order, name in self.placed[1:]:
            assert self.settle(order, name).error is None
        assert self.end(*self.placed[0], self.payer).error is None
        assert self.end(*self.placed[1], supplier).error is None
        assert self.end(*self.placed[4], self.ruth).error is None
        for until in (2 * DAY, DAY):
            lease = self.lease(*self.placed[2])
            held = orders.hold_lease(guardian.pubkey(), lease, self.chain.now() + until)
            self.do(held, signers=[guardian])
        lease = self.lease(*self.placed[3])
        for number, hours in ((0, 2), (1, 2), (2, 1), (0, 0)):
            self.vote(self.operators[number], lease, hours)
        self.do(orders.cancel_order(self.read_order(self.ruth, 2)), signers=[self.ruth])
        self.do(orders.refund(config, usdc))
        self.park(self.payouts)
        self.list_operators([self.operators[number] for number in (2, 0, 1)])
        for operator in self.operators[:2]:
            self.vote(operator, lease, 1)

    def gather(self) -> None:
        """A gang that is filled, and runs as nobody has written down; one that isn't, and is tried again."""
        other = self.supplier("other")
        names = [f"of a gang {number}" for number in range(4)]
        for name in names:
            self.let(name, other)
        filled, late = (self.order(self.ruth, number, hours=5, devices=2, min_devices=2) for number in (4, 5))
        self.gangs = [(order, name) for order, name in zip((filled, filled, late, late), names, strict=True)]
        for order, name in self.gangs:
            self.match(order, name)
        for order, name in self.gangs[:3]:
            self.accept(order, name)
        self.chain.advance(600)
        for order, name in self.gangs[2:]:
            assert self.end(order, name, self.payer).error is None
            self.do(orders.close_lease(self.lease(order, name)))

    @property
    def payouts(self) -> Pubkey:
        """Where the gangs' devices are paid."""
        return associated_token_address(key("other").pubkey(), tokenomics.MINT)

    def park(self, payee: Pubkey) -> None:
        """What is due to a payee that can't be paid is set aside."""
        freeze_anyway(self, payee)
        for order, name in self.gangs[:2]:
            lease, config = self.lease(order, name), self.orders_config()
            self.do(orders.park_pay(self.payer.pubkey(), config, self.read_order(self.ruth, 4), lease))

    def pay_parked(self, destination: Pubkey) -> None:
        """It is paid once that can be."""
        freeze_anyway(self, destination, let_go=True)
        (parked,) = finish(orders.read_parked(self.chain))
        assert parked.destination == destination
        self.do(orders.pay_parked(self.orders_config(), parked))

    def vote(self, operator: Keypair, lease: orders.Lease, good_hours: int) -> None:
        """An operator votes for a fault."""
        self.do(orders.vote_fault(operator.pubkey(), lease, EVIDENCE, good_hours), signers=[operator])

    def list_operators(self, operators: list[Keypair]) -> None:
        """Staking lists them in this order from now on, and all must agree: votes before are void."""
        admin, params = self.admin, self.staking_config().params
        keys = tuple(each.pubkey() for each in operators)
        changed = replace(params, operators=keys, threshold=len(keys))
        self.do(staking.propose_params(admin.pubkey(), changed), signers=[admin])
        self.chain.advance(params.notice)
        self.do(staking.apply_params())

    def finish(self) -> None:
        """The orders of leases close, and the faults; the third order stays."""
        self.pay_parked(self.payouts)
        self.chain.advance(2 * DAY)
        config = self.orders_config()
        freeze_anyway(self, config.usdc_fees)
        for order, name in self.placed + self.gangs[:2]:
            if self.lease(order, name).ended_at == 0:
                assert self.end(order, name, self.payer).error is None
            if self.lease(order, name).start:
                assert self.settle(order, name).error is None
            self.do(orders.close_lease(self.lease(order, name)))
        for fault in finish(orders.read_faults(self.chain)):
            self.do(orders.close_fault(fault))
        order = self.read_order(self.ruth, 2)
        self.do(orders.park_fees(self.payer.pubkey(), config, order))
        self.pay_parked(config.usdc_fees)
        for number in (1, 2, 4, 5):
            self.do(orders.close_order(config, self.read_order(self.ruth, number)))
        roles(self, orders, replace(config.params, renter_fee_bps=30))


class Sold(BuybackWorld):
    """Auctions of every end."""

    @classmethod
    def started(cls) -> Sold:
        world = cls.initialised()
        assert isinstance(world, Sold)
        return world

    def begin(self) -> None:
        """A first price that is dropped, and another; a lot sold, with fees that came in it; IO burned."""
        admin, guardian = self.admin.pubkey(), self.guardian.pubkey()
        self.do(buyback.propose_first_price(admin, IO), signers=[self.admin])
        self.do(buyback.cancel_first_price(guardian), signers=[self.guardian])
        self.do(buyback.propose_first_price(admin, FIRST_PRICE), signers=[self.admin])
        self.chain.warp_to(self.buyback_config().first_price_at)
        self.buyer = self.bidder("buyer", 10**6 * IO)
        self.start(1_000 * USDC)
        self.pay_usdc(5 * USDC)
        self.chain.advance(DAY // 2)
        assert self.bid(self.buyer, 0).error is None
        source = tokenomics.tokens_address(self.buyer.pubkey())
        moved = transfer(source, buyback.IO_VAULT, self.buyer.pubkey(), 7 * IO)
        self.do(moved, buyback.burn_fees(), signers=[self.buyer])

    def finish(self) -> None:
        """One that nobody took, one that was void, one that is open."""
        guardian = self.guardian.pubkey()
        self.chain.advance(DAY)
        for number in (1, 2):
            self.start(1_000 * USDC)
            if number == 2:
                pause = buyback.set_pause(guardian, buyback.PAUSE_BID, self.chain.now() + HOUR)
                self.do(pause, signers=[self.guardian])
            self.chain.advance(DAY)
            self.do(buyback.close_auction(number))
        roles(self, buyback, replace(self.buyback_config().params, min_price=IO // 50))
        self.start(1_000 * USDC)


STORIES: dict[Program, type[Let] | type[Sold]] = {orders.PROGRAM: Let, buyback.PROGRAM: Sold}


def compared(chain: EmbeddedChain, program: Program, book: Book) -> int:
    accounts = finish(chain.program_accounts(program.address))
    return len(differences(book, {address: account.data for address, account in accounts.items()}))


@pytest.mark.parametrize("program", STORIES, ids=lambda program: program.name)
async def test_the_accounts_are_the_chains(program: Program, database: Database) -> None:
    """Each time by a new process that takes them up; at the end every event has been met."""
    world = STORIES[program].started()

    async def agree() -> None:
        ledger = Ledger(
            world.chain,
            database,
            await prepared(ProgramIndexer(world.chain, database, program)),
            FOLDS[program.name],
        )
        assert (await ledger.compare()).differences == []

    steps: list[Callable[[], None]] = [world.begin, world.finish]
    await agree()
    for step in steps:
        step()
        await agree()
    met = {event.name for record in world.chain.transactions() for event in program.events(record)}
    assert met == program.event_fields.keys()


@pytest.mark.parametrize("program", STORIES, ids=lambda program: program.name)
def test_every_field_is_compared(program: Program) -> None:
    """Whatever field of whatever account lacks its value, that is a difference."""
    world = STORIES[program].started()
    world.begin()
    book = folded(world.chain, program)
    assert compared(world.chain, program, book) == 0
    assert {kind for kind, _, _ in book} == program.account_fields.keys()
    for kind, address, fields in list(book):
        for name in fields:
            book.put(kind, address, {**fields, name: None})
            assert compared(world.chain, program, book) == 1, (kind, name)
        book.put(kind, address, fields)


def test_a_sale_tells_what_came_in_during_the_auction() -> None:
    world = Sold.started()
    world.begin()

    def told() -> int:
        book = folded(world.chain, buyback.PROGRAM)
        assert compared(world.chain, buyback.PROGRAM, book) == 0
        return int(book.get("Config", buyback.CONFIG)["fees_usdc"])

    assert told() == 1_005 * USDC
    world.chain.advance(DAY)
    world.start(1_000 * USDC)
    assert told() == 2_005 * USDC


def test_an_order_in_one_country_is_where_its_first_device_is() -> None:
    """It follows the first device that is there; an order whose devices may be anywhere has no country."""
    world = Let.started()
    ruth, supplier = world.renter("ruth"), world.supplier("supplier")
    here, there, other = (world.let(name, supplier) for name in ("here", "there", "other"))
    asks = {"ask_io": there.ask_io, "ask_usdc": there.ask_usdc}
    world.do(staking.change_device(there, tier=there.tier, country="DE", **asks), signers=[supplier])
    world.chain.advance(1)
    together = world.order(ruth, 1, devices=1, colocated=True)
    anywhere = world.order(ruth, 2, devices=1)

    def countries() -> list[bytes]:
        book = folded(world.chain, orders.PROGRAM)
        assert compared(world.chain, orders.PROGRAM, book) == 0
        workers = {lease["worker"] for lease in book.of_kind("Lease").values()}
        assert workers <= {here.worker, there.worker, other.worker}
        return [book.get("Order", order.address)["country"] for order in (together, anywhere)]

    world.match(together, "here")
    assert countries() == [b"CH", bytes(2)]
    assert world.end(together, "here", supplier).error is None
    world.do(orders.close_lease(world.lease(together, "here")))
    world.match(together, "there")
    world.match(anywhere, "other")
    assert countries() == [b"DE", bytes(2)]


def test_votes_are_by_the_numbers_of_the_list_that_they_are_under() -> None:
    """Two of the first list decide a fault; the vote on another is void once two of the next list vote."""
    world = Let.started()
    world.begin()
    faults = folded(world.chain, orders.PROGRAM).of_kind("Fault").values()
    told = {each["good_hours"]: (each["revision"], each["votes"], each["decided"]) for each in faults}
    assert told == {0: (0, 0b001, False), 1: (1, 0b110, False), 2: (0, 0b011, True)}


def test_a_device_keeps_its_record() -> None:
    """Staking's own accounts follow leases, too: who has a device, and what became of those before."""
    world = Let.started()
    world.begin()

    def devices() -> list[Fields]:
        book = folded(world.chain, staking.PROGRAM)
        assert compared(world.chain, staking.PROGRAM, book) == 0
        return [book.get("Device", staking.device_address(key(name).pubkey())) for _, name in world.placed]

    leased = [device["lease"] != staking.NOBODY for device in devices()]
    assert leased == [False, False, True, False, False, True]
    world.finish()
    counted = [tuple(d[name] for name in ("leases_done", "leases_failed", "disputes")) for d in devices()]
    assert counted == [(0, 0, 0), (0, 1, 0), (1, 0, 1), (0, 1, 0), (1, 0, 0), (1, 0, 0)]
