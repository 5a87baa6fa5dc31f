"""What proof of work hashes: SHA-256 over a tag and parts of fixed length, integers little-endian."""

from __future__ import annotations

import struct
from functools import cache
from hashlib import sha256

PREFIX = b"ionet/pow/1/"
"""In front of every tag and every message's name, so that nothing else that a key signs can be one."""


@cache
def tagged(tag: str) -> bytes:
    """What stands before hashed parts and before a signed body: a length byte, prefix and tag."""
    name = PREFIX + tag.encode()
    return bytes([len(name)]) + name


def digest(tag: str, *parts: bytes) -> bytes:
    """Hash ``parts``, whose lengths ``tag`` fixes: 32 bytes."""
    return sha256(tagged(tag) + b"".join(parts)).digest()


def first_u64(hashed: bytes) -> int:
    """A draw from a hash: its first eight bytes."""
    return int.from_bytes(hashed[:8], "little")


def u8(value: int) -> bytes:
    """One byte."""
    return struct.pack("<B", value)


def u16(value: int) -> bytes:
    """Two bytes, little-endian."""
    return struct.pack("<H", value)


def u32(value: int) -> bytes:
    """Four bytes, little-endian."""
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    """Eight bytes, little-endian."""
    return struct.pack("<Q", value)
