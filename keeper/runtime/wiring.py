"""From settings to a keeper at work: the one place where its parts are put together."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import structlog

from keeper.buyback.decide import BidLimits
from keeper.buyback.sources import HttpOracle, OwnHistory, PriceSource
from keeper.chain.connect import connect
from keeper.db import Database
from keeper.economy.supply import IO
from keeper.indexer.guard import require_chain
from keeper.jobs import registry
from keeper.jobs.blocks import attest_hours
from keeper.jobs.buyback import bid_on_auction
from keeper.jobs.faults import Bench, vote_faults
from keeper.jobs.matching import SECONDS, Matcher, match_tick
from keeper.jobs.names import ATTEST, BIDS, FAULTS, MATCHING, PRICES, PROPOSALS, STEPS
from keeper.jobs.port import Job
from keeper.jobs.prices import keep_prices
from keeper.jobs.proposals import Docket, propose_slashes
from keeper.jobs.steps import vote_steps
from keeper.market.facts import Facts
from keeper.market.folder import MarketFolder
from keeper.market.replay import Sources
from keeper.market.states import States
from keeper.market.watch import Watch
from keeper.pow.profiles_by_hour import read_profiles_by_hour
from keeper.rewards.history import History
from keeper.rewards.proven import Proven
from keeper.rewards.work import WorkFolder
from keeper.runtime import loop, monitoring, operation
from keeper.runtime.balance import BalanceGuard
from keeper.runtime.keeper import Keeper, LagLimits
from keeper.runtime.operation import operating, sender_of
from keeper.runtime.rehearsal import Rehearsal, copied, rehearse
from keeper.runtime.serving import served
from keeper.settings import Settings


def holder(settings: Settings) -> str:
    """What this process is called where several are listed."""
    return f"{settings.name}:{os.getpid()}"


def bid_limits(settings: Settings) -> BidLimits:
    """How far the keeper goes with its own money."""
    return BidLimits(settings.bid_max_io * IO, settings.bid_margin_bps)


def price_source(settings: Settings) -> PriceSource:
    """Where the keeper takes an IO's worth from."""
    if settings.price_url is None:
        return OwnHistory()
    return HttpOracle(
        str(settings.price_url),
        settings.price_path,
        settings.price_time_path,
        settings.price_max_age,
        settings.price_max_deviation_bps,
    )


class Market(NamedTuple):
    """What goes by the market's ticks. Each follows them in an order of its own."""

    matcher: Matcher
    last_hour: States
    watch: Watch


def market_of(
    settings: Settings, history: History, rewards: Path | None = None, folder: Path | None = None
) -> Market | None:
    """That of these settings; None without a folder of the market."""
    if settings.market is None:
        return None
    passed, profiles = Proven(rewards or settings.rewards), read_profiles_by_hour(settings.profiles)
    of_last = Facts(history.ledgers)
    newest, older = (Facts(history.ledgers, behind=of_last) for _ in range(2))
    to_match, last, over = (
        States(history.chain, each, profiles, passed) for each in (newest, of_last, older)
    )
    place = MarketFolder(folder or settings.market)
    watch = Watch(place, Sources(over, history.ledgers), [str(each) for each in settings.peers])
    return Market(Matcher(place, to_match), last, watch)


def chosen_jobs(
    settings: Settings,
    names: Sequence[str],
    history: History,
    market: Market | None = None,
    rewards: Path | None = None,
) -> dict[str, Job]:
    """The jobs of these names.

    Without proofs of work there is nothing to attest, without a ``market`` no match and no vote for prices,
    without money no bid. What is published goes to ``rewards`` [default: where the settings say] and to the
    market's folder.
    """
    known = dict(registry.ALL)
    peers = [str(each) for each in settings.peers]
    folder = market.matcher.folder if market else None
    known[PRICES] = partial(keep_prices, folder=folder, peers=peers)
    if settings.pow:
        published, profiles = rewards or settings.rewards, read_profiles_by_hour(settings.profiles)
        known[ATTEST] = partial(
            attest_hours,
            folder=published,
            work=WorkFolder(settings.pow, profiles),
            history=history,
            peers=peers,
        )
        bench = Bench([settings.pow_own, *peers], published)
        known[FAULTS] = partial(vote_faults, bench=bench)
        docket = Docket(published, settings.pow, profiles, history)
        known[PROPOSALS] = partial(propose_slashes, docket=docket)
    if market is not None:
        known[MATCHING] = partial(match_tick, matcher=market.matcher)
        known[STEPS] = partial(vote_steps, folder=market.matcher.folder, states=market.last_hour)
    limits = bid_limits(settings)
    if limits.max_io:
        known[BIDS] = partial(bid_on_auction, source=price_source(settings), limits=limits)
    return {name: known[name] for name in names if name in known}


@asynccontextmanager
async def assembled(
    settings: Settings, names: Sequence[str]
) -> AsyncIterator[tuple[Keeper, Callable[[], Awaitable[None]]]]:
    """A keeper with these jobs and its own, and a wait that ends when one of the programs was called."""
    signer = settings.signer()
    websocket = str(settings.websocket) if settings.websocket else None
    async with (
        connect(settings.chain, live=True, websocket=websocket) as chain,
        operating(chain, settings.chain, settings.database, holder(settings), settings.rewards) as op,
    ):
        balance = BalanceGuard(chain, signer.pubkey(), settings.warning_lamports, settings.stop_lamports)
        sender = sender_of(op, chain, signer, settings.fees)
        history = History(chain, op.database, ledgers=op.ledgers)
        market = market_of(settings, history)
        jobs = chosen_jobs(settings, names, history, market)
        keeper = Keeper(
            name=settings.name,
            chain=chain,
            sender=sender,
            database=op.database,
            leader=op.leader,
            guard=balance,
            jobs=op.jobs(jobs, sender, market.watch if market else None),
            rewards=settings.rewards,
            limits=LagLimits(settings.lag_slots, settings.lag_hours),
            log=structlog.get_logger(),
            matcher=market.matcher if market and MATCHING in names else None,
            watch=market.watch if market else None,
        )
        gc.freeze()  # What is loaded by now stays: the garbage collector can skip it.
        async with keeper.standing():
            yield keeper, partial(chain.changed, [each.address for each in op.programs])


STOP_SECONDS = 5.0
"""How long a keeper takes to end, at most."""


async def run_until_stopped(settings: Settings, names: Sequence[str]) -> None:
    """Run the jobs of these names, and the keeper's own, until SIGINT or SIGTERM.

    A second one kills, and so does the end of STOP_SECONDS.
    """
    async with assembled(settings, names) as (keeper, programs_changed):
        stop = asyncio.Event()

        events = asyncio.get_running_loop()

        def aborted() -> None:
            keeper.log.warning("keeper.aborted")
            # As a kill would: a hanging signer or database isn't waited for, and the next start
            # goes on from what is on chain and in the database.
            os._exit(1)

        def stopped() -> None:
            if stop.is_set():
                aborted()
            stop.set()
            keeper.log.info("keeper.stopping")
            events.call_later(STOP_SECONDS, aborted)

        for number in (signal.SIGINT, signal.SIGTERM):
            events.add_signal_handler(number, stopped)
        async with AsyncExitStack() as stack:
            if settings.listen:
                host, port = settings.listen
                asked = monitoring.application(keeper, settings.check_seconds)
                actual = await stack.enter_async_context(served(asked, host, port, "IONET_HTTP"))
                keeper.log.info("http.listening", host=host, port=actual)
            await loop.run(
                keeper,
                every=settings.check_seconds,
                stop=stop,
                intervals={operation.COMPARE: operation.COMPARE_SECONDS, MATCHING: SECONDS},
                wakers={operation.INDEX: programs_changed},
            )


async def rehearsed(settings: Settings, names: Sequence[str]) -> AsyncIterator[tuple[str, Rehearsal]]:
    """What each of the jobs of these names would send now; nothing is sent, and nothing published."""
    signer, log = settings.signer(), structlog.get_logger()
    with copied(settings.rewards) as rewards, TemporaryDirectory() as empty, TemporaryDirectory() as market:
        database = Database(settings.database)
        async with connect(settings.chain) as chain, AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            # Only the operators' jobs need a database: hours and leases are made from the index.
            attests = settings.pow is not None and not {ATTEST, PROPOSALS}.isdisjoint(names)
            matches = settings.market is not None and not {MATCHING, STEPS}.isdisjoint(names)
            if (attests or matches) and not await database.exists():
                database = Database(f"sqlite:///{empty}/index.db")
                stack.push_async_callback(database.close)
                await database.upgrade()
            history = History(chain, database, keeps=False)
            tried = market_of(settings, history, rewards, Path(market))
            chosen = chosen_jobs(settings, names, history, tried, rewards)
            if attests or matches:
                await require_chain(database, chain, settings.chain)
                await history.prepare()
            for name, job in chosen.items():
                yield name, await rehearse(job, chain, signer, log)
