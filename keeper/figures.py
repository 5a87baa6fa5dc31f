"""Figures for Prometheus, under names that begin with ``ionet_``; docs/operations.md lists them all."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.05, 0.25, 1, 5, 15, 60, 300)
"""The bounds between which durations are counted."""


class Figures:
    """A process's figures; ``registry`` has them all. Labels are few, and never devices or wallets."""

    def __init__(self) -> None:
        """There are none yet."""
        self.registry = CollectorRegistry()

    def gauge(self, name: str, meaning: str, labels: Iterable[str] = ()) -> Gauge:
        """Something that goes up and down."""
        return Gauge(f"ionet_{name}", meaning, labels, registry=self.registry)

    def counter(self, name: str, meaning: str, labels: Iterable[str] = ()) -> Counter:
        """Something that happens; its series ends with ``_total``."""
        return Counter(f"ionet_{name}", meaning, labels, registry=self.registry)

    def histogram(self, name: str, meaning: str, labels: Iterable[str] = ()) -> Histogram:
        """How long something takes, in seconds."""
        return Histogram(f"ionet_{name}", meaning, labels, buckets=SECONDS, registry=self.registry)

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        return generate_latest(self.registry)

    def names(self) -> set[str]:
        """Every series that there can be, by its name."""
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
        return {
            each.name + suffix for each in self.registry.collect() for suffix in suffixes.get(each.type, ())
        }
