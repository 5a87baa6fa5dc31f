"""What a device remembers: on the disk before anything that follows from it is sent.

SQLite, each change a transaction that the disk has when the call returns. So whoever is killed anywhere
knows afterwards for which waves there is a root, and never signs another one: two roots signed for one
wave are what a cheat or a copied key leaves behind, and end a device.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from keeper.errors import UserError, why
from keeper.pow.clock import WaveKind

FILE, LOCK = "worker.db", "worker.lock"
VERSION = 3
KEPT_SECONDS = 400 * 86_400
"""How long receipts are kept, a device's proof of what operators had from it: as long as failures are."""
NEW_SLOTS = 50_000
"""Slots, more than five hours, in which nothing of a wave is forgotten."""
BLOB_SECONDS = 86_400
"""How long openings are kept: after a few minutes no operator takes them."""

SCHEMA = """
CREATE TABLE chain (genesis BLOB NOT NULL);
CREATE TABLE device (
    address BLOB PRIMARY KEY, class INTEGER NOT NULL, profile INTEGER NOT NULL,
    processors INTEGER NOT NULL, backend TEXT NOT NULL, ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE wave (
    device BLOB NOT NULL, seed BLOB NOT NULL, slot INTEGER NOT NULL, kind INTEGER NOT NULL,
    spot INTEGER NOT NULL, time INTEGER NOT NULL, began_at REAL NOT NULL, state TEXT NOT NULL,
    body BLOB, signature BLOB, blob BLOB, ended TEXT NOT NULL DEFAULT '', PRIMARY KEY (device, seed)
) WITHOUT ROWID;
CREATE TABLE receipt (
    device BLOB NOT NULL, seed BLOB NOT NULL, operator BLOB NOT NULL, ms INTEGER NOT NULL,
    receipt BLOB NOT NULL, PRIMARY KEY (device, seed, operator)
) WITHOUT ROWID;
CREATE TABLE opened (
    device BLOB NOT NULL, seed BLOB NOT NULL, operator BLOB NOT NULL, PRIMARY KEY (device, seed, operator)
) WITHOUT ROWID;
"""
LEASES = """
CREATE TABLE IF NOT EXISTS lease (
    device BLOB NOT NULL, registered_at INTEGER NOT NULL, number INTEGER NOT NULL, "order" BLOB NOT NULL,
    currency INTEGER NOT NULL, processors INTEGER NOT NULL, rate INTEGER NOT NULL, fee_bps INTEGER NOT NULL,
    hours INTEGER NOT NULL, status INTEGER NOT NULL, reason INTEGER NOT NULL, matched_at INTEGER NOT NULL,
    accept_until INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0, code TEXT NOT NULL DEFAULT '', why TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (device, registered_at, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS acceptance (
    signature BLOB PRIMARY KEY, device BLOB NOT NULL, registered_at INTEGER NOT NULL, number INTEGER NOT NULL,
    body BLOB NOT NULL, height INTEGER NOT NULL, fee INTEGER NOT NULL, signed_at REAL NOT NULL,
    outcome TEXT NOT NULL
);
"""
"""Of :mod:`keeper.worker.lease_book`, since version 2; two processes may come to it at once."""


SERVICE = """
CREATE TABLE IF NOT EXISTS service (
    device BLOB PRIMARY KEY, state TEXT NOT NULL, tries INTEGER NOT NULL, since REAL NOT NULL,
    registered_at INTEGER NOT NULL, number INTEGER NOT NULL, "order" BLOB NOT NULL, private BLOB NOT NULL,
    ends INTEGER NOT NULL
) WITHOUT ROWID;
"""
"""Of :mod:`keeper.worker.serving.book`, since version 3."""


class StateError(UserError):
    """The state can't be read or written: nothing is signed that isn't on the disk."""


class State(StrEnum):
    """How far a device is with a wave; idle is having none that isn't over."""

    WORKING = "working"
    SIGNED = "signed"
    """The root is on the disk; from here on it is this one or none."""
    RECEIPTED = "receipted"
    """More than half of the operators have it, and signed when."""
    OPENED = "opened"
    """The opening was sent to all."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a device is registered as, what it computes with, and how long its product took with that."""

    device: Pubkey
    class_id: int
    profile: int
    processors: int
    backend: str
    ms: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A wave of a device, as the disk has it."""

    device: Pubkey
    seed: bytes
    slot: int
    kind: WaveKind
    spot: bool
    time: int
    """Of its block, unix seconds, by the chain: this machine's clock may be wrong."""
    began_at: float
    """When its block was made, unix seconds, as far as this machine knows."""
    state: State
    body: bytes | None
    """Of the commit, which alone is ever signed for this wave; None until there is a root."""
    signature: bytes | None
    blob: bytes | None
    ended: str
    """Why it came no further; empty while it goes on, and when all went well."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is done for it."""
        return self.state is State.OPENED or bool(self.ended)


@dataclass(frozen=True, slots=True)
class Received:
    """An operator's signed word on when it had a commit; ``ms`` are those of its own clock."""

    operator: Pubkey
    ms: int
    receipt: bytes


class Store:
    """A folder's state. Every method raises StateError when the disk doesn't take or give it."""

    def __init__(self, folder: Path, *, alone: bool = True, durable: bool = True) -> None:
        """Open or make it; with ``alone`` no other process may work with it until :meth:`close`.

        One that isn't ``durable`` may lose what it has when the machine ends: for what nobody resumes.
        """
        self.folder = folder
        self._lock: int | None = None
        try:
            with self._said():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if alone:
                    self._lock = _locked(folder / LOCK)
                self._db = sqlite3.connect(folder / FILE, isolation_level=None)
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
                self._upgrade()
        except StateError:
            self._let_go()
            raise

    def close(self) -> None:
        """Let others work with it."""
        self._db.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # -- the chain and the devices -----------------------------------------------------------------

    def chain(self, genesis: bytes) -> None:
        """Note whose waves these are; raises StateError when there are another chain's already."""
        with self._said(), self._transaction():
            found = self._db.execute("SELECT genesis FROM chain").fetchone()
            if found is None:
                self._db.execute("INSERT INTO chain VALUES (?)", (genesis,))
            elif found[0] != genesis:
                raise StateError(
                    f"{self.folder} has waves of another chain: give IONET_WORKER another folder, or ask "
                    "the nodes and operators of the right chain"
                )

    def genesis(self) -> bytes | None:
        """The genesis hash of the chain that it is about; None before anything was heard of one."""
        with self._said():
            found = self._db.execute("SELECT genesis FROM chain").fetchone()
        return None if found is None else bytes(found[0])

    def enrol(self, enrolment: Enrolment) -> None:
        """Note what a device is registered as, in place of what was noted."""
        _, *values = astuple(enrolment)
        marks = ", ".join("?" * (1 + len(values)))
        self.write(f"INSERT OR REPLACE INTO device VALUES ({marks})", bytes(enrolment.device), *values)

    def enrolment(self, device: Pubkey) -> Enrolment | None:
        """What a device is registered as; None when it wasn't enrolled here."""
        found = self.read("SELECT * FROM device WHERE address = ?", bytes(device))
        return Enrolment(device, *found[0][1:]) if found else None

    # -- waves -----------------------------------------------------------------------------------

    def begin(
        self, device: Pubkey, seed: bytes, slot: int, kind: WaveKind, spot: bool, time: int, began_at: float
    ) -> Kept | None:
        """Note a wave that was heard of; None when it was noted before."""
        new = self.write(
            "INSERT OR IGNORE INTO wave (device, seed, slot, kind, spot, time, began_at, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(bytes(device), seed, slot, kind, spot, time, began_at, State.WORKING),
        )
        return self.wave(device, seed) if new else None

    def commit(self, device: Pubkey, seed: bytes, body: bytes) -> Kept:
        """Note the one body that may be signed for a wave; raises StateError when there is another one."""
        self.write(
            "UPDATE wave SET body = ?, state = ? WHERE device = ? AND seed = ? AND body IS NULL",
            *(body, State.SIGNED, bytes(device), seed),
        )
        kept = self.wave(device, seed)
        if kept.body != body:
            raise StateError(f"the wave at slot {kept.slot} has a root already: it stays the only one")
        return kept

    def sign(self, device: Pubkey, seed: bytes, signature: bytes) -> None:
        """Note the signature under a wave's commit."""
        self.write(
            "UPDATE wave SET signature = ? WHERE device = ? AND seed = ?", signature, bytes(device), seed
        )

    def receive(self, device: Pubkey, seed: bytes, received: Received) -> None:
        """Note a receipt."""
        self.write(
            "INSERT OR IGNORE INTO receipt VALUES (?, ?, ?, ?, ?)",
            *(bytes(device), seed, bytes(received.operator), received.ms, received.receipt),
        )

    def receipted(self, device: Pubkey, seed: bytes) -> None:
        """Note that more than half of the operators have the commit."""
        self.write(
            "UPDATE wave SET state = ? WHERE device = ? AND seed = ? AND state = ?",
            *(State.RECEIPTED, bytes(device), seed, State.SIGNED),
        )

    def open(self, device: Pubkey, seed: bytes, blob: bytes) -> None:
        """Note an opening, to be sent."""
        self.write("UPDATE wave SET blob = ? WHERE device = ? AND seed = ?", blob, bytes(device), seed)

    def took(self, device: Pubkey, seed: bytes, operator: Pubkey) -> None:
        """Note that an operator has the opening, or wants none."""
        self.write("INSERT OR IGNORE INTO opened VALUES (?, ?, ?)", bytes(device), seed, bytes(operator))

    def finish(self, device: Pubkey, seed: bytes, ended: str = "") -> None:
        """Note that a wave is over: all went well, or why it came no further."""
        if ended:
            self.write("UPDATE wave SET ended = ? WHERE device = ? AND seed = ?", ended, bytes(device), seed)
        else:
            self.write(
                "UPDATE wave SET state = ? WHERE device = ? AND seed = ?", State.OPENED, bytes(device), seed
            )

    def forget(self, now: float) -> None:
        """Drop openings that nobody takes any more, and waves of more than a year ago.

        A machine's clock may have been wrong when a wave began, or be wrong now: one that is new by the
        chain's slots stays, as its root must stay the only one.
        """
        newest = "(SELECT MAX(slot) FROM wave)"
        old = f"(SELECT device, seed FROM wave WHERE began_at < ? AND slot < {newest} - {NEW_SLOTS})"
        with self._said(), self._transaction():
            self._db.execute("UPDATE wave SET blob = NULL WHERE began_at < ?", (now - BLOB_SECONDS,))
            for table in ("receipt", "opened", "wave"):
                self._db.execute(f"DELETE FROM {table} WHERE (device, seed) IN {old}", (now - KEPT_SECONDS,))

    # -- reading ---------------------------------------------------------------------------------

    def wave(self, device: Pubkey, seed: bytes) -> Kept:
        """A wave that was begun."""
        (row,) = self.read("SELECT * FROM wave WHERE device = ? AND seed = ?", bytes(device), seed)
        return _kept(row)

    def unfinished(self, device: Pubkey) -> list[Kept]:
        """The waves to go on with, oldest first."""
        rows = self.read(
            "SELECT * FROM wave WHERE device = ? AND state != ? AND ended = '' ORDER BY slot",
            *(bytes(device), State.OPENED),
        )
        return [_kept(row) for row in rows]

    def newest(self, device: Pubkey, count: int) -> list[Kept]:
        """The last waves, newest first."""
        rows = self.read(
            "SELECT * FROM wave WHERE device = ? ORDER BY slot DESC LIMIT ?", bytes(device), count
        )
        return [_kept(row) for row in rows]

    def receipts(self, device: Pubkey, seed: bytes) -> list[Received]:
        """A wave's receipts, by operator."""
        rows = self.read(
            "SELECT operator, ms, receipt FROM receipt WHERE device = ? AND seed = ? ORDER BY operator",
            *(bytes(device), seed),
        )
        return [Received(Pubkey(operator), ms, receipt) for operator, ms, receipt in rows]

    def takers(self, device: Pubkey, seed: bytes) -> set[Pubkey]:
        """The operators that have a wave's opening, or want none."""
        rows = self.read("SELECT operator FROM opened WHERE device = ? AND seed = ?", bytes(device), seed)
        return {Pubkey(operator) for (operator,) in rows}

    # -- statements, also for tables of other files ------------------------------------------------

    def write(self, statement: str, *values: object) -> int:
        """Change something for good; returns how many rows that was."""
        with self._said():
            return self._db.execute(statement, values).rowcount

    def read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a question."""
        with self._said():
            return self._db.execute(statement, values).fetchall()

    # -- inside ----------------------------------------------------------------------------------

    def _upgrade(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StateError(f"{self.folder} was written by a newer version of ionet: use that one")
        if version < VERSION:
            lacking = ("" if version else SCHEMA) + LEASES + SERVICE
            self._db.executescript(f"BEGIN; {lacking} PRAGMA user_version = {VERSION}; COMMIT")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Say in our words what a disk or SQLite refuses."""
        try:
            yield
        except BlockingIOError:
            raise StateError(
                f"another worker is running on {self.folder}: a device has one, as two would sign twice"
            ) from None
        except (OSError, sqlite3.Error) as error:
            raise StateError(
                f"{self.folder} can't be read and written ({why(error)}), and nothing is signed that isn't "
                "on the disk: make room there, or give IONET_WORKER another folder"
            ) from error


def _locked(path: Path) -> int:
    """The lock of a folder, held until it is closed; raises BlockingIOError when somebody has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file


def _kept(row: tuple[Any, ...]) -> Kept:
    device, seed, slot, kind, spot, time, began_at, state, *rest = row
    return Kept(Pubkey(device), seed, slot, WaveKind(kind), bool(spot), time, began_at, State(state), *rest)
