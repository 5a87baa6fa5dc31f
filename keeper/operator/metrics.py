"""The challenge service's figures, for Prometheus; docs/operations.md lists them.

They are served on an address of their own (``IONET_POW_METRICS``), not where devices come.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keeper.figures import Figures


class Metrics(Figures):
    """One service's figures, since its start. Labels are codes, outcomes, and the hosts of peers."""

    def __init__(self) -> None:
        """Start at nothing."""
        super().__init__()
        gauge, counter = self.gauge, self.counter
        self.taken = counter("pow_taken", "messages and transfers of devices that were taken", ("message",))
        self.refused = counter("pow_refused", "requests that were refused, by code", ("message", "code"))
        self.waves = counter("pow_waves", "waves by what became of them here", ("outcome",))
        self.posts = counter("pow_posts", "hashes on chain by whether they count", ("kind", "outcome"))
        self.files = counter("pow_files", "files and openings asked of a peer", ("peer", "outcome"))
        self.verified = counter("pow_openings_verified", "openings by what verification found", ("code",))
        self.seconds = self.histogram("pow_verification_seconds", "how long verifying a step's openings took")
        self.unverified = gauge("pow_openings_unverified", "openings that wait to be verified")
        self.behind = gauge("pow_hours_behind", "earlier hours without agreement whose files are looked for")
        self.devices = gauge("pow_devices", "devices that take part")
        self.age = gauge("pow_chain_age_seconds", "since the chain was last seen; -1 before the first time")

        self.orders = gauge("board_orders", "orders that there are on chain, by the board's last look")
        self.kept = gauge("board_bytes", "messages that the board keeps, without what SQLite adds")
        self.readers = gauge("board_readers", "readers of the board that wait for a message")
        self.silent = gauge("board_leases_silent", "leases that aren't heard, as of the last full minute")
        self.links = gauge("relay_links", "ways between two members of an order that the relay has")
        self.bound = gauge("relay_links_bound", "of those, with an address behind them")
        self.relayed = counter("relay_bytes", "what the relay handed on, without the links' ids")
        self.dropped = counter("relay_dropped", "datagrams that went nowhere", ("reason",))

    def asked(self, peer: str, outcome: str) -> None:
        """Count what a peer answered, see :class:`keeper.rewards.peers.Answer`."""
        self.files.labels(peer, outcome).inc()


def application(text: Callable[[], bytes]) -> Starlette:
    """``/metrics`` alone; ``text`` brings gauges up to date and gives all figures."""

    async def metrics(request: Request) -> Response:
        return Response(text(), headers={"content-type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/metrics", metrics)])
