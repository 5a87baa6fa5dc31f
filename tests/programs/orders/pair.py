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
from keeper.clients import buyback, staking
from keeper.clients import orders as client
from tests.model.orders.base import Addresses
from tests.model.orders.program import Orders
from tests.model.orders.state import FEES, USDC, Fault, Lease, Order, OrdersParams
from tests.model.staking.state import Params
from tests.model.state import Address, Tokens, wallet
from tests.programs.folded import assert_events_make_the_accounts
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
FEE_VAULTS = buyback.IO_VAULT, buyback.fee_vault(USDC_MINT)
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
                fees=(bytes(FEE_VAULTS[0]), bytes(FEE_VAULTS[1])),
                order=lambda renter, number: bytes(order_address(Pubkey(renter), number)),
                vault=lambda order: bytes(vault_address(Pubkey(order))),
                lease=lambda order, device: bytes(lease_address(Pubkey(order), Pubkey(device))),
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
        for account, amount in orders.usdc.items():
            found = read_token_account(self.world.account(self.usdc_address(account)).data)
            assert found.amount == amount, account

    def compare_accounts(self) -> None:
        """The same for orders and buyback, too; a closed order's vault is gone."""
        super().compare_accounts()
        orders = self.orders
        assert orders is not None
        found = finish(self.world.chain.program_accounts(client.PROGRAM.address))
        expected = {client.CONFIG, *map(Pubkey, orders.orders), *map(Pubkey, orders.leases)}
        assert found.keys() == expected | set(map(fault_address, orders.faults))
        for address in self._currencies:
            there = self.world.chain.get(vault_address(Pubkey(address))) is not None
            assert there == (address in orders.orders)
        for program in (client.PROGRAM, buyback.PROGRAM):
            assert_events_make_the_accounts(self.world.chain, program)

    def due(self, lease: Address) -> Callable[[int], tuple[int, int]]:
        """What the keeper reads off a lease's and its order's accounts to be due at a time; 0 for none.

        Of the principal, and of the renter's fee.
        """
        found = self.world.chain.get(Pubkey(lease))
        if found is None:
            return lambda at: (0, 0)
        row = client.parse_lease(found.data)
        order = client.parse_order(self.world.account(row.order).data)
        return lambda at: (row.due(order, at).amount, row.due(order, at).renter_fee)

    def address(self, account: Tokens) -> Pubkey:
        """Where an IO account of the models is on the chain."""
        if account == FEES:
            return FEE_VAULTS[0]
        if account.kind == "order":
            return vault_address(Pubkey(account.of))
        return super().address(account)

    def usdc_address(self, account: Tokens) -> Pubkey:
        """Where a USDC account of the model is on the chain."""
        if account == FEES:
            return FEE_VAULTS[1]
        if account.kind == "order":
            return vault_address(Pubkey(account.of))
        return usdc_address(Pubkey(account.of))

    def _events(self, record: TransactionRecord) -> list[Event]:
        found = client.PROGRAM.events(record)
        for event in found:
            self._note(event.name, {name: plain(value) for name, value in event.fields.items()})
        return [*found, *staking.PROGRAM.events(record)]

    def _note(self, name: str, fields: dict[str, Any]) -> None:
        """Follow the money by the events, as a reader of the chain would."""
        if name == "BookProduct":
            self._currencies[fields["cluster_id"]] = fields["currency"], fields["customer_id"]
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
        "match_until": order.match_until,
        "accept_window": order.params.accept_window,
        "settlement_lag": order.params.settlement_lag,
        "leases": len(orders.leases_of(address)),
        "held": orders.held(address),
        "free": orders.free(address),
        "vault": orders.addresses.vault(address),
    }


def lease_fields(lease: Lease, currency: int) -> dict[str, Any]:
    """A lease as the chain has it; where to pay is recorded at its acceptance."""
    fields = {name: value for name, value in vars(lease).items() if name != "place"}
    associated = usdc_address if currency == USDC else tokens_address
    tokens = bytes(associated(Pubkey(lease.payout))) if lease.start else bytes(32)
    return {**fields, "held": lease.held, "payout_tokens": tokens}


def fault_address(key: tuple[Address, bytes, int]) -> Pubkey:
    """Where a fault is."""
    return client.fault_address(Pubkey(key[0]), key[1], key[2])


def fault_fields(fault: Fault) -> dict[str, Any]:
    """A fault as the chain has it: voters as bits."""
    fields = {name: value for name, value in vars(fault).items() if name != "voters"}
    return {**fields, "votes": sum(1 << number for number in fault.voters)}
