"""A program's interface on chain: read as it was written, and told from another one."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from solders.pubkey import Pubkey

from keeper import resources
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.records import Account
from keeper.clients import published, staking
from keeper.clients.published import GZIP, PLAIN, ZLIB, State

PROGRAM = staking.PROGRAM
MINE = (resources.IDL / "staking.json").read_bytes()
PACKED = {PLAIN: lambda data: data, GZIP: gzip.compress, ZLIB: zlib.compress}
LAMPORTS = 10**9


def account(
    packed: bytes,
    *,
    compression: int = ZLIB,
    program: Pubkey = PROGRAM.address,
    seed: bytes = b"idl",
    kind: int = 2,
    form: int = 1,
    source: int = 0,
) -> bytes:
    """Laid out by hand as its ``Header`` is: kind, program, authority, flags, seed, words, length."""
    return (
        bytes([kind])
        + bytes(program)
        + bytes(32)
        + bytes([1, 1])
        + seed.ljust(16, b"\0")
        + bytes([1, compression, form, source])
        + len(packed).to_bytes(4, "little")
        + bytes(5)
        + packed
    )


WRITTEN = bytes.fromhex(
    "02b34657663244b0669d19b21dd960007b2b959a3e9f19f4cab84341dd6140bcc9"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "010169646c0000000000000000000000000001020100525500000000000000"
)
"""The first 96 bytes of the account that the program itself, at version 1.0.1, made of an interface when
``program-metadata write idl`` of @solana-program/program-metadata 0.7.0 asked it to, of staking's."""


def test_it_is_laid_out_as_the_program_does() -> None:
    assert account(bytes(21_842))[:96] == WRITTEN


async def read(data: bytes | None, owner: Pubkey = published.METADATA) -> State:
    chain = EmbeddedChain()
    if data is not None:
        chain.set_account(published.interface_address(PROGRAM.address), Account(LAMPORTS, data, owner))
    return (await published.read_published(chain, PROGRAM)).state


@pytest.mark.parametrize("compression", list(PACKED))
async def test_this_versions_is_known_however_it_is_packed_and_written(compression: int) -> None:
    packed = PACKED[compression](MINE)
    assert await read(account(packed, compression=compression)) is State.SAME
    tight = json.dumps(json.loads(MINE), separators=(",", ":")).encode()
    assert await read(account(PACKED[compression](tight), compression=compression)) is State.SAME


async def test_another_one_is_told_from_it() -> None:
    other = (resources.IDL / "orders.json").read_bytes()
    assert await read(account(zlib.compress(other))) is State.OTHER


async def test_none_is_there_before_anybody_publishes() -> None:
    assert await read(None) is State.NONE
    mine = account(zlib.compress(MINE))
    assert await read(mine, owner=staking.PROGRAM.address) is State.NONE  # Anybody's account says nothing.


WRONG = {
    "short": account(b"")[:95],
    "a buffer": account(zlib.compress(MINE), kind=1),
    "another program's": account(zlib.compress(MINE), program=Pubkey.default()),
    "security": account(zlib.compress(MINE), seed=b"security"),
    "a URL": account(b"https://example.com", compression=PLAIN, source=1),
    "no JSON by its form": account(zlib.compress(MINE), form=2),
    "an unknown packing": account(MINE, compression=3),
    "not packed": account(MINE),
    "cut": account(zlib.compress(MINE)[:-20]),
    "no text": account(b"\xff\xfe", compression=PLAIN),
    "deep": account(b"[" * 100_000, compression=PLAIN),
    "a bomb": account(zlib.compress(bytes(published.MOST + 1))),
}


@pytest.mark.parametrize("name", list(WRONG))
async def test_what_cant_be_read_is_another_one(name: str) -> None:
    assert await read(WRONG[name]) is State.OTHER


def test_its_address_is_that_of_the_programs_own_client() -> None:
    """Found by @solana-program/program-metadata 0.7.0 for the same program."""
    found = published.interface_address(Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"))
    assert str(found) == "Az5tgYWruEoJpLfyaauAkuRTxbW2mpvoidiwuq4mHxXN"
