"""Accounts and what they hold."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import base58
from solders.pubkey import Pubkey

from keeper.chain.records import Account
from keeper.localnet.accounts import ENCODINGS, account_json
from keeper.localnet.methods.registry import method
from keeper.localnet.node import Node
from keeper.localnet.parameters import Config, Parameters
from keeper.localnet.refusal import invalid

MAX_ACCOUNTS = 100
MAX_FILTERS = 4
MAX_PATTERN = 128
"""Bytes of a memcmp filter."""


@method("getAccountInfo")
def get_account_info(node: Node, parameters: Parameters) -> Any:
    """An account: lamports, owner, data in base58, base64, base64+zstd or jsonParsed."""
    config = parameters.config(1)
    return node.in_context(shown(node, node.chain.get(parameters.address(0)), config))


@method("getMultipleAccounts")
def get_multiple_accounts(node: Node, parameters: Parameters) -> Any:
    """Up to 100 accounts as of one slot."""
    config = parameters.config(1)
    addresses = [address(each) for each in parameters.texts(0, MAX_ACCOUNTS)]
    return node.in_context([shown(node, node.chain.get(each), config, "base64") for each in addresses])


@method("getBalance")
def get_balance(node: Node, parameters: Parameters) -> Any:
    """An address's lamports."""
    parameters.config(1)
    account = node.chain.get(parameters.address(0))
    return node.in_context(account.lamports if account else 0)


@method("getProgramAccounts")
def get_program_accounts(node: Node, parameters: Parameters) -> Any:
    """All accounts of a program, by size and content (dataSize, memcmp in base58, base64 or bytes)."""
    config = parameters.config(1)
    passes = filters(config)
    found = [
        {"pubkey": str(key), "account": shown(node, account, config)}
        for key, account in node.chain.owned(parameters.address(0))
        if all(each(account.data) for each in passes)
    ]
    return node.in_context(found) if config.flag("withContext") else found


@method("getMinimumBalanceForRentExemption")
def get_minimum_balance(node: Node, parameters: Parameters) -> Any:
    """Lamports that keep an account of so many bytes."""
    return node.chain.rent_exempt(parameters.number(0, most=10 * 2**20))


@method("getLargestAccounts")
def get_largest_accounts(node: Node, parameters: Parameters) -> Any:
    """The 20 accounts with the most lamports."""
    parameters.config(0)
    held = sorted(((lamports, str(key)) for key, lamports in node.chain.balances()), reverse=True)[:20]
    return node.in_context([{"address": key, "lamports": lamports} for lamports, key in held])


@method("getSupply")
def get_supply(node: Node, parameters: Parameters) -> Any:
    """All lamports that there are."""
    parameters.config(0)
    total = sum(lamports for _, lamports in node.chain.balances())
    return node.in_context(
        {"total": total, "circulating": total, "nonCirculating": 0, "nonCirculatingAccounts": []}
    )


def shown(
    node: Node, account: Account | None, config: Config, default: str = "binary"
) -> dict[str, Any] | None:
    """An account in the encoding that is asked for."""
    encoding = config.text("encoding", default, ENCODINGS)
    return account_json(account, encoding, config.slice(), node.chain.get)


def filters(config: Config) -> list[Any]:
    """The filters of getProgramAccounts and programSubscribe: functions of an account's data."""
    wanted = config.content.get("filters", [])
    if not isinstance(wanted, list):
        raise invalid("Invalid params: invalid type: expected a sequence of filters.")
    if len(wanted) > MAX_FILTERS:
        raise invalid(f"Too many filters provided; max {MAX_FILTERS}")
    return [_filter(each) for each in wanted]


def address(text: str) -> Pubkey:
    """Read one address of a list."""
    return Parameters([text], 0).address(0)


def _filter(wanted: Any) -> Any:
    match wanted:
        case {"dataSize": int(size)}:
            return lambda data: len(data) == size
        case {"memcmp": {"offset": int(offset), **rest}} if offset >= 0:
            pattern = _pattern(rest.get("bytes"), rest.get("encoding") or "base58")
            return lambda data: data[offset : offset + len(pattern)] == pattern
        case "tokenAccountState" | {"tokenAccountState": None}:
            return lambda data: len(data) >= 165 and data[108] != 0  # noqa: PLR2004 - a token account's
    raise invalid("Invalid params: unknown filter, expected `dataSize`, `memcmp` or `tokenAccountState`.")


def _pattern(content: Any, encoding: Any) -> bytes:
    try:
        if isinstance(content, list):
            pattern = bytes(content)
        elif encoding == "base64":
            pattern = b64decode(content, validate=True)
        else:
            pattern = base58.b58decode(content)
    except (ValueError, TypeError, AttributeError) as error:
        raise invalid(f"Invalid param: {error}") from error
    if len(pattern) > MAX_PATTERN:
        raise invalid("Invalid param: encoded memcmp filter data is too large")
    return pattern
