"""The operators' job of matching: an operator publishes the batch of a tick, and makes its matches.

Nothing is decided here. What a tick's batch is follows from the events up to its first block, which is final
by then; an operator that comes after another computes the same, and finds nothing left to do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from keeper.chain import ChainReader, Event
from keeper.clients import orders, staking
from keeper.clients.orders import PAUSE_MATCHING, PROGRAM
from keeper.economy.orders import tick_ends, tick_to_match, turn_opens
from keeper.jobs.port import Port, do, do_all
from keeper.market import files
from keeper.market.assignment import assign
from keeper.market.due import Match, due, pairs_of, read_open
from keeper.market.files import Batch
from keeper.market.folder import MarketFolder
from keeper.market.manifest import NAME, Manifest
from keeper.market.states import States
from keeper.pow.anchored import PostKind
from keeper.sender import Action
from keeper.tables import Rows

SECONDS = 2.0
"""So often an operator looks whether a tick is its to match: a turn is six seconds."""
BEFORE_ALL = -1
"""Earlier than any order was opened."""


@dataclass(slots=True)
class Tally:
    """What became of ticks and matches since the start of this process."""

    matched: int = 0
    """Ticks whose batch this operator has posted."""
    empty: int = 0
    """Ticks in which no match was left to make."""
    missed: int = 0
    """Ticks that were over, or overtaken by the next one, before they were looked at."""
    conflicts: int = 0
    """Ticks of which this operator's key has posted another batch, see ``tick.posted_otherwise``."""
    made: int = 0
    """Matches that this operator made."""
    not_made: int = 0
    """Matches that it tried to make: others were faster, or the program refused them."""


@dataclass(slots=True)
class Matcher:
    """What an operator matches with: its folder of the market, and what ticks are decided from."""

    folder: MarketFolder
    states: States
    done: int = field(default=0, init=False)
    """The last tick that this process is done with."""
    base: Batch | None = field(default=None, init=False)
    """The hour's first batch, which the others go on from."""
    tally: Tally = field(default_factory=Tally, init=False)
    rests_until: int = field(default=0, init=False)
    """When its next turn begins, unix seconds: before, there is nothing to ask for but the time."""


async def match_tick(port: Port, *, matcher: Matcher) -> list[Event]:
    """Match the newest tick of which this operator's turn has begun, unless that is done.

    Older ones are left: whatever is open in them is open in the newest, too. A tick whose first block isn't
    final yet waits for that: matches that follow from a block that drops out could be repeated by nobody.
    Where no match is left to make, as there was none or others were faster, nothing is written. Otherwise the
    files come first, then their hash on chain, then the matches. Each is done once, whenever this is killed:
    files that are there are taken as they are, and what was sent is known by its name.
    """
    now = (await port.chain.clock()).unix_timestamp
    if now < matcher.rests_until:
        return []
    turn = await _turn(port, now)
    tick = tick_to_match(*turn, BEFORE_ALL, now) if turn else None
    if turn is None or tick is None or tick <= matcher.done:
        return []
    batch = await _batch(port, matcher, tick)
    if batch is None:
        return []
    manifest, matches = batch
    events: list[Event] = []
    if manifest is not None:
        if not await _posted(port, matcher, manifest):
            return []
        events = await _make(port, matcher, manifest, matches)
        matcher.tally.matched += 1
    else:
        matcher.tally.empty += 1
    matcher.tally.missed += tick - matcher.done - 1 if matcher.done else 0
    matcher.done = tick
    matcher.rests_until = min(turn_opens(each, *turn) for each in range(tick + 1, tick + 1 + turn[1]))
    return events


async def _turn(port: Port, now: int) -> tuple[int, int] | None:
    """This operator's number, and how many there are; None while it may match nothing."""
    config = await staking.read_config(port.chain)
    terms = await orders.read_config(port.chain)
    if config is None or terms is None:
        port.log.info("matching.not_initialised")
        return None
    operators = config.params.operators
    if port.payer not in operators:
        port.log.error("matching.not_an_operator", key=str(port.payer))
        return None
    return None if terms.is_paused(PAUSE_MATCHING, now) else (operators.index(port.payer), len(operators))


async def _batch(port: Port, matcher: Matcher, tick: int) -> tuple[Manifest | None, Rows] | None:
    """A tick's published manifest and matches; None while its first block isn't final.

    There is no manifest where no match is left to make.
    """
    folder = matcher.folder
    if folder.has(tick):
        batch = folder.read(tick)
        return batch.manifest, batch.matches
    found = await matcher.states.at(tick)
    if found is None:
        return None
    matches = assign(found)
    if not await _left(port.chain, matches):
        return None, matches
    matcher.base = folder.base(tick, matcher.base)
    content = files.encode(found, matches, port.payer, matcher.base)
    folder.write(tick, content)
    return Manifest.decode(content[NAME]), matches


async def _posted(port: Port, matcher: Matcher, manifest: Manifest) -> bool:
    """Put a batch's hash on chain; whether it is there.

    Where this operator posted another one, with files that aren't here, these are taken back.
    """
    tick = manifest.tick

    async def still_open() -> bool:
        return (await port.chain.clock()).unix_timestamp <= tick_ends(tick)

    posting = staking.post(port.payer, tick, PostKind.BATCH, manifest.slot, manifest.hash)
    events = await do(port, staking.PROGRAM, [posting], still_open, key=f"tick:{tick}:post")
    hashes = [each.fields["hash"] for each in events if each.name == "Posted"]
    if hashes and manifest.hash not in hashes:
        matcher.folder.drop(tick)
        matcher.tally.conflicts += 1
        port.log.error("tick.posted_otherwise", tick=tick, posted=hashes[0].hex())
        return False
    return bool(hashes)


async def _make(port: Port, matcher: Matcher, manifest: Manifest, matches: Rows) -> list[Event]:
    """Make a batch's matches, as far as they can still be made."""
    tick, chain = manifest.tick, port.chain
    actions = [
        Action(
            f"tick:{tick}:match:{each.pair[0]}:{each.pair[1]}",
            (orders.match_device(port.payer, each.order, each.device, tick),),
            partial(_is_due, chain, each, tick),
            patient=True,
        )
        for each in await _left(chain, matches)
    ]
    events = await do_all(port, PROGRAM, actions)
    made = sum(each.name == "LeaseMatched" for each in events)
    matcher.tally.made += made
    matcher.tally.not_made += max(0, len(actions) - made)
    port.log.info("tick.matched", tick=tick, slot=manifest.slot, matches=len(matches), made=made)
    return events


async def _left(chain: ChainReader, matches: Rows) -> list[Match]:
    """Those of a batch's matches that can still be made."""
    now = (await chain.clock()).unix_timestamp
    return due(await read_open(chain, pairs_of(matches)), now)


async def _is_due(chain: ChainReader, match: Match, tick: int) -> bool:
    """Whether a match that was refused can still be made."""
    now = (await chain.clock()).unix_timestamp
    return now <= tick_ends(tick) and any(each.is_open(now) for each in await read_open(chain, [match.pair]))
