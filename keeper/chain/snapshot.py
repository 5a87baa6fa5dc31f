"""An embedded chain's state as one SQLite file, which any tool can open."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.errors import ChainError
from keeper.chain.records import Account, InnerInstruction, TransactionRecord
from keeper.errors import why

FORMAT = 2
SCHEMA = """
CREATE TABLE chain (format INTEGER, genesis TEXT, slot INTEGER, unix_timestamp INTEGER);
CREATE TABLE account (address BLOB PRIMARY KEY, lamports TEXT, data BLOB, owner BLOB, executable INTEGER);
CREATE TABLE record (position INTEGER PRIMARY KEY, content TEXT);
CREATE TABLE record_address (address BLOB, position INTEGER);
CREATE TABLE digest (sha256 TEXT);
"""
# Lamports are text: SQLite's integers end at 2^63.
CONTENT = (
    "SELECT * FROM chain",
    "SELECT * FROM account ORDER BY address",
    "SELECT * FROM record ORDER BY position",
    "SELECT * FROM record_address ORDER BY position, address",
)
"""What the digest covers: SQLite itself would not notice a changed byte in a value."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything an embedded chain is made of."""

    genesis: Hash
    slot: int
    unix_timestamp: int
    accounts: dict[Pubkey, Account]
    records: list[TransactionRecord]
    addresses: list[tuple[Pubkey, int]]

    def write(self, path: Path) -> None:
        """Write to ``path``, replacing what was there only when all is on disk."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".new")
        temporary.unlink(missing_ok=True)
        connection = sqlite3.connect(temporary)
        try:
            connection.executescript(SCHEMA)
            connection.execute(
                "INSERT INTO chain VALUES (?, ?, ?, ?)",
                (FORMAT, str(self.genesis), self.slot, self.unix_timestamp),
            )
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
                "INSERT INTO record_address VALUES (?, ?)",
                ((bytes(address), index) for address, index in self.addresses),
            )
            connection.execute("INSERT INTO digest VALUES (?)", (_digest(connection),))
            connection.commit()
        finally:
            connection.close()
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> Snapshot:
        """Read from ``path``; raises ChainError when there is no such file or it is something else."""
        try:
            found = path.is_file()
        except OSError as error:
            raise ChainError(f"{path}: no saved chain here ({why(error)})") from error
        if not found:
            raise ChainError(f"{path}: no saved chain here")
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT format, genesis, slot, unix_timestamp FROM chain").fetchall()
            if len(rows) != 1 or rows[0][0] != FORMAT:
                raise ChainError(f"{path}: saved by another version; start a new chain")
            if connection.execute("SELECT sha256 FROM digest").fetchall() != [(_digest(connection),)]:
                raise ValueError("its digest is another")
            _, genesis, slot, unix_timestamp = rows[0]
            accounts = {
                Pubkey(address): Account(int(lamports), data, Pubkey(owner), bool(executable))
                for address, lamports, data, owner, executable in connection.execute("SELECT * FROM account")
            }
            records = [
                _from_json(json.loads(content))
                for (content,) in connection.execute("SELECT content FROM record ORDER BY position")
            ]
            addresses = [
                (Pubkey(address), index)
                for address, index in connection.execute("SELECT * FROM record_address ORDER BY position")
            ]
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise ChainError(f"{path}: not a saved chain, or damaged ({error})") from error
        finally:
            connection.close()
        return cls(Hash.from_string(genesis), slot, unix_timestamp, accounts, records, addresses)


def _digest(connection: sqlite3.Connection) -> str:
    digest = hashlib.sha256()
    for query in CONTENT:
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
