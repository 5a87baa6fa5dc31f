"""What a payout wallet has earned, as those say who serve reward blocks: nobody checks it here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import httpx2 as httpx
from pydantic import Field, TypeAdapter, ValidationError
from solders.pubkey import Pubkey

from keeper.chain.shapes import Number, Shape

SECONDS = 10.0
MOST_BYTES = 1 << 20


class Earned(NamedTuple):
    """All that a wallet had earned by the end of an hour, with its other devices; base units of IO."""

    hour: int
    lifetime: int


class _Hours(Shape):
    hours: list[Annotated[int, Field(strict=True, ge=0, lt=2**32)]]


class _Proof(Shape):
    hour: Number
    lifetime: Number


_HOURS, _PROOF = TypeAdapter(_Hours), TypeAdapter(_Proof)


async def earned(http: httpx.AsyncClient, peers: Sequence[str], wallet: Pubkey) -> Earned | None:
    """The newest hour that one of ``peers`` tells of; None when nobody tells of any."""
    found = [each for peer in peers if (each := await _of(http, peer.rstrip("/"), wallet)) is not None]
    return max(found, default=None)


async def _of(http: httpx.AsyncClient, peer: str, wallet: Pubkey) -> Earned | None:
    try:
        hours = _HOURS.validate_json(await _read(http, f"{peer}/rewards")).hours
        if not hours:
            return None
        path = f"{peer}/rewards/{max(hours)}/proof/{wallet}"
        proof = _PROOF.validate_json(await _read(http, path))
    except (httpx.HTTPError, httpx.InvalidURL, ValidationError):
        return None
    return Earned(proof.hour, proof.lifetime)


async def _read(http: httpx.AsyncClient, url: str) -> bytes:
    """An answer's first bytes; what is longer is no JSON then. Raises httpx.HTTPError."""
    body = bytearray()
    async with http.stream("GET", url, timeout=SECONDS) as answer:
        answer.raise_for_status()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > MOST_BYTES:
                break
    return bytes(body)
