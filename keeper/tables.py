"""Structured arrays as canonical CSV and back: the same rows are the same bytes, everywhere.

UTF-8, LF, a header with the columns' names in their order, integers in decimal, addresses in base58
(nothing for the zero address), countries in their letters (nothing for none). A column of lists has a space
between two values; they are filled up with NOTHING, or no country.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from keeper import base58
from keeper.errors import UserError, why

Rows = NDArray[np.void]
"""A structured array."""

KEY = "S32"
"""An address's raw bytes. Ordered and compared as bytes are; a single value drops zeros at its end."""

COUNTRY = "S2"
"""A country's two letters (ISO 3166), empty for none."""

NOTHING = -1
"""Fills a list of numbers up."""

CHUNK = 10_000
"""Rows that are held as text at a time: a few megabytes of them stay near the processor."""
NOBODY = bytes(32)
REMEMBERED = 65_536
"""Addresses that are kept as they were read: tables name a device hour after hour, and in an hour several
times. Of longer tables nothing is kept: it would be gone before it is asked for again."""
BASE58 = f"S{base58.WIDTH}"
"""An address as text, with bytes of 0 before it or after it."""
_GROUP = np.uint64(10_000)
_PLAIN = np.array([str(each).encode() for each in range(10_000)], "S4")
_GROUPS = np.concatenate(
    [np.array([f"{each:04}".encode() for each in range(10_000)], "S4"), [b""], _PLAIN[1:]]
)
"""Four digits: with all zeros in front, then without, and none at all for 0."""


class TableError(UserError):
    """A file that can't be read, or isn't a canonical table of its kind."""


def keys(addresses: Sequence[Pubkey]) -> NDArray[np.bytes_]:
    """Addresses as a column."""
    return np.frombuffer(b"".join(map(bytes, addresses)), dtype=KEY)


def addresses(column: NDArray[np.bytes_]) -> list[Pubkey]:
    """A column as addresses."""
    raw = column.tobytes()
    return [Pubkey(raw[at : at + 32]) for at in range(0, len(raw), 32)]


def text(column: NDArray[np.bytes_]) -> list[str]:
    """A column of addresses in base58."""
    return [str(address) for address in addresses(column)]


class Spelled:
    """A column of addresses and its text, for the tables of an hour that begin with the same one."""

    def __init__(self, column: NDArray[np.bytes_]) -> None:
        """Spell it once."""
        self._column = column
        self._words = np.empty(len(column), BASE58)
        for at in range(0, len(column), CHUNK):
            self._words[at : at + CHUNK] = _spelled(column[at : at + CHUNK])

    def of(self, column: NDArray[np.bytes_]) -> NDArray[np.bytes_] | None:
        """The text of a column that is the same, None for another one."""
        is_same = len(column) == len(self._column) and (column == self._column).all()
        return self._words if is_same else None


def encode(rows: Rows, spelled: Spelled | None = None) -> Iterator[bytes]:
    """Write rows, a chunk of text at a time; ``spelled`` has the first column's text, if it is the same."""
    names = rows.dtype.names
    assert names is not None
    yield (",".join(names) + "\n").encode()
    known = spelled.of(rows[names[0]]) if spelled else None
    for at in range(0, len(rows), CHUNK):
        part = rows[at : at + CHUNK]
        cells = [_cells(part[name]) for name in (names if known is None else names[1:])]
        if known is not None:
            cells.insert(0, [known[at : at + CHUNK]])
        yield _joined(cells, len(part))


def _joined(columns: Sequence[Sequence[NDArray[Any]]], count: int) -> bytes:
    """Lines of columns whose cells are pieces, filled up with zero bytes, which no text has."""
    kinds: list[tuple[str, Any]] = []
    for number, pieces in enumerate(columns):
        kinds += [(f"{number}.{at}", each.dtype) for at, each in enumerate(pieces)]
        kinds.append((f"{number}.", "u1"))
    lines = np.empty(count, kinds)
    for number, pieces in enumerate(columns):
        for at, each in enumerate(pieces):
            lines[f"{number}.{at}"] = each
        lines[f"{number}."] = ord(",") if number < len(columns) - 1 else ord("\n")
    return lines.tobytes().translate(None, b"\0")


def _cells(column: Any) -> list[NDArray[Any]]:
    """Cells of a column as text, in pieces that are joined."""
    if column.ndim == 1 and column.dtype == np.dtype(KEY):
        return [_spelled(column)]
    if column.ndim == 1 and column.dtype.kind == "u":
        return _decimal(column)
    return [np.array([word.encode() for word in _words(column)], "S")]


def _spelled(column: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    found = base58.encode(column)
    found[column == b""] = b""
    return found


def _decimal(column: NDArray[Any]) -> list[NDArray[Any]]:
    """Whole numbers of 0 or more in decimal, four digits a piece, the highest first."""
    if int(column.max(initial=0)) < len(_PLAIN):
        return [_PLAIN[column]]
    rest, pieces = column.astype(np.uint64), []
    while True:
        above = rest // _GROUP
        group = (rest - above * _GROUP).astype(np.intp)
        # Behind other digits a group has all of its zeros; with none before it, it has none in front.
        group[above == 0] += len(_PLAIN)
        pieces.append(_GROUPS[group])
        if not above.any():
            break
        rest = above
    pieces[0][column == 0] = b"0"
    return pieces[::-1]


def read(path: Path, dtype: np.dtype[Any]) -> Rows:
    """Read a file that :func:`encode` wrote; raises TableError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} can't be read: {why(error)}") from error
    return decode(data, dtype, str(path))


def decode(data: bytes, dtype: np.dtype[Any], name: str) -> Rows:
    """Read what :func:`encode` wrote; ``name`` is the file's, for errors.

    Raises TableError for another header, a row of another length, or a value out of its range.
    """
    header, _, body = data.partition(b"\n")
    assert dtype.names is not None
    if header.decode(errors="replace") != ",".join(dtype.names):
        raise TableError(f"{name}: the header is not {','.join(dtype.names)}")
    lines = body.split(b"\n")
    if lines.pop() != b"":
        raise TableError(f"{name}: the last row doesn't end")
    rows = np.zeros(len(lines), dtype)
    many = len(lines) > REMEMBERED
    for at in range(0, len(lines), CHUNK):
        part = lines[at : at + CHUNK]
        cells = [line.decode(errors="replace").split(",") for line in part]
        for number, row in enumerate(cells):
            if len(row) != len(dtype.names):
                raise TableError(
                    f"{name}: row {at + number + 1} has {len(row)} values, not {len(dtype.names)}"
                )
        try:
            for column, words in zip(dtype.names, zip(*cells, strict=True), strict=True):
                rows[column][at : at + CHUNK] = _values(words, dtype[column], many)
        except (ValueError, OverflowError):
            for number, row in enumerate(cells):
                _require(f"{name}: row {at + number + 1}", row, dtype)
            raise
    return rows


def _require(place: str, row: Sequence[str], dtype: np.dtype[Any]) -> None:
    """Raise TableError naming the first value of a row that can't be one."""
    for column, word in zip(dtype.names or (), row, strict=True):
        kind = dtype[column]
        try:
            _values([word], kind)
        except (ValueError, OverflowError) as error:
            words = str(error)
            if kind == np.dtype(KEY):
                words = words if word == str(Pubkey.default()) else "not an address of 32 bytes in base58"
            elif kind.subdtype is None and kind != np.dtype(COUNTRY):
                words = f"not a whole number from 0 to {np.iinfo(kind).max}"
            raise TableError(f"{place}, {column}: {words}") from error


def _words(column: Any) -> Any:
    if column.ndim > 1:
        rows = (filter(None, map(_word, row)) for row in column.tolist())
        return map(" ".join, rows)
    return map(_word, column.tolist())


def _word(value: bytes | int) -> str:
    if isinstance(value, bytes):
        return value.decode()
    return "" if value == NOTHING else str(value)


def _key(word: str) -> bytes:
    return bytes(Pubkey.from_string(word)) if word else NOBODY


_kept_key = lru_cache(maxsize=REMEMBERED)(_key)


def _values(words: Sequence[str], kind: np.dtype[Any], many: bool = False) -> Any:
    if kind.subdtype:
        base, (room,) = kind.subdtype
        return [_list(word, base, room) for word in words]
    if kind == np.dtype(KEY):
        found = list(map(_key if many else _kept_key, words))
        if found.count(NOBODY) != words.count(""):
            raise ValueError("the zero address is written as nothing")
        return found
    if kind == np.dtype(COUNTRY):
        if not all(word == "" or (len(word) == kind.itemsize and word.isascii()) for word in words):
            raise ValueError("a country isn't two letters")
        return [word.encode() for word in words]
    values = [int(word) for word in words]
    if list(map(str, values)) != list(words):
        raise ValueError("there is another way to write it")
    if min(values) < 0 or max(values) > np.iinfo(kind).max:
        raise ValueError(f"a value is not in 0..{np.iinfo(kind).max}")
    return values


def _list(word: str, kind: np.dtype[Any], room: int) -> list[Any]:
    """A list's values, filled up."""
    values = list(_values(word.split(" "), kind)) if word else []
    if len(values) > room:
        raise ValueError(f"a list is longer than {room}")
    fill = b"" if kind == np.dtype(COUNTRY) else NOTHING
    return [*values, *[fill] * (room - len(values))]
