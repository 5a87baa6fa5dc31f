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
from keeper.chain.token import create_associated, read_token_account, transfer
from keeper.clients import orders, staking, tokenomics
from keeper.clients.orders import Config, Lease, Order
from keeper.demo import orders_books
from keeper.demo.airdrop import person
from keeper.demo.network import LAMPORTS, Network
from keeper.demo.orders_books import Books
from keeper.demo.staking import Stakers
from keeper.demo.wishes import Story, Wish, wishes
from keeper.economy.buyback import USDC
from keeper.economy.calendar import HOUR
from keeper.economy.orders import Currency, LeaseStatus
from keeper.economy.supply import IO
from keeper.market import matching
from keeper.rewards.hired import read_events

MONEY = {Currency.IO: 300_000 * IO, Currency.USDC: 75_000 * USDC}
"""What each renter starts with."""
EXTENSION = 3
"""Hours that are added."""
HOLD = 12 * HOUR
RELEASE = 4 * HOUR
"""The guardian holds money for the first, and releases it after the second."""
STEP = 6 * HOUR
"""After the last hour the keeper looks this often."""


@dataclass(slots=True)
class Market:
    """Renters, their orders and what came of them; devices and operators are the stakers'."""

    network: Network
    stakers: Stakers
    wishes: list[Wish] = field(default_factory=list)
    before: dict[tuple[Pubkey, Currency], int] = field(default_factory=dict)
    releases: dict[Pubkey, int] = field(default_factory=dict)
    workers: dict[Pubkey, Keypair] = field(default_factory=dict)
    suppliers: dict[Pubkey, Keypair] = field(default_factory=dict)
    books: Books = field(default_factory=Books)

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
        """All that people do in hour ``number`` (0 is the first), in its first 20 minutes."""
        opening = [wish for wish in self.wishes if wish.hour == number]
        changing = [wish for wish in self.wishes if wish.change == number]
        await self.network.job("leases")
        for wish in opening:
            await self._open(wish)
        await self._match(opening)
        if opening or changing or self.releases:
            # The time to accept is over; what was not accepted is matched again.
            self.network.chain.advance(600)
            for wish in changing:
                await self._change(wish)
            await self._release()
            await self.network.job("leases")
            await self._match([wish for wish in opening if wish.fate == Story.LAPSES], again=True)
        if opening:
            self.network.chain.advance(600)
            await self.network.job("leases")
        await self._check_vaults()

    async def finish(self) -> None:
        """Let the last leases end and the keeper pay and close everything; compare all sums."""
        while await orders.read_orders(self.network.chain):
            self.network.chain.advance(STEP)
            await self.network.job("leases")
        self.books = orders_books.keep(await read_events(self.network.chain))
        self.stakers.leased = sum(
            self.books.earned[wallet, Currency.IO]
            for wallet in self.suppliers
            if (wallet, Currency.IO) in self.books.earned
        )
        await orders_books.check(self.network, self.books, self.before)
        orders_books.check_hired(self.network, self.stakers, self.books)

    # -- steps ---------------------------------------------------------------------------------

    async def _open(self, wish: Wish) -> None:
        mint = self._mint(wish.terms.currency)
        opening = orders.create_order(wish.renter.pubkey(), wish.number, wish.terms, mint)
        await self._send([opening], wish.renter)

    async def _match(self, opened: Sequence[Wish], *, again: bool = False) -> None:
        """Match what is open, each order by one of the operators or by a supplier; let workers accept."""
        if not opened:
            return
        chain = self.network.chain
        devices, classes = await staking.read_devices(chain), await staking.read_classes(chain)
        now = chain.now()
        for wish in opened:
            order = self._order(wish)
            chosen = matching.choose(order, devices, classes, now)
            workers = [self.workers[address] for address in chosen]
            direct = wish.fate == Story.DIRECT
            if direct:
                for address, worker in zip(chosen, workers, strict=True):
                    await self._take(order, devices[address], worker)
            else:
                operator = self.stakers.operators[wish.number % len(self.stakers.operators)]
                matches = [orders.match_device(operator.pubkey(), order, devices[each]) for each in chosen]
                for run in pack([[each] for each in matches], operator.pubkey()):
                    await self._send([matches[at] for at in run], operator)
                late = wish.fate == Story.LAPSES and not again
                await self._accept(order, workers[1 if late else 0 :])
            for address in chosen:
                lease = orders.lease_address(order.address, address)
                devices[address] = replace(devices[address], lease=lease)

    async def _take(self, order: Order, device: staking.Device, worker: Keypair) -> None:
        """A supplier matches its own device and the worker accepts, in one transaction."""
        supplier = self.suppliers[device.supplier]
        lease = matching.lease_to_be(order, device, supplier.pubkey(), self.network.chain.now())
        matched = orders.match_device(supplier.pubkey(), order, device)
        accepted = orders.accept_lease(await self._config(), order, lease)
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
        leases = (await orders.read_leases(self.network.chain)).values()
        running = [e for e in leases if e.order == wish.address and e.status == LeaseStatus.RUNNING]
        if not running:
            return
        lease, now = running[0], self.network.chain.now()
        match wish.fate:
            case Story.RENTER_ENDS:
                for each in running:
                    await self._send([orders.end_lease(wish.renter.pubkey(), each)], wish.renter)
            case Story.SUPPLIER_ENDS:
                worker = self.workers[lease.device]
                ending = orders.end_lease(worker.pubkey(), lease)
                await self._send([ending], self.network.keeper, worker)
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

    # -- what must hold ------------------------------------------------------------------------

    async def _check_vaults(self) -> None:
        """Each order's vault holds what the order records, and the order what its leases record."""
        found = await orders.read_orders(self.network.chain)
        held = dict.fromkeys(found, 0)
        for lease in (await orders.read_leases(self.network.chain)).values():
            held[lease.order] += lease.held
        for address, order in found.items():
            vault = self._tokens(order.vault)
            self.network.checks.equal(f"vault of order {order.id}", vault, order.free + order.held)
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
        return orders.PROGRAM.events(await self.network.chain.send(instructions, signers))

    def _mint(self, currency: Currency) -> Pubkey:
        return tokenomics.MINT if currency == Currency.IO else self.network.usdc

    def _account(self, wallet: Pubkey, currency: Currency) -> Pubkey:
        return associated_token_address(wallet, self._mint(currency))

    def _balance(self, wallet: Pubkey, currency: Currency) -> int:
        return self._tokens(self._account(wallet, currency))

    def _tokens(self, address: Pubkey) -> int:
        account = self.network.chain.get(address)
        return read_token_account(account.data).amount if account else 0
