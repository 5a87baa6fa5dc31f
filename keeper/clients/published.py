"""Programs' interfaces where explorers and clients look for them: accounts of the Program Metadata program.

The one that a program's upgrade authority writes is at an address that follows from the program's alone. Its
form is that of https://github.com/solana-program/program-metadata, version 1.0: 96 bytes about it, and the
interface as JSON.
"""

from __future__ import annotations

import json
import struct
import zlib
from enum import StrEnum
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper import resources
from keeper.chain import ChainReader, Program

METADATA = Pubkey.from_string("ProgM6JCCvbYkfKqJYHePx4xxSUSqJp7rh8Lyv7nk7S")
"""The Program Metadata program."""
SEED = b"idl".ljust(16, b"\0")
HEADER = struct.Struct("<B32s32sBB16sBBBBI5x")
"""Kind, program, authority, mutable, canonical, seed, encoding, compression, format, source, length."""
IS_METADATA, DIRECT, JSON = 2, 0, 1
PLAIN, GZIP, ZLIB = range(3)
WINDOWS = {GZIP: zlib.MAX_WBITS | 16, ZLIB: zlib.MAX_WBITS}
MOST = 4 << 20
"""Bytes of an interface at most: whoever wrote it decides what it comes to when it is unpacked."""


class State(StrEnum):
    """What there is on chain of a program's interface."""

    NONE = "none"
    SAME = "same"
    """This version's."""
    OTHER = "other"
    """Another one, or something that can't be read."""


class Published(NamedTuple):
    """Where a program's interface is, or would be, and what is there."""

    address: Pubkey
    state: State


def interface_address(program: Pubkey) -> Pubkey:
    """Where a program's interface is that its upgrade authority publishes."""
    return Pubkey.find_program_address([bytes(program), SEED], METADATA)[0]


def content(data: bytes, program: Pubkey) -> bytes | None:
    """A program's interface in such an account, unpacked; None where it can't be read, or is elsewhere."""
    if len(data) < HEADER.size:
        return None
    kind, of, _, _, _, seed, _, compression, form, source, length = HEADER.unpack_from(data)
    if (kind, of, seed, form, source) != (IS_METADATA, bytes(program), SEED, JSON, DIRECT):
        return None
    packed = data[HEADER.size : HEADER.size + length]
    if compression == PLAIN:
        return packed
    if compression not in WINDOWS:
        return None
    unpacking = zlib.decompressobj(WINDOWS[compression])
    try:
        found = unpacking.decompress(packed, MOST)
    except zlib.error:
        return None
    return found if unpacking.eof else None


async def read_published(chain: ChainReader, program: Program) -> Published:
    """What there is on chain of a program's interface, held to this version's."""
    address = interface_address(program.address)
    (account,) = await chain.accounts([address])
    if account is None or account.owner != METADATA or not account.data:
        return Published(address, State.NONE)
    found = content(account.data, program.address)
    try:
        is_same = found is not None and json.loads(found) == resources.idl(program.name)
    except (ValueError, RecursionError):
        is_same = False
    return Published(address, State.SAME if is_same else State.OTHER)
