"""What ``ionet audit`` answers."""

from __future__ import annotations

from typing_extensions import TypedDict

from keeper.terminal.answers.kinds import Address, Amount, Count, Currency, Signature, Slot, Time, Words


class AuditFinding(TypedDict):
    """Something that is wrong."""

    code: str
    """What kind of thing: a name that stays."""
    says: Words
    where: str
    """An account's or a transaction's address, or a file's name."""
    row: str
    """The field or row; empty for the whole."""
    slot: Slot | None
    expected: str | None
    """What follows from what is signed; null for nothing."""
    found: str | None
    signer: str | None
    """Whose signature stands under it, by addresses; null for nobody's."""


class AuditGap(TypedDict):
    """Something that couldn't be looked at."""

    what: Words
    why: Words


class AuditChange(TypedDict):
    """What somebody with a role changed."""

    slot: Slot
    time: Time
    who: str
    what: str
    before: str | None
    after: str | None
    signature: Signature


class AuditShare(TypedDict):
    """What somebody put into an order, and got of it."""

    role: str
    """renter, supplier, network; vault for what is in the order's own still."""
    who: Address
    currency: Currency
    put_in: Amount
    got: Amount


class AuditPart(TypedDict):
    """What came of one part."""

    part: str
    checked: dict[str, Count]
    """How many of what were looked at."""
    unchecked: list[AuditGap]
    findings: list[AuditFinding]
    changes: list[AuditChange]
    """Of keys, parameters and programs, in their order."""
    told: list[Words]
    """What is so, for people to judge."""
    shares: list[AuditShare]
    """Of an order: whose its money is; empty in other parts."""


class Audit(TypedDict):
    """An audit."""

    source: str
    slot: Slot | None
    """As of when the chain was looked at."""
    exit: int
    """0: nothing is wrong; 1: something is; 2: something couldn't be checked, and nothing else is wrong."""
    parts: list[AuditPart]
