"""Who can be paid: what stands at an address, before anything is sent there that nobody could ever spend."""

from __future__ import annotations

import re

from solders.pubkey import Pubkey

from keeper.chain import Account, ChainReader
from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, associated_token_address
from keeper.chain.token import ACCOUNT_SIZE, MINT_SIZE, is_payable, read_token_account
from keeper.clients import tokenomics
from keeper.clients.programs import BY_ADDRESS
from keeper.economy.orders import Currency
from keeper.errors import UserError


class ReceiverRefused(UserError):
    """What would be sent there is lost; the message says what is there, and whom to name instead."""


async def require_wallet(chain: ChainReader, to: Pubkey, *, keyless: bool = False) -> tuple[str, ...]:
    """Refuse an address that is nobody's wallet; gives what its sender should know.

    ``keyless`` lets an address without a key be a wallet that a program spends from, such as a multisig's
    vault: no token account, mint, program or account of this network's is one. Raises ReceiverRefused.
    """
    (account,) = await chain.accounts([to])
    if to in BY_ADDRESS:
        raise ReceiverRefused(f"{to} is the program {BY_ADDRESS[to].name}: what is sent to it is lost")
    if account:
        _require_no_other_account(to, account)
    if to.is_on_curve() and (account is None or account.owner == SYSTEM_PROGRAM):
        return () if account else (f"Nobody has used {to} on this chain yet: compare it once more.",)
    if not keyless:
        raise ReceiverRefused(
            f"{to} has no key: only a program could spend what is sent there, and most can't. If it is the "
            "vault of a multisig that you know, add --keyless"
        )
    return (f"{to} has no key: only the program that it belongs to can spend what it gets.",)


async def require_payable(chain: ChainReader, owner: Pubkey, mint: Pubkey, currency: Currency) -> None:
    """Refuse a wallet whose account takes no payment now. Raises ReceiverRefused."""
    place = associated_token_address(owner, mint)
    (account,) = await chain.accounts([place])
    if account is None or account.owner != TOKEN_PROGRAM:
        return
    if not is_payable(account, owner, mint):
        holder = read_token_account(account.data).owner
        why = "it is frozen" if holder == owner else f"it belongs to {holder} now"
        raise ReceiverRefused(f"the {currency.name} account of {owner} can't be paid: {why} ({place})")


def _require_no_other_account(to: Pubkey, account: Account) -> None:
    """What is there can never be a wallet."""
    if account.executable:
        raise ReceiverRefused(f"{to} is a program: what is sent to it is lost")
    if program := BY_ADDRESS.get(account.owner):
        kind = program.kind_of(account.data) or "account"
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()
        article = "an" if words[0] in "aeiou" else "a"
        raise ReceiverRefused(
            f"{to} is this network's own: {program.name} keeps {article} {words} there, and nobody could "
            "spend what is sent to it. Name a wallet"
        )
    if account.owner not in {TOKEN_PROGRAM, TOKEN_2022_PROGRAM}:
        return
    if len(account.data) == MINT_SIZE:
        whose = "IO's mint" if to == tokenomics.MINT else "a mint"
        raise ReceiverRefused(f"{to} is {whose}, not a wallet: what is sent to it is lost")
    if len(account.data) >= ACCOUNT_SIZE:
        found = read_token_account(account.data)
        of = "IO" if found.mint == tokenomics.MINT else f"the mint {found.mint}"
        whose = (
            f"It belongs to {found.owner}: name that wallet, and its own account is paid"
            if found.owner.is_on_curve()
            else f"It is a program's own, by {found.owner}: name a wallet"
        )
        raise ReceiverRefused(f"{to} is a token account, for {of}, and no wallet. {whose}")
