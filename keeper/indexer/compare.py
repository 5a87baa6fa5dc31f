"""Accounts made from events against the chain's own, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain.program import Fields, UnexpectedData
from keeper.db.types import jsonable
from keeper.indexer.book import Book

MOST_DIFFERENCES = 100
"""The most differences that are looked for; one is enough to halt."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one account, or the whole of it (field ""), as JSON has it; None where there is none."""

    address: str
    kind: str
    field: str
    from_events: Any
    on_chain: Any

    def __str__(self) -> str:
        """For people."""
        where = f"{self.kind} {self.address}" + (f" {self.field}" if self.field else "")
        return f"{where}: {self.from_events} from events, {self.on_chain} on chain"


def differences(book: Book, found: Mapping[Pubkey, bytes]) -> list[Difference]:
    """What differs between a book and the accounts ``found`` on the chain, by the order of addresses."""
    differing: list[Difference] = []
    ours = {address: (kind, fields) for kind, address, fields in book}
    for address in sorted({*ours, *found}, key=bytes):
        kind, fields = ours.get(address, ("", None))
        differing += _compare(book, address, kind, fields, found.get(address))
        if len(differing) >= MOST_DIFFERENCES:
            break
    return differing[:MOST_DIFFERENCES]


def _compare(
    book: Book, address: Pubkey, kind: str, fields: Fields | None, data: bytes | None
) -> list[Difference]:
    if fields is None or data is None:
        there = None if data is None else data.hex()
        return [Difference(str(address), kind, "", jsonable(fields), there)]
    try:
        on_chain = book.program.account(kind, data)
    except UnexpectedData as error:
        return [Difference(str(address), kind, "", jsonable(fields), str(error))]
    return [
        Difference(str(address), kind, name, jsonable(fields[name]), jsonable(value))
        for name, value in on_chain.items()
        if fields[name] != value
    ]
