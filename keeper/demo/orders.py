"""The demo's orders: quoted, opened, matched in ticks by three operators, served, ended in every way, paid.

An hour goes by what is due in it: orders are opened, operators look at ticks while something is open, workers
accept what was matched, and the keeper ends what they didn't. Then people change their minds.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper import deploy
from keeper.chain import Event
from keeper.chain.token import create_associated, transfer
from keeper.clients import orders, staking
from keeper.clients.orders import Terms
from keeper.demo import orders_books, orders_checks
from keeper.demo.airdrop import person
from keeper.demo.cheats import code_of
from keeper.demo.exchange import Exchange, turns
from keeper.demo.network import LAMPORTS, Network
from keeper.demo.orders_accounts import Accounts
from keeper.demo.orders_books import Books
from keeper.demo.orders_changes import Changes
from keeper.demo.prices import Prices
from keeper.demo.staking import Stakers
from keeper.demo.wishes import Story, Wish, wishes
from keeper.economy.buyback import USDC
from keeper.economy.calendar import HOUR
from keeper.economy.orders import TICK, Currency
from keeper.economy.supply import IO
from keeper.jobs.blocks import ATTEST_SECONDS
from keeper.market import offers
from keeper.market.matching import satisfies
from keeper.market.offers import Offer
from keeper.pow.codes import Code
from keeper.pow.hashing import first_u64
from keeper.rewards.hired import read_events
from keeper.wallet import plans

MONEY = {Currency.IO: 300_000 * IO, Currency.USDC: 75_000 * USDC}
"""What each renter starts with."""
ACCEPTS = 2, 20
"""Seconds after which a worker accepts what it was matched to, at least and at most."""
LATER = 12 * 60
"""So long after an hour's begin people change their minds."""
AGREED = ATTEST_SECONDS - HOUR
"""So long after it operators agree on the hour before, and other devices have passed their work."""
OVER = 45 * 60
"""So long after it nothing that was opened in the hour is open for matching any more."""
STEP = 6 * HOUR
"""After the last hour the keeper looks this often."""


@dataclass(slots=True)
class Market:
    """Renters, their orders and what came of them; devices and operators are the stakers'."""

    network: Network
    stakers: Stakers
    folder: Path
    """Where the operators have their folders of the market."""
    accounts: Accounts = field(init=False)
    exchange: Exchange = field(init=False)
    prices: Prices = field(init=False)
    changes: Changes = field(init=False)
    wishes: dict[Pubkey, Wish] = field(default_factory=dict)
    """By the order's address."""
    before: dict[tuple[Pubkey, Currency], int] = field(default_factory=dict)
    workers: dict[Pubkey, Keypair] = field(default_factory=dict)
    suppliers: dict[Pubkey, Keypair] = field(default_factory=dict)
    books: Books = field(default_factory=Books)
    ticks: int = 0
    """At how many operators looked."""
    matched: int = 0
    """In how many of them they matched something."""
    _due: list[tuple[int, int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    """Times, with what is due then: a heap."""
    _numbers: Iterator[int] = field(default_factory=count)
    _tick: int = 0
    """The last tick that operators have looked at, or are about to."""
    _late: set[Pubkey] = field(default_factory=set)
    """Orders of which a worker hasn't accepted."""

    def __post_init__(self) -> None:
        """The operators match and vote for prices; they read one index."""
        fleet, stakers = self.stakers.fleet, self.stakers
        self.workers = {machine.address: machine.worker for machine in fleet.machines}
        self.suppliers = {machine.supplier.pubkey(): machine.supplier for machine in fleet.machines}
        self.accounts = Accounts(self.network)
        rewards = stakers.folder / "operator-1"
        self.exchange = Exchange(self.network, stakers.operators, self.folder, rewards, stakers.ledgers)
        self.prices = Prices(self.network, fleet.kinds, fleet.machines)
        self.changes = Changes(self.network, stakers.operators, self.suppliers)

    # -- what happens --------------------------------------------------------------------------

    async def initialise(self) -> None:
        """Set orders up, hand out money to renters, open suppliers' accounts; buyback is set up before."""
        network, guardian = self.network, person("guardian").pubkey()
        await deploy.orders_genesis(network.chain, network.admin, guardian=guardian, usdc_mint=network.usdc)
        self.exchange.open()
        self.wishes = {wish.address: wish for wish in wishes(self.stakers.fleet)}
        treasury, payer = network.admin.pubkey(), network.keeper.pubkey()
        for renter in self._renters():
            network.chain.airdrop(renter, LAMPORTS)
            for currency, amount in MONEY.items():
                source, to = (self.accounts.account(each, currency) for each in (treasury, renter))
                opening = create_associated(payer, renter, self.accounts.mint(currency))
                funding = transfer(source, to, treasury, amount)
                await self.accounts.send([opening, funding], network.keeper, network.admin)
        for supplier in self.suppliers:
            await self.accounts.send([create_associated(payer, supplier, network.usdc)], network.keeper)
        for wallet in (*self._renters(), *self.suppliers):
            for currency in Currency:
                self.before[wallet, currency] = self.accounts.balance(wallet, currency)

    async def hour(self, number: int) -> None:
        """All that people do in hour ``number`` (0 is the first), in its first 45 minutes."""
        opening = [wish for wish in self.wishes.values() if wish.hour == number]
        changing = [wish for wish in self.wishes.values() if wish.change == number]
        await self.network.job("leases")
        if number:
            await self.prices.take(*await self.exchange.prices(number))
        began = self.network.chain.now()
        for wish in opening:
            self._at(began + wish.second, partial(self._open, wish, number))
        if opening or changing or self.changes.releases:
            self._at(began + LATER, partial(self._change, changing, number))
        if opening:
            self._at(began + AGREED, partial(self._look_again, number))
            self._at(began + OVER, self._leases)
        while self._due:
            due, _, does = heapq.heappop(self._due)
            if due > self.network.chain.now():
                await self.network.go_to(due)
            await does()
        await self._check_vaults()

    async def finish(self) -> None:
        """Let the last leases end and the keeper pay and close everything; compare all sums."""
        (frozen,) = (wish for wish in self.wishes.values() if wish.fate == Story.FROZEN)
        await self.changes.freeze(frozen)
        while await orders.read_orders(self.network.chain):
            self.network.chain.advance(STEP)
            await self.network.job("prices")
            await self.network.job("leases")
        await self.changes.thaw()
        self.books = orders_books.keep(await read_events(self.network.chain))
        self.stakers.leased = sum(
            self.books.earned[wallet, Currency.IO]
            for wallet in self.suppliers
            if (wallet, Currency.IO) in self.books.earned
        )
        self.network.checks.holds("no operator did a favour", self.exchange.favoured is not None)
        await orders_checks.check(self.network, self.books, self.before)
        orders_checks.check_prices(self.network, self.books, self.prices)
        orders_checks.check_hired(self.network, self.stakers, self.books)

    # -- steps ---------------------------------------------------------------------------------

    def _at(self, due: int, does: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._due, (due, next(self._numbers), does))

    async def _open(self, wish: Wish, hour: int) -> None:
        """Ask for quotes, and open the order for as much as one says, or for more, or for less."""
        chain, renter = self.network.chain, wish.renter.pubkey()
        config, network, now = await self.accounts.config(), await chain.genesis_hash(), chain.now()
        classes, devices = await staking.read_classes(chain), await staking.read_devices(chain)

        def offer(asked: Terms) -> Offer:
            priced = offers.priced(asked, classes, now)
            return offers.offer(network, priced, classes, devices, config.params, now)

        found = wish.choice(map(offer, wish.asked))
        found = Offer.decode(found.encode().encode())
        offers.require_good(found, network, classes, config.params, now)
        terms = wish.offers(found.terms.terms)
        plan = plans.create(config, renter, wish.number, terms)
        await self.accounts.send(list(plan.instructions), wish.renter)
        if wish.fate == Story.DIRECT:
            self._at(now + config.params.exclusive, partial(self._take, wish))
        self._look(hour)

    def _look(self, hour: int) -> None:
        """Let operators look at the next tick, each when its turn begins.

        They do at every tick. What isn't matched in one isn't in the next either, unless something has
        happened meanwhile: only then is it looked at here.
        """
        tick = self.network.chain.now() // TICK + 1
        if tick <= self._tick:
            return
        self._tick, self.ticks = tick, self.ticks + 1
        for at, operator in turns(tick, hour, len(self.stakers.operators)):
            self._at(at, partial(self._turn, tick, operator, hour))

    async def _look_again(self, hour: int) -> None:
        """Devices are free again, or have passed another hour's work: whatever is still open may get them."""
        now = self.network.chain.now()
        found = (self.accounts.find(each.address) for each in self.wishes.values() if each.hour == hour)
        if any(order is not None and order.takes_devices(now) for order in found):
            self._look(hour)

    async def _turn(self, tick: int, operator: int, hour: int) -> None:
        """An operator's turn; workers that it matches accept a little later, but for those who are late."""
        now, matches = self.network.chain.now(), await self.exchange.turn(tick, operator, hour)
        self.matched += bool(matches)
        for each in matches:
            self._matched(each, now, hour)

    def _matched(self, event: Event, now: int, hour: int) -> None:
        order, device = event.fields["order"], event.fields["device"]
        if self.wishes[order].fate in (Story.LAPSES, Story.UNFILLED) and order not in self._late:
            self._late.add(order)
            lease = self.accounts.lease(order, device)
            assert lease is not None  # it was matched just now
            self._at(lease.accept_until + 1, partial(self._lapse, hour))
        else:
            least, most = ACCEPTS
            drawn = first_u64(sha256(bytes(order) + bytes(device)).digest())
            self._at(now + least + drawn % (most - least + 1), partial(self._accept, order, device))

    async def _accept(self, order: Pubkey, device: Pubkey) -> None:
        lease = self.accounts.lease(order, device)
        assert lease is not None  # it was matched a little earlier
        found = self.accounts.order(order)
        accepted = orders.accept_lease(await self.accounts.config(), found, lease)
        await self.accounts.send([accepted], self.network.keeper, self.workers[device])

    async def _lapse(self, hour: int) -> None:
        """The time to accept is over: the keeper opens places again, and operators look for others."""
        await self._leases()
        self._look(hour)

    async def _take(self, wish: Wish) -> None:
        """Suppliers match their own devices to an order, and in the same transaction their workers accept.

        First those whose devices don't pass their work unless they are hired: no operator matches them.
        """
        chain = self.network.chain
        devices, classes = await staking.read_devices(chain), await staking.read_classes(chain)
        willing = [each for each in self.stakers.fleet.machines if code_of(each) in (None, Code.PASS_SLOW)]
        for machine in sorted(willing, key=lambda each: code_of(each) is None):
            order, device = self.accounts.order(wish.address), devices[machine.address]
            if not (order.takes_devices(chain.now()) and satisfies(order, device, classes, chain.now())):
                continue
            of_class, supplier = classes[device.device_class], machine.supplier.pubkey()
            matched, lease = plans.match(order, device, of_class, supplier, chain.now())
            accepted = orders.accept_lease(await self.accounts.config(), order, lease)
            await self.accounts.send([matched, accepted], machine.supplier, machine.worker)

    async def _change(self, changing: list[Wish], hour: int) -> None:
        for wish in changing:
            await self.changes.change(wish)
        await self.changes.release()
        await self._leases()
        await self._look_again(hour)

    async def _leases(self) -> None:
        await self.network.job("leases")

    # -- what must hold ------------------------------------------------------------------------

    async def _check_vaults(self) -> None:
        """Each order's vault holds what the order records, and the order what its leases record."""
        found = await orders.read_orders(self.network.chain)
        held = dict.fromkeys(found, 0)
        for lease in (await orders.read_leases(self.network.chain)).values():
            held[lease.order] += lease.held
        for address, order in found.items():
            vault = self.accounts.tokens(order.vault)
            in_it = order.free + order.held + order.fees_due
            self.network.checks.equal(f"vault of order {order.id}", vault, in_it)
            self.network.checks.equal(f"leases of order {order.id}", held[address], order.held)

    def _renters(self) -> list[Pubkey]:
        return list(dict.fromkeys(wish.renter.pubkey() for wish in self.wishes.values()))
