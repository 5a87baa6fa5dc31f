"""What the demo reads of orders on its chain, and how it sends what is about them."""

from __future__ import annotations

from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Event
from keeper.chain.framework import associated_token_address
from keeper.chain.token import read_token_account
from keeper.clients import orders, tokenomics
from keeper.clients.orders import Config, Lease, Order
from keeper.demo.network import Network
from keeper.economy.orders import Currency, LeaseStatus


@dataclass(frozen=True, slots=True)
class Accounts:
    """The program's accounts, and those of tokens."""

    network: Network

    async def send(self, instructions: list[Instruction], *signers: Keypair) -> list[Event]:
        """Execute a transaction; gives the program's events."""
        return orders.PROGRAM.events(await self.network.send(instructions, signers))

    async def config(self) -> Config:
        """The program's own account."""
        config = await orders.read_config(self.network.chain)
        assert config is not None  # it was initialised
        return config

    def find(self, order: Pubkey) -> Order | None:
        """An order; None once it is closed."""
        account = self.network.chain.get(order)
        return orders.parse_order(account.data) if account else None

    def order(self, address: Pubkey) -> Order:
        """An order that is there."""
        found = self.find(address)
        assert found is not None  # it was opened and has leases or time left
        return found

    def lease(self, order: Pubkey, device: Pubkey) -> Lease | None:
        """A device's lease for an order; None once it is closed."""
        account = self.network.chain.get(orders.lease_address(order, device))
        return orders.parse_lease(account.data) if account else None

    async def running(self, order: Pubkey) -> list[Lease]:
        """An order's leases that run, those of a gang that was filled, too."""
        found = self.find(order)
        if found is None:
            return []
        leases = (await orders.read_leases(self.network.chain)).values()
        begun = [each.begun(found) for each in leases if each.order == order]
        return [each for each in begun if each.status == LeaseStatus.RUNNING]

    def mint(self, currency: Currency) -> Pubkey:
        """A currency's mint."""
        return tokenomics.MINT if currency == Currency.IO else self.network.usdc

    def account(self, wallet: Pubkey, currency: Currency) -> Pubkey:
        """A wallet's account of a currency."""
        return associated_token_address(wallet, self.mint(currency))

    def balance(self, wallet: Pubkey, currency: Currency) -> int:
        """What a wallet has, base units."""
        return self.tokens(self.account(wallet, currency))

    def tokens(self, address: Pubkey) -> int:
        """What is in a token account, base units; 0 where there is none."""
        account = self.network.chain.get(address)
        return read_token_account(account.data).amount if account else 0
