"""Accounts that plans make where they are missing: who pays their rent, and to whom it returns when."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.token import ACCOUNT_SIZE
from keeper.clients import orders, staking, tokenomics
from keeper.clients.orders import Order
from keeper.economy.orders import Currency
from keeper.wallet.plan import NEVER, Opening


def tokens(
    owner: Pubkey, payer: Pubkey, currency: Currency = Currency.IO, mint: Pubkey = tokenomics.MINT
) -> Opening:
    """A wallet's own account for a currency."""
    article = "an" if currency == Currency.IO else "a"
    place = associated_token_address(owner, mint)
    back = "when its owner closes it, to the owner"
    return Opening(f"{article} {currency.name} account", place, ACCOUNT_SIZE, payer, back)


def earner(owner: Pubkey, payer: Pubkey) -> Opening:
    """What staking knows of a wallet that earns."""
    size = staking.PROGRAM.dtype("Wallet").itemsize
    return Opening("the wallet's account for earnings", staking.wallet_address(owner), size, payer, NEVER)


def order(address: Pubkey, renter: Pubkey) -> tuple[Opening, Opening]:
    """An order's account and its vault."""
    size, back = orders.PROGRAM.dtype("Order").itemsize, "when the order is closed, to its renter"
    vault = orders.vault_address(address)
    return (
        Opening("the order's account", address, size, renter, back),
        Opening("the order's vault", vault, ACCOUNT_SIZE, renter, back),
    )


def lease(of: Order, device: Pubkey, matcher: Pubkey) -> Opening:
    """A lease's account, which whoever matches makes."""
    size, back = orders.PROGRAM.dtype("Lease").itemsize, "when the lease is closed, to who matched it"
    return Opening("the lease's account", orders.lease_address(of.address, device), size, matcher, back)


def fault(at: Pubkey, evidence: bytes, good_hours: int, operator: Pubkey) -> Opening:
    """The votes on a lease, which the first operator makes."""
    size, back = orders.PROGRAM.dtype("Fault").itemsize, "when the lease is closed, to who paid it"
    address = orders.fault_address(at, evidence, good_hours)
    return Opening("the account of the votes", address, size, operator, back)


def slash(device: Pubkey, evidence: bytes, operator: Pubkey) -> Opening:
    """The votes on a slash, which the first operator makes."""
    size = staking.PROGRAM.dtype("Slash").itemsize
    address = staking.slash_address(device, evidence)
    return Opening("the account of the votes", address, size, operator, NEVER)


def postings(operator: Pubkey) -> Opening:
    """What counts an operator's postings."""
    size = staking.PROGRAM.dtype("PostCounter").itemsize
    return Opening("the counter of postings", staking.post_address(operator), size, operator, NEVER)


def season(number: int, admin: Pubkey) -> tuple[Opening, Opening]:
    """A season's account and its vault."""
    size = tokenomics.PROGRAM.dtype("Season").itemsize
    vault, back = tokenomics.season_vault_address(number), "when the season is closed, to who opened it"
    return (
        Opening("the season's account", tokenomics.season_address(number), size, admin, NEVER),
        Opening("the season's vault", vault, ACCOUNT_SIZE, admin, back),
    )


def device(worker: Pubkey, payer: Pubkey) -> Opening:
    """A device's account, with the deposit that it locks."""
    size, deposit = staking.PROGRAM.dtype("Device").itemsize, staking.DEVICE_DEPOSIT
    back = "when the device is closed, to its supplier"
    return Opening("the device's account", staking.device_address(worker), size, payer, back, deposit)


def class_(number: int, admin: Pubkey) -> Opening:
    """A class."""
    size = staking.PROGRAM.dtype("Class").itemsize
    return Opening("the class's account", staking.class_address(number), size, admin, NEVER)
