"""What a service that was killed goes on from: waves with their states, answers, openings, hours.

SQLite, as a step's changes come together or not at all. It holds nothing that decides a verdict: that is in
the files, and a book that is lost costs what the service was doing, not what it has sealed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from keeper.errors import UserError, why
from keeper.pow.clock import Ping, Wave, WaveKind

TABLES = """
CREATE TABLE IF NOT EXISTS waves (
    seed BLOB PRIMARY KEY, hour INT, slot INT, blockhash BLOB, time INT, kind INT, spot INT,
    state TEXT, anchored INT, open_slot INT, open_hash BLOB, open_time INT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pings (
    seed BLOB PRIMARY KEY, hour INT, slot INT, time INT, heard INT, void INT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (seed BLOB, device BLOB, PRIMARY KEY (seed, device)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS openings (
    seed BLOB, device BLOB, root BLOB, hour INT, sha256 BLOB, bytes INT, code INT,
    PRIMARY KEY (seed, device, root, sha256)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS openings_of_hour ON openings (hour);
CREATE INDEX IF NOT EXISTS unverified ON openings (hour) WHERE code IS NULL;
CREATE TABLE IF NOT EXISTS transfers (
    seed BLOB, hour INT, device BLOB, direction INT, bytes INT, us INT,
    PRIMARY KEY (seed, device, direction)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS homes (
    device BLOB, place INT, address TEXT, PRIMARY KEY (device, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hours (hour INTEGER PRIMARY KEY, state TEXT, evidence BLOB);
"""


class BookUnusable(UserError):
    """The file of what the service remembers can't be used."""


class WaveEntry(NamedTuple):
    """A wave and how far the service has come with it; the block of its picks once it is final."""

    wave: Wave
    state: str
    anchored: bool
    open_slot: int
    open_hash: bytes
    open_time: int


class Opened(NamedTuple):
    """An opening that is held, and its code once it is verified."""

    seed: bytes
    device: bytes
    root: bytes
    hour: int
    sha256: bytes
    bytes: int
    code: int | None


class Book:
    """The file; every method may raise BookUnusable. Changes are on the disk after :meth:`save`."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        """Open the file, made where there is none; see :class:`~keeper.operator.store.Store`."""
        try:
            self._db = sqlite3.connect(path, timeout=0)
            # A second service on the same folder would post the same files, and mix up states.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
            self._db.executescript(TABLES)
            self._db.commit()
        except sqlite3.Error as error:
            raise BookUnusable(f"{path}: {why(error)}; one folder is for one service") from error
        self._path = path

    def close(self) -> None:
        """Leave out what isn't saved."""
        self._db.close()

    def save(self) -> None:
        """Put all changes on the disk."""
        try:
            self._db.commit()
        except sqlite3.Error as error:
            raise BookUnusable(f"{self._path}: {why(error)}") from error

    # -- waves and pings -----------------------------------------------------------------------

    def put_wave(self, entry: WaveEntry) -> None:
        """A wave as it is now."""
        wave = entry.wave
        self._do(
            "INSERT OR REPLACE INTO waves VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(wave.seed, wave.hour, wave.slot, wave.blockhash, wave.time, wave.kind, wave.spot),
                *entry[1:],
            ),
        )

    def waves(self, hour: int) -> list[WaveEntry]:
        """The waves of this hour and later ones, in the chain's order."""
        rows = self._all("SELECT * FROM waves WHERE hour >= ? ORDER BY slot", (hour,))
        return [_wave_entry(row) for row in rows]

    def put_ping(self, ping: Ping, heard: bool) -> None:
        """A ping; ``heard`` when it was seen in time for answers."""
        row = ping.seed, ping.hour, ping.slot, ping.time, heard
        self._do("INSERT OR REPLACE INTO pings VALUES (?, ?, ?, ?, ?, 0)", row)

    def void_ping(self, ping: Ping) -> None:
        """Note that a ping's block isn't in the chain after all."""
        self._do("UPDATE pings SET void = 1 WHERE seed = ?", (ping.seed,))

    def pings(self, hour: int) -> list[Ping]:
        """An hour's pings that aren't void, in the chain's order."""
        query = "SELECT hour, slot, time, seed FROM pings WHERE hour = ? AND void = 0 ORDER BY slot"
        return [Ping(*row) for row in self._all(query, (hour,))]

    def heard(self, hour: int) -> int:
        """How many of them were seen in time for answers."""
        query = "SELECT COUNT(*) FROM pings WHERE hour = ? AND void = 0 AND heard = 1"
        return int(self._all(query, (hour,))[0][0])

    def put_answers(self, answers: Iterable[tuple[bytes, bytes]]) -> None:
        """Devices that answered pings, by the ping's seed."""
        self._many("INSERT OR IGNORE INTO answers VALUES (?, ?)", answers)

    def answers(self, seed: bytes) -> set[bytes]:
        """Who answered a ping."""
        return {device for (device,) in self._all("SELECT device FROM answers WHERE seed = ?", (seed,))}

    def forget_answers(self, before: int) -> None:
        """Who answered pings of hours earlier than this: it is in PINGS files, or too late for these."""
        query = "DELETE FROM answers WHERE seed IN (SELECT seed FROM pings WHERE hour < ?)"
        self._do(query, (before,))

    # -- openings ------------------------------------------------------------------------------

    def put_opening(self, opened: Opened) -> None:
        """An opening whose blob is on the disk; one that is there stays."""
        self._do("INSERT OR IGNORE INTO openings VALUES (?, ?, ?, ?, ?, ?, ?)", opened)

    def put_code(self, opened: Opened, code: int) -> None:
        """What verification found of an opening."""
        query = "UPDATE openings SET code = ? WHERE seed = ? AND device = ? AND root = ? AND sha256 = ?"
        self._do(query, (code, opened.seed, opened.device, opened.root, opened.sha256))

    def of_root(self, seed: bytes, device: bytes, root: bytes) -> list[Opened]:
        """The openings of a root: one that may be right, others' wrong ones."""
        query = "SELECT * FROM openings WHERE seed = ? AND device = ? AND root = ?"
        return [Opened(*row) for row in self._all(query, (seed, device, root))]

    def code(self, seed: bytes, device: bytes, root: bytes, digest: bytes) -> int | None:
        """What verification found of a blob, by its SHA-256; None for one that isn't verified."""
        found = [each for each in self.of_root(seed, device, root) if each.sha256 == digest]
        return found[0].code if found else None

    def openings(self, hour: int) -> list[Opened]:
        """An hour's."""
        return [Opened(*row) for row in self._all("SELECT * FROM openings WHERE hour = ?", (hour,))]

    def unverified(self, hours: Collection[int], most: int) -> list[Opened]:
        """The oldest without a code, of these hours."""
        some = ",".join(map(str, sorted(hours)))
        query = f"SELECT * FROM openings WHERE code IS NULL AND hour IN ({some}) ORDER BY hour LIMIT ?"
        return [Opened(*row) for row in self._all(query, (most,))]

    def unverified_count(self) -> int:
        """How many have no code."""
        return int(self._all("SELECT COUNT(*) FROM openings WHERE code IS NULL", ())[0][0])

    # -- transfers -----------------------------------------------------------------------------

    def put_transfer(self, seed: bytes, hour: int, device: bytes, direction: int, size: int, us: int) -> None:
        """What was measured with a device one way, by the wave that drew it: bytes and microseconds."""
        row = seed, hour, device, direction, size, us
        self._do("INSERT OR IGNORE INTO transfers VALUES (?, ?, ?, ?, ?, ?)", row)

    def transfer(self, seed: bytes, device: bytes, direction: int) -> bool:
        """Whether that was measured."""
        query = "SELECT 1 FROM transfers WHERE seed = ? AND device = ? AND direction = ?"
        return bool(self._all(query, (seed, device, direction)))

    def transfers(self, hour: int) -> list[tuple[bytes, bytes, int, int, int]]:
        """An hour's: seed, device, direction, bytes, microseconds."""
        return self._all("SELECT seed, device, direction, bytes, us FROM transfers WHERE hour = ?", (hour,))

    # -- where devices are known ---------------------------------------------------------------

    def put_homes(self, homes: Mapping[bytes, Sequence[str]]) -> None:
        """The addresses at which devices are known, in their order; all of each device."""
        self._many("DELETE FROM homes WHERE device = ?", ((device,) for device in homes))
        rows = (
            (device, place, address)
            for device, addresses in homes.items()
            for place, address in enumerate(addresses)
        )
        self._many("INSERT INTO homes VALUES (?, ?, ?)", rows)

    def homes(self) -> list[tuple[bytes, str]]:
        """All devices' addresses, each device's in their order."""
        return self._all("SELECT device, address FROM homes ORDER BY device, place", ())

    # -- hours ---------------------------------------------------------------------------------

    def put_hour(self, hour: int, state: str, evidence: bytes) -> None:
        """How far the service has come with an hour, and its EVIDENCE file's hash."""
        self._do("INSERT OR REPLACE INTO hours VALUES (?, ?, ?)", (hour, state, evidence))

    def hour(self, hour: int) -> tuple[str, bytes] | None:
        """The same."""
        found = self._all("SELECT state, evidence FROM hours WHERE hour = ?", (hour,))
        return found[0] if found else None

    def hours(self) -> list[int]:
        """All hours that something is remembered of."""
        tables = ("waves", "pings", "openings")
        query = " UNION ".join(f"SELECT hour FROM {each}" for each in tables) + " ORDER BY 1"
        return [hour for (hour,) in self._all(query, ())]

    def forget(self, hour: int) -> None:
        """An hour that is over, altogether."""
        self._do("DELETE FROM answers WHERE seed IN (SELECT seed FROM pings WHERE hour = ?)", (hour,))
        for table in ("waves", "pings", "openings", "transfers", "hours"):
            self._do(f"DELETE FROM {table} WHERE hour = ?", (hour,))

    def drop_opening(self, opened: Opened) -> None:
        """An opening whose blob isn't kept any longer."""
        self._do(
            "DELETE FROM openings WHERE seed = ? AND device = ? AND root = ? AND sha256 = ?",
            (opened.seed, opened.device, opened.root, opened.sha256),
        )

    # -- SQLite --------------------------------------------------------------------------------

    def _do(self, query: str, values: tuple[object, ...]) -> None:
        self._many(query, [values])

    def _many(self, query: str, rows: Iterable[tuple[object, ...]]) -> None:
        try:
            self._db.executemany(query, rows)
        except sqlite3.Error as error:
            raise BookUnusable(f"{self._path}: {why(error)}") from error

    def _all(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise BookUnusable(f"{self._path}: {why(error)}") from error


def _wave_entry(row: tuple[Any, ...]) -> WaveEntry:
    seed, hour, slot, blockhash, time, kind, spot, state, anchored, *opening = row
    wave = Wave(hour, slot, blockhash, time, seed, WaveKind(kind), bool(spot))
    return WaveEntry(wave, state, bool(anchored), *opening)
