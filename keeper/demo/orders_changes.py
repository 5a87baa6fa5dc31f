"""What happens to the demo's orders in the middle of their time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.token import freeze, thaw
from keeper.clients import orders
from keeper.clients.orders import Lease
from keeper.demo.airdrop import person
from keeper.demo.network import Network
from keeper.demo.orders_accounts import Accounts
from keeper.demo.wishes import Story, Wish
from keeper.economy.calendar import HOUR

EXTENSION = 3
"""Hours that are added."""
HOLD = 12 * HOUR
RELEASE = 4 * HOUR
"""The guardian holds money for the first, and releases it after the second."""


@dataclass(slots=True)
class Changes:
    """Renters, suppliers, operators, the guardian and USDC's issuer, who change their minds or must."""

    network: Network
    operators: Sequence[Keypair]
    suppliers: Mapping[Pubkey, Keypair]
    accounts: Accounts = field(init=False)
    releases: dict[Pubkey, int] = field(default_factory=dict)
    """When the guardian releases what it holds, by lease."""
    frozen: list[Pubkey] = field(default_factory=list)
    """Token accounts that USDC's issuer froze."""

    def __post_init__(self) -> None:
        """All is on one chain."""
        self.accounts = Accounts(self.network)

    async def change(self, wish: Wish) -> None:
        """What happens to an order in the middle of its time, to its first lease where one is enough."""
        send = self.accounts.send
        if wish.fate == Story.CANCELLED:
            await send([orders.cancel_order(self.accounts.order(wish.address))], wish.renter)
            return
        running = await self.accounts.running(wish.address)
        if not running:
            return
        lease, now = running[0], self.network.chain.now()
        match wish.fate:
            case Story.RENTER_ENDS:
                for each in running:
                    await send([orders.end_lease(wish.renter.pubkey(), each)], wish.renter)
            case Story.SUPPLIER_ENDS:
                supplier = self.suppliers[lease.supplier]
                await send([orders.end_lease(supplier.pubkey(), lease)], supplier)
            case Story.FAULT:
                good = max((now - lease.start) // HOUR - 1, 0)
                evidence = sha256(f"verdict on lease {wish.number}".encode()).digest()
                for operator in self.operators[:2]:
                    vote = orders.vote_fault(operator.pubkey(), lease, evidence, good)
                    await send([vote], operator)
            case Story.HELD:
                await self._hold(lease, now + HOLD)
                self.releases[lease.address] = now + RELEASE
            case Story.EXTENDED:
                config, order = await self.accounts.config(), self.accounts.order(wish.address)
                most = lease.extension(EXTENSION)
                extension = orders.extend_lease(config, order, lease, EXTENSION, max_amount=most)
                await send([extension], wish.renter)

    async def release(self) -> None:
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
        await self.accounts.send([orders.hold_lease(guardian.pubkey(), lease, until)], guardian)

    async def freeze(self, wish: Wish) -> None:
        """USDC's issuer freezes the account that an order's running lease is to be paid into."""
        issuer, usdc = self.network.admin, self.network.usdc
        payouts = dict.fromkeys(lease.payout for lease in await self.accounts.running(wish.address))
        self.frozen = [associated_token_address(payout, usdc) for payout in payouts]
        self.network.checks.holds("somebody is frozen", bool(self.frozen))
        for account in self.frozen:
            await self.accounts.send([freeze(account, usdc, issuer.pubkey())], issuer)

    async def thaw(self) -> None:
        """The issuer thaws it: what was parked is paid, though its orders are gone."""
        chain, issuer, checks = self.network.chain, self.network.admin, self.network.checks
        parked = await orders.read_parked(chain)
        waiting = {each.destination for each in parked}
        checks.equal("whose pay is parked", waiting, set(self.frozen))
        for account in self.frozen:
            await self.accounts.send([thaw(account, self.network.usdc, issuer.pubkey())], issuer)
        had = {account: self.accounts.tokens(account) for account in self.frozen}
        await self.network.job("leases")
        for each in parked:
            has = self.accounts.tokens(each.destination)
            checks.equal("paid of what was parked", has, had[each.destination] + each.amount)
        checks.equal("parked money that is left", await orders.read_parked(chain), [])
