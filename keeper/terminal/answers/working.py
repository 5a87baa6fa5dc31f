"""What a worker's commands, ``ionet pow``, and a keeper's commands answer."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from keeper.terminal.answers.kinds import (
    Address,
    Amount,
    Bytes,
    ClassNumber,
    Count,
    Currency,
    EmissionHour,
    Hash,
    Slot,
    Time,
    Words,
)


class Check(TypedDict):
    """A doctor's check."""

    check: str
    state: str
    """ok, note or wrong; with wrong the exit code is 1."""
    found: Words
    do: Words
    """What to do; may be empty."""


class Checks(TypedDict):
    """What a doctor found."""

    checks: list[Check]


class Runtime(TypedDict):
    """What a device runs for renters."""

    folder: str
    sha256: Hash
    """Of its lock: the same for all members of a cluster."""


class Residency(TypedDict):
    """How a processor shows that its memory is full of its plot."""

    m: int
    K: int
    K_many: int
    rounds: int
    passes: int
    q: int
    T_ms: int
    measured: bool


class Profile(TypedDict):
    """What a class computes in a wave: int8[m, K] x int8[K, n] each processor, q segments are opened."""

    id: Count
    m: int
    n: int
    K: int
    q: int
    T_ms: int
    """Of the fastest known kernel."""
    residency: Residency | None
    measured: bool
    classes: list[ClassNumber]
    memory: int
    """Bytes that it keeps free on a card that is hired."""


class Profiles(TypedDict):
    """A table of profiles."""

    sha256: Hash
    profiles: list[Profile]


class Pair(TypedDict):
    """A card that earns more under another class's name; multipliers are hundredths."""

    card: str
    passes_for: str
    multiplier: int
    other: int
    by_pool: bool
    """Not the multiplier is higher, but the pool richer."""


class Pairs(TypedDict):
    """All such cards."""

    pairs: list[Pair]


class WrongHour(TypedDict):
    """The first thing that is wrong with an hour."""

    check: str
    """The step that found it."""
    hour: EmissionHour
    what: Words
    stated: str
    found: str
    device: Address | None
    wave: Slot | None
    operator: Address | None


class HourVerified(TypedDict):
    """An hour, computed again."""

    hour: EmissionHour
    blocks: bool
    """Whether blocks were read from the node."""
    known_profiles: bool
    """Whether its profiles are those that came with this package."""
    verified: Count
    """Openings."""
    finding: WrongHour | None


class Receipt(TypedDict):
    """An operator's word that it had a commit in time."""

    operator: Address
    ms: int
    """After the wave's block."""
    receipt: Bytes


class Wave(TypedDict):
    """A wave of a device."""

    slot: Slot
    seed: Hash
    kind: str
    spot: bool
    state: str
    """working, signed, receipted or opened."""
    ended: Words
    """Why it came no further; else empty."""
    commit: Bytes
    """With its signature; empty before there is one."""
    receipts: list[Receipt]


class Hindrance(TypedDict):
    """Why a lease wasn't accepted."""

    code: str
    reason: Words


class KeptLease(TypedDict):
    """A lease of a device, as its worker has it."""

    order: Address
    lease: Address
    number: Count
    status: str
    reason: str
    currency: Currency
    price: Amount
    """For a processor and hour."""
    rate: Amount
    hours: Count
    matched_at: Time
    accept_until: Time
    start: Time
    stop: Time
    earned: Amount
    hindrance: Hindrance | None


class WorkerStatus(TypedDict):
    """A device's last waves and leases, the newest first."""

    device: Address
    waves: list[Wave]
    leases: list[KeptLease]


class Trial(TypedDict):
    """A wave that was made, opened and verified here."""

    profile: Count
    product_ms: int
    open_ms: int
    verify_ms: int
    deadline_ms: int
    in_time: bool
    """Else the exit code is 1."""
    blob: Count
    """Bytes of the opening."""
    code: str
    """What a verifier finds: PASS."""


class Enrolled(TypedDict):
    """A machine that was tested for a class."""

    worker: Address
    device: Address
    backend: str
    trial: Trial
    register: list[str]
    """The command by which its supplier registers it; CC in it is to be the country."""


class ProgramStatus(TypedDict):
    """How far a program is indexed; None where nothing is known yet."""

    name: str
    final_slot: Slot | None
    confirmed_slot: Slot | None
    behind: Count | None
    """Slots."""
    transactions: Count
    backlog: Count
    compared_slot: Slot | None
    compared_at: Time | None
    compared_accounts: Count
    differences: Count
    mismatch: Words | None


class ParkedAction(TypedDict):
    """An action that isn't tried again."""

    key: str
    reason: Words


class KeeperStatus(TypedDict):
    """How a keeper stands; with ``halts`` the exit code is 1."""

    database: str
    exists: bool
    leader: str | None
    epoch: Count
    renewed_at: Time | None
    programs: list[ProgramStatus]
    actions: dict[str, Count]
    """By state."""
    halts: dict[str, Words]
    """By program: why nothing is sent."""
    parked: list[ParkedAction]


class Call(TypedDict):
    """An instruction, by its program's interface."""

    program: str
    name: str
    arguments: dict[str, Any]
    accounts: dict[str, Address]


class Rehearsed(TypedDict):
    """A transaction that wasn't sent."""

    calls: list[Call]
    compute_units: Count
    refusal: Words | None
    """None where it would go through."""


class JobRun(TypedDict):
    """A job that was run once."""

    job: str
    outcome: str | None
    """ok, failed or withheld; None where another keeper leads, or with --dry-run."""
    transactions: list[Rehearsed]
    """With --dry-run: what it would send."""
    stopped: Words | None
    """With --dry-run: why it can't be known what comes after these."""


class JobRuns(TypedDict):
    """Jobs in the order they ran in; exit code 1 where one isn't ok."""

    jobs: list[JobRun]


class Compared(TypedDict):
    """A program's accounts: from events, and on chain."""

    program: str
    slot: Slot
    accounts: Count
    differences: list[Words]
    views: list[Words]
    """Rows of what is looked up that aren't what the accounts make."""


class Indexed(TypedDict):
    """What was compared; exit code 1 where something differs."""

    programs: list[Compared]


class Retried(TypedDict):
    """Actions that are tried again."""

    actions: Count


class Upgraded(TypedDict):
    """A database whose tables are this version's."""

    database: str


class Rebuilt(TypedDict):
    """A database, and what is made anew."""

    database: str
    exists: bool
    """Whether there is one."""
    rebuilt: list[str]
    """Programs whose views are made anew, or, where they were named, whose events are read again."""
