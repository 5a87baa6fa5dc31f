"""Accounts that plans make where they are missing."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.chain.token import ACCOUNT_SIZE
from keeper.clients import staking, tokenomics
from keeper.wallet.plan import Opening


def tokens(owner: Pubkey, payer: Pubkey) -> Opening:
    """A wallet's account for IO."""
    address = tokenomics.tokens_address(owner)
    return Opening("an IO account", address, ACCOUNT_SIZE, payer, "when its owner closes it")


def earner(owner: Pubkey, payer: Pubkey) -> Opening:
    """What staking knows of a wallet that earns."""
    size = staking.PROGRAM.dtype("Wallet").itemsize
    return Opening("the wallet's account for earnings", staking.wallet_address(owner), size, payer, "never")


def device(worker: Pubkey, payer: Pubkey) -> Opening:
    """A device's account, with the deposit that it locks."""
    size, deposit = staking.PROGRAM.dtype("Device").itemsize, staking.DEVICE_DEPOSIT
    back = "when the device is closed"
    return Opening("the device's account", staking.device_address(worker), size, payer, back, deposit)
