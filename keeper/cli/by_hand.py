"""``ionet operator``: what an operator's services do by themselves, by hand: a match, a file's hash on chain.

A match is one of its tick's batch, which is computed as the job ``matching`` computes it, and posted with it:
by hand nobody chooses, either.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from solders.pubkey import Pubkey

from keeper.chain import Commitment, TransactionFailed
from keeper.cli.options import address, require_folders, settings
from keeper.cli.orders import config_of
from keeper.cli.signing import Session, signs
from keeper.cli.stake import DeviceArgument
from keeper.cli.ticks import sources
from keeper.clients import staking
from keeper.clients.orders import PAUSE_MATCHING
from keeper.clients.orders.whole import read_with_leases
from keeper.economy.calendar import moment
from keeper.economy.money import show
from keeper.economy.orders import TICK, tick_ends, tick_to_match, turn_opens
from keeper.errors import UserError
from keeper.market import files
from keeper.market.assignment import assign
from keeper.market.due import Match, due, pairs_of, read_open
from keeper.market.files import Files
from keeper.market.folder import MarketFolder
from keeper.market.manifest import NAME, Manifest
from keeper.operator.posting import posted_since
from keeper.operator.published import read_published
from keeper.operator.running import network_of, require_operator
from keeper.pow.anchored import Posting, PostKind
from keeper.pow.replay import first_at
from keeper.tables import Rows
from keeper.wallet import openings, plans
from keeper.wallet.plan import NothingToDo, Plan

app = typer.Typer()

MarketOption = Annotated[
    Path | None,
    typer.Option("--dir", help="folder that you publish ticks in", show_default="IONET_MARKET"),
]
RewardsOption = Annotated[
    Path | None, typer.Option("--rewards", help="folder of published hours", show_default="IONET_REWARDS")
]


@app.command("match")
@signs
async def match_(
    session: Session,
    order: Annotated[str, typer.Argument(help="the order's address")],
    device: DeviceArgument,
    folder: MarketOption = None,
    rewards: RewardsOption = None,
) -> None:
    """Make a match of your turn, if it is the rule's: its tick's batch is computed, published and posted.

    The job matching does so by itself. Nobody chooses here, either: a device that the batch doesn't give to
    the order is refused, as every keeper would name whoever matched it.

    Example: ionet operator match ORDER DEVICE --dir market
    """
    chosen, pair = settings(), (address(order), address(device))
    if folder is None and chosen.market is None:
        raise UserError("where you publish ticks is not set: --dir, or IONET_MARKET, names the folder")
    if rewards:
        require_folders(rewards)
    place, me = MarketFolder(folder or chosen.market or Path()), session.address
    await require_operator(session.chain, me)
    tick = await _tick(session, pair[0])
    content: Files = {}
    if place.has(tick):
        batch = place.replay(tick)
        manifest, matches = batch.manifest, batch.matches
        if manifest.operator != str(me):
            raise UserError(
                f"tick {tick} in {place.path} is {manifest.operator}'s: name your own folder by --dir"
            )
    else:
        async with sources(chosen, rewards, session.chain) as (there, _):
            state = await there.state(tick)
        matches = assign(state)
        content = files.encode(state, matches, me, place.base(tick))
        manifest = Manifest.decode(content[NAME])
    found = await _left(session, matches, pair, tick)
    posted = await _posted(session, PostKind.BATCH, tick, manifest.slot, manifest.slot)
    if posted and posted.hash != manifest.hash:
        raise UserError(
            f"you have posted another batch of tick {tick}, {posted.hash.hex()}: its files alone say what of "
            "it is yours to match; wait for your next turn"
        )
    plan = _plan(found, me, tick, session.now, None if posted else manifest)
    publishes = bool(content) and not session.dry_run
    if publishes:
        place.write(tick, content)
    try:
        await session.carry_out(plan)
    except (typer.Abort, TransactionFailed):
        # Nothing was posted: files that nobody vouches for are no use to anybody.
        if publishes:
            place.drop(tick)
        raise


@app.command()
@signs
async def post(
    session: Session,
    file: Annotated[
        Path,
        typer.Argument(
            help="your wave-SLOT-YOU.bin or evidence-YOU.bin of an hour, or a tick's manifest.json"
        ),
    ],
) -> None:
    """Put the hash of a file that you publish on chain, so that its clock says when you had it.

    Your services do so by themselves. Of what it is the hash follows from the file's place and name. The
    first one counts: where another one is posted it is refused, and so is what is too late to count.

    Example: ionet operator post pow/20/evidence-OPERATOR.bin
    """
    await require_operator(session.chain, session.address)
    network = await network_of(session.chain)
    found = read_published(file, session.address, network)
    found.require_in_time(session.now, (await session.chain.clock()).slot)
    begun = await first_at(session.chain, found.begins, Commitment.CONFIRMED)
    posted = await _posted(session, found.kind, found.number, found.slot, begun.slot if begun else 0)
    if posted and posted.hash != found.hash:
        raise UserError(
            f"you have posted another file of {found.what}, {posted.hash.hex()}, at {moment(posted.at)}: the "
            "first one counts"
        )
    if posted:
        raise NothingToDo(f"{found.what} is posted already, at {moment(posted.at)}")
    call = staking.post(session.address, found.number, found.kind, found.slot, found.hash)
    note = (
        f"It says that you had {found.what} with SHA-256 {found.hash.hex()} by now, and can't be taken back."
    )
    opened = (openings.postings(session.address),)
    await session.carry_out(Plan((call,), notes=(note,), openings=opened))


async def _tick(session: Session, at: Pubkey) -> int:
    """The newest tick in which whoever signs may match the order now. Raises UserError."""
    terms, config = await config_of(session.chain), await staking.read_config(session.chain)
    order, _ = await read_with_leases(session.chain, at)
    now = session.now
    if config is None or terms.is_paused(PAUSE_MATCHING, now):
        raise UserError("the guardian has stopped matching for now: ionet network says until when")
    if not order.takes_devices(now):
        raise UserError(f"{at} takes no more devices: ionet order show says why")
    operators = config.params.operators
    number, count = operators.index(session.address), len(operators)
    tick = tick_to_match(number, count, order.created_at, now)
    if tick is None:
        first = order.created_at // TICK + 1
        opens = min(turn_opens(each, number, count) for each in range(first, first + count))
        raise UserError(
            f"your first turn to match {at} begins at {moment(opens)}: run this command again then"
        )
    return tick


async def _left(session: Session, matches: Rows, pair: tuple[Pubkey, Pubkey], tick: int) -> Match:
    """A match of a batch, by accounts as they are now. Raises UserError where it isn't one, NothingToDo."""
    order, device = pair
    of_order = [each for each in pairs_of(matches) if each[0] == order]
    if pair not in of_order:
        given = ", ".join(str(each) for _, each in of_order) or "no device"
        raise UserError(
            f"the rule gives {order} {given} in tick {tick}, and not {device}: ionet market why says why"
        )
    found = due(await read_open(session.chain, of_order), session.now)
    for each in found:
        if each.pair == pair:
            return each
    raise NothingToDo(f"{device} is matched by now, or {order} takes it no more: ionet order show has both")


async def _posted(session: Session, kind: PostKind, number: int, slot: int, since: int) -> Posting | None:
    """What whoever signs has posted first of one thing: of a tick, whatever slot it said."""
    for each in await posted_since(session.chain, session.address, since):
        if (each.kind, each.number) == (kind, number) and (kind == PostKind.BATCH or each.slot == slot):
            return each
    return None


def _plan(found: Match, me: Pubkey, tick: int, now: int, posts: Manifest | None) -> Plan:
    """The match, behind the posting of its batch unless that is done."""
    call, lease = plans.match(found.order, found.device, found.of_class, me, now, tick)
    opened = [openings.lease(found.order, found.pair[1], me)]
    terms = found.order.terms
    price = show(lease.rate // terms.processors, terms.currency)
    notes = [
        f"It is a match of tick {tick}, which ends at {moment(tick_ends(tick))}.",
        f"It is leased at {price} {terms.currency.name} for a processor and hour, if its worker accepts "
        f"until {moment(lease.accept_until)}.",
    ]
    calls = [call]
    if posts:
        calls.insert(0, staking.post(me, tick, PostKind.BATCH, posts.slot, posts.hash))
        opened.append(openings.postings(me))
        notes.append(f"The batch's hash is posted with it, {posts.hash.hex()}: publish its files.")
    return Plan(tuple(calls), notes=tuple(notes), openings=tuple(opened))
