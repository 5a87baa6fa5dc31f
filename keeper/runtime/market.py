"""The market's figures of a keeper: what its job of matching counted, and what its jobs did to leases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from keeper.chain import Event
from keeper.economy.orders import TICK, EndReason
from keeper.jobs.matching import Matcher, Tally
from keeper.runtime.look import Prices
from keeper.runtime.metrics import Metrics

TICKS, MATCHES = ("matched", "empty", "missed", "conflicts"), ("made", "not_made")
"""The tally's counts, which are outcomes of ticks and of matches."""


class MarketFigures:
    """Brings the figures up to what is known."""

    def __init__(self, metrics: Metrics, matcher: Matcher | None) -> None:
        """Without a ``matcher`` this keeper doesn't match."""
        self._metrics, self._matcher = metrics, matcher
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
        if self._matcher is None:
            return
        tally = asdict(self._matcher.tally)
        for names, figure in ((TICKS, metrics.ticks), (MATCHES, metrics.matches)):
            for name in names:
                figure.labels(name).inc(tally[name] - self._counted[name])
        self._counted = tally
        if self._matcher.done:
            metrics.tick_age.set(now - self._matcher.done * TICK)
