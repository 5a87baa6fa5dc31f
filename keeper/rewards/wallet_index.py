"""``wallets.idx``: an hour's wallets and the whole tree over them, for a proof without reading either.

It follows from ``wallets.csv``, so that nobody has to publish or trust it, and lies beside it: whoever
publishes or fetches an hour writes it, 104 bytes for each wallet. A proof takes some twenty looks into it,
wherever the wallet is, however many ask at a time. An airdrop season has the same beside its file of points.

In order: eight bytes that name the format, how many wallets there are (u64), the SHA-256 of the hour's
manifest (a season's: of its file of points), the wallets' keys in their order, all that each ever earned
(a season's: what it gets in it) (u64), and the tree's levels from the leaves up to the root. Numbers are
little-endian.
"""

from __future__ import annotations

import mmap
import os
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from keeper import disk
from keeper.economy import merkle
from keeper.tables import Rows

NAME = "wallets.idx"
FORMAT = b"ionetwi1"
NUMBER, HASH = 8, 32
HEADER = len(FORMAT) + NUMBER + HASH


def hashes_of(proof: bytes) -> list[str]:
    """A proof's hashes from the leaf upwards, in hexadecimal."""
    return [proof[at : at + HASH].hex() for at in range(0, len(proof), HASH)]


@dataclass(frozen=True, slots=True)
class Claimable:
    """A wallet's leaf in an hour, and the proof that the program needs with it."""

    hour: int
    wallet: Pubkey
    lifetime: int
    root: bytes
    proof: bytes

    def json(self) -> dict[str, Any]:
        """As JSON: the proof's hashes from the leaf upwards, everything binary in hexadecimal.

        ``lifetime_text`` is ``lifetime`` for readers whose numbers end at 2^53, JavaScript's among them.
        """
        return {
            "hour": self.hour,
            "wallet": str(self.wallet),
            "lifetime": self.lifetime,
            "lifetime_text": str(self.lifetime),
            "root": self.root.hex(),
            "proof": hashes_of(self.proof),
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """A wallet in an index: its place, its amount in base units, its way to the root."""

    number: int
    amount: int
    root: bytes
    proof: bytes


class NoIndex(Exception):
    """There is no index yet, or another manifest's; the message says which."""


def write(path: Path, manifest: str, wallets: Rows, top: merkle.Tree | None) -> None:
    """Write the index of ``wallets`` and the tree over them (None for nobody); raises OSError.

    ``manifest`` is the hash of the hour's.
    """
    write_columns(path, manifest, wallets["wallet"], wallets["lifetime"], top)


def write_columns(
    path: Path,
    made_of: str,
    wallets: NDArray[np.bytes_],
    amounts: NDArray[np.uint64],
    top: merkle.Tree | None,
) -> None:
    """The same of any ``wallets`` in the order of their keys; ``made_of`` as for :func:`find`."""
    disk.write(path, _chunks(made_of, wallets, amounts, top))


def _chunks(
    made_of: str, wallets: NDArray[np.bytes_], amounts: NDArray[np.uint64], top: merkle.Tree | None
) -> Iterator[bytes]:
    yield FORMAT + len(wallets).to_bytes(NUMBER, "little") + bytes.fromhex(made_of)
    yield wallets.tobytes()
    yield amounts.astype("<u8").tobytes()
    for level in top.levels if top else ():
        yield b"".join(level)


def look_up(path: Path, hour: int, manifest: str, root: str, wallet: Pubkey) -> Claimable | None:
    """Look a wallet up, None if it isn't there; raises NoIndex, OSError.

    ``manifest`` and ``root`` are the hour's, in hexadecimal.
    """
    found = find(path, manifest, root, wallet)
    return None if found is None else Claimable(hour, wallet, found.amount, found.root, found.proof)


def find(path: Path, made_of: str, root: str, wallet: Pubkey) -> Entry | None:
    """As :func:`look_up`, of a season, too, whose file of points has the hash ``made_of``."""
    with _opened(path) as data:
        return _Index(path, data, made_of, root).of(wallet)


def check(path: Path, manifest: str, root: str) -> None:
    """Raise NoIndex unless there is this hour's whole index."""
    with _opened(path) as data:
        _Index(path, data, manifest, root)


def _opened(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < HEADER:
                raise NoIndex(f"{path} is cut short")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise NoIndex(f"{path} is missing") from error


class _Index:
    """An index in memory, into which the system reads what is looked at."""

    def __init__(self, path: Path, data: mmap.mmap, manifest: str, root: str) -> None:
        """Compare it with its hour's manifest and root; raises NoIndex for another one's."""
        self._data = data
        self._root = bytes.fromhex(root)
        self._count = int.from_bytes(data[len(FORMAT) : len(FORMAT) + NUMBER], "little")
        self._amounts = HEADER + HASH * self._count
        self._levels: list[tuple[int, int]] = []
        at, width = self._amounts + NUMBER * self._count, self._count
        while width:
            self._levels.append((at, width))
            at += HASH * width
            width = (width + 1) // 2 if width > 1 else 0
        stated = FORMAT, bytes.fromhex(manifest), at
        found = data[: len(FORMAT)], data[HEADER - HASH : HEADER], len(data)
        if stated != found or (self._count and data[at - HASH : at] != self._root):
            raise NoIndex(f"{path} is another manifest's")

    def of(self, wallet: Pubkey) -> Entry | None:
        """Look a wallet up."""
        data, key = self._data, bytes(wallet)

        def key_at(number: int) -> bytes:
            start = HEADER + HASH * number
            return data[start : start + HASH]

        number = bisect_left(range(self._count), key, key=key_at)
        if number == self._count or key_at(number) != key:
            return None
        at = self._amounts + NUMBER * number
        amount = int.from_bytes(data[at : at + NUMBER], "little")
        return Entry(number, amount, self._root, self._proof(number))

    def _proof(self, number: int) -> bytes:
        """As :meth:`keeper.economy.merkle.Tree.proof`."""
        siblings = []
        for start, width in self._levels[:-1]:
            sibling = number ^ 1
            if sibling < width:
                siblings.append(self._data[start + HASH * sibling : start + HASH * (sibling + 1)])
            number //= 2
        return b"".join(siblings)
