"""An order on a network of the demo's people that is really served: what of it happens on the chain.

Two devices of processors, as no card of the demo's is there; a renter who orders both; operators' match in
their turn; the end, and everybody's money, held to the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import LAMPORTS, associated_token_address
from keeper.chain.token import balance
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.clients.orders import Config, Lease, Order, Terms
from keeper.clients.orders.whole import read_with_leases
from keeper.clients.staking import Class, Device
from keeper.demo.letting import let
from keeper.demo.network import Network
from keeper.economy import orders as rules
from keeper.economy.calendar import HOUR
from keeper.economy.orders import Currency, LeaseStatus
from keeper.errors import UserError
from keeper.wallet import plans

CLASS = "CPU"
HOURS = 4
"""For which the order is; its renter ends it sooner."""
PAYS, ASKS = 120, 80
"""What the renter pays at most and the supplier asks at least, percent of the class's price."""
OPERATORS = "operator-"
SETTLED = 3 * HOUR
"""After so long everything is due, and the keeper has nothing more to do with it."""


class StageRefused(UserError):
    """A chain, or a folder of keys, that no order can be served on."""


class Worker(NamedTuple):
    """A device that is to serve: its machine's key, and its account."""

    key: Keypair
    device: Device


class Part(NamedTuple):
    """What somebody's money has come to, IO in base units; ``ruled`` is by the rules alone."""

    whose: str
    before: int
    after: int
    ruled: int


@dataclass
class Served:
    """The order from its devices to its money; ``people`` are keys by names, as in a demo's folder."""

    chain: EmbeddedChain
    people: Mapping[str, Keypair]
    workers: list[Worker] = field(default_factory=list)
    order: Order | None = None
    _before: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises StageRefused where somebody's key lacks."""
        for name in ("admin", "keeper", "supplier", "renter"):
            if name not in self.people:
                raise StageRefused(f"there is no key of the {name}: it takes the keys that make demo leaves")
        if not self.operators:
            raise StageRefused("there is no operator's key: it takes the keys that make demo leaves")

    @property
    def operators(self) -> list[str]:
        """Their names."""
        return sorted(name for name in self.people if name.startswith(OPERATORS))

    async def register(self, keys: Sequence[Keypair]) -> Class:
        """Have the supplier let a device for each key, staked as it has to be; gives their class.

        Raises StageRefused where the network has no such class, ChainError.
        """
        chain, supplier = self.chain, self.people["supplier"]
        # All that is hired or waits there is over first: from here on all that money does is this order's.
        await self._keep()
        if hired := await orders.read_leases(chain):
            raise StageRefused(f"{len(hired)} leases don't end on this network: run make demo again")
        classes = (await staking.read_classes(chain)).values()
        of = next((each for each in classes if each.name == CLASS), None)
        if of is None:
            raise StageRefused(f"this network has no class {CLASS}: run make demo again")
        chain.airdrop(self.people["renter"].pubkey(), LAMPORTS)
        asks = [of.price(each, chain.now()).amount * ASKS // 100 for each in (Currency.IO, Currency.USDC)]
        self.workers += [Worker(each, await let(chain, supplier, each, of, *asks)) for each in keys]
        chain.advance(1)  # A device takes only orders that are younger than what it asks.
        return of

    async def open(self, of: Class, number: int) -> Order:
        """Have the renter order them all, so that none runs without the others. Raises ChainError."""
        chain, renter, config = self.chain, self.people["renter"], await self._config()
        self._before = self._balances()
        terms = Terms(
            price=of.price(Currency.IO, chain.now()).amount * PAYS // 100,
            hours=HOURS,
            devices=len(self.workers),
            processors=1,
            classes=(of.id,),
            currency=Currency.IO,
            min_devices=len(self.workers),
        )
        plan = plans.create(config, renter.pubkey(), number, terms)
        await chain.send(list(plan.instructions), [renter])
        self.order, _ = await read_with_leases(chain, orders.order_address(renter.pubkey(), number))
        return self.order

    async def match(self) -> list[str]:
        """Have the first operator whose turn comes match all devices; their names. Raises ChainError."""
        assert self.order is not None  # it was opened
        config = await staking.read_config(self.chain)
        assert config is not None  # there are devices
        numbers = {key: number for number, key in enumerate(config.params.operators)}
        known = [(numbers[self.people[each].pubkey()], each) for each in self.operators]
        matched: list[str] = []
        for worker in self.workers:
            tick = None
            while tick is None:
                now = self.chain.now()
                found = (
                    (rules.tick_to_match(number, len(numbers), self.order.created_at, now), name)
                    for number, name in known
                )
                tick, operator = next(((t, name) for t, name in found if t is not None), (None, ""))
                if tick is None:
                    self.chain.advance(1)
            signer = self.people[operator]
            call = orders.match_device(signer.pubkey(), self.order, worker.device, tick)
            await self.chain.send([call], [signer])
            matched.append(operator)
        return matched

    async def leases(self) -> list[Lease]:
        """The order's leases as they are."""
        assert self.order is not None  # it was opened
        return (await read_with_leases(self.chain, self.order.address))[1]

    async def all_run(self) -> bool:
        """Whether all leases run."""
        running = [each for each in await self.leases() if each.status == LeaseStatus.RUNNING]
        return len(running) == len(self.workers)

    async def end(self) -> list[Lease]:
        """Have the renter end all leases; as they are then. Raises ChainError."""
        renter = self.people["renter"]
        for each in await self.leases():
            await self.chain.send([orders.end_lease(renter.pubkey(), each)], [renter])
        return await self.leases()

    async def settle(self, ended: Sequence[Lease]) -> list[Part]:
        """Let the time of payment come, and the keeper pay and close; what each has, and by the rules.

        Raises DemoFailed where those differ.
        """
        order = self.order
        assert order is not None  # it was opened
        network = await self._keep()
        ruled = dict.fromkeys(("renter", "supplier", "fees"), 0)
        for each in ended:
            paid = rules.earned(each.rate, each.stop - each.start)
            kept = rules.fee(paid, order.supplier_fee_bps)
            charged = each.renter_fee
            ruled["renter"] -= paid + charged
            ruled["supplier"] += paid - kept
            ruled["fees"] += kept + charged
        after = self._balances()
        for name, change in ruled.items():
            network.checks.equal(f"IO of the {name}", after[name] - self._before[name], change)
        network.checks.equal("IO that came from nowhere", sum(ruled.values()), 0)
        left = [each for each in await orders.read_orders(self.chain) if each == order.address]
        network.checks.equal("orders that are left of it", left, [])
        return [Part(name, self._before[name], after[name], ruled[name]) for name in ruled]

    # -- inside ----------------------------------------------------------------------------------

    async def _keep(self) -> Network:
        """Let the keeper pay and close what is due, after all leases' end and what time that takes."""
        network = Network(self.chain, admin=self.people["admin"], keeper=self.people["keeper"])
        leases, now = await orders.read_leases(self.chain), self.chain.now()
        self.chain.advance(max([now, *(each.stop for each in leases.values())]) - now + SETTLED)
        await network.job("leases")
        return network

    async def _config(self) -> Config:
        config = await orders.read_config(self.chain)
        if config is None:
            raise StageRefused("this network has no orders: it takes one that make demo leaves")
        return config

    def _balances(self) -> dict[str, int]:
        """IO of the renter, of the supplier, and of the vault that fees go to, base units."""

        def of(wallet: Pubkey) -> int:
            return balance(self.chain.get(associated_token_address(wallet, tokenomics.MINT)))

        people = {name: of(self.people[name].pubkey()) for name in ("renter", "supplier")}
        return {**people, "fees": balance(self.chain.get(buyback.fee_vault(tokenomics.MINT)))}
