"""A stranger's accounts in two slots at once that fit each other, such as its own wallet with its own tokens.

Each alone is refused by a check of one against the other; together they must be, too.
"""

from __future__ import annotations

import pytest
from solders.pubkey import Pubkey

from keeper.clients import orders as client
from tests.security.orders import stages
from tests.security.orders.calls import CALLS
from tests.security.orders.stages import (
    OTHER_RUNNING,
    USDC_FEES,
    io,
    put,
    stage,
    usdc,
    where,
)
from tests.security.outcomes import refused
from tests.security.people import address

MALLORY = address("mallory")
HERS = client.order_address(MALLORY, 1)
"""Mallory's own order, in USDC."""
VAULT = client.vault_address(HERS)
LEASE = where(OTHER_RUNNING, "mallory")

PAIRS: dict[tuple[str, str], tuple[dict[str, Pubkey], str]] = {
    ("create_order", "renter and tokens"): (
        {"renter": MALLORY, "renter_tokens": io("mallory")},
        "InvalidSeeds",
    ),
    ("extend_lease", "renter and tokens"): ({"renter": MALLORY, "renter_tokens": io("mallory")}, "NotRenter"),
    ("extend_lease", "order and vault"): ({"order": HERS, "vault": VAULT}, "NotRenter"),
    ("accept_lease", "worker and tokens"): ({"worker": MALLORY, "payout_tokens": io("mallory")}, "NotWorker"),
    ("settle", "payee and fee vault"): (
        {"payout_tokens": usdc("bob"), "fees": USDC_FEES},
        "WrongAccount",
    ),
    ("settle", "order and vault"): ({"order": HERS, "vault": VAULT}, "WrongOrder"),
    ("settle", "order, vault and fee vault"): (
        {"order": HERS, "vault": VAULT, "fees": USDC_FEES},
        "WrongOrder",
    ),
    ("settle", "lease and payee"): ({"lease": LEASE, "payout_tokens": usdc("bob")}, "WrongOrder"),
    ("refund", "order and vault"): ({"order": HERS, "vault": VAULT}, "NotAssociatedAccount"),
    ("close_order", "renter and tokens"): ({"renter": MALLORY, "renter_tokens": io("mallory")}, "NotRenter"),
    ("close_order", "order and vault"): ({"order": HERS, "vault": VAULT}, "NotRenter"),
    ("park_pay", "payee and record"): (
        {"destination": io("mallory"), "record": client.parked_address(io("mallory"))},
        "NotAssociatedAccount",
    ),
    ("park_pay", "order and vault"): ({"order": HERS, "vault": VAULT}, "WrongOrder"),
    ("park_fees", "fee vault and record"): (
        {"destination": io("mallory"), "record": client.parked_address(io("mallory"))},
        "WrongAccount",
    ),
    ("pay_parked", "payee of another currency and its vault"): (
        {"destination": usdc("alice"), "parked_vault": client.parked_vault_address(stages.USDC_MINT)},
        "WrongAccount",
    ),
    ("pay_parked", "payer and payee"): ({"payer": MALLORY, "destination": io("mallory")}, "NotRentPayer"),
    ("close_lease", "payer and order"): ({"payer": MALLORY, "order": HERS}, "NotRentPayer"),
    ("end_lease", "caller and order"): ({"caller": MALLORY, "order": HERS}, "WrongOrder"),
}
"""By instruction and what is replaced: the accounts, and what the call is told."""


@pytest.mark.parametrize(("instruction", "pair"), PAIRS)
def test_a_strangers_accounts_that_fit_each_other(instruction: str, pair: str) -> None:
    call = CALLS[instruction]
    world = stage(call.stage)
    accounts, error = PAIRS[instruction, pair]
    assert refused(world, put(call.build(world), **accounts)) == error


def test_every_payment_is_tried() -> None:
    """Whatever moves tokens out of an order, or a lease's account, is among the pairs."""
    moving = {"settle", "refund", "close_order", "accept_lease", "pay_parked", "park_pay", "park_fees"}
    assert moving <= {instruction for instruction, _ in PAIRS}
