"""The accounts of the four programs as their events make them, and each event against what was signed.

The transitions are those of :mod:`keeper.indexer.folds`: written in Python from the rules, and held by random
sequences to the model in tests/model, while what they are compared with here was written by the programs, in
Rust. A third copy would be compared with neither. What both could share, the amounts that an event names, is
checked a second way, by the tokens that moved (:mod:`keeper.audit.tokens`) and by the arguments that were
signed, which neither makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from solders.pubkey import Pubkey

from keeper.audit.decoded import Decoded, Happened
from keeper.audit.findings import Code, Finding
from keeper.audit.history import Executed
from keeper.audit.totals import by_rules, right
from keeper.chain import Account
from keeper.chain.program import UnexpectedData
from keeper.clients import staking
from keeper.clients.programs import PROGRAMS
from keeper.db.types import jsonable
from keeper.indexer.book import Book, FoldError
from keeper.indexer.folds import FOLDS
from keeper.indexer.implied import account_of

OTHER_NAMES = frozenset(
    [
        ("staking", "claim", "wallet"),
        ("staking", "open_wallet", "wallet"),
        ("staking", "register_device", "payout"),
    ]
)
"""Accounts of instructions that are a wallet's record; the event's field of that name is the wallet."""


NOW: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "Launched",
            "Emitted",
            "Released",
            "SeasonCancelled",
            "SeasonClosed",
            "Attested",
            "DeviceRegistered",
            "DeviceTerminated",
            "Posted",
            "AuctionSold",
            "AuctionUnsold",
            "BookProduct",
            "PriceApplied",
        ),
        "at",
    ),
    "PayoutChanged": "changed_at",
    "BoundsChanged": "now",
    "AuctionStarted": "started_at",
    "LeaseAccepted": "accepted_at",
}
"""Events that say when they happened, and the field that does."""


class Ledger:
    """The books of all programs, up to a slot each; ``events`` are in the order of the chain."""

    def __init__(
        self,
        part: str,
        until: Mapping[str, int],
        stopped: Mapping[str, str] | None = None,
        decoded: Decoded | None = None,
    ) -> None:
        """Start with nothing; ``until`` is the last slot of each program's events, ``decoded`` what is known.

        Of programs that are ``stopped``, with why, the accounts aren't known from the start.
        """
        self.books = {name: Book(program) for name, program in PROGRAMS.items()}
        self.events: list[Happened] = []
        self.findings: list[Finding] = []
        self.stopped = dict(stopped or {})
        """Programs whose accounts aren't known, and why: an event is missing."""
        self.puzzles: set[Pubkey] = set()
        """Accounts that transactions name whose events can't have happened: their lists may know why."""
        self._part, self._until, self._decoded = part, until, decoded or Decoded(part)

    def fold(self, history: Iterable[Executed]) -> None:
        """Do what the events of transactions say, in their order."""
        for happened in self.events_of(history):
            self.events.append(happened)
            self.findings += self._unasked(happened)
            self._fold(happened)

    def events_of(self, history: Iterable[Executed]) -> Iterator[Happened]:
        """The events of transactions in their order, folded into nothing."""
        for executed in history:
            yield from self._events(executed)

    def book_at(self, name: str, slot: int) -> Book:
        """A program's accounts as of an earlier slot, by the same events."""
        book = Book(PROGRAMS[name])
        for each in self.events:
            if each.program.name == name and each.executed.record.slot <= slot:
                FOLDS[name][each.event.name](book, each.event.fields, each.executed.record.time)
        return book

    def differences(self, name: str, found: Mapping[Pubkey, Account]) -> Iterator[Finding]:
        """Where a program's accounts on the chain aren't those of its book, all of them."""
        book = self.books[name]
        ours = {address: (kind, fields) for kind, address, fields in book}
        # Anyone can give a program an account, but only one of zeros, which none of its own is.
        there = {at: each.data for at, each in found.items() if each.data.strip(b"\0")}
        for address in sorted({*ours, *there}, key=bytes):
            kind, fields = ours.get(address, ("", None))
            yield from self._compared(book, address, kind, fields, there.get(address))

    # -- inside ------------------------------------------------------------------------------

    def _events(self, executed: Executed) -> Iterator[Happened]:
        found = self._decoded.of(executed)
        self.findings += found.findings
        for name, why in found.stopped.items():
            self.stopped.setdefault(name, why)
        yield from found.events

    def _fold(self, happened: Happened) -> None:
        program, event, executed, _ = happened
        name, record = program.name, executed.record
        if name in self.stopped or record.slot > self._until.get(name, record.slot):
            return
        try:
            self._contradicted(happened)
            FOLDS[name][event.name](self.books[name], event.fields, record.time)
        except (FoldError, LookupError, ValueError) as error:
            self.findings.append(
                Finding(
                    self._part,
                    Code.EVENT_IMPOSSIBLE,
                    executed.name,
                    f"{name} {event.name}",
                    record.slot,
                    "what came before it",
                    str(error) or type(error).__name__,
                    None,
                )
            )
            self.puzzles.update(key for call in executed.calls for key in call.accounts)
            self.stopped[name] = f"{event.name} in {executed.name} can't have happened"

    def _contradicted(self, happened: Happened) -> None:
        """Note where an event says otherwise what follows from the accounts before it."""
        told: dict[str, Any] = {}
        # An account that isn't there shows where it is folded, or missing.
        with suppress(FoldError, LookupError):
            told |= right(happened, self.books)
        # What an order costs is said by devices and classes, too, if these are known as of the event.
        slot = happened.executed.record.slot
        if "staking" not in self.stopped and slot <= self._until.get("staking", slot):
            with suppress(FoldError, LookupError, UnexpectedData, ValueError):
                told |= by_rules(happened, self.books)
        fields = happened.event.fields
        for field, value in told.items():
            if fields[field] != value:
                found = self._against(happened, field, value, fields[field], Code.EVENT_CONTRADICTS)
                self.findings.append(replace(found, signer=None))

    def _unasked(self, happened: Happened) -> Iterator[Finding]:
        """Where an event says something else than its block, or its instruction's arguments and accounts."""
        program, event, executed, call = happened
        time = NOW.get(event.name)
        if time is not None and event.fields[time] != executed.record.time:
            yield self._against(happened, time, executed.record.time, event.fields[time], Code.EVENT_TIME)
        if event.name == "Posted" and event.fields["now_slot"] != executed.record.slot:
            slot = executed.record.slot
            yield self._against(happened, "now_slot", slot, event.fields["now_slot"], Code.EVENT_TIME)
        if call is None:
            return
        try:
            instruction = happened.asked()
        except UnexpectedData:
            instruction = None
        if instruction is None:
            yield self._against(happened, "", "an instruction of the program", call.data.hex()[:16])
            return
        name, arguments, named = instruction
        for field, value in event.fields.items():
            if field in arguments and arguments[field] != value:
                yield self._against(happened, field, arguments[field], value)
            asked = named.get(field)
            if asked is None or not isinstance(value, Pubkey) or (program.name, name, field) in OTHER_NAMES:
                continue
            if asked != value:
                yield self._against(happened, field, asked, value)
        implied = account_of(program.name, event)
        if event.name == "RewardClaimed":
            implied = staking.block_address(event.fields["hour"])
        if implied is not None and implied not in call.accounts:
            yield self._against(happened, "its account", "one of the instruction's", implied)

    def _against(
        self, happened: Happened, field: str, expected: Any, found: Any, code: Code = Code.EVENT_UNASKED
    ) -> Finding:
        program, event, executed, _ = happened
        return Finding(
            self._part,
            code,
            executed.name,
            f"{program.name} {event.name} {field}".rstrip(),
            executed.record.slot,
            said(expected),
            said(found),
            executed.signers,
        )

    def _compared(
        self, book: Book, address: Pubkey, kind: str, fields: dict[str, Any] | None, data: bytes | None
    ) -> Iterator[Finding]:
        if fields is None:
            there = book.program.kind_of(data or b"") or "bytes of no kind"
            yield self._of_account(Code.ACCOUNT_UNFOUNDED, address, book.program.name, None, there)
            return
        if data is None:
            yield self._of_account(Code.ACCOUNT_MISSING, address, book.program.name, kind, None)
            return
        size = book.program.dtype(kind).itemsize
        try:
            on_chain = book.program.account(kind, data)
        except UnexpectedData as error:
            yield self._of_account(Code.ACCOUNT_UNREADABLE, address, kind, f"{size} bytes", str(error))
            return
        if len(data) != size:
            found = f"{len(data)} bytes"
            yield self._of_account(Code.ACCOUNT_UNREADABLE, address, kind, f"{size} bytes", found)
            return
        for name, value in on_chain.items():
            if fields[name] != value:
                row = f"{kind} {name}"
                yield self._of_account(Code.FIELD_DIFFERS, address, row, said(fields[name]), said(value))

    def _of_account(
        self, code: Code, address: Pubkey, row: str, expected: str | int | None, found: str | int | None
    ) -> Finding:
        return Finding(self._part, code, str(address), row, None, expected, found, None)


def said(value: Any) -> str | int:
    """A field's value in plain."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return str(jsonable(value))
