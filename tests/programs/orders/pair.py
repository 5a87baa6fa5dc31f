"""Orders with staking beside it, and their reference models, side by side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain import TransactionRecord
from keeper.chain.framework import associated_token_address
from keeper.chain.program import Event
from keeper.chain.token import read_token_account
from keeper.clients import buyback, staking, tokenomics
from keeper.clients import orders as client
from tests.model.orders.base import Addresses
from tests.model.orders.program import Orders
from tests.model.orders.state import FEES, IO, PARKED, USDC, Fault, Lease, Order, OrdersParams, Parked
from tests.model.staking.state import Params
from tests.model.state import Address, Tokens, wallet
from tests.programs.folded import assert_events_follow_from_the_accounts, assert_events_make_the_accounts
from tests.programs.orders.world import USDC_MINT, OrdersWorld
from tests.programs.side_by_side import OTHER_CODES, plain
from tests.programs.staking.pair import StakingPair, tokens_address
from tests.programs.world import finish

order_address, vault_address, lease_address, usdc_address = map(
    cache,
    (
        client.order_address,
        client.vault_address,
        client.lease_address,
        lambda owner: associated_token_address(owner, USDC_MINT),
    ),
)
MINTS = tokenomics.MINT, USDC_MINT
FEE_VAULTS = buyback.IO_VAULT, buyback.fee_vault(USDC_MINT)
PARKED_VAULTS = tuple(client.parked_vault_address(mint) for mint in MINTS)
"""By currency."""
NO_TOKENS = "instruction 0: IllegalOwner"
USDC_PURSE = 10**6 * 10**6
"""USDC that everybody has at first, base units."""


class OrdersPair(StakingPair):
    """Tokenomics, staking, buyback and orders; ``holders`` have IO, those of them not ``penniless`` USDC."""

    World = OrdersWorld
    world: OrdersWorld
    orders: Orders | None = None

    def __init__(
        self,
        people: Sequence[str],
        operators: Params,
        params: OrdersParams,
        *,
        holders: Sequence[Address],
        penniless: Sequence[Address],
        world: OrdersWorld | None = None,
    ) -> None:
        super().__init__(people, operators, holders, world)
        world = self.world
        self.told: Counter[tuple[Address, int]] = Counter()
        """What the events alone say that orders paid to whom, by wallet and currency."""
        self._currencies: dict[Address, tuple[int, Address]] = {}
        world.create_usdc()
        rich = [each for each in holders if each not in penniless]
        for each in rich:
            world.give_usdc(Pubkey(each), USDC_PURSE)
        admin, guardian = world.admin.pubkey(), world.guardian.pubkey()
        world.do(buyback.initialize(admin, guardian, USDC_MINT, buyback.Params()), signers=[world.admin])
        orders = Orders(
            self.staking,
            Addresses(
                usdc_mint=bytes(USDC_MINT),
                order=lambda renter, number: bytes(order_address(Pubkey(renter), number)),
                vault=lambda order: bytes(vault_address(Pubkey(order))),
                lease=lambda order, device: bytes(lease_address(Pubkey(order), Pubkey(device))),
                tokens=lambda account, currency: bytes(self.tokens_address(account, currency)),
                parked=lambda owner, currency: bytes(parked_address(owner, currency)),
            ),
            upgrade_authority=bytes(admin),
            usdc={wallet(each): USDC_PURSE for each in rich},
            usdc_supply=USDC_PURSE * len(rich),
        )
        orders.fees_exist()
        self.model = self.orders = orders
        self.act(
            "initialize",
            lambda: orders.initialize(bytes(admin), bytes(guardian), params),
            client.initialize(admin, guardian, USDC_MINT, client.Params(**vars(params))),
            [bytes(admin)],
        )
        world.do(*client.create_parked_vaults(world.payer.pubkey(), USDC_MINT))
        orders.parked_vaults_exist()

    def compare(self) -> None:
        """Every account, balance and total is the same on both sides."""
        super().compare()
        orders = self.orders
        if orders is None or orders.config is None:
            return
        same = partial(self._same, program=client.PROGRAM)
        same("Config", client.CONFIG, config_fields(orders))
        for address, order in orders.orders.items():
            same("Order", Pubkey(address), order_fields(orders, address, order))
        for address, lease in orders.leases.items():
            currency = orders.orders[lease.order].terms.currency
            same("Lease", Pubkey(address), lease_fields(lease, currency))
        for key, fault in orders.faults.items():
            same("Fault", fault_address(key), fault_fields(fault))
        for record in orders.parked.values():
            where = parked_address(record.wallet, record.currency)
            same("Parked", where, self.parked_fields(record))
        for account, amount in orders.usdc.items():
            found = read_token_account(self.world.account(self.tokens_address(account, USDC)).data)
            assert found.amount == amount, account

    def compare_accounts(self) -> None:
        """The same for orders and buyback, too; a closed order's vault is gone."""
        super().compare_accounts()
        orders = self.orders
        assert orders is not None
        found = finish(self.world.chain.program_accounts(client.PROGRAM.address))
        expected = {client.CONFIG, *map(Pubkey, orders.orders), *map(Pubkey, orders.leases)}
        parked = {parked_address(owner, currency) for owner, currency in orders.parked}
        assert found.keys() == expected | set(map(fault_address, orders.faults)) | parked
        for address in self._currencies:
            there = self.world.chain.get(vault_address(Pubkey(address))) is not None
            assert there == (address in orders.orders)
        for program in (client.PROGRAM, buyback.PROGRAM):
            assert_events_make_the_accounts(self.world.chain, program)
        assert_events_follow_from_the_accounts(self.world.chain)

    def due(self, lease: Address) -> Callable[[int], tuple[int, int]]:
        """What the keeper reads off a lease's and its order's accounts to be due at a time; 0 for none.

        Of the principal, and of the renter's fee.
        """
        found = self.world.chain.get(Pubkey(lease))
        if found is None:
            return lambda at: (0, 0)
        row = client.parse_lease(found.data)
        order = client.parse_order(self.world.account(row.order).data)
        row = row.begun(order)
        return lambda at: (row.due(order, at).amount, row.due(order, at).renter_fee)

    def address(self, account: Tokens) -> Pubkey:
        """Where an IO account of the models is on the chain."""
        ours = account in (FEES, PARKED) or account.kind == "order"
        return self.tokens_address(account, IO) if ours else super().address(account)

    def tokens_address(self, account: Tokens, currency: int) -> Pubkey:
        """Where a token account of the model is on the chain."""
        if account == FEES:
            return FEE_VAULTS[currency]
        if account == PARKED:
            return PARKED_VAULTS[currency]
        if account.kind == "order":
            return vault_address(Pubkey(account.of))
        return usdc_address(Pubkey(account.of)) if currency == USDC else tokens_address(Pubkey(account.of))

    def parked_fields(self, record: Parked) -> dict[str, Any]:
        """A record of parked money as the chain has it."""
        return {
            "amount": record.amount,
            "wallet": record.wallet,
            "mint": bytes(MINTS[record.currency]),
            "destination": bytes(self.tokens_address(record.destination, record.currency)),
            "payer": record.payer,
        }

    def _events(self, record: TransactionRecord) -> list[Event]:
        found = client.PROGRAM.events(record)
        for event in found:
            self._note(event.name, {name: plain(value) for name, value in event.fields.items()})
        return [*found, *staking.PROGRAM.events(record)]

    def _note(self, name: str, fields: dict[str, Any]) -> None:
        """Follow the money by the events, as a reader of the chain would."""
        if name == "BookProduct":
            self._currencies[fields["cluster_id"]] = fields["currency"], fields["customer_id"]
        if name in {"PayParked", "ParkedPaid"}:
            # What was said to be a payee's waits for it, and reaches it later.
            currency = MINTS.index(Pubkey(fields["mint"]))
            self.told[fields["wallet"], currency] += fields["amount"] * (1 if name == "ParkedPaid" else -1)
        if name not in {"Pay", "Refund", "Worked", "Earn", "OrderClosed"}:
            return
        currency, renter = self._currencies[fields.get("cluster_id") or fields["order"]]
        if name == "Pay":
            self.told[renter, currency] -= fields["amount"]
        elif name == "Refund":
            self.told[renter, currency] += fields["amount"]
        elif name == "OrderClosed":
            self.told[renter, currency] += fields["surplus"]
        elif name == "Worked":
            self.told[fields["payout"], currency] += fields["amount"] - fields["fee"]
        else:
            self.told[bytes(FEE_VAULTS[currency]), currency] += fields["amount"]

    def _refusal(self, record: TransactionRecord) -> str | None:
        """The name by the program that refused, which may be one that orders called."""
        if record.code is not None and record.code not in OTHER_CODES:
            failed = (re.match(r"Program (\w+) failed", line) for line in record.logs)
            first = next(match[1] for match in failed if match)
            if first == str(client.PROGRAM.address):
                return client.PROGRAM.error(record.code).name
            if first == str(staking.PROGRAM.address):
                return staking.PROGRAM.error(record.code).name
        # A token account that isn't there is the system program's.
        return "AccountMissing" if record.error == NO_TOKENS else super()._refusal(record)


def config_fields(orders: Orders) -> dict[str, Any]:
    """The config as the chain has it."""
    config = orders.config
    assert config is not None
    fields = {name: value for name, value in vars(config).items() if name != "pending"}
    fields["params"] = config.params.fields()
    if config.pending:
        fields["pending"] = config.pending.fields()
    mints = {"io_mint": orders.mint(0), "usdc_mint": orders.mint(1)}
    vaults = dict(zip(("io_fees", "usdc_fees"), map(bytes, FEE_VAULTS), strict=True))
    return {**fields, **mints, **vaults, "staking_config": bytes(staking.CONFIG)}


def order_fields(orders: Orders, address: Address, order: Order) -> dict[str, Any]:
    """An order as the chain has it, with what the model derives."""
    fields = {name: value for name, value in vars(order).items() if name not in {"params", "donated"}}
    return {
        **fields,
        "terms": order.terms.fields(),
        "renter_fee_bps": order.renter_fee_bps,
        "supplier_fee_bps": order.params.supplier_fee_bps,
        "exclusive_until": order.exclusive_until,
        "match_window": order.params.match_window,
        "accept_window": order.params.accept_window,
        "settlement_lag": order.params.settlement_lag,
        "leases": len(orders.leases_of(address)),
        "held": orders.held(address),
        "free": orders.free(address),
        "vault": orders.addresses.vault(address),
    }


def lease_fields(lease: Lease, currency: int) -> dict[str, Any]:
    """A lease as the chain has it; where to pay is recorded at its acceptance."""
    associated = usdc_address if currency == USDC else tokens_address
    tokens = bytes(associated(Pubkey(lease.payout))) if lease.accepted_at else bytes(32)
    return {**vars(lease), "held": lease.held, "payout_tokens": tokens}


def parked_address(owner: Address, currency: int) -> Pubkey:
    """Where a record of money is that waits for a wallet, or for the fee vault."""
    wallet = Pubkey(owner)
    is_vault = wallet in FEE_VAULTS
    return client.parked_address(wallet if is_vault else associated_token_address(wallet, MINTS[currency]))


def fault_address(key: tuple[Address, bytes, int]) -> Pubkey:
    """Where a fault is."""
    return client.fault_address(Pubkey(key[0]), key[1], key[2])


def fault_fields(fault: Fault) -> dict[str, Any]:
    """A fault as the chain has it: voters as bits."""
    fields = {name: value for name, value in vars(fault).items() if name != "voters"}
    return {**fields, "votes": sum(1 << number for number in fault.voters)}
