"""An operator's challenge service, as a worker speaks to it: calls outward alone, none trusted.

Whatever an operator answers is bounded in bytes and seconds and checked before it is used; anything else
is an :class:`OperatorError`, which says nothing about other operators.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple, TypeVar

import httpx2 as httpx
from pydantic import Field, TypeAdapter, ValidationError
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.http import PLAIN
from keeper.chain.shapes import Address, BlockHash, Shape, Slot, Time
from keeper.errors import UserError, why
from keeper.pow.clock import WaveKind
from keeper.pow.connectivity import Direction
from keeper.pow.messages import Commit, MessageError, Receipt, Signed, decode

SECONDS = 5.0
"""For an answer that an operator has ready."""
UPLOAD_SECONDS = 20.0
"""For an opening: 60 kB over a slow line."""
TRANSFER_SECONDS = 20.0
"""For a transfer, which an operator ends after ten."""
POLL_SECONDS = 35.0
"""For an answer that an operator may hold back for 25 seconds."""
MOST_BYTES = 1 << 18
"""Of an answer."""
MOST = 512
"""Waves, pings and openings in an answer: a day has about 200."""
AGAIN = frozenset({"unknown_wave", "too_early", "not_committed", "too_slow", "too_many", "busy"})
"""Codes after which the same bytes may be taken a bit later: an operator's clock may be behind another's."""
PIECE = 1 << 18
"""Bytes that are sent at a time."""
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class OperatorError(UserError):
    """An operator that doesn't answer, or not as it should."""


class Refused(OperatorError):
    """An operator's refusal, with the code that it gave; ``wait`` are the seconds that it asks for."""

    def __init__(self, code: str, detail: str, wait: float) -> None:
        """``detail`` is the operator's own sentence."""
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.wait = wait

    @property
    def is_final(self) -> bool:
        """Whether the same bytes would be refused again."""
        return self.code not in AGAIN


class WaveAt(NamedTuple):
    """A wave, by its block."""

    slot: int
    blockhash: bytes
    kind: WaveKind
    spot: bool
    time: int
    """Of the block, unix seconds: which day's plot a wave is about follows from it."""


class PingAt(NamedTuple):
    """A ping, by what an answer repeats."""

    slot: int
    seed: bytes


class OpenAt(NamedTuple):
    """The block that the picks of the wave at ``slot`` are drawn from."""

    slot: int
    open_slot: int
    open_blockhash: bytes


class EpochAt(NamedTuple):
    """The first block of a UTC day, from which on the day's plots can be made."""

    slot: int
    blockhash: bytes
    day: int
    """Unix seconds of the day's start."""


Item = WaveAt | PingAt | OpenAt | EpochAt


class News(NamedTuple):
    """What somebody says of the chain: the newest slot, and what began in it lately."""

    slot: int
    items: tuple[Item, ...]


class Identity(NamedTuple):
    """Who an operator says that it is, and which network's waves it takes."""

    operator: Pubkey
    genesis: bytes
    program: Pubkey
    profiles: bytes
    """SHA-256 of its table of profiles."""


class _Identity(Shape):
    version: Annotated[int, Field(strict=True, ge=1, le=1)]
    operator: Address
    genesis: BlockHash
    program: Address
    profiles: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Wave(Shape):
    slot: Slot
    blockhash: BlockHash
    kind: Annotated[str, Field(pattern=r"^(product|residency)$")]
    spot: Annotated[bool, Field(strict=True)]
    time: Time


class _Ping(Shape):
    slot: Slot
    seed: BlockHash


class _Open(Shape):
    slot: Slot
    open_slot: Slot
    open_blockhash: BlockHash


class _Epoch(Shape):
    slot: Slot
    blockhash: BlockHash
    day: Time


class _News(Shape):
    slot: Slot
    waves: Annotated[list[_Wave], Field(max_length=MOST)]
    pings: Annotated[list[_Ping], Field(max_length=MOST)]
    opens: Annotated[list[_Open], Field(max_length=MOST)]
    epoch: _Epoch | None = None


class _Problem(Shape):
    code: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    detail: Annotated[str, Field(max_length=500)] = ""


class _Refusal(_Problem):
    retry_after: Annotated[int, Field(strict=True, ge=0, le=999)] = 0


T = TypeVar("T")
_IDENTITY, _NEWS, _PROBLEM = TypeAdapter(_Identity), TypeAdapter(_News), TypeAdapter(_Problem)
_REFUSALS = TypeAdapter(list[_Refusal | None])
_SECONDS = re.compile(r"[0-9]{1,3}")
_KINDS: Final = {"product": WaveKind.PRODUCT, "residency": WaveKind.RESIDENCY}


class Operator:
    """One operator's service."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        """``http`` may be that of others, too."""
        self.url = url.rstrip("/")
        self._http = http
        self.identity: Identity | None = None
        """What it last said of itself."""

    async def identify(self) -> Identity:
        """Ask it who it is. Raises OperatorError."""
        found = _parsed(_IDENTITY, await self._ask("GET", "/pow/operator"))
        profiles = bytes.fromhex(found.profiles)
        self.identity = Identity(found.operator, bytes(found.genesis), found.program, profiles)
        return self.identity

    async def news(self, after: int) -> News:
        """What began after a slot; waits for something to begin. Raises OperatorError."""
        answer = await self._ask("GET", f"/pow/waves?after={after}", seconds=POLL_SECONDS)
        found = _parsed(_NEWS, answer)
        waves = [WaveAt(x.slot, bytes(x.blockhash), _KINDS[x.kind], x.spot, x.time) for x in found.waves]
        pings = [PingAt(x.slot, bytes(x.seed)) for x in found.pings]
        opens = [OpenAt(x.slot, x.open_slot, bytes(x.open_blockhash)) for x in found.opens]
        epochs = [EpochAt(x.slot, bytes(x.blockhash), x.day) for x in (found.epoch,) if x is not None]
        return News(found.slot, (*waves, *pings, *opens, *epochs))

    async def commit(self, commit: Signed[Commit]) -> Signed[Receipt]:
        """Hand in a commit; returns the receipt, its signature verified. Raises OperatorError."""
        identity = self.identity or await self.identify()
        answer = await self._ask("POST", "/pow/commit", commit.encode())
        try:
            receipt = decode(Receipt, answer)
        except MessageError as error:
            raise OperatorError(f"{self.url}: no receipt: {error}") from error
        right = receipt.message.operator == identity.operator
        if (
            not right
            or receipt.message.commit != commit.message.hash()
            or not receipt.is_by(identity.operator)
        ):
            raise OperatorError(f"{self.url}: a receipt that isn't {identity.operator}'s for this commit")
        return receipt

    async def pongs(self, answers: Sequence[bytes]) -> list[Refused | None]:
        """Answer pings, :data:`~keeper.pow.messages.PONGS` at most; returns what was refused of each.

        Raises OperatorError.
        """
        if len(answers) == 1:
            try:
                await self._ask("POST", "/pow/ping", answers[0])
            except Refused as error:
                return [error]
            return [None]
        said = _parsed(_REFUSALS, await self._ask("POST", "/pow/pings", b"".join(answers)))
        if len(said) != len(answers):
            raise OperatorError(f"{self.url}: {len(said)} words on {len(answers)} answers to a ping")
        return [None if each is None else Refused(each.code, each.detail, each.retry_after) for each in said]

    async def open(self, opening: bytes) -> None:
        """Hand in an opening. Raises OperatorError."""
        await self._ask("POST", "/pow/opening", opening, UPLOAD_SECONDS)

    async def transfer(
        self, slot: int, device: Pubkey, direction: Direction, signature: Signature, size: int
    ) -> None:
        """Receive or send ``size`` bytes, or what goes in ten seconds. Raises OperatorError."""
        path, word = f"/pow/transfer/{slot}/{device}", {"authorization": f"ionet {signature}"}
        if direction is Direction.DOWN:
            await self._ask("GET", path, None, TRANSFER_SECONDS, word, size)
        else:
            # While a body is sent no refusal is read: so it is asked for before.
            await self._ask("POST", path, b"", headers=word)
            word["content-length"] = str(size)
            await self._ask("POST", path, _noise(size), TRANSFER_SECONDS, word)

    # -- inside ----------------------------------------------------------------------------------

    async def _ask(
        self,
        method: str,
        path: str,
        content: bytes | AsyncIterator[bytes] | None = None,
        seconds: float = SECONDS,
        headers: Mapping[str, str] = NO_HEADERS,
        dropped: int = 0,
    ) -> bytes:
        """The body of an answer with a status of success. Raises OperatorError, Refused.

        Of one, up to ``dropped`` bytes are read and not kept, if that isn't 0.
        """
        headers = {**PLAIN, **headers}
        if content is not None:
            headers["content-type"] = "application/octet-stream"
        body = bytearray()
        try:
            async with (
                asyncio.timeout(seconds),
                self._http.stream(
                    method, self.url + path, content=content, headers=headers, timeout=seconds
                ) as answer,
            ):
                most, size = (dropped if dropped and answer.is_success else MOST_BYTES), 0
                async for piece in answer.aiter_raw():
                    size += len(piece)
                    if size > most:
                        raise OperatorError(f"{self.url}: an answer of more than {most:,} bytes")
                    if not (dropped and answer.is_success):
                        body += piece
        except TimeoutError as error:
            raise OperatorError(f"{self.url}: no answer within {seconds:g} seconds") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OperatorError(f"{self.url}: {why(error)}") from error
        if answer.is_success:
            return bytes(body)
        raise self._refusal(answer, bytes(body))

    def _refusal(self, answer: httpx.Response, body: bytes) -> OperatorError:
        try:
            problem = _PROBLEM.validate_json(body)
        except ValidationError:
            return OperatorError(f"{self.url}: status {answer.status_code}")
        wait = answer.headers.get("retry-after", "")
        return Refused(problem.code, problem.detail, float(wait) if _SECONDS.fullmatch(wait) else 0.0)


async def _noise(size: int) -> AsyncIterator[bytes]:
    """So many bytes that nothing on the way makes smaller."""
    piece = secrets.token_bytes(PIECE)
    for left in range(size, 0, -PIECE):
        yield piece[:left]


def _parsed(shape: TypeAdapter[T], body: bytes) -> T:
    try:
        return shape.validate_json(body)
    except ValidationError as error:
        found = error.errors()[0]
        where = ".".join(map(str, found["loc"]))
        raise OperatorError(f"an answer that makes no sense: {where or 'it'}: {found['msg']}") from error
