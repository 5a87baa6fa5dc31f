"""Accounts in a node's JSON, in each encoding that there is."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import base58
from solders.pubkey import Pubkey

from keeper.chain.framework import UPGRADEABLE_LOADER
from keeper.chain.loader import PROGRAM_DATA_HEADER, PROGRAM_SIZE
from keeper.chain.records import Account
from keeper.chain.token import MINT_SIZE, read_mint, read_token_account
from keeper.chain.whole import TOKEN_2022, TOKEN_PROGRAMS, is_token_account
from keeper.localnet.parameters import U64_MAX, Slice
from keeper.localnet.refusal import INVALID_REQUEST, Refusal

ENCODINGS = "binary", "base58", "base64", "base64+zstd", "jsonParsed"
"""``binary`` is what isn't asked for otherwise: base58 without saying so."""
MAX_BASE58 = 128
"""Bytes of an account that base58 is computed for."""
BLOCK_BYTES = 1 << 17
"""The most that a block of a zstd frame holds."""
STATES = "uninitialized", "initialized", "frozen"
_DELEGATE, _NATIVE, _DELEGATED, _CLOSER = 72, 109, 121, 129
"""Where a token account has what is optional: a tag of 4 bytes first, but for the amount delegated."""

Read = Callable[[Pubkey], Account | None]


def account_json(
    account: Account | None, encoding: str, part: Slice | None, read: Read
) -> dict[str, Any] | None:
    """An account as it is answered; ``read`` finds the mint of a parsed token account."""
    if account is None:
        return None
    return {
        "lamports": account.lamports,
        "data": _data(account, encoding, part, read),
        "owner": str(account.owner),
        "executable": account.executable,
        "rentEpoch": U64_MAX,
        "space": len(account.data),
    }


def closed(encoding: str) -> dict[str, Any]:
    """An account that is no more, as notices have it: web3.js ends at null."""
    return {
        "lamports": 0,
        "data": encoded(b"", encoding),
        "owner": str(Pubkey.default()),
        "executable": False,
        "rentEpoch": U64_MAX,
        "space": 0,
    }


def encoded(data: bytes, encoding: str) -> Any:
    """Bytes in an encoding; raises Refusal for what is too long for base58."""
    if encoding in ("binary", "base58"):
        if len(data) > MAX_BASE58:
            raise Refusal(
                INVALID_REQUEST,
                f"Encoded binary (base 58) data should be less than {MAX_BASE58} bytes, please use Base64 "
                "encoding.",
            )
        text = base58.b58encode(data).decode()
        return text if encoding == "binary" else [text, encoding]
    if encoding == "base64+zstd":
        return [b64encode(_zstd(data)).decode(), encoding]
    return [b64encode(data).decode(), "base64"]


def amount_json(amount: int, decimals: int) -> dict[str, Any]:
    """An amount of tokens: base units, and as people write it."""
    exact = Decimal(amount).scaleb(-decimals)
    text = f"{exact:f}"
    return {
        "amount": str(amount),
        "decimals": decimals,
        "uiAmount": float(exact),
        "uiAmountString": text.rstrip("0").rstrip(".") if "." in text else text,
    }


def token_account_json(data: bytes, decimals: int) -> dict[str, Any]:
    """A token account, parsed."""
    found = read_token_account(data)
    info: dict[str, Any] = {
        "isNative": _tag(data, _NATIVE),
        "mint": str(found.mint),
        "owner": str(found.owner),
        "state": STATES[min(data[108], 2)],
        "tokenAmount": amount_json(found.amount, decimals),
    }
    if _tag(data, _DELEGATE):
        (delegated,) = struct.unpack_from("<Q", data, _DELEGATED)
        info["delegate"] = str(Pubkey(data[_DELEGATE + 4 : _DELEGATE + 36]))
        info["delegatedAmount"] = amount_json(delegated, decimals)
    if _tag(data, _NATIVE):
        (reserve,) = struct.unpack_from("<Q", data, _NATIVE + 4)
        info["rentExemptReserve"] = amount_json(reserve, decimals)
    if _tag(data, _CLOSER):
        info["closeAuthority"] = str(Pubkey(data[_CLOSER + 4 : _CLOSER + 36]))
    return info


def _data(account: Account, encoding: str, part: Slice | None, read: Read) -> Any:
    if encoding == "jsonParsed":
        parsed = _parsed(account, read)
        if parsed is not None:
            return parsed
        encoding = "base64"
    data = account.data
    return encoded(data[part.offset : part.offset + part.length] if part else data, encoding)


def _parsed(account: Account, read: Read) -> dict[str, Any] | None:
    """What a node reads of an account itself; None for one that it doesn't know, ours among them."""
    data, found = account.data, None
    program = "spl-token-2022" if account.owner == TOKEN_2022 else "spl-token"
    if account.owner in TOKEN_PROGRAMS:
        if is_token_account(data):
            mint = read(read_token_account(data).mint)
            if mint is None or len(mint.data) < MINT_SIZE:
                return None
            found = "account", token_account_json(data, read_mint(mint.data).decimals)
        elif len(data) >= MINT_SIZE and data[45]:
            found = "mint", _mint_json(data)
    elif account.owner == UPGRADEABLE_LOADER:
        program, found = "bpf-upgradeable-loader", _program(data)
    if found is None:
        return None
    return {"program": program, "parsed": {"type": found[0], "info": found[1]}, "space": len(data)}


def _mint_json(data: bytes) -> dict[str, Any]:
    mint = read_mint(data)
    return {
        "mintAuthority": str(mint.authority) if mint.authority else None,
        "supply": str(mint.supply),
        "decimals": mint.decimals,
        "isInitialized": True,
        "freezeAuthority": str(mint.freeze_authority) if mint.freeze_authority else None,
    }


def _program(data: bytes) -> tuple[str, dict[str, Any]] | None:
    match data[:4]:
        case b"\2\0\0\0" if len(data) == PROGRAM_SIZE:
            return "program", {"programData": str(Pubkey(data[4:]))}
        case b"\3\0\0\0" if len(data) >= PROGRAM_DATA_HEADER:
            (slot,) = struct.unpack_from("<Q", data, 4)
            authority = str(Pubkey(data[13:PROGRAM_DATA_HEADER])) if data[12] else None
            return "programData", {
                "slot": slot,
                "authority": authority,
                "data": [b64encode(data[PROGRAM_DATA_HEADER:]).decode(), "base64"],
            }
    return None


def _tag(data: bytes, at: int) -> bool:
    return data[at : at + 4] == b"\1\0\0\0"


def _zstd(data: bytes) -> bytes:
    """A zstd frame of blocks that aren't compressed: whoever asks for it wants to read it, not to save."""
    blocks = [data[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES)] or [b""]
    frame = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", len(data))  # one segment, its size in eight bytes
    for number, block in enumerate(blocks, start=1):
        frame += (len(block) << 3 | (number == len(blocks))).to_bytes(3, "little") + block
    return frame
