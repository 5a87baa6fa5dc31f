"""What an IO is worth: by the buyback's own sales, or by a server. Either may have no answer.

The program needs no price; only a keeper that bids with its own money does, and a wrong one costs
nobody else.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any, Protocol

import httpx2 as httpx
from structlog.typing import FilteringBoundLogger

from keeper.buyback.decide import Quote
from keeper.chain import ChainReader
from keeper.clients import buyback
from keeper.clients.buyback import Auction, AuctionStatus
from keeper.economy.buyback import BPS, MAX_PRICE, Standing
from keeper.economy.calendar import DAY
from keeper.economy.supply import IO
from keeper.errors import UserError

SALES = 5
"""Sales that the history's price is the median of, by their lots: a strange one doesn't move it far."""
HISTORY_DAYS = 30
"""Older sales say nothing any more; there is one a day at most."""
AHEAD_SECONDS = 60
"""A server's clock may be ahead of the chain's by this much."""
MAX_BYTES = 65_536
MOST_DIGITS = 40
"""Before and behind the point of any price or time that makes sense."""
NOTHING_KNOWN = Standing(0, 0, 0)
"""Before buyback is initialised."""
TIMEOUT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
"""Of one read, and of the whole answer: a server that trickles must not hold the keeper up."""


class PriceSource(Protocol):
    """Where a price comes from."""

    async def quote(self, chain: ChainReader, log: FilteringBoundLogger) -> Quote | None:
        """What an IO is worth now; None, and the reason in the log, where that isn't known."""
        ...


# -- the buyback's own sales ---------------------------------------------------------------------


def from_sales(auctions: list[Auction], now: int) -> Quote | None:
    """The lower median of the last sales' prices, by what they sold; base units of IO per USDC.

    By what they sold: lots are small after days without a bid, and strange prices cheap to pay.
    """
    sold = [each for each in auctions if each.status == AuctionStatus.SOLD]
    recent = [each for each in sold if now - each.closed_at <= HISTORY_DAYS * DAY][-SALES:]
    if not recent:
        return None
    by_price = sorted(recent, key=lambda each: each.price)
    *_, total = sums = list(accumulate(each.lot for each in by_price))
    price = next(each.price for each, lots in zip(by_price, sums, strict=True) if 2 * lots >= total)
    return Quote(price, recent[-1].closed_at, f"the last {len(recent)} sales")


class OwnHistory:
    """The default: needs no server, and follows the market with the sales' delay."""

    async def quote(self, chain: ChainReader, log: FilteringBoundLogger) -> Quote | None:
        """The median of the last sales."""
        auctions = await buyback.read_recent(chain, HISTORY_DAYS)
        found = from_sales(auctions, (await chain.clock()).unix_timestamp)
        if found is None:
            log.info("price.no_sales")
        return found


# -- a server ------------------------------------------------------------------------------------


class OracleError(UserError):
    """Why an answer is not used."""


@dataclass(frozen=True, slots=True)
class HttpOracle:
    """A server that answers JSON with the price of an IO in US dollars and its time.

    ``price_path`` and ``time_path`` lead to them through the objects' names, joined by dots. An answer
    is used when it is at most ``max_age`` seconds old, and when it is within what the chain's auctions
    follow, from the reference to the anchor price, or beyond by at most the factor
    ``1 + max_deviation_bps / 10_000``. When nobody has bid for a while these two are far apart: a keeper that
    bids again finds the way back.
    """

    url: str
    price_path: str
    time_path: str
    max_age: int
    max_deviation_bps: int

    @property
    def server(self) -> str:
        """The server's name alone: the rest of a URL may hold a key, which logs must not show."""
        return httpx.URL(self.url).host

    async def quote(self, chain: ChainReader, log: FilteringBoundLogger) -> Quote | None:
        """Ask once; whatever is wrong with the answer is logged, and then there is no price."""
        config = await buyback.read_config(chain)
        now = (await chain.clock()).unix_timestamp
        try:
            text = await self._ask()
            return self.read(text, now, config.standing if config else NOTHING_KNOWN)
        except (OracleError, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            log.warning("price.unusable", server=self.server, reason=str(error) or type(error).__name__)
            return None

    async def _ask(self) -> bytes:
        async with (
            asyncio.timeout(TOTAL_SECONDS),
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client,
            client.stream("GET", self.url) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise OracleError(f"status {answer.status_code}")
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    raise OracleError(f"an answer of more than {MAX_BYTES:,} bytes")
        return body

    def read(self, text: bytes, now: int, standing: Standing) -> Quote:
        """The quote in an answer; raises OracleError naming what is wrong with it.

        ``standing`` is what the next auction follows.
        """
        try:
            answer = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise OracleError(f"not JSON: {error or 'a number beyond all bounds'}") from error
        dollars, at = _number(answer, self.price_path), _number(answer, self.time_path)
        if dollars <= 0:
            raise OracleError(f"a price of {dollars}")
        if at < now - self.max_age:
            raise OracleError(f"stale: {now - at} s old, at most {self.max_age} s is allowed")
        if at > now + AHEAD_SECONDS:
            raise OracleError(f"{at - now} s in the future")
        try:
            price = int(IO / dollars)
        except ArithmeticError:
            price = 0
        if not 0 < price <= MAX_PRICE:
            raise OracleError(f"a price of {dollars} is out of all bounds")
        most = BPS + self.max_deviation_bps
        low, high = standing.reference, max(standing.reference, standing.anchor)
        if low and not (low * BPS <= price * most and price * BPS <= high * most):
            between = f"at {low}" if low == high else f"between {low} and {high}"
            raise OracleError(f"outlier: {price} IO units per USDC, the chain's auctions are {between}")
        return Quote(price, int(at), self.server)


def _number(answer: Any, path: str) -> Decimal:
    for name in path.split("."):
        if not isinstance(answer, dict) or name not in answer:
            raise OracleError(f"the answer has no {path}")
        answer = answer[name]
    if not isinstance(answer, Decimal) or not answer.is_finite():
        raise OracleError(f"{path} is not a number")
    # What is far off can't even be subtracted.
    if answer and abs(answer.adjusted()) > MOST_DIGITS:
        raise OracleError(f"{path} is out of all bounds")
    return answer
