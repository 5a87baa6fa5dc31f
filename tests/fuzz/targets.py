"""Every parser that reads strangers' bytes, as a function of bytes that raises its own errors alone."""

from __future__ import annotations

import asyncio
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import from_json
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper import tables
from keeper.api.paging import BadCursor
from keeper.api.paging import decode as decode_cursor
from keeper.audit.bundle.answers import METHODS, AnswersDamaged, NotHeld, Replayed, question
from keeper.audit.bundle.pack import BundleError
from keeper.audit.bundle.pack import read as read_bundle
from keeper.buyback.sources import NOTHING_KNOWN, HttpOracle, OracleError
from keeper.chain import answers, landed, landed_bytes
from keeper.chain.errors import ChainError
from keeper.chain.program import CodecError
from keeper.chain.token import read_mint, read_token_account
from keeper.clients.programs import PROGRAMS
from keeper.compute import knocks, liveness, wire
from keeper.compute.bodies import BODIES, Kind
from keeper.compute.refusals import WireError
from keeper.compute.relay import ASKING, LINK, Relay, asks
from keeper.economy.buyback import MAX_PRICE
from keeper.economy.classes import ClassTableError, read_classes
from keeper.economy.money import AmountError, Currency
from keeper.economy.money import parse as parse_amount
from keeper.errors import UserError
from keeper.market import files as market_files
from keeper.market.folder import StepsInvalid, decode_steps
from keeper.market.manifest import Manifest as TickManifest
from keeper.market.manifest import ManifestInvalid
from keeper.market.offers import Offer, QuoteInvalid
from keeper.pow import messages
from keeper.pow.files import Evidence, FileError, Transfers, read_pings, read_wave
from keeper.pow.messages import Commit, MessageError, Opening, Pong, Receipt, TransferRequest
from keeper.pow.record import HourRecord, RecordError
from keeper.renter.files import TransferFailed, get
from keeper.renter.inside import Wire
from keeper.rewards.offences import Offence, OffenceError
from keeper.rewards.publication import Manifest, PublicationError, decode_table
from keeper.rewards.rows import CLASS, INPUT, OBSERVATION
from keeper.rewards.rule import RESULT, WALLET
from keeper.tables import TableError
from tests.keeper.compute.messages import MS, NETWORK, ORDER

Errors = tuple[type[Exception], ...]
MOST = 16_384
"""Bytes of an input: parsers that take more check the length first."""
SLOTS = 5, 9, 12
OPERATOR = Keypair.from_seed(b"\x07" * 32)
HERE = Pubkey(b"\x08" * 32)
LINKS = b"\x01" * LINK, b"\x02" * LINK
MEMBERS = Keypair.from_seed(b"\x03" * 32), Keypair.from_seed(b"\x04" * 32)


@dataclass(frozen=True, slots=True)
class Target:
    """``read`` takes any bytes; ``errors`` are what it may raise for those that it doesn't understand."""

    read: Callable[[bytes], object]
    errors: Errors

    def __call__(self, data: bytes) -> bool:
        """Whether these bytes were understood; raises what must never be raised."""
        try:
            self.read(data)
        except self.errors:
            return False
        return True


# -- the chain ---------------------------------------------------------------------------------------


def _codec(data: bytes) -> None:
    """Accounts, instructions and events of each program; a read one of fixed size is written back."""
    for program in PROGRAMS.values():
        for read in (program.decode_account, program.decode_event, program.decode_instruction):
            with suppress(CodecError):
                read(data)


def _log_lines(data: bytes) -> None:
    lines = data.decode(errors="replace").split("\n")
    for program in PROGRAMS.values():
        with suppress(CodecError):
            program.logged_events(lines)


def _tokens(data: bytes) -> None:
    for read in (read_token_account, read_mint):
        with suppress(CodecError):
            read(data)


SIGNATURE = Signature.from_bytes(bytes(range(64)))
READERS: Mapping[str, Callable[[Any], object]] = {
    "genesis_hash": answers.genesis_hash,
    "version": answers.version,
    "slot": answers.slot,
    "clock": answers.clock,
    "accounts": lambda result: answers.accounts(result, 2),
    "program_accounts": lambda result: answers.program_accounts(result, HERE, None, (), 5),
    "signatures": answers.signatures,
    "block": lambda result: answers.block(result, 7),
    "first_block": lambda result: answers.first_block(result, 7),
    "head": lambda result: answers.head(result, 7, 6),
    "blockhash": answers.blockhash,
    "tip": answers.tip,
    "taken": lambda result: answers.taken(result, SIGNATURE),
    "statuses": lambda result: answers.statuses(result, 2, 5),
    "recent_fees": answers.recent_fees,
    "simulated": answers.simulated,
    "landed": lambda result: landed.landed(result, SIGNATURE),
    "signed": lambda result: landed_bytes.signed(result, SIGNATURE),
}
"""A node's answers by the function that reads them."""


def _answer(data: bytes) -> None:
    """The first byte says of which question; the rest is read as :mod:`keeper.chain.asking` reads it."""
    reader = list(READERS.values())[data[0] % len(READERS)] if data else answers.slot
    reader(from_json(data[1:], allow_inf_nan=False))


# -- proof of work -----------------------------------------------------------------------------------


def _signed(data: bytes) -> None:
    kinds = (Commit, Receipt, Pong, TransferRequest)
    kind = kinds[data[0] % len(kinds)] if data else Commit
    signed = messages.decode(kind, data[1:])
    assert signed.encode() == data[1:]


def _opening(data: bytes) -> None:
    assert Opening.decode(data).encode() == data


def _wave(data: bytes) -> None:
    rows = read_wave(data)
    assert len(rows) * rows.dtype.itemsize <= len(data)


def _evidence(data: bytes) -> None:
    assert Evidence.read(data).write() == data


def _transfers(data: bytes) -> None:
    assert Transfers.read(data).write() == data


def _offence(data: bytes) -> None:
    assert Offence.decode(data).encode() == data


# -- published files ---------------------------------------------------------------------------------


def _hour_manifest(data: bytes) -> None:
    assert Manifest.decode(data).encode() == data


def _record(data: bytes) -> None:
    assert HourRecord.decode(data).encode() == data


TABLES: tuple[np.dtype[Any], ...] = (CLASS, INPUT, OBSERVATION, RESULT, WALLET)


PUBLISHED = ("inputs.csv", "classes.csv", "rewards.csv", "wallets.csv", "observed.csv", "verdicts.csv")


def _table(data: bytes) -> None:
    """The first byte says of which columns."""
    dtype = TABLES[data[0] % len(TABLES)] if data else CLASS
    rows = tables.decode(data[1:], dtype, "table.csv")
    assert len(rows) <= len(data)


def _published(data: bytes) -> None:
    name = PUBLISHED[data[0] % len(PUBLISHED)] if data else PUBLISHED[0]
    decode_table(Path(name), data[1:], 5)


def _class_table(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        read_classes(Path(file.name))


def _tick(data: bytes) -> None:
    """A tick's files, one after the other with a u32 of its length; missing ones are missing."""
    found, at = {}, 0
    for name in (market_files.NAME, *market_files.KINDS):
        if at + 4 > len(data):
            break
        (length,) = struct.unpack_from("<I", data, at)
        found[name] = data[at + 4 : at + 4 + length]
        at += 4 + length
    market_files.read(found)


def _bundle(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.bundle"
        path.write_bytes(data)
        (Path(folder) / "to").mkdir()
        read_bundle(path, Path(folder) / "to")


def _replayed(data: bytes) -> None:
    """A bundle's answers of a chain, each asked for."""
    chain = Replayed(data.splitlines())
    for name in sorted(METHODS):
        with suppress(NotHeld, AnswersDamaged):
            asyncio.run(getattr(chain, name)())
    # Whatever an answer says, it may be what is asked for.
    for answer in list(chain._answers.values())[:20]:
        asked = Replayed([])
        asked._answers = {question("slot", (), {}): answer}
        with suppress(AnswersDamaged):
            asyncio.run(asked.slot())


# -- a cluster's messages ----------------------------------------------------------------------------


def _message(data: bytes) -> None:
    signed = wire.decode(data, NETWORK)
    assert signed.encode() == data
    signed.verify()


def _body(data: bytes) -> None:
    """The first byte says of which kind."""
    kinds = list(Kind)
    kind = BODIES[kinds[data[0] % len(kinds)] if data else kinds[0]]
    assert kind.decode(data[1:]).encode() == data[1:]


def _equivocation(data: bytes) -> None:
    wire.Equivocation.decode(data, NETWORK)


def _knock(data: bytes) -> None:
    knocks.who(data, NETWORK, HERE, {OPERATOR.pubkey()}, MS)


def _asks(data: bytes) -> None:
    asks(data, NETWORK, MS)


class _Line:
    """Where the relay sends: what would go out, counted."""

    def __init__(self) -> None:
        self.sent = 0

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def sendto(self, data: bytes, address: object) -> None:
        """Count it."""
        self.sent += len(data)


def _relay(data: bytes) -> None:
    """Datagrams of up to 64 bytes' length steps, from one of two addresses: no more goes out than came in."""
    relay, line = Relay(NETWORK, lambda: MS, lambda: 0.0), _Line()
    relay.connection_made(line)  # type: ignore[arg-type]
    relay.put(ORDER, MEMBERS[0].pubkey(), MEMBERS[1].pubkey(), *LINKS)
    at = 0
    while at + 2 <= len(data):
        length = data[at] * 2 + ASKING * (data[at] == 0)
        address = f"127.0.0.{1 + data[at + 1] % 2}", 4_000
        relay.datagram_received(data[at + 2 : at + 2 + length], address)
        at += 2 + length
    assert line.sent <= len(data)


# -- a renter's files --------------------------------------------------------------------------------


def _get(data: bytes) -> None:
    """A node's frames in answer to a ``get``: nothing is written outside of the folder."""
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "to"
        to.mkdir()
        here, there = socket.socketpair()
        sender = threading.Thread(target=_say, args=(there, data))
        sender.start()
        try:
            get(Wire(here), "/data/job", to, most=1 << 20)
        finally:
            here.close()
            sender.join()
            assert [each.name for each in Path(folder).iterdir()] == ["to"]


def _say(there: socket.socket, data: bytes) -> None:
    with there, suppress(OSError):
        there.sendall(data)
        there.shutdown(socket.SHUT_WR)
        while there.recv(4_096):
            pass


# -- a server of prices ------------------------------------------------------------------------------


ORACLE = HttpOracle("http://127.0.0.1/", "io.usd", "io.at", 60, 2_000)
NOW = 1_800_000_000


def _price(data: bytes) -> None:
    quote = ORACLE.read(data, NOW, NOTHING_KNOWN)
    assert 0 < quote.price <= MAX_PRICE


# -- what people and pages type ----------------------------------------------------------------------


def _amount(data: bytes) -> None:
    text = data.decode(errors="replace")
    for currency in Currency:
        with suppress(AmountError):
            assert 0 <= parse_amount(text, currency) < 1 << 64


TARGETS: Mapping[str, Target] = {
    "codec": Target(_codec, ()),
    "log_lines": Target(_log_lines, (ValueError,)),
    "tokens": Target(_tokens, ()),
    "answer": Target(_answer, (ValueError, ChainError)),
    "pow_message": Target(_signed, (MessageError,)),
    "opening": Target(_opening, (MessageError,)),
    "wave": Target(_wave, (FileError,)),
    "pings": Target(lambda data: read_pings(data, SLOTS), (FileError,)),
    "evidence": Target(_evidence, (FileError,)),
    "transfers": Target(_transfers, (FileError,)),
    "offence": Target(_offence, (OffenceError,)),
    "hour_manifest": Target(_hour_manifest, (PublicationError,)),
    "record": Target(_record, (RecordError,)),
    "table": Target(_table, (TableError,)),
    "published": Target(_published, (TableError, PublicationError)),
    "class_table": Target(_class_table, (ClassTableError,)),
    "tick_manifest": Target(TickManifest.decode, (ManifestInvalid,)),
    "tick": Target(_tick, (UserError,)),
    "steps": Target(lambda data: decode_steps(7, data), (StepsInvalid,)),
    "quote": Target(Offer.decode, (QuoteInvalid,)),
    "bundle": Target(_bundle, (BundleError,)),
    "replayed": Target(_replayed, (AnswersDamaged,)),
    "message": Target(_message, (WireError,)),
    "body": Target(_body, (WireError,)),
    "equivocation": Target(_equivocation, (WireError,)),
    "observation": Target(liveness.decode, (liveness.ObservationError,)),
    "knock": Target(_knock, (WireError,)),
    "asks": Target(_asks, (WireError,)),
    "relay": Target(_relay, ()),
    "get": Target(_get, (TransferFailed,)),
    "price": Target(_price, (OracleError,)),
    "cursor": Target(lambda data: decode_cursor(data.decode(errors="replace"), int, str), (BadCursor,)),
    "amount": Target(_amount, ()),
}
"""By the name of their folder in the corpus."""
