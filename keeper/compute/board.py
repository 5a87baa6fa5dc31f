"""An operator's board: signed messages of orders' clusters, taken by rule, kept as they came, for anybody.

It judges by the chain alone who may say what, and reads nothing that is sealed; so a bad board can keep
messages back, and not invent or change any. Members post to all operators' boards. What is kept is SQLite:
nothing that was taken is changed, but for a worker's last BEAT; of a sender's kind the newest are kept, and
an order's messages go with the order.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.budgets import network_of
from keeper.clients.orders import Lease, Order
from keeper.compute import wire
from keeper.compute.admission import Admission, Room
from keeper.compute.bodies import NONCE, Beat, Complaint, Key, Kind, Probed
from keeper.compute.members import members
from keeper.compute.refusals import Why, WireError
from keeper.compute.wire import SIGNATURE, Equivocation, Message, Network, Signed
from keeper.economy.orders import LeaseStatus
from keeper.errors import UserError, why

PAGE, PAGE_BYTES = 64, 65_536
"""Messages that are given at a time, and their bytes: one more at most, for a message that is longer."""
BEATS, PROOFS = 128, 8
"""BEATs and proofs that are given at a time: 64 KiB at most."""
KEPT = 64
"""Messages that are kept of a sender's kind: what a renter says in months of a lease would fill a disk."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    n INTEGER PRIMARY KEY AUTOINCREMENT, "order" BLOB NOT NULL, sender BLOB NOT NULL, kind INTEGER NOT NULL,
    seq BLOB NOT NULL, number BLOB, data BLOB NOT NULL, UNIQUE ("order", sender, kind, seq)
);
CREATE INDEX IF NOT EXISTS of_order ON message ("order", n);
CREATE UNIQUE INDEX IF NOT EXISTS one_key ON message ("order", sender, number) WHERE number IS NOT NULL;
CREATE TABLE IF NOT EXISTS beat (
    "order" BLOB NOT NULL, sender BLOB NOT NULL, nonce BLOB NOT NULL, data BLOB,
    PRIMARY KEY ("order", sender)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS home (
    "order" BLOB NOT NULL, sender BLOB NOT NULL, place TEXT NOT NULL, PRIMARY KEY ("order", sender)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS proof (
    "order" BLOB NOT NULL, sender BLOB NOT NULL, data BLOB NOT NULL, PRIMARY KEY ("order", sender)
) WITHOUT ROWID;
"""
"""Numbers of 64 bits are big-endian blobs: SQLite's own integers have a sign, and blobs compare the same."""
TABLES = "message", "beat", "home", "proof"


class BoardUnusable(UserError):
    """The board's file can't be read or written: nothing is taken that isn't kept."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Who may speak in an order; workers with the number of their lease."""

    renter: Pubkey
    hired: Mapping[Pubkey, int]
    """Of leases that wait for their worker, for their gang, or run."""
    running: Mapping[Pubkey, Pubkey]
    """The devices of leases that run, by worker."""
    head: Pubkey | None

    @property
    def members(self) -> set[Pubkey]:
        """The keys of those who are in the cluster: the renter, and workers of leases that run."""
        return {self.renter, *self.running}


def parties(order: Order, leases: Iterable[Lease], now: int) -> Parties:
    """Who may speak, by the chain's accounts at ``now`` (unix seconds)."""
    mine = [each for each in leases if each.order == order.address]
    found = members(order, mine, now)
    hired = {each.worker: each.number for each in mine if each.status != LeaseStatus.ENDED}
    running = {each.worker: each.device for each in found.nodes}
    return Parties(order.renter, hired, running, found.head.worker if found.head else None)


class Heard(NamedTuple):
    """When a worker signed its last BEAT (unix ms), of which of its device's leases, and the BEAT."""

    ms: int
    number: int
    data: bytes
    previous: Heard | None = None
    """The one before, which has none."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message's number on this board, 0 for a BEAT; and what the sender's next BEAT has to repeat."""

    number: int
    nonce: bytes = b""
    probe: bytes = b""
    """What the sender's sandbox is asked: see :mod:`keeper.compute.probe`."""


class Board:
    """One operator's; ``find`` gives an order's parties, None for an order that isn't there."""

    def __init__(
        self, path: Path | str, network: Network, operator: Pubkey, find: Callable[[Pubkey], Parties | None]
    ) -> None:
        """Open or make it; ``:memory:`` is kept nowhere. Raises BoardUnusable.

        It may be used from any thread, by one at a time.
        """
        self._network, self._operator, self._find = network, operator, find
        self.admission = Admission()
        self._heard: dict[tuple[Pubkey, Pubkey], Heard] = {}
        with _said():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")  # Who posted has it still, and posts it again.
            self._db.executescript(SCHEMA)
            for (data,) in self._db.execute("SELECT data FROM beat WHERE data IS NOT NULL"):
                self._hear(wire.decode(data, network).message, data)
            for order, sender, place in self._db.execute('SELECT "order", sender, place FROM home'):
                self.admission.recall(Pubkey(order), Pubkey(sender), place)
            sizes = 'SELECT "order", sum(length(data)) FROM message GROUP BY "order"'
            self.room = Room(dict(self._db.execute(sizes)))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def post(self, data: bytes, address: str, now_ms: int, monotonic: float) -> Taken:
        """Take a message from an address; raises WireError saying why not, BoardUnusable.

        One that was taken before is taken again, and changes nothing: an answer may have been lost.
        """
        self.admission.arrive(address, monotonic)
        signed = wire.decode(data, self._network)
        message, packed = signed.message, data[:-SIGNATURE]
        if message.pack() != packed:
            raise WireError(Why.MALFORMED, "the message has another form than the one that there is")
        found = self._find(message.order)
        if found is None:
            raise WireError(Why.WRONG_ORDER, f"there is no order {message.order}")
        require_may(message, found)
        self.admission.look(message.order, message.sender, address, monotonic)
        if (known := self._known(signed, packed)) is not None:
            return known
        wire.require_fresh(message, now_ms)
        signed.verify(packed)
        is_new = self.admission.proved(message.order, message.sender, address, monotonic)
        with _said():
            if is_new:
                place = (bytes(message.order), bytes(message.sender), network_of(address))
                self._db.execute("INSERT OR REPLACE INTO home VALUES (?, ?, ?)", place)
            if isinstance(message.body, Beat):
                return self._beat(message, message.body, data)
            self.room.require(len(data), runs=bool(found.running))
            return self._keep(message, data)

    def nonce(self, order: Pubkey, worker: Pubkey) -> bytes:
        """What a worker's next BEAT has to repeat; raises WireError for who doesn't serve, BoardUnusable."""
        found = self._find(order)
        if found is None or worker not in found.running:
            raise WireError(Why.NOT_A_PARTY, f"{worker} has no lease that runs in order {order}")
        with _said():
            new = (bytes(order), bytes(worker), secrets.token_bytes(NONCE))
            self._db.execute('INSERT OR IGNORE INTO beat ("order", sender, nonce) VALUES (?, ?, ?)', new)
            where = 'SELECT nonce FROM beat WHERE "order" = ? AND sender = ?'
            return bytes(self._db.execute(where, new[:2]).fetchone()[0])

    def key(self, order: Pubkey, sender: Pubkey, number: int) -> Key | None:
        """The KEY of a sender's lease; raises BoardUnusable."""
        with _said():
            where = 'SELECT data FROM message WHERE "order" = ? AND sender = ? AND number = ?'
            row = self._db.execute(where, (bytes(order), bytes(sender), _u64(number))).fetchone()
        body = wire.decode(row[0], self._network).message.body if row else None
        return body if isinstance(body, Key) else None

    def after(self, order: Pubkey, number: int = 0) -> list[tuple[int, bytes]]:
        """An order's messages behind a number, :data:`PAGE` at most, with theirs; raises BoardUnusable."""
        with _said():
            where = 'SELECT n, data FROM message WHERE "order" = ? AND n > ? ORDER BY n LIMIT ?'
            found, size = [], 0
            for row in self._db.execute(where, (bytes(order), number, PAGE)):
                found.append(row)
                size += len(row[1])
                if size >= PAGE_BYTES:
                    break
            return found

    def newest(self, order: Pubkey) -> int:
        """The number of an order's newest message, 0 without one; raises BoardUnusable."""
        with _said():
            where = 'SELECT max(n) FROM message WHERE "order" = ?'
            return self._db.execute(where, (bytes(order),)).fetchone()[0] or 0

    def beats(self, order: Pubkey, after: bytes = b"") -> list[bytes]:
        """The last BEATs of an order's workers whose keys come after one, some; raises BoardUnusable."""
        with _said():
            where = 'WHERE "order" = ? AND sender > ? AND data IS NOT NULL ORDER BY sender LIMIT ?'
            rows = self._db.execute(f"SELECT data FROM beat {where}", (bytes(order), after, BEATS))
            return [row[0] for row in rows]

    def heard(self) -> dict[tuple[Pubkey, Pubkey], Heard]:
        """The last BEAT of every worker in every order, by both."""
        return dict(self._heard)

    def accuse(self, data: bytes, address: str, monotonic: float) -> None:
        """Keep a proof that somebody else found; raises WireError for what proves nothing, BoardUnusable.

        It is about who may speak in the order: a stranger could make proofs without end against itself.
        """
        self.admission.arrive(address, monotonic)
        message = Equivocation.decode(data, self._network).first.message
        found = self._find(message.order)
        if found is None:
            raise WireError(Why.WRONG_ORDER, f"there is no order {message.order}")
        if message.sender != found.renter and message.sender not in found.hired:
            raise WireError(Why.NOT_A_PARTY, f"{message.sender} has no part in order {message.order}")
        with _said():
            self._put_proof(message, data)

    def orders(self) -> set[Pubkey]:
        """Orders of which there is something here; raises BoardUnusable."""
        with _said():
            each = (f'SELECT DISTINCT "order" FROM {table}' for table in TABLES)
            return {Pubkey(row[0]) for row in self._db.execute(" UNION ".join(each))}

    def proofs(self, order: Pubkey, after: bytes = b"") -> list[bytes]:
        """Proofs against who said two things and whose keys come after one, some; raises BoardUnusable."""
        with _said():
            where = 'WHERE "order" = ? AND sender > ? ORDER BY sender LIMIT ?'
            rows = self._db.execute(f"SELECT data FROM proof {where}", (bytes(order), after, PROOFS))
            return [row[0] for row in rows]

    def forget(self, order: Pubkey) -> None:
        """Drop all of an order, once its account is closed; raises BoardUnusable."""
        with _said(), self._db:
            self._db.execute("BEGIN")
            for table in TABLES:
                self._db.execute(f'DELETE FROM {table} WHERE "order" = ?', (bytes(order),))
        for at in [each for each in self._heard if each[0] == order]:
            del self._heard[at]
        self.admission.forget(order)
        self.room.forget(order)

    # -- inside ----------------------------------------------------------------------------------

    def _hear(self, message: Message, data: bytes) -> None:
        assert isinstance(message.body, Beat)
        at = message.order, message.sender
        before = self._heard.get(at)
        previous = before._replace(previous=None) if before else None
        self._heard[at] = Heard(message.ms, message.body.number, data, previous)

    def _put_proof(self, message: Message, data: bytes) -> None:
        """Keep a proof; the first is enough: further ones would only fill the disk."""
        row = bytes(message.order), bytes(message.sender), data
        self._db.execute("INSERT OR IGNORE INTO proof VALUES (?, ?, ?)", row)

    def _known(self, signed: Signed, packed: bytes) -> Taken | None:
        """The message as it was taken before; keeps the proof, and raises, when another has its number."""
        message = signed.message
        at = (bytes(message.order), bytes(message.sender))
        with _said():
            if isinstance(message.body, Beat):
                where = 'SELECT 0, data, nonce FROM beat WHERE "order" = ? AND sender = ?'
                row = self._db.execute(where, at).fetchone()
            else:
                slot = (*at, message.body.KIND, _u64(message.seq))
                which = '"order" = ? AND sender = ? AND kind = ? AND seq = ?'
                where = f"SELECT n, data, x'' FROM message WHERE {which}"
                row = self._db.execute(where, slot).fetchone()
            if row is None or row[1] is None:
                return None
            if row[1][:-SIGNATURE] == packed:
                return Taken(row[0], row[2])
            if wire.seq_of(row[1]) != message.seq:
                return None  # Another one of its BEATs.
            proof = Equivocation.of(wire.decode(row[1], self._network), signed)
            if proof is None:
                return None  # A forged signature, which is refused next.
            self._put_proof(message, proof.encode())
        raise WireError(
            Why.EQUIVOCATION, f"{message.sender} signed another message with number {message.seq}"
        )

    def _keep(self, message: Message, data: bytes) -> Taken:
        body = message.body
        at = (bytes(message.order), bytes(message.sender))
        last = 'SELECT max(seq) FROM message WHERE "order" = ? AND sender = ? AND kind = ?'
        _require_rises(message.seq, self._db.execute(last, (*at, body.KIND)).fetchone()[0])
        number = _u64(body.number) if isinstance(body, Key) else None
        row = (*at, body.KIND, _u64(message.seq), number, data)
        into = 'INSERT INTO message ("order", sender, kind, seq, number, data) VALUES (?, ?, ?, ?, ?, ?)'
        try:
            taken = Taken(self._db.execute(into, row).lastrowid or 0)
        except sqlite3.IntegrityError as error:
            raise WireError(Why.KEY_TAKEN, "there is a KEY with this number, and the first counts") from error
        mine = 'FROM message WHERE "order" = ? AND sender = ? AND kind = ?'
        last = f"SELECT seq {mine} ORDER BY seq DESC LIMIT 1 OFFSET {KEPT - 1}"
        kind = (*at, body.KIND)
        gone = self._db.execute(f"DELETE {mine} AND seq < ({last}) RETURNING length(data)", (*kind, *kind))
        self.room.add(message.order, len(data) - sum(size for (size,) in gone))
        return taken

    def _beat(self, message: Message, body: Beat, data: bytes) -> Taken:
        at = (bytes(message.order), bytes(message.sender))
        row = self._db.execute('SELECT nonce, data FROM beat WHERE "order" = ? AND sender = ?', at).fetchone()
        if body.operator != self._operator or row is None or row[0] != body.nonce:
            raise WireError(Why.WRONG_NONCE, "a BEAT repeats what this operator asked for last: ask again")
        _require_rises(message.seq, _u64(wire.seq_of(row[1])) if row[1] else None)
        nonce = secrets.token_bytes(NONCE)
        change = 'UPDATE beat SET nonce = ?, data = ? WHERE "order" = ? AND sender = ?'
        self._db.execute(change, (nonce, data, *at))
        self._hear(message, data)
        return Taken(0, nonce)


def require_may(message: Message, found: Parties) -> None:
    """Raise WireError unless the chain says that the sender may say such a thing now."""
    sender, body = message.sender, message.body
    is_renter, serves, is_head = sender == found.renter, sender in found.running, sender == found.head
    match body.KIND:
        case Kind.KEY:
            assert isinstance(body, Key)
            may = is_renter or found.hired.get(sender) == body.number
        case Kind.TICKET:
            may = is_head
        case Kind.JOINED | Kind.BYE:
            may = serves
        case Kind.BEAT:
            assert isinstance(body, Beat)
            may = serves and found.hired.get(sender) == body.number
        case Kind.PROBED:
            assert isinstance(body, Probed)
            may = serves and found.hired.get(sender) == body.number
        case Kind.VIEW:
            may = is_head or is_renter
        case Kind.COMPLAINT:
            assert isinstance(body, Complaint)
            may = is_renter and body.device in found.running.values()
    if not may:
        raise WireError(Why.NOT_A_PARTY, f"{sender} may not send such a {body.KIND.name} in this order now")


def _require_rises(seq: int, last: bytes | None) -> None:
    if last is not None and _u64(seq) <= last:
        raise WireError(Why.OLD_SEQ, f"numbers rise, and the last was {int.from_bytes(last, 'big')}")


def _u64(value: int) -> bytes:
    return value.to_bytes(8, "big")


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BoardUnusable(f"the board can't be read or written: {why(error)}; see to its disk") from error
