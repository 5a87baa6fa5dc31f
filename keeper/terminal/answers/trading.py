"""What ``ionet market`` answers."""

from __future__ import annotations

from typing_extensions import TypedDict

from keeper.terminal.answers.kinds import (
    Address,
    Amount,
    Bps,
    ClassNumber,
    Count,
    Hash,
    OfClassNumber,
    Processors,
    Seconds,
    Tick,
    Time,
    Unit,
    UnixHour,
    Words,
)
from keeper.terminal.answers.leasing import Reputation


class Step(TypedDict):
    """An announced step of a price."""

    at: Time
    bps: Bps
    price: Amount


class Bounds(TypedDict):
    """Bounds that hold later."""

    at: Time
    low: Amount
    high: Amount


class Price(OfClassNumber):
    """The price of a processor of a class for an hour, in a currency."""

    name: str
    currency: Unit
    price: Amount
    low: Amount
    high: Amount
    stale: bool
    """Then asks bind, within the bounds."""
    stale_from: Time | None
    opens_at: Time
    step: Step | None
    bounds: Bounds | None


class ClassSteps(OfClassNumber):
    """A class's steps of an hour."""

    io: Bps
    usdc: Bps


class Published(TypedDict):
    """An hour's steps as an operator published them."""

    hour: UnixHour
    root: Hash
    steps: list[ClassSteps]


class Sample(TypedDict):
    """A class's market at a tick; processors of devices by size (1, 2, 4 or 8 processors)."""

    hired: list[Processors]
    idle: list[Processors]
    unmet: Processors
    size: Processors


class Samples(OfClassNumber):
    """A class's samples of an hour, and the step that follows."""

    currency: Unit
    hired: Processors
    """Summed over the samples, as idle and unmet are."""
    idle: Processors
    unmet: Processors
    used: Bps | None
    """None for a class without processors."""
    processors: Processors
    step: Bps
    samples: list[Sample]


class SampledHour(TypedDict):
    """An hour, counted again from the chain's events."""

    hour: UnixHour
    classes: list[Samples]


class Prices(TypedDict):
    """Prices in force; ``published`` with --dir, ``samples`` with --explain."""

    prices: list[Price]
    published: list[Published]
    samples: list[SampledHour]


class Willing(TypedDict):
    """Processors that can be leased at the price of now, by currency."""

    io: Processors
    usdc: Processors


class Supplied(OfClassNumber):
    """A class in a tier and country."""

    name: str
    tier: int
    country: str
    hired: Processors
    free: Processors
    willing: Willing


class Waiting(TypedDict):
    """An open order."""

    order: Address
    created_at: Time
    age: Seconds
    urgency: str
    currency: Unit
    classes: list[ClassNumber]
    processors: Count
    """Of each device."""
    open: Count
    """Devices that it still looks for."""
    limit: Amount
    """The most for a processor and hour."""
    minimum: Count
    """So many at once, or none."""
    holds: bool
    """It keeps what it could have until it has enough."""


class Book(TypedDict):
    """What there is, and who waits, the oldest first."""

    supply: list[Supplied]
    orders: list[Waiting]


class Culprit(TypedDict):
    """Who differs, and where."""

    operator: Address
    tick: Tick | None
    file: str | None
    row: int | None
    expected: str | None
    found: str | None
    vouched: bool | None
    """Whether the operator posted these files' hash."""


class Replayed(TypedDict):
    """A tick or an hour, computed again."""

    tick: Tick | None
    """None for an hour."""
    hour: UnixHour | None
    """None for a tick."""
    verdict: str
    """same, different or missing."""
    what: Words
    culprit: Culprit | None
    files: bool
    """Whether an operator's files were compared."""
    devices: Count
    orders: Count
    matches: Count
    posted: Count | None
    """Operators that posted a batch; None where the chain wasn't asked."""
    on_chain: Count | None
    skipped: Count | None
    announced: Count | None
    root: Hash | None
    steps: list[ClassSteps]


class ReplayedAll(TypedDict):
    """What --all writes: one for every tick and hour that operators spoke of."""

    replayed: list[Replayed]


class Chance(TypedDict):
    """An order that a device could have got."""

    order: Address
    open: Count
    minimum: Count
    got: Count
    unfit: list[str]
    """Why the device doesn't fit; empty where it does."""
    outcome: str | None


class Why(TypedDict):
    """Why a device was taken in a tick, or wasn't."""

    tick: Tick
    device: Address
    out: list[str]
    """Why it took no part; empty where it did."""
    place: int | None
    count: Count
    seconds: Seconds
    """It had waited."""
    weight: Bps
    record: Reputation | None
    taken_by: Address | None
    price: Amount | None
    currency: Unit | None
    orders: list[Chance]


class Shock(TypedDict):
    """From a day on: percent of the usual demand, and how many IO are what one was."""

    day: int
    demand: int
    worth: int


class PriceRule(TypedDict):
    """The price rule's: see ionet market simulate --help."""

    target: Bps
    step: Bps
    thin: Processors


class Scenario(TypedDict):
    """What was played."""

    seed: int
    days: int
    devices: int
    demand: int
    swing: int
    start: int
    """The price at first, millionths."""
    shocks: list[Shock]
    attack: str
    share: int
    ends: int
    operators: int
    goal: int
    rule: PriceRule


class Period(TypedDict):
    """From a shock's day to the next one's."""

    day: int
    until: int
    price: float
    used: float
    """Percent."""
    deviation: float
    """Of the price's logarithm."""
    move: float
    """From hour to hour, percent."""
    hours_to: int | None
    """Until the price is within a tenth of its level."""


class Played(TypedDict):
    """What came of it; money in millionths."""

    prices: list[int]
    """By the hour."""
    used: list[int]
    """Permille of all processors, by the hour."""
    wanted: Count
    filled: Count
    surplus: int
    profits: int
    periods: list[Period]


class Game(TypedDict):
    """What an attack brings a device against the same one honest, in units over the whole time."""

    gain: float
    spent: float
    honest: float
    others: float
    surplus: float
    """Percent that renters have more."""
    price: float
    """How many times as high."""
    served: float
    """Percent that attackers serve longer."""
    filled: float
    """Points of places filled."""


class SimulatedHonest(TypedDict):
    """A month without an attack."""

    scenario: Scenario
    honest: Played


class Simulated(SimulatedHonest, total=False):
    """A month; ``attacked`` and ``game`` with --attack."""

    attacked: Played
    game: Game
