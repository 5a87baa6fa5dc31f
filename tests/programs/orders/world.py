"""A world with all four programs: devices for lease, renters with both currencies, shorthand for leases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import TransactionRecord
from keeper.chain.framework import associated_token_address
from keeper.chain.token import create_associated
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.clients.orders import Lease, Order, Terms
from keeper.economy.orders import REACH, TICK, Currency, tick_ends, turn_opens
from keeper.economy.supply import IO
from tests.programs.buyback.world import USDC, USDC_MINT, BuybackWorld
from tests.programs.staking.world import GPU_CLASS, StakingWorld
from tests.programs.world import HOUR, START, key

ASK_IO, ASK_USDC = 2 * IO, 1 * USDC
"""What the devices here ask for a processor and hour."""
MINIMUM = 1_000 * IO
"""The stake that they need: four processors of the first class."""
TERMS = Terms(price=3 * IO, hours=10, devices=2, processors=4, classes=(GPU_CLASS,))
"""An order that every device here satisfies."""


class OrdersWorld(StakingWorld, BuybackWorld):
    """Tokenomics launched, staking, buyback and orders initialised; three operators, two must agree."""

    @classmethod
    def ready(
        cls,
        *,
        verify_signatures: bool = False,
        now: int = START,
        staking_params: Mapping[str, int] | None = None,
        **params: int,
    ) -> OrdersWorld:
        """A world whose clock stands at the first hour of emission unless told otherwise.

        ``params`` are orders'.
        """
        world = super().ready(verify_signatures=verify_signatures, now=now, **(staking_params or {}))
        assert isinstance(world, OrdersWorld)
        world.create_usdc()
        admin, guardian = world.admin.pubkey(), world.guardian.pubkey()
        setup = [
            buyback.initialize(admin, guardian, USDC_MINT, buyback.Params()),
            orders.initialize(admin, guardian, USDC_MINT, orders.Params(**params)),
        ]
        for each in setup:
            world.do(each, signers=[world.admin])
        world.do(*orders.create_parked_vaults(world.payer.pubkey(), USDC_MINT))
        return world

    # -- acting --------------------------------------------------------------------------------

    def renter(self, name: str, io: int = 100_000 * IO, usdc: int = 100_000 * USDC) -> Keypair:
        """Somebody with IO and USDC, base units."""
        return self.bidder(name, io, usdc)

    def supplier(self, name: str) -> Keypair:
        """Somebody with a wallet account, IO to stake, and token accounts to be paid into."""
        person = self.earner(name, 100_000 * IO)
        self.do(create_associated(self.payer.pubkey(), person.pubkey(), USDC_MINT))
        return person

    @classmethod
    def with_two_devices(cls) -> OrdersWorld:
        """A world in which a renter has opened nothing yet, and the devices ``one`` and ``two`` wait."""
        world = cls.ready()
        world.renter("renter")
        supplier = world.supplier("supplier")
        for name in ("one", "two"):
            world.let(name, supplier)
        return world

    def let(self, name: str, supplier: Keypair, **changed: int) -> staking.Device:
        """Register a device at :data:`ASK_IO` and :data:`ASK_USDC`, with the stake that it needs.

        A second later its terms are older than any order.
        """
        asks = {"ask_io": ASK_IO, "ask_usdc": ASK_USDC, **changed}
        device = self.device(name, supplier, **asks)
        multiplier = staking.parse_class(self.account(staking.class_address(device.device_class)).data)
        self.do(staking.stake(device, device.minimum(multiplier, self.chain.now())), signers=[supplier])
        self.chain.advance(1)
        return self.read_device(name)

    def order(self, renter: Keypair, number: int = 1, terms: Terms = TERMS, **changed: object) -> Order:
        """Open an order."""
        terms = replace(terms, **changed)  # type: ignore[arg-type]  # the tests' own keywords
        mint = tokenomics.MINT if terms.currency == Currency.IO else USDC_MINT
        opening = orders.create_order(renter.pubkey(), number, terms, mint, max_deposit=2**64 - 1)
        self.do(opening, signers=[renter])
        return self.read_order(renter, number)

    def turn(self, order: Order, operator: int = 0) -> int:
        """Move the clock on to an operator's next turn for an order; its tick."""
        operators, now = len(self.operators), self.chain.now()
        tick = max(order.created_at // TICK + 1, (now - REACH) // TICK)
        while max(now, turn_opens(tick, operator, operators)) > tick_ends(tick):
            tick += 1
        self.chain.warp_to(max(now, turn_opens(tick, operator, operators)))
        return tick

    def match(self, order: Order, name: str, operator: int = 0) -> Lease:
        """Match a worker's device to an order in an operator's next turn."""
        matcher, tick = self.operators[operator], self.turn(order, operator)
        device = self.read_device(name)
        self.do(orders.match_device(matcher.pubkey(), order, device, tick), signers=[matcher])
        return self.lease(order, name)

    def take(self, order: Order, name: str, supplier: Keypair) -> Lease:
        """Match a worker's device by its supplier once that may, and accept in the same second."""
        self.chain.warp_to(max(self.chain.now(), order.exclusive_until))
        device = self.read_device(name)
        call = orders.match_device(supplier.pubkey(), order, device)
        self.do(call, signers=[supplier, key(name)])
        return self.accept(order, name)

    def accept(self, order: Order, name: str) -> Lease:
        """Let the worker accept its lease."""
        lease = self.lease(order, name)
        self.do(orders.accept_lease(self.orders_config(), order, lease), signers=[key(name)])
        return self.lease(order, name)

    def run(self, order: Order, name: str) -> Lease:
        """Match and accept."""
        self.match(order, name)
        return self.accept(order, name)

    def settle(self, order: Order, name: str) -> TransactionRecord:
        """Pay what is due to a worker's lease; a refusal is in the record."""
        return self.send(orders.settle(self.orders_config(), order, self.lease(order, name)))

    def end(self, order: Order, name: str, caller: Keypair) -> TransactionRecord:
        """End a worker's lease; a refusal is in the record."""
        return self.send(orders.end_lease(caller.pubkey(), self.lease(order, name)), signers=[caller])

    # -- looking -------------------------------------------------------------------------------

    def error(self, record: TransactionRecord) -> str | None:
        """The name of the refusing program's error, the framework's, or the chain's own words."""
        if record.error is None or record.code is None or record.failed_instruction is None:
            return record.error
        known = (tokenomics.PROGRAM, staking.PROGRAM, buyback.PROGRAM, orders.PROGRAM)
        programs = {p.address: p for p in known}
        program = programs.get(record.programs[record.failed_instruction], tokenomics.PROGRAM)
        return program.error(record.code).name

    def orders_config(self) -> orders.Config:
        """Orders' config."""
        return orders.parse_config(self.account(orders.CONFIG).data)

    def read_order(self, renter: Keypair, number: int = 1) -> Order:
        """A renter's order."""
        return orders.parse_order(self.account(orders.order_address(renter.pubkey(), number)).data)

    def lease(self, order: Order, name: str) -> Lease:
        """A worker's lease."""
        device = staking.device_address(key(name).pubkey())
        return orders.parse_lease(self.account(orders.lease_address(order.address, device)).data)

    def money(self, wallet: Pubkey, currency: Currency) -> int:
        """What a wallet has in its associated account for a currency."""
        mint = tokenomics.MINT if currency == Currency.IO else USDC_MINT
        return self.tokens(associated_token_address(wallet, mint))


__all__ = ["ASK_IO", "ASK_USDC", "HOUR", "IO", "MINIMUM", "TERMS", "USDC", "USDC_MINT", "OrdersWorld"]
