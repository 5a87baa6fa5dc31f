"""Questions to a node in JSON-RPC over HTTP: what comes back is a good answer, or an error of ours.

Whatever a node, or what stands in front of it, answers: it is read here and nowhere else, and ends as an
answer of the right shape, as ChainUnreachable, or as NodeRefused. Questions are asked again, with growing
waits, as even a good node fails now and then; a limit makes all calls of its method wait, see
:mod:`keeper.chain.limits`.

How long one question is pursued at most: 60 seconds while the node says that there are too many; twice 30
seconds when it takes the question and says nothing, twice 5 when nothing is there at all; 3 seconds when the
connection is refused or breaks, and when the answers are errors or make no sense.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx2 as httpx
from pydantic import ValidationError
from pydantic_core import from_json, to_json
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from keeper.chain.errors import ChainError, ChainUnreachable, NodeRefused
from keeper.chain.failure import printable
from keeper.chain.http import http_client
from keeper.chain.limits import Gate, Limited
from keeper.chain.refusals import BEHIND, UNSUPPORTED_VERSION, Meaning, of_code
from keeper.errors import unfit_there

T = TypeVar("T")
Json = Any

TRIES = 6
"""How often a question is asked that is answered badly, or not at all."""
SILENT_TRIES = 2
"""The same when nothing came until a timeout."""
FIRST_WAIT_SECONDS = 0.1
"""The longest wait before the second try; it doubles with each after that."""
LIMIT_SECONDS = 60.0
"""How long a question waits for a node that answers that there are too many."""
TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=30.0, pool=60.0)
"""Seconds; ``read`` is the silence before and between parts of an answer: some scan all accounts first."""
WHOLE_SECONDS = 120.0
"""The most that all of one answer takes: the accounts of a program may be a hundred megabytes."""
MAX_ANSWER = 16 * 2**20
"""Bytes of an answer. The longest but lists of a program's accounts are a hundred accounts, or a transaction
with all that it called: 64 calls of 10 KiB, in base58."""
MAX_LIST = 2**30
"""Bytes of a list of a program's accounts."""
SHORTEST_SECRET = 8
"""Parts of a URL that are so long aren't repeated when a node does: they may be a key."""
VERSIONED = "getTransaction", "getBlock"
"""Methods whose answer is of transactions of a version."""
HTTP_OK, TOO_MANY_REQUESTS = 200, 429
UNREADABLE = httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, TimeoutError


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[Asker]:
    """An :class:`Asker` for a few questions."""
    asker = Asker(url)
    try:
        yield asker
    finally:
        await asker.close()


class Asker:
    """Asks the node at ``url``."""

    def __init__(self, url: str) -> None:
        """Nothing is asked yet; raises ChainError when it isn't a URL, which isn't repeated."""
        try:
            httpx.URL(url)
            self._secrets = _secrets(url)
            _ = urlsplit(url).port  # looks whether it is one
        except (ValueError, httpx.InvalidURL):
            raise ChainError("the chain's URL is not valid: write http://HOST:PORT") from None
        self._url = url
        self._client = http_client(TIMEOUT, {"content-type": "application/json"})
        self._numbers = itertools.count(1)
        self._gates: defaultdict[str, Gate] = defaultdict(Gate)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(
        self,
        method: str,
        parameters: Sequence[Json],
        read: Callable[[Json], T],
        *,
        most: int = MAX_ANSWER,
        again: bool = True,
    ) -> T:
        """Ask until the answer is good: what ``read`` makes of it.

        ``read`` raises ValueError for what isn't an answer to the question. ``most`` is in bytes. Without
        ``again`` the question is asked once, though a limit is still waited for. Raises ChainUnreachable and
        NodeRefused.
        """
        until = asyncio.get_running_loop().time() + LIMIT_SECONDS
        call = partial(self._ask_once, method, parameters, read, most)
        if not again:
            return await self._within_limit(method, call, until)
        tries = AsyncRetrying(
            retry=retry_if_exception(partial(_may_change, method)),
            stop=_tried_enough,
            wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS),
            reraise=True,
        )
        return await tries(self._within_limit, method, call, until)

    async def _within_limit(self, method: str, call: Callable[[], Awaitable[T]], until: float) -> T:
        """Make a call as soon as the node takes it; raises Limited when it hasn't ``until`` then."""
        gate, clock = self._gates[method], asyncio.get_running_loop()
        while True:
            try:
                return await gate.through(call, until)
            except Limited as limited:
                if max(clock.time(), gate.opens_at) >= until:
                    raise Limited(f"the RPC node limits {method}: {limited}") from limited
            await asyncio.sleep(random.uniform(0, FIRST_WAIT_SECONDS))

    async def _ask_once(
        self, method: str, parameters: Sequence[Json], read: Callable[[Json], T], most: int
    ) -> T:
        number = next(self._numbers)
        question = {"jsonrpc": "2.0", "id": number, "method": method, "params": list(parameters)}
        body = await self._exchange(to_json(question), most)
        try:
            answer = from_json(body, allow_inf_nan=False)
            return read(self._result(answer, number))
        except ValueError as error:
            raise ChainUnreachable(
                f"the RPC node's answer to {method} makes no sense: {_reason(error)}"
            ) from error

    async def _exchange(self, question: bytes, most: int) -> bytes:
        """Send a question; return the body of an answer with status 200."""
        body = bytearray()
        try:
            async with (
                asyncio.timeout(WHOLE_SECONDS),
                self._client.stream("POST", self._url, content=question) as response,
            ):
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > most:
                        raise ChainUnreachable(f"the RPC node answers with more than {most} bytes")
        except UNREADABLE as error:
            name = type(error).__name__
            reason = f"{name}: {self._safe(error)}" if str(error) else name
            raise ChainUnreachable(f"the RPC node doesn't answer: {reason}") from error
        if response.status_code == HTTP_OK:
            return bytes(body)
        # The number alone: the text may repeat the URL with the key in it.
        reason = f"HTTP status {response.status_code}"
        if response.status_code == TOO_MANY_REQUESTS:
            raise Limited(reason, retry_after(response.headers))
        raise ChainUnreachable(f"the RPC node doesn't answer: {reason}")

    def _result(self, answer: Json, number: int) -> Json:
        """What a question was answered with; raises ValueError when it isn't a JSON-RPC answer to it."""
        if not isinstance(answer, dict):
            raise ValueError("it isn't an object")
        error = answer.get("error")
        same = type(answer.get("id")) is int and answer["id"] == number
        # What refuses for the node, or doesn't understand the question, often doesn't know the number.
        if not same and not (error is not None and answer.get("id") is None):
            raise ValueError("it is to another question")
        if error is not None:
            raise self._refusal(error)
        if "result" not in answer:
            raise ValueError("it has neither a result nor an error")
        return answer["result"]

    def _refusal(self, error: Json) -> ChainError:
        if not isinstance(error, dict):
            error = {"message": error}
        code, message = error.get("code"), error.get("message")
        known = code if type(code) is int else None
        words = self._safe(message) if isinstance(message, str) and message else "without a reason"
        reason = words if known is None else f"{words} ({known})"
        meaning = of_code(code, message)
        if meaning is Meaning.LIMITED:
            return Limited(reason)
        if known == BEHIND:
            return ChainUnreachable("the RPC node is behind")
        if meaning is Meaning.AGAIN:
            return ChainUnreachable(f"the RPC node can't answer now: {reason}")
        return NodeRefused(f"the RPC node refused: {reason}", known)

    def _safe(self, text: object) -> str:
        """Somebody else's words for one line of ours, without what may be a key."""
        words = str(text)
        for secret in self._secrets:
            words = words.replace(secret, "...")
        return printable(words)


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that an answer asks to wait, in numbers or as a date; None if it doesn't say so properly.

    A date is compared with the answer's own, as this machine's clock may be wrong.
    """
    text = headers.get("retry-after", "").strip()
    try:
        if text.isascii() and text.isdigit():
            return float(text)
        then = parsedate_to_datetime(text).timestamp()
        now = parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, then - now)


def _may_change(method: str, error: BaseException) -> bool:
    """Whether asking again may help: a refusal can be one node's of several behind a URL."""
    if isinstance(error, Limited):
        return False  # It was waited for.
    if isinstance(error, NodeRefused) and error.code == UNSUPPORTED_VERSION:
        return method not in VERSIONED
    return isinstance(error, ChainUnreachable | NodeRefused)


def _tried_enough(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    silent = error is not None and isinstance(error.__cause__, TimeoutError | httpx.TimeoutException)
    return state.attempt_number >= (SILENT_TRIES if silent else TRIES)


def _reason(error: ValueError) -> str:
    """What is wrong with an answer, in one line, without the answer."""
    if not isinstance(error, ValidationError):
        return printable(str(error))
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return printable(unfit_there(first))


def _secrets(url: str) -> list[str]:
    """The parts of a URL behind its host, and the password before it, longest first."""
    parts = urlsplit(url)
    values = [value for _, value in parse_qsl(parts.query)]
    found = [*parts.path.split("/"), *values, parts.query, parts.username or "", parts.password or ""]
    return sorted({each for each in found if len(each) >= SHORTEST_SECRET}, key=len, reverse=True)
