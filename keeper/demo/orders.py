"""The demo's orders: opened, matched by three operators, served, ended in every way, and paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper import deploy
from keeper.chain import Event
from keeper.chain.framework import associated_token_address
from keeper.chain.packing import pack
from keeper.chain.token import create_associated, freeze, read_token_account, thaw, transfer
from keeper.clients import orders, staking, tokenomics
from keeper.clients.orders import Config, Lease, Order
from keeper.demo import orders_books, orders_checks
from keeper.demo.airdrop import person
from keeper.demo.network import LAMPORTS, Network
from keeper.demo.orders_books import Books
from keeper.demo.prices import Prices
from keeper.demo.staking import Stakers
from keeper.demo.wishes import Story, Wish, wishes
from keeper.economy.buyback import USDC
from keeper.economy.calendar import HOUR
from keeper.economy.orders import TICK, Currency, LeaseStatus, turn_opens
from keeper.economy.supply import IO
from keeper.market import matching
from keeper.market.quotes import limit, quote
from keeper.rewards.hired import read_events
from keeper.wallet import plans

MONEY = {Currency.IO: 300_000 * IO, Currency.USDC: 75_000 * USDC}
"""What each renter starts with."""
EXTENSION = 3
"""Hours that are added."""
HOLD = 12 * HOUR
RELEASE = 4 * HOUR
"""The guardian holds money for the first, and releases it after the second."""
LATER = 12 * 60
"""So long after an hour's orders, all that wasn't accepted has lapsed, and people change their minds."""
STEP = 6 * HOUR
"""After the last hour the keeper looks this often."""
AWAY = 5
"""In every fifth hour the operator whose turn is first is away, and the next one matches."""


@dataclass(slots=True)
class Market:
    """Renters, their orders and what came of them; devices and operators are the stakers'."""

    network: Network
    stakers: Stakers
    prices: Prices = field(init=False)
    wishes: list[Wish] = field(default_factory=list)
    before: dict[tuple[Pubkey, Currency], int] = field(default_factory=dict)
    releases: dict[Pubkey, int] = field(default_factory=dict)
    workers: dict[Pubkey, Keypair] = field(default_factory=dict)
    suppliers: dict[Pubkey, Keypair] = field(default_factory=dict)
    frozen: list[Pubkey] = field(default_factory=list)
    """Token accounts that USDC's issuer froze."""
    books: Books = field(default_factory=Books)

    def __post_init__(self) -> None:
        """The operators vote for prices, too."""
        fleet = self.stakers.fleet
        self.prices = Prices(self.network, self.stakers.operators, fleet.kinds, fleet.machines)

    # -- what happens --------------------------------------------------------------------------

    async def initialise(self) -> None:
        """Set orders up, hand out money to renters, open suppliers' accounts; buyback is set up before."""
        network, guardian = self.network, person("guardian").pubkey()
        await deploy.orders_genesis(network.chain, network.admin, guardian=guardian, usdc_mint=network.usdc)
        self.wishes = wishes(self.stakers.fleet)
        self.workers = {machine.address: machine.worker for machine in self.stakers.fleet.machines}
        owners = [machine.supplier for machine in self.stakers.fleet.machines]
        self.suppliers = {owner.pubkey(): owner for owner in owners}
        treasury, payer = network.admin.pubkey(), network.keeper.pubkey()
        for renter in self._renters():
            network.chain.airdrop(renter, LAMPORTS)
            for currency, amount in MONEY.items():
                source, to = self._account(treasury, currency), self._account(renter, currency)
                opening = create_associated(payer, renter, self._mint(currency))
                funding = transfer(source, to, treasury, amount)
                await self._send([opening, funding], network.keeper, network.admin)
        for supplier in self.suppliers:
            await self._send([create_associated(payer, supplier, network.usdc)], network.keeper)
        for wallet in (*self._renters(), *self.suppliers):
            for currency in Currency:
                self.before[wallet, currency] = self._balance(wallet, currency)

    async def hour(self, number: int) -> None:
        """All that people do in hour ``number`` (0 is the first), in its first 25 minutes."""
        opening = [wish for wish in self.wishes if wish.hour == number]
        changing = [wish for wish in self.wishes if wish.change == number]
        chain = self.network.chain
        await self.network.job("prices")
        await self.network.job("leases")
        await self.prices.hour(number)
        began = chain.now()
        for wish in opening:
            await self._open(wish)
        direct = [wish for wish in opening if wish.fate == Story.DIRECT]
        await self._batch([wish for wish in opening if wish not in direct], number)
        if direct:
            await self.network.go_to(began + (await self._config()).params.exclusive)
            for wish in direct:
                await self._taken(wish)
        if opening or changing or self.releases:
            # The time to accept is over; what was not accepted is matched again.
            await self.network.go_to(began + LATER)
            for wish in changing:
                await self._change(wish)
            await self._release()
            await self.network.job("leases")
            again = [wish for wish in opening if wish.fate in (Story.LAPSES, Story.UNFILLED)]
            await self._batch(again, number, again=True)
        if opening:
            await self.network.go_to(chain.now() + (await self._config()).params.accept_window)
            await self.network.job("leases")
        await self._check_vaults()

    async def finish(self) -> None:
        """Let the last leases end and the keeper pay and close everything; compare all sums."""
        await self._freeze()
        while await orders.read_orders(self.network.chain):
            self.network.chain.advance(STEP)
            await self.network.job("prices")
            await self.network.job("leases")
        await self._thaw()
        self.books = orders_books.keep(await read_events(self.network.chain))
        self.stakers.leased = sum(
            self.books.earned[wallet, Currency.IO]
            for wallet in self.suppliers
            if (wallet, Currency.IO) in self.books.earned
        )
        await orders_checks.check(self.network, self.books, self.before)
        orders_checks.check_prices(self.network, self.books, self.prices)
        orders_checks.check_hired(self.network, self.stakers, self.books)

    # -- steps ---------------------------------------------------------------------------------

    async def _open(self, wish: Wish) -> None:
        """Open an order for as much as the dearest of its classes costs until its matching is over."""
        chain, classes = self.network.chain, await staking.read_classes(self.network.chain)
        now, currency = chain.now(), wish.asked.currency
        params = (await self._config()).params
        until = now + params.match_window
        found = [quote(classes[number], currency, now, until) for number in wish.asked.classes]
        terms = wish.terms(limit(found))
        renter, mint, most = wish.renter.pubkey(), self._mint(currency), terms.deposit(params)
        opening = orders.create_order(renter, wish.number, terms, mint, max_deposit=most)
        await self._send([opening], wish.renter)

    async def _batch(self, opened: Sequence[Wish], hour: int, *, again: bool = False) -> None:
        """Match what is open in the next tick, by the operator whose turn it is; let workers accept."""
        if not opened:
            return
        chain, operators = self.network.chain, self.stakers.operators
        # Not always the same operator's: an hour has a multiple of three ticks.
        tick = chain.now() // TICK + 1 + hour % len(operators)
        leader = (tick + (hour % AWAY == AWAY - 1)) % len(operators)
        await self.network.go_to(turn_opens(tick, leader, len(operators)))
        operator = operators[leader]
        devices, classes = await staking.read_devices(chain), await staking.read_classes(chain)
        leases = await orders.read_leases(chain)
        for wish in opened:
            order = self._order(wish)
            chosen = matching.choose(order, devices, classes, chain.now(), leases)
            matches = [orders.match_device(operator.pubkey(), order, devices[each], tick) for each in chosen]
            for run in pack([[each] for each in matches], operator.pubkey()):
                await self._send([matches[at] for at in run], operator)
            workers = [self.workers[address] for address in chosen]
            late = wish.fate in (Story.LAPSES, Story.UNFILLED) and not again
            await self._accept(order, workers[1 if late else 0 :])
            for address in chosen:
                lease = orders.lease_address(order.address, address)
                devices[address] = replace(devices[address], lease=lease)

    async def _taken(self, wish: Wish) -> None:
        """Suppliers match their own devices to an order, and in the same transaction their workers accept."""
        chain = self.network.chain
        devices, classes = await staking.read_devices(chain), await staking.read_classes(chain)
        order, config = self._order(wish), await self._config()
        for address in matching.choose(order, devices, classes, chain.now()):
            device = devices[address]
            supplier, worker = self.suppliers[device.supplier], self.workers[address]
            of_class = classes[device.device_class]
            matched, lease = plans.match(order, device, of_class, supplier.pubkey(), chain.now())
            accepted = orders.accept_lease(config, order, lease)
            await self._send([matched, accepted], supplier, worker)

    async def _accept(self, order: Order, workers: Sequence[Keypair]) -> None:
        config = await self._config()
        for worker in workers:
            lease = self._lease(order.address, staking.device_address(worker.pubkey()))
            await self._send([orders.accept_lease(config, order, lease)], self.network.keeper, worker)

    async def _change(self, wish: Wish) -> None:
        """What happens to an order in the middle of its time, to its first lease where one is enough."""
        if wish.fate == Story.CANCELLED:
            await self._send([orders.cancel_order(self._order(wish))], wish.renter)
            return
        running = await self._running(wish)
        if not running:
            return
        lease, now = running[0], self.network.chain.now()
        match wish.fate:
            case Story.RENTER_ENDS:
                for each in running:
                    await self._send([orders.end_lease(wish.renter.pubkey(), each)], wish.renter)
            case Story.SUPPLIER_ENDS:
                supplier = self.suppliers[lease.supplier]
                await self._send([orders.end_lease(supplier.pubkey(), lease)], supplier)
            case Story.FAULT:
                good = max((now - lease.start) // HOUR - 1, 0)
                evidence = sha256(f"verdict on lease {wish.number}".encode()).digest()
                for operator in self.stakers.operators[:2]:
                    vote = orders.vote_fault(operator.pubkey(), lease, evidence, good)
                    await self._send([vote], operator)
            case Story.HELD:
                await self._hold(lease, now + HOLD)
                self.releases[lease.address] = now + RELEASE
            case Story.EXTENDED:
                config, order = await self._config(), self._order(wish)
                extension = orders.extend_lease(config, order, lease, EXTENSION)
                await self._send([extension], wish.renter)

    async def _release(self) -> None:
        """Let the guardian release what it has held for long enough."""
        now = self.network.chain.now()
        for address, at in list(self.releases.items()):
            if now >= at:
                account = self.network.chain.get(address)
                assert account is not None  # held money keeps the lease from being closed
                await self._hold(orders.parse_lease(account.data), now)
                del self.releases[address]

    async def _hold(self, lease: Lease, until: int) -> None:
        guardian = person("guardian")
        await self._send([orders.hold_lease(guardian.pubkey(), lease, until)], guardian)

    async def _freeze(self) -> None:
        """USDC's issuer freezes the account that a running lease is to be paid into."""
        (wish,) = (each for each in self.wishes if each.fate == Story.FROZEN)
        issuer, usdc = self.network.admin, self.network.usdc
        payouts = dict.fromkeys(lease.payout for lease in await self._running(wish))
        self.frozen = [associated_token_address(payout, usdc) for payout in payouts]
        self.network.checks.holds("no payee is frozen", bool(self.frozen))
        for account in self.frozen:
            await self._send([freeze(account, usdc, issuer.pubkey())], issuer)

    async def _thaw(self) -> None:
        """The issuer thaws it: what was parked is paid, though its orders are gone."""
        chain, issuer = self.network.chain, self.network.admin
        parked = await orders.read_parked(chain)
        waiting = {each.destination for each in parked}
        self.network.checks.equal("whose pay is parked", waiting, set(self.frozen))
        for account in self.frozen:
            await self._send([thaw(account, self.network.usdc, issuer.pubkey())], issuer)
        had = {account: self._tokens(account) for account in self.frozen}
        await self.network.job("leases")
        for each in parked:
            has = self._tokens(each.destination)
            self.network.checks.equal("paid of what was parked", has, had[each.destination] + each.amount)
        self.network.checks.equal("parked money that is left", await orders.read_parked(chain), [])

    async def _running(self, wish: Wish) -> list[Lease]:
        """An order's leases that run, those of a gang that was filled, too."""
        account = self.network.chain.get(wish.address)
        if account is None:
            return []
        order = orders.parse_order(account.data)
        leases = (await orders.read_leases(self.network.chain)).values()
        begun = [each.begun(order) for each in leases if each.order == wish.address]
        return [each for each in begun if each.status == LeaseStatus.RUNNING]

    # -- what must hold ------------------------------------------------------------------------

    async def _check_vaults(self) -> None:
        """Each order's vault holds what the order records, and the order what its leases record."""
        found = await orders.read_orders(self.network.chain)
        held = dict.fromkeys(found, 0)
        for lease in (await orders.read_leases(self.network.chain)).values():
            held[lease.order] += lease.held
        for address, order in found.items():
            vault = self._tokens(order.vault)
            in_it = order.free + order.held + order.fees_due
            self.network.checks.equal(f"vault of order {order.id}", vault, in_it)
            self.network.checks.equal(f"leases of order {order.id}", held[address], order.held)

    # -- shorthand -----------------------------------------------------------------------------

    def _renters(self) -> list[Pubkey]:
        return list(dict.fromkeys(wish.renter.pubkey() for wish in self.wishes))

    def _order(self, wish: Wish) -> Order:
        account = self.network.chain.get(wish.address)
        assert account is not None  # it was opened and has leases or time left
        return orders.parse_order(account.data)

    def _lease(self, order: Pubkey, device: Pubkey) -> Lease:
        account = self.network.chain.get(orders.lease_address(order, device))
        assert account is not None  # it was matched just now
        return orders.parse_lease(account.data)

    async def _config(self) -> Config:
        config = await orders.read_config(self.network.chain)
        assert config is not None  # it was initialised
        return config

    async def _send(self, instructions: list[Instruction], *signers: Keypair) -> list[Event]:
        return orders.PROGRAM.events(await self.network.send(instructions, signers))

    def _mint(self, currency: Currency) -> Pubkey:
        return tokenomics.MINT if currency == Currency.IO else self.network.usdc

    def _account(self, wallet: Pubkey, currency: Currency) -> Pubkey:
        return associated_token_address(wallet, self._mint(currency))

    def _balance(self, wallet: Pubkey, currency: Currency) -> int:
        return self._tokens(self._account(wallet, currency))

    def _tokens(self, address: Pubkey) -> int:
        account = self.network.chain.get(address)
        return read_token_account(account.data).amount if account else 0
