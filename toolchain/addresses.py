"""Where instructions' accounts are, for the IDLs: the seeds that the programs' own macros don't state.

A program knows its accounts by their owner and their data, without deriving addresses again, which would cost
compute. Clients derive them, so the IDL says how. ``SEEDS`` is the one table;
``tests/toolchain/test_addresses.py`` derives each for a call that succeeds. Standard library alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from toolchain.program_ids import BASE58, CURVE, PRIME

Json = dict[str, Any]

TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
ASSOCIATED_PROGRAM = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
LOADER = "BPFLoaderUpgradeab1e11111111111111111111111"

IO_MINT = "the IO mint"
"""Stands for its address, which follows from tokenomics'."""


def unbase58(text: str) -> bytes:
    """The bytes of an address."""
    number = 0
    for letter in text:
        number = number * 58 + BASE58.index(letter)
    return number.to_bytes(32, "big")


def is_key(data: bytes) -> bool:
    """Whether somebody can have the secret of an address: it is a point of the curve (RFC 8032, 5.1.3)."""
    y = (int.from_bytes(data, "little") & ((1 << 255) - 1)) % PRIME
    x2 = (y * y - 1) * pow(CURVE * y * y + 1, -1, PRIME) % PRIME
    return x2 == 0 or pow(x2, (PRIME - 1) // 2, PRIME) == 1


def find_address(seeds: Sequence[bytes], program: bytes) -> bytes:
    """The address of a program's seeds: the first hash, by a byte from 255 down, that is nobody's key."""
    for bump in range(255, -1, -1):
        data = b"".join([*seeds, bytes([bump]), program, b"ProgramDerivedAddress"])
        if not is_key(found := hashlib.sha256(data).digest()):
            return found
    raise ValueError(f"no address for {seeds}")


def const(value: bytes) -> Json:
    """A seed that is the same for all."""
    return {"kind": "const", "value": list(value)}


class Seeds:
    """How an address is derived: a text, then accounts, arguments, fields of accounts (``device.worker``)."""

    def __init__(self, text: str, *paths: str, program: str = "") -> None:
        """Under another of our programs where ``program`` names one."""
        self.text, self.paths, self.program = text, paths, program

    def pda(self, parts: Mapping[str, Json], ids: Mapping[str, str]) -> Json:
        """The IDL's words for it, of what each path is and the programs' addresses."""
        text = [const(self.text.encode())]
        found: Json = {"seeds": text + [parts[path] for path in self.paths]}
        if self.program:
            found["program"] = const(unbase58(ids[self.program]))
        return found


class Associated(Seeds):
    """An associated token account, the one that wallets use."""

    def __init__(self, owner: str, mint: str = IO_MINT) -> None:
        """That of ``owner`` for ``mint``."""
        super().__init__("", owner, mint)

    def pda(self, parts: Mapping[str, Json], ids: Mapping[str, str]) -> Json:
        """The same under the program of associated token accounts."""
        mint = const(find_address([b"mint"], unbase58(ids["tokenomics"])))
        owner, token = parts[self.paths[0]], const(unbase58(TOKEN_PROGRAM))
        program = const(unbase58(ASSOCIATED_PROGRAM))
        return {"seeds": [owner, token, parts.get(self.paths[1], mint)], "program": program}


TYPES = {
    "tokenomics": {
        "allocation": "Allocation",
        "claim_page": "ClaimPage",
        "config": "Config",
        "season": "Season",
    },
    "staking": {
        "block": "Block",
        "class": "Class",
        "config": "Config",
        "device": "Device",
        "prices": "Prices",
        "slash": "Slash",
        "payout": "Wallet",
    },
    "orders": {
        "config": "Config",
        "fault": "Fault",
        "lease": "Lease",
        "order": "Order",
        "record": "Parked",
    },
    "buyback": {"auction": "Auction", "config": "Config"},
}
"""Of which type an account is, for seeds that are in its data."""

Slot = Seeds | Sequence[Seeds]
SEEDS: dict[str, dict[str, Slot]] = {
    "tokenomics": {
        "allocation": Seeds("allocation", "allocation.id"),
        "beneficiary_tokens": Associated("allocation.beneficiary"),
        "claim_page": [
            Seeds("claim_page", "season.season", "page"),
            Seeds("claim_page", "season.season", "claim_page.page"),
        ],
        "funder_tokens": [Associated("funder"), Associated("admin")],
        "owner_tokens": Associated("owner"),
        "season": Seeds("season", "season.season"),
        "season_vault": Seeds("season_vault", "season.season"),
        "wallet_tokens": Associated("wallet"),
    },
    "staking": {
        "block": Seeds("block", "block.hour"),
        "class": [Seeds("class", "device.class"), Seeds("class", "class.id")],
        "device": [Seeds("device", "worker"), Seeds("device", "device.worker")],
        "lease_authority": Seeds("lease_authority", program="orders"),
        "mint": Seeds("mint", program="tokenomics"),
        "owner_tokens": Associated("owner"),
        "payout": Seeds("wallet", "payout.wallet"),
        "prices": Seeds("prices", "prices.hour"),
        "reward_vault": Seeds("reward_vault", program="tokenomics"),
        "slash": Seeds("slash", "device", "slash.evidence"),
        "staker_tokens": Associated("staker"),
        "supplier_tokens": Associated("supplier"),
        "tokenomics": Seeds("config", program="tokenomics"),
        "tokenomics_events": Seeds("__event_authority", program="tokenomics"),
        "wallet": [Seeds("wallet", "owner"), Seeds("wallet", "staker")],
        "wallet_tokens": Associated("owner"),
    },
    "orders": {
        "device": [
            Seeds("device", "worker", program="staking"),
            Seeds("device", "lease.worker", program="staking"),
        ],
        "fault": Seeds("fault", "lease", "fault.evidence", "fault.good_hours"),
        "io_mint": Seeds("mint", program="tokenomics"),
        "lease": [
            Seeds("lease", "order", "device"),
            Seeds("lease", "order", "lease.device"),
        ],
        "order": [Seeds("order", "renter", "order.id"), Seeds("order", "order.renter", "order.id")],
        "parked_vault": Associated("config", "record.mint"),
        "record": Seeds("parked", "destination"),
        "renter_tokens": Associated("renter", "mint"),
        "staking_config": Seeds("config", program="staking"),
        "staking_events": Seeds("__event_authority", program="staking"),
        "vault": Seeds("vault", "order"),
    },
    "buyback": {
        "auction": Seeds("auction", "auction.number"),
        "bidder_io": Associated("bidder"),
        "bidder_usdc": Associated("bidder", "config.usdc_mint"),
        "io_mint": Seeds("mint", program="tokenomics"),
        "io_vault": Seeds("fee_vault", "io_mint"),
        "tokenomics": Seeds("config", program="tokenomics"),
        "usdc_vault": Seeds("fee_vault", "config.usdc_mint"),
    },
}
"""By program and account: the first whose parts the instruction has."""

RELATIONS = {
    ("close_order", "renter"): "order",
    ("settle", "payout_tokens"): "lease",
}
"""By instruction and account: whose field of that name it is, where the handler alone compares."""


def part(path: str, instruction: Json, types: Mapping[str, str]) -> Json | None:
    """A part of an address in the IDL's words, None if the instruction doesn't have it."""
    slot, _, field = path.partition(".")
    if slot in {account["name"] for account in instruction["accounts"]}:
        found = {"kind": "account", "path": path}
        return {**found, "account": types[slot]} if field else found
    has = not field and slot in {argument["name"] for argument in instruction["args"]}
    return {"kind": "arg", "path": path} if has else None


def pda_of(slot: Slot, instruction: Json, program: str, ids: Mapping[str, str]) -> Json | None:
    """How an account of an instruction is derived, None where its parts aren't there."""
    for seeds in [slot] if isinstance(slot, Seeds) else slot:
        wanted = [path for path in seeds.paths if path != IO_MINT]
        parts = {path: part(path, instruction, TYPES[program]) for path in wanted}
        if all(parts.values()):
            return seeds.pda({path: found for path, found in parts.items() if found}, ids)
    return None


def locate(idl: Json, ids: Mapping[str, str]) -> None:
    """Complete an IDL: the address or the seeds of every account that has such.

    ``ids`` are the addresses of our programs. What the macros state stays.
    """
    program, own = idl["metadata"]["name"], unbase58(idl["address"])
    loaded = {"seeds": [const(own)], "program": const(unbase58(LOADER))}
    for instruction in idl["instructions"]:
        for account in instruction["accounts"]:
            name = account["name"]
            if name == "program":
                account["address"] = idl["address"]
            elif name == "tokenomics_program":
                account["address"] = ids["tokenomics"]
            elif name == "program_data":
                account["pda"] = loaded
            elif "address" not in account:
                found = account.get("pda") or pda_of(SEEDS[program].get(name, ()), instruction, program, ids)
                account.update({"pda": found} if found else {})
            if source := RELATIONS.get((instruction["name"], name)):
                account["relations"] = [source]
