"""Tokens: accounts of a wallet, amounts, supplies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain.records import Account
from keeper.chain.token import MINT_SIZE, Mint, read_mint, read_token_account
from keeper.chain.whole import TOKEN_PROGRAMS, is_token_account
from keeper.localnet.accounts import amount_json
from keeper.localnet.methods.accounts import address, shown
from keeper.localnet.methods.registry import method
from keeper.localnet.node import Node
from keeper.localnet.parameters import Parameters
from keeper.localnet.refusal import invalid

LARGEST = 20
_DELEGATE = slice(72, 108)
"""Where a token account has its delegate, if any: a tag of four bytes, an address."""


@method("getTokenAccountBalance")
def get_token_account_balance(node: Node, parameters: Parameters) -> Any:
    """A token account's amount."""
    parameters.config(1)
    account = node.chain.get(parameters.address(0))
    if account is None:
        raise invalid("Invalid param: could not find account")
    if account.owner not in TOKEN_PROGRAMS or not is_token_account(account.data):
        raise invalid("Invalid param: not a Token account")
    found = read_token_account(account.data)
    return node.in_context(amount_json(found.amount, _mint(node, found.mint).decimals))


@method("getTokenSupply")
def get_token_supply(node: Node, parameters: Parameters) -> Any:
    """How much of a token there is."""
    parameters.config(1)
    key = parameters.address(0)
    if node.chain.get(key) is None:
        raise invalid("Invalid param: could not find account")
    mint = _mint(node, key)
    return node.in_context(amount_json(mint.supply, mint.decimals))


@method("getTokenAccountsByOwner")
def get_token_accounts_by_owner(node: Node, parameters: Parameters) -> Any:
    """A wallet's token accounts, of a mint or of a token program."""
    wallet = parameters.address(0)
    return _listed(node, parameters, lambda data: data[32:64] == bytes(wallet))


@method("getTokenAccountsByDelegate")
def get_token_accounts_by_delegate(node: Node, parameters: Parameters) -> Any:
    """Token accounts that somebody may spend from, of a mint or of a token program."""
    wanted = b"\1\0\0\0" + bytes(parameters.address(0))
    return _listed(node, parameters, lambda data: data[_DELEGATE] == wanted)


@method("getTokenLargestAccounts")
def get_token_largest_accounts(node: Node, parameters: Parameters) -> Any:
    """The 20 accounts that have most of a token."""
    parameters.config(1)
    key = parameters.address(0)
    mint = _mint(node, key)
    held = [
        (read_token_account(account.data).amount, str(place))
        for program in TOKEN_PROGRAMS
        for place, account in _of(node, program)
        if account.data[:32] == bytes(key)
    ]
    return node.in_context(
        [
            {"address": place, **amount_json(amount, mint.decimals)}
            for amount, place in sorted(held, reverse=True)[:LARGEST]
        ]
    )


def _listed(node: Node, parameters: Parameters, chosen: Any) -> Any:
    match parameters.needed(1):
        case {"mint": str(text)}:
            key = address(text)
            mint = node.chain.get(key)
            if mint is None or mint.owner not in TOKEN_PROGRAMS:
                raise invalid("Invalid param: could not find mint")
            program, of_mint = mint.owner, bytes(key)
        case {"programId": str(text)}:
            program, of_mint = address(text), b""
            if program not in TOKEN_PROGRAMS:
                raise invalid("Invalid param: unrecognized Token program id")
        case _:
            raise invalid("Invalid params: expected `mint` or `programId`.")
    config = parameters.config(2)
    return node.in_context(
        [
            {"pubkey": str(place), "account": shown(node, account, config)}
            for place, account in _of(node, program)
            if account.data.startswith(of_mint) and chosen(account.data)
        ]
    )


def _of(node: Node, program: Pubkey) -> Iterator[tuple[Pubkey, Account]]:
    return (each for each in node.chain.owned(program) if is_token_account(each[1].data))


def _mint(node: Node, key: Pubkey) -> Mint:
    """Read a mint; raises Refusal when it isn't one."""
    account = node.chain.get(key)
    if account is None or account.owner not in TOKEN_PROGRAMS or len(account.data) < MINT_SIZE:
        raise invalid("Invalid param: not a Token mint")
    return read_mint(account.data)
