"""What an operator writes down of an hour: WAVE and EVIDENCE files, whose hashes it posts, and PINGS and
TRANSFERS files, whose hashes its EVIDENCE names.

Each has one canonical form: rows sorted and once, integers little-endian, nothing after the last. What
:func:`read_wave` and the others take, they give back byte by byte when it is written again. A reader asks for
the most bytes that there can be (``*_limit``) before it reads anything from others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from keeper.errors import UserError
from keeper.pow.clock import WaveKind
from keeper.pow.connectivity import TRANSFER, Transfer
from keeper.pow.hashing import u32, u64
from keeper.pow.messages import Commit, Signed

Rows = NDArray[np.void]
"""A structured array."""
Keys = NDArray[np.bytes_]
"""A column of keys."""
KEY = "S32"
"""A key's or hash's raw bytes, compared as bytes are; a single value drops zeros at its end."""

WAVE = np.dtype(
    [
        ("device", KEY),
        ("root", KEY),
        ("ms", "<u4"),
        ("device_ms", "<u4"),
        ("profile", "<u2"),
        ("procs", "u1"),
        ("kind", "u1"),
        ("signature", "S64"),
    ]
)
"""A commit as an operator had it ``ms`` after it saw the wave's block confirmed. 140 bytes."""
EVIDENCE = np.dtype([("slot", "<u8"), ("device", KEY), ("root", KEY), ("blob", KEY), ("length", "<u4")])
"""An opening that an operator holds: the wave's slot, SHA-256 and bytes of the blob. 108 bytes."""
TRANSFERS = np.dtype([("device", KEY), ("down", "<u4"), ("down_us", "<u4"), ("up", "<u4"), ("up_us", "<u4")])
"""What an operator measured with a device: bytes and microseconds to it, and from it. 48 bytes."""

_BODY = ("device", "kind", "procs", "profile", "device_ms", "root", "signature")
_COMMIT = np.dtype([("wave_seed", KEY), *((name, WAVE[name]) for name in _BODY)])
"""A signed commit, as :class:`~keeper.pow.messages.Commit` has it."""
MORE_DEVICES = 1_024
COUNT = 4
"""Bytes of a number of rows."""
WAVE_MAGIC, EVIDENCE_MAGIC, TRANSFERS_MAGIC = b"IPW1", b"IPE1", b"IPT1"
HEADER = 8
"""Bytes of a magic and the number of rows."""
HASHES = 64
"""Bytes of the two hashes in an EVIDENCE file."""
CARRIES = 8
"""Bytes of what an operator can carry."""
ROOTS = 2
"""Roots of a device in one wave that are kept: two show that it signed two."""
BLOB_LIMIT = 1 << 24
"""Bytes of an opening: no profile's is nearly as long."""


class FileError(UserError):
    """Bytes that aren't a canonical file of their kind."""


def whole_key(value: Any) -> bytes:
    """The 32 bytes of a single value of a :data:`KEY` column."""
    return bytes(value).ljust(32, b"\0")


# -- WAVE --------------------------------------------------------------------------------------


def wave_rows(commits: Iterable[tuple[Signed[Commit], int]]) -> Rows:
    """What a WAVE file has of commits to one wave, each with its milliseconds, in any order.

    Of a root of a device the earliest, of its roots the two earliest.
    """
    found: list[tuple[Any, ...]] = []
    earliest = sorted(commits, key=lambda each: (bytes(each[0].message.device), each[1], each[0].encode()))
    for _, mine in groupby(earliest, key=lambda each: each[0].message.device):
        by_root: dict[bytes, tuple[Signed[Commit], int]] = {}
        for signed, ms in mine:
            by_root.setdefault(signed.message.root, (signed, ms))
        for root, (signed, ms) in sorted(list(by_root.items())[:ROOTS]):
            of = signed.message
            numbers = ms, of.device_ms, of.profile, of.procs, of.kind
            found.append((bytes(of.device), root, *numbers, bytes(signed.signature)))
    return np.array(found, WAVE)


def wave_limit(devices: int) -> int:
    """The most bytes of a WAVE file in an hour of so many devices; as :func:`pings_limit`."""
    return HEADER + WAVE.itemsize * ROOTS * _most(devices)


def write_wave(rows: Rows) -> bytes:
    """Write rows as :func:`wave_rows` gives them."""
    return WAVE_MAGIC + u32(len(rows)) + rows.tobytes()


def read_wave(data: bytes) -> Rows:
    """Read a file; raises FileError. The rows can't be written to, and no signature is verified."""
    rows = _rows("WAVE", WAVE_MAGIC, data, WAVE)
    device, root = rows["device"], rows["root"]
    _require_order("WAVE", [device, root])
    if (device[ROOTS:] == device[:-ROOTS]).any():
        raise FileError(f"a WAVE file has more than {ROOTS} roots of a device")
    if (rows["procs"] == 0).any() or (rows["kind"] > max(WaveKind)).any():
        raise FileError("a WAVE file has a commit without processors, or to work of no known kind")
    return rows


def wave_commits(wave_seed: bytes, rows: Rows) -> list[bytes]:
    """The signed commits that a WAVE file's rows are about, encoded, in their order."""
    table = np.zeros(len(rows), _COMMIT)
    table["wave_seed"] = np.frombuffer(wave_seed, KEY)
    for name in _BODY:
        table[name] = rows[name]
    raw = table.tobytes()
    return [raw[at : at + _COMMIT.itemsize] for at in range(0, len(raw), _COMMIT.itemsize)]


# -- PINGS -------------------------------------------------------------------------------------


def pings_limit(pings: int, devices: int) -> int:
    """The most bytes of a PINGS file of an hour of so many pings and devices.

    An operator may take more for the hour's devices than are: whose stake sufficed at its very start, it may
    know a moment late.
    """
    most = _most(devices)
    return COUNT + 32 * most + pings * (8 + _bitmap(most))


def write_pings(devices: Keys, slots: Sequence[int], answered: NDArray[np.bool_]) -> bytes:
    """Write who answered, bool[pings, devices]: the hour's pings by slot, the devices that were asked sorted.

    A ping that the operator missed has a row like any other, with nobody in it.
    """
    bits = np.packbits(answered, axis=1, bitorder="little")
    rows = [slot.to_bytes(8, "little") + row.tobytes() for slot, row in zip(slots, bits, strict=True)]
    return b"".join([u32(len(devices)), devices.tobytes(), *rows])


def read_pings(data: bytes, slots: Sequence[int]) -> tuple[Keys, NDArray[np.bool_]]:
    """Read devices and who answered, bool[pings, devices], at the pings in ``slots``; raises FileError."""
    count = int.from_bytes(data[:COUNT], "little")
    head = COUNT + 32 * count
    if len(data) != head + len(slots) * (8 + _bitmap(count)):
        raise FileError(f"a PINGS file of {len(slots)} pings and {count} devices has {len(data)} bytes")
    devices = np.frombuffer(data, KEY, count, COUNT)
    _require_order("PINGS", [devices])
    table = np.frombuffer(data, np.uint8, offset=head).reshape(len(slots), 8 + _bitmap(count))
    stated = np.ascontiguousarray(table[:, :8]).view("<u8").ravel()
    if stated.tolist() != list(slots):
        raise FileError("a PINGS file isn't about the hour's pings")
    bits = np.unpackbits(table[:, 8:], axis=1, bitorder="little").astype(bool)
    if bits[:, count:].any():
        raise FileError("a PINGS file has answers of no device")
    return devices, bits[:, :count]


# -- EVIDENCE ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """An hour's openings that an operator holds, and the SHA-256 of its PINGS and TRANSFERS files."""

    pings: bytes
    transfers: bytes
    rows: Rows
    """Of :data:`EVIDENCE`, sorted by slot, device and root; one blob for each."""

    def write(self) -> bytes:
        """Its file."""
        return EVIDENCE_MAGIC + self.pings + self.transfers + u32(len(self.rows)) + self.rows.tobytes()

    @classmethod
    def read(cls, data: bytes) -> Evidence:
        """Read a file; raises FileError."""
        pings, transfers = data[4:36], data[36:68]
        rest = data[:4] + data[68:]
        rows = _rows("EVIDENCE", EVIDENCE_MAGIC, rest, EVIDENCE)
        _require_order("EVIDENCE", [rows["slot"], rows["device"], rows["root"]])
        if (rows["length"] == 0).any() or (rows["length"] > BLOB_LIMIT).any():
            raise FileError("an EVIDENCE file has an opening of no possible length")
        return cls(pings, transfers, rows)


def evidence_rows(openings: Iterable[tuple[int, Pubkey, bytes, bytes, int]]) -> Rows:
    """Rows of a slot, a device, a root, a blob's SHA-256 and length each, in any order; each root once."""
    return np.array(sorted((slot, bytes(device), *rest) for slot, device, *rest in openings), EVIDENCE)


def evidence_limit(devices: int, waves: int) -> int:
    """The most bytes of an EVIDENCE file of an hour of so many devices and waves."""
    return HEADER + HASHES + EVIDENCE.itemsize * ROOTS * _most(devices) * waves


# -- TRANSFERS ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Transfers:
    """How an hour's drawn devices are connected, as one operator measured it."""

    carries: int
    """What its own line carries by its word, bytes a second: no rate that it measures can be higher."""
    rows: Rows
    """Of :data:`TRANSFERS`, sorted by device, each once; devices with which nothing was transferred are not
    there."""

    def write(self) -> bytes:
        """Its file."""
        return TRANSFERS_MAGIC + u32(len(self.rows)) + u64(self.carries) + self.rows.tobytes()

    @classmethod
    def read(cls, data: bytes) -> Transfers:
        """Read a file; raises FileError."""
        carries, rest = data[HEADER : HEADER + CARRIES], data[:HEADER] + data[HEADER + CARRIES :]
        rows = _rows("TRANSFERS", TRANSFERS_MAGIC, rest, TRANSFERS)
        _require_order("TRANSFERS", [rows["device"]])
        if len(carries) < CARRIES:
            raise FileError("a TRANSFERS file doesn't say what its operator can carry")
        if max(rows["down"].max(initial=0), rows["up"].max(initial=0)) > TRANSFER:
            raise FileError(f"a TRANSFERS file has more than {TRANSFER:,} bytes of a device")
        return cls(int.from_bytes(carries, "little"), rows)

    def by_device(self) -> dict[Pubkey, Transfer]:
        """What was measured, by device."""
        return {
            Pubkey(whole_key(device)): Transfer(*map(int, numbers)) for device, *numbers in self.rows.tolist()
        }


def transfer_rows(transfers: Mapping[Pubkey, Transfer]) -> Rows:
    """Rows of a TRANSFERS file."""
    found = [(bytes(device), *astuple(each)) for device, each in transfers.items()]
    return np.array(sorted(found), TRANSFERS)


def transfers_limit(devices: int) -> int:
    """The most bytes of a TRANSFERS file of an hour of so many devices: all may have been drawn."""
    return HEADER + CARRIES + TRANSFERS.itemsize * _most(devices)


def placed(devices: NDArray[np.bytes_], rows: Rows) -> tuple[NDArray[np.intp], Rows]:
    """Rows of an hour's devices, which are sorted, and where in these each is; others are left out."""
    at = np.searchsorted(devices, rows["device"])
    known = at < len(devices)
    known[known] = devices[at[known]] == rows["device"][known]
    return at[known], rows[known]


# -- inside ------------------------------------------------------------------------------------


def _rows(kind: str, magic: bytes, data: bytes, dtype: np.dtype[Any]) -> Rows:
    if data[: len(magic)] != magic:
        raise FileError(f"not a {kind} file")
    count = int.from_bytes(data[len(magic) : HEADER], "little")
    if len(data) != HEADER + count * dtype.itemsize:
        raise FileError(f"a {kind} file of {count} rows has {len(data)} bytes")
    return np.frombuffer(data, dtype, offset=HEADER)


def _require_order(kind: str, columns: Sequence[NDArray[Any]]) -> None:
    """Raise FileError where a row isn't after the one before it by these columns, the first one first."""
    (first, *others) = columns
    after, same = first[1:] > first[:-1], first[1:] == first[:-1]
    for column in others:
        after = after | (same & (column[1:] > column[:-1]))
        same = same & (column[1:] == column[:-1])
    if not after.all():
        raise FileError(f"a {kind} file's rows aren't sorted, or one is there twice")


def _most(devices: int) -> int:
    return MORE_DEVICES + 2 * devices


def _bitmap(devices: int) -> int:
    return -(-devices // 8)
