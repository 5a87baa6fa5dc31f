"""Instructions as ``jsonParsed`` shows them: the ones that wallets and explorers name, by what they do.

A node knows some programs, of others it shows addresses and data. So is it here, of the system program, the
token programs, associated accounts and memos; the compute budget's and our own are of the others.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import base58
from solders.pubkey import Pubkey

from keeper.chain.framework import ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM
from keeper.chain.whole import TOKEN_2022, TOKEN_PROGRAMS
from keeper.localnet.accounts import amount_json

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")

_AMOUNTS: dict[int, tuple[str, tuple[str, ...]]] = {
    3: ("transfer", ("source", "destination", "authority")),
    4: ("approve", ("source", "delegate", "owner")),
    7: ("mintTo", ("mint", "account", "mintAuthority")),
    8: ("burn", ("account", "mint", "authority")),
}
_CHECKED: dict[int, tuple[str, tuple[str, ...]]] = {
    12: ("transferChecked", ("source", "mint", "destination", "authority")),
    13: ("approveChecked", ("source", "mint", "delegate", "owner")),
    14: ("mintToChecked", ("mint", "account", "mintAuthority")),
    15: ("burnChecked", ("account", "mint", "authority")),
}
_PLAIN: dict[int, tuple[str, tuple[str, ...]]] = {
    5: ("revoke", ("source", "owner")),
    9: ("closeAccount", ("account", "destination", "owner")),
    10: ("freezeAccount", ("account", "mint", "freezeAuthority")),
    11: ("thawAccount", ("account", "mint", "freezeAuthority")),
    17: ("syncNative", ("account",)),
    22: ("initializeImmutableOwner", ("account",)),
}
_ASSOCIATED = ("source", "account", "wallet", "mint", "systemProgram", "tokenProgram")


def shown(program: Pubkey, accounts: Sequence[Pubkey], data: bytes, height: int) -> dict[str, Any]:
    """An instruction: parsed where it can be, else its addresses and its data in base58."""
    names = [str(each) for each in accounts]
    try:
        found = _parsed(program, names, data)
    except (struct.error, IndexError, ValueError):
        found = None
    if found is None:
        return {
            "programId": str(program),
            "accounts": names,
            "data": base58.b58encode(data).decode(),
            "stackHeight": height,
        }
    name, parsed = found
    return {"program": name, "programId": str(program), "parsed": parsed, "stackHeight": height}


def _parsed(program: Pubkey, accounts: list[str], data: bytes) -> tuple[str, Any] | None:
    if program == SYSTEM_PROGRAM:
        return _named("system", _system(accounts, data))
    if program in TOKEN_PROGRAMS:
        name = "spl-token-2022" if program == TOKEN_2022 else "spl-token"
        return _named(name, _token(accounts, data))
    if program == ASSOCIATED_TOKEN_PROGRAM and data[:1] in (b"", b"\0", b"\1"):
        kind = "createIdempotent" if data[:1] == b"\1" else "create"
        return _named("spl-associated-token-account", (kind, _roles(_ASSOCIATED, accounts)))
    if program == MEMO:
        return "spl-memo", data.decode()
    return None


def _named(name: str, found: tuple[str, dict[str, Any]] | None) -> tuple[str, Any] | None:
    return (name, {"type": found[0], "info": found[1]}) if found else None


def _system(accounts: list[str], data: bytes) -> tuple[str, dict[str, Any]] | None:
    (tag,) = struct.unpack_from("<I", data)
    match tag:
        case 0:
            lamports, space = struct.unpack_from("<QQ", data, 4)
            roles = _roles(("source", "newAccount"), accounts)
            return "createAccount", roles | {
                "lamports": lamports,
                "space": space,
                "owner": str(Pubkey(data[20:52])),
            }
        case 1:
            return "assign", {"account": accounts[0], "owner": str(Pubkey(data[4:36]))}
        case 2:
            (lamports,) = struct.unpack_from("<Q", data, 4)
            return "transfer", _roles(("source", "destination"), accounts) | {"lamports": lamports}
        case 4:
            return "advanceNonce", _roles(
                ("nonceAccount", "recentBlockhashesSysvar", "nonceAuthority"), accounts
            )
        case 8:
            (space,) = struct.unpack_from("<Q", data, 4)
            return "allocate", {"account": accounts[0], "space": space}
    return None


def _token(accounts: list[str], data: bytes) -> tuple[str, dict[str, Any]] | None:
    tag = data[0]
    if tag in _AMOUNTS:
        name, roles = _AMOUNTS[tag]
        (amount,) = struct.unpack_from("<Q", data, 1)
        return name, _signed(roles, accounts) | {"amount": str(amount)}
    if tag in _CHECKED:
        name, roles = _CHECKED[tag]
        amount, decimals = struct.unpack_from("<QB", data, 1)
        return name, _signed(roles, accounts) | {"tokenAmount": amount_json(amount, decimals)}
    if tag in _PLAIN:
        name, roles = _PLAIN[tag]
        return name, _signed(roles, accounts)
    return None


def _roles(names: Sequence[str], accounts: list[str]) -> dict[str, Any]:
    if len(accounts) < len(names):
        raise IndexError
    return dict(zip(names, accounts, strict=False))


def _signed(names: Sequence[str], accounts: list[str]) -> dict[str, Any]:
    """The last of them is who signs: several, where it is a multisig."""
    found = _roles(names, accounts)
    if len(accounts) > len(names) and names[-1] in ("authority", "owner", "mintAuthority", "freezeAuthority"):
        role = names[-1]
        multisig = "multisig" + role[0].upper() + role[1:]
        found[multisig] = found.pop(role)
        found["signers"] = accounts[len(names) :]
    return found
