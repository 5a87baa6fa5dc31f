"""An operator's challenge service, as a worker speaks to it: calls outward alone, none trusted.

Whatever an operator answers is bounded in bytes and seconds and checked before it is used; anything else
is an :class:`OperatorError`, which says nothing about other operators.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Final, NamedTuple

import httpx2 as httpx
from pydantic import Field, TypeAdapter
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.services import NO_HEADERS, SECONDS, OperatorError, Problem, Refused, ask, parsed
from keeper.chain.shapes import Address, BlockHash, Shape, Slot, Time
from keeper.pow.clock import WaveKind
from keeper.pow.connectivity import Direction
from keeper.pow.messages import Commit, MessageError, Receipt, Signed, decode

__all__ = ["Operator", "OperatorError", "Refused"]
UPLOAD_SECONDS = 20.0
"""For an opening: 60 kB over a slow line."""
TRANSFER_SECONDS = 20.0
"""For a transfer, which an operator ends after ten."""
POLL_SECONDS = 35.0
"""For an answer that an operator may hold back for 25 seconds."""
MOST = 512
"""Waves, pings and openings in an answer: a day has about 200."""
PIECE = 1 << 18
"""Bytes that are sent at a time."""


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


class _Refusal(Problem):
    retry_after: Annotated[int, Field(strict=True, ge=0, le=999)] = 0


_IDENTITY, _NEWS = TypeAdapter(_Identity), TypeAdapter(_News)
_REFUSALS = TypeAdapter(list[_Refusal | None])
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
        found = parsed(_IDENTITY, await self._ask("GET", "/pow/operator"))
        profiles = bytes.fromhex(found.profiles)
        self.identity = Identity(found.operator, bytes(found.genesis), found.program, profiles)
        return self.identity

    async def news(self, after: int) -> News:
        """What began after a slot; waits for something to begin. Raises OperatorError."""
        answer = await self._ask("GET", f"/pow/waves?after={after}", seconds=POLL_SECONDS)
        found = parsed(_NEWS, answer)
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
        said = parsed(_REFUSALS, await self._ask("POST", "/pow/pings", b"".join(answers)))
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
        """The body of an answer, see :func:`keeper.chain.services.ask`. Raises OperatorError, Refused."""
        return await ask(
            self._http, method, self.url, path, content, seconds=seconds, headers=headers, dropped=dropped
        )


async def _noise(size: int) -> AsyncIterator[bytes]:
    """So many bytes that nothing on the way makes smaller."""
    piece = secrets.token_bytes(PIECE)
    for left in range(size, 0, -PIECE):
        yield piece[:left]
