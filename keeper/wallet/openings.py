"""Accounts that plans make where they are missing."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.chain.token import ACCOUNT_SIZE
from keeper.clients import orders, staking, tokenomics
from keeper.wallet.plan import Opening


def tokens(owner: Pubkey, payer: Pubkey) -> Opening:
    """A wallet's account for IO."""
    address = tokenomics.tokens_address(owner)
    return Opening("an IO account", address, ACCOUNT_SIZE, payer, "when its owner closes it")


def earner(owner: Pubkey, payer: Pubkey) -> Opening:
    """What staking knows of a wallet that earns."""
    size = staking.PROGRAM.dtype("Wallet").itemsize
    return Opening("the wallet's account for earnings", staking.wallet_address(owner), size, payer, "never")


def order(address: Pubkey, renter: Pubkey) -> tuple[Opening, Opening]:
    """An order's account and its vault."""
    size, back = orders.PROGRAM.dtype("Order").itemsize, "when the order is closed"
    vault = orders.vault_address(address)
    return (
        Opening("the order's account", address, size, renter, back),
        Opening("the order's vault", vault, ACCOUNT_SIZE, renter, back),
    )


def device(worker: Pubkey, payer: Pubkey) -> Opening:
    """A device's account, with the deposit that it locks."""
    size, deposit = staking.PROGRAM.dtype("Device").itemsize, staking.DEVICE_DEPOSIT
    back = "when the device is closed"
    return Opening("the device's account", staking.device_address(worker), size, payer, back, deposit)
