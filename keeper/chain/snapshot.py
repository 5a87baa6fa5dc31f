"""An embedded chain's state as one SQLite file, which any tool can open."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.errors import ChainError, ChainNotSaved
from keeper.chain.records import Account, InnerInstruction, TransactionRecord
from keeper.chain.whole import Row
from keeper.errors import why

FORMAT = 4
RECORDS_ALONE = 3
"""The format before, which had no ``whole``: it is read, and written anew as ``FORMAT``."""
SCHEMA = """
CREATE TABLE chain (format INTEGER, genesis TEXT, slot INTEGER, unix_timestamp INTEGER, own_clock INTEGER);
CREATE TABLE setting (slot INTEGER PRIMARY KEY, unix_timestamp INTEGER);
CREATE TABLE account (address BLOB PRIMARY KEY, lamports TEXT, data BLOB, owner BLOB, executable INTEGER);
CREATE TABLE record (position INTEGER PRIMARY KEY, content TEXT);
CREATE TABLE whole (position INTEGER PRIMARY KEY, wire BLOB, rest TEXT);
CREATE TABLE record_address (address BLOB, position INTEGER);
CREATE TABLE digest (sha256 TEXT);
"""
# Lamports are text: SQLite's integers end at 2^63.
WHOLE = "SELECT * FROM whole ORDER BY position"
CONTENT = (
    "SELECT * FROM chain",
    "SELECT * FROM setting ORDER BY slot",
    "SELECT * FROM account ORDER BY address",
    "SELECT * FROM record ORDER BY position",
    WHOLE,
    "SELECT * FROM record_address ORDER BY position, address",
)
"""What the digest covers: SQLite itself would not notice a changed byte in a value."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything an embedded chain is made of."""

    genesis: Hash
    slot: int
    unix_timestamp: int
    settings: list[tuple[int, int]]
    """See :class:`keeper.chain.heads.Pace`."""
    accounts: dict[Pubkey, Account]
    records: list[TransactionRecord]
    wholes: list[Row | None]
    """The same transactions whole; None for those that the format before kept by their records alone."""
    addresses: list[tuple[Pubkey, int]]
    own_clock: bool
    """Whether its time is not this machine's."""

    def write(self, path: Path, before: Callable[[], None] = lambda: None) -> str:
        """Write to ``path`` in one step and return the content's digest; by then it is on the disk.

        ``before`` is called when all is written and nothing is replaced yet, and may raise ChainNotSaved.

        Raises ChainNotSaved, and then the old file is whole. Only one process may do this at a time.
        """
        temporary = path.with_name(path.name + ".new")
        try:
            temporary.unlink(missing_ok=True)
            if path.exists() and path.stat().st_nlink > 1:
                raise ChainNotSaved(
                    f"{path}: has another name, a hard link, which would stay as it was: make a copy of it"
                )
            digest = self._fill(temporary)
            with temporary.open("rb") as whole:
                os.fsync(whole.fileno())
            before()
            temporary.replace(path)
            _sync_folder(path.parent)
        except (sqlite3.Error, OSError) as error:
            reason = why(error) if isinstance(error, OSError) else str(error)
            raise ChainNotSaved(
                f"{path}: can't be saved ({reason}). The file is as it was, and nothing is kept of "
                "what was to go into it: make room, or see that its folder can be written to"
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        return digest

    def _fill(self, path: Path) -> str:
        """Write to a new file; returns the content's digest."""
        connection = sqlite3.connect(path)
        try:
            # Nobody sees the file before it is whole: it needs no journal, and one fsync will do.
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
            connection.execute(
                "INSERT INTO chain VALUES (?, ?, ?, ?, ?)",
                (FORMAT, str(self.genesis), self.slot, self.unix_timestamp, self.own_clock),
            )
            connection.executemany("INSERT INTO setting VALUES (?, ?)", self.settings)
            connection.executemany(
                "INSERT INTO account VALUES (?, ?, ?, ?, ?)",
                (
                    (bytes(address), str(a.lamports), a.data, bytes(a.owner), a.executable)
                    for address, a in self.accounts.items()
                ),
            )
            connection.executemany(
                "INSERT INTO record VALUES (?, ?)",
                ((i, json.dumps(_to_json(record))) for i, record in enumerate(self.records)),
            )
            connection.executemany(
                "INSERT INTO whole VALUES (?, ?, ?)",
                ((i, *whole) for i, whole in enumerate(self.wholes) if whole is not None),
            )
            connection.executemany(
                "INSERT INTO record_address VALUES (?, ?)",
                ((bytes(address), index) for address, index in self.addresses),
            )
            digest = _digest(connection, FORMAT)
            connection.execute("INSERT INTO digest VALUES (?)", (digest,))
            connection.commit()
        finally:
            connection.close()
        return digest

    @classmethod
    def read(cls, path: Path) -> tuple[Snapshot, str]:
        """Read from ``path``, with the content's digest.

        Raises ChainError when there is no such file, or it is something else.
        """
        with _opened(path) as connection:
            rows = connection.execute("SELECT * FROM chain").fetchall()
            if len(rows) != 1:
                raise ValueError("it holds no chain")
            if rows[0][0] not in (RECORDS_ALONE, FORMAT):
                raise ChainError(
                    f"{path}: saved by another version of ionet: use that one, or make a new chain, by "
                    "ionet chain new or make demo"
                )
            digest = _digest(connection, rows[0][0])
            if _stated(connection) != digest:
                raise ValueError("its digest doesn't match")
            # Files of before have no clock of their own.
            found_format, genesis, slot, unix_timestamp, *own = rows[0]
            settings = connection.execute("SELECT * FROM setting ORDER BY slot").fetchall()
            accounts = {
                Pubkey(address): Account(int(lamports), data, Pubkey(owner), bool(executable))
                for address, lamports, data, owner, executable in connection.execute("SELECT * FROM account")
            }
            records = [
                _from_json(json.loads(content))
                for (content,) in connection.execute("SELECT content FROM record ORDER BY position")
            ]
            wholes: list[Row | None] = [None] * len(records)
            if found_format == FORMAT:
                for position, wire, rest in connection.execute(WHOLE):
                    wholes[position] = wire, rest
            addresses = [
                (Pubkey(address), index)
                for address, index in connection.execute("SELECT * FROM record_address ORDER BY position")
            ]
            found = cls(
                Hash.from_string(genesis),
                slot,
                unix_timestamp,
                settings,
                accounts,
                records,
                wholes,
                addresses,
                own_clock=own == [1],
            )
        return found, digest


def digest_in(path: Path) -> str | None:
    """The digest that a saved chain states: a different one after each change. None when there is no file.

    Raises ChainError when it isn't a saved chain.
    """
    if not path.exists():
        return None
    with _opened(path) as connection:
        return _stated(connection)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A saved chain to read; raises ChainError when it isn't one."""
    try:
        found = path.is_file()
    except OSError as error:
        raise ChainError(f"{path}: no saved chain here ({why(error)})") from error
    if not found:
        raise ChainError(
            f"{path}: no saved chain here. Name a chain's file, or a node by its whole URL, such as "
            "http://127.0.0.1:8899"
        )
    try:
        # The file is only ever replaced: no lock is needed, and no journal is looked for beside it.
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            yield connection
        finally:
            connection.close()
    except (sqlite3.Error, OSError, ValueError, LookupError, TypeError) as error:
        raise ChainError(f"{path}: not a saved chain, or damaged ({error})") from error


def _stated(connection: sqlite3.Connection) -> str:
    ((digest,),) = connection.execute("SELECT sha256 FROM digest").fetchall()
    return str(digest)


def _sync_folder(folder: Path) -> None:
    """Have a file's new name on the disk, too, where the file system can be told so."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _digest(connection: sqlite3.Connection, found_format: int) -> str:
    digest = hashlib.sha256()
    for query in CONTENT if found_format == FORMAT else (each for each in CONTENT if each != WHOLE):
        for row in connection.execute(query):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def _to_json(record: TransactionRecord) -> dict[str, Any]:
    return {
        "signature": str(record.signature),
        "slot": record.slot,
        "time": record.time,
        "signers": [str(each) for each in record.signers],
        "programs": [str(each) for each in record.programs],
        "inner": [
            [
                call.outer,
                call.stack_height,
                str(call.program),
                [str(a) for a in call.accounts],
                call.data.hex(),
            ]
            for call in record.inner
        ],
        "logs": list(record.logs),
        "compute_units": record.compute_units,
        "fee": record.fee,
        "error": record.error,
        "failed_instruction": record.failed_instruction,
        "code": record.code,
    }


def _from_json(content: dict[str, Any]) -> TransactionRecord:
    pubkey = Pubkey.from_string
    inner = tuple(
        InnerInstruction(outer, height, pubkey(program), tuple(map(pubkey, accounts)), bytes.fromhex(data))
        for outer, height, program, accounts, data in content.pop("inner")
    )
    return TransactionRecord(
        signature=Signature.from_string(content.pop("signature")),
        signers=tuple(map(pubkey, content.pop("signers"))),
        programs=tuple(map(pubkey, content.pop("programs"))),
        logs=tuple(content.pop("logs")),
        inner=inner,
        **content,
    )
