"""The market's figures of a keeper: what its matching and its replays counted, what its jobs did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from solders.pubkey import Pubkey

from keeper.chain import Event
from keeper.economy.orders import TICK, EndReason
from keeper.jobs.matching import Matcher, Tally
from keeper.market.watch import Outcome, Watch
from keeper.runtime.look import Prices
from keeper.runtime.metrics import Metrics

TICKS, MATCHES = ("matched", "empty", "missed", "conflicts"), ("made", "not_made")
"""The tally's counts, which are outcomes of ticks and of matches."""


class MarketFigures:
    """Brings the figures up to what is known."""

    def __init__(self, metrics: Metrics, matcher: Matcher | None, watch: Watch | None = None) -> None:
        """Without a ``matcher`` this keeper doesn't match, without a ``watch`` it computes no tick again."""
        self._metrics, self._matcher, self._watch = metrics, matcher, watch
        self._replayed: Counter[Outcome] = Counter()
        self._against: Counter[Pubkey] = Counter()
        for outcome in Outcome if watch is not None else ():
            metrics.replayed.labels(outcome)
        self._counted = asdict(Tally())
        for names, figure in ((TICKS, metrics.ticks), (MATCHES, metrics.matches)):
            for name in names if matcher is not None else ():
                figure.labels(name)

    def did(self, events: Sequence[Event]) -> None:
        """Count what a job's run did."""
        for event in events:
            if event.name == "LeaseEnded":
                self._metrics.leases_ended.labels(EndReason(event.fields["reason"]).name.lower()).inc()

    def saw(self, now: int, prices: Prices | None) -> None:
        """Tell what was seen at ``now``, unix seconds by the chain."""
        metrics = self._metrics
        if prices is not None:
            metrics.price_votes_missing.set(prices.votes_missing)
            metrics.price_conflict.set(prices.differ)
            metrics.price_lag.set(prices.lag)
        if self._watch is not None:
            self._saw_replays(now, self._watch)
        if self._matcher is None:
            return
        tally = asdict(self._matcher.tally)
        for names, figure in ((TICKS, metrics.ticks), (MATCHES, metrics.matches)):
            for name in names:
                figure.labels(name).inc(tally[name] - self._counted[name])
        self._counted = tally
        if self._matcher.done:
            metrics.tick_age.set(now - self._matcher.done * TICK)

    def _saw_replays(self, now: int, watch: Watch) -> None:
        metrics = self._metrics
        for outcome, count in watch.outcomes.items():
            metrics.replayed.labels(outcome).inc(count - self._replayed[outcome])
        for operator, count in watch.against.items():
            # One that did nothing wrong has a series, too: an increase is seen from 0 on.
            metrics.against_rule.labels(str(operator)).inc(count - self._against[operator])
        self._replayed, self._against = Counter(watch.outcomes), Counter(watch.against)
        if watch.reached:
            metrics.replay_age.set(now - watch.reached * TICK)
