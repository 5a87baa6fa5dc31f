"""One operator's board, as a device and a renter speak to it: bounded, nothing of it believed unchecked."""

from __future__ import annotations

from base64 import b64decode
from itertools import pairwise
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import httpx2 as httpx
from pydantic import Field, TypeAdapter
from solders.pubkey import Pubkey

from keeper.chain.services import OperatorError, ask, parsed
from keeper.chain.shapes import Address, BlockHash, Shape
from keeper.compute.bodies import NONCE
from keeper.compute.probe import SEED
from keeper.compute.refusals import WireError
from keeper.compute.relay import LINK
from keeper.compute.wire import MAX_MESSAGE, Equivocation, Network, Signed, decode

POLL_SECONDS = 35.0
"""For an answer that an operator may hold back for 25 seconds."""
MOST_LINKS = 4_096
_BASE64 = r"^[A-Za-z0-9+/]*={0,2}$"
Port = Annotated[int, Field(strict=True, ge=1, lt=1 << 16)]
Text = Annotated[str, Field(max_length=4 * MAX_MESSAGE, pattern=_BASE64)]


class Identity(NamedTuple):
    """Whose board it is, and where its relay is: a host and a UDP port, None without one."""

    operator: Pubkey
    relay: tuple[str, int] | None


class Posted(NamedTuple):
    """A message's number on a board (0 of a BEAT), and what the sender's next BEAT has to repeat there.

    ``probe`` is a seed that the sender's sandbox is asked about (:mod:`~keeper.compute.probe`), or empty.
    """

    number: int
    nonce: bytes
    probe: bytes = b""


class Numbered(NamedTuple):
    """A rightly signed message of an order, and its number on the board that gave it."""

    number: int
    signed: Signed


class _Identity(Shape):
    version: Annotated[int, Field(strict=True, ge=1, le=1)]
    operator: Address
    genesis: BlockHash
    program: Address
    relay: Port | None


class _Posted(Shape):
    number: Annotated[int, Field(strict=True, ge=0, lt=1 << 63)]
    nonce: Annotated[str, Field(pattern=rf"^([0-9a-f]{{{2 * NONCE}}})?$")]
    probe: Annotated[str, Field(pattern=rf"^([0-9a-f]{{{2 * SEED}}})?$")] = ""


class _Nonce(Shape):
    nonce: Annotated[str, Field(pattern=rf"^[0-9a-f]{{{2 * NONCE}}}$")]


class _Row(Shape):
    number: Annotated[int, Field(strict=True, ge=1, lt=1 << 63)]
    data: Text


class _Rows(Shape):
    messages: Annotated[list[_Row], Field(max_length=64)]


class _Links(Shape):
    port: Port | None
    links: Annotated[
        dict[Address, Annotated[str, Field(pattern=rf"^[0-9a-f]{{{2 * LINK}}}$")]],
        Field(max_length=MOST_LINKS),
    ]


_IDENTITY, _POSTED, _NONCE = TypeAdapter(_Identity), TypeAdapter(_Posted), TypeAdapter(_Nonce)
_ROWS, _LINKS = TypeAdapter(_Rows), TypeAdapter(_Links)
_ADDRESSES = TypeAdapter(Annotated[list[Address], Field(max_length=1_024)])
_TEXTS = TypeAdapter(Annotated[list[Text], Field(max_length=128)])


class Board:
    """One operator's board, by the URL of its service. Every method raises OperatorError, Refused."""

    def __init__(self, url: str, network: Network, http: httpx.AsyncClient) -> None:
        """``http`` may be that of others, too."""
        self.url = url.rstrip("/")
        self.network = network
        self._http = http
        self.identity: Identity | None = None
        """What it last said of itself."""

    async def identify(self) -> Identity:
        """Ask it who it is; one of another chain or orders program is none."""
        found = parsed(_IDENTITY, await self._ask("GET", "/compute/board"))
        if (bytes(found.genesis), found.program) != (self.network.genesis, self.network.program):
            raise OperatorError(f"{self.url} is a board of another network, on {found.genesis}")
        self.identity = Identity(found.operator, self._relay(found.relay))
        return self.identity

    async def post(self, signed: Signed) -> Posted:
        """Have a message taken."""
        found = parsed(_POSTED, await self._ask("POST", "/compute/messages", signed.encode()))
        return Posted(found.number, bytes.fromhex(found.nonce), bytes.fromhex(found.probe))

    async def after(self, order: Pubkey, number: int, *, waits: bool = True) -> list[Numbered]:
        """What is said in an order behind a number; nothing after 25 seconds, or at once if it doesn't wait.

        A board whose numbers don't rise, or that gives what nobody signed, is an OperatorError.
        """
        path = f"/compute/orders/{order}/messages?after={number}{'' if waits else '&wait=0'}"
        found = parsed(_ROWS, await self._ask("GET", path, seconds=POLL_SECONDS)).messages
        for each in found:
            if each.number <= number:
                raise OperatorError(f"{self.url}: message {each.number} comes after {number}")
            number = each.number
        return [Numbered(each.number, self._signed(each.data, order)) for each in found]

    async def nonce(self, order: Pubkey, worker: Pubkey) -> bytes:
        """What a worker's next BEAT has to repeat."""
        path = f"/compute/orders/{order}/nonces/{worker}"
        return bytes.fromhex(parsed(_NONCE, await self._ask("GET", path)).nonce)

    async def beats(self, order: Pubkey) -> list[Signed]:
        """The last BEAT of each of an order's workers."""
        found: list[Signed] = []
        while some := await self._texts(order, "beats", found[-1].message.sender if found else None):
            found += [self._signed(each, order) for each in some]
            _require_rise(self.url, [each.message.sender for each in found])
        return found

    async def proofs(self, order: Pubkey) -> list[Equivocation]:
        """Proofs against those of an order who said two things."""
        found: list[Equivocation] = []
        while some := await self._texts(order, "proofs", found[-1].first.message.sender if found else None):
            try:
                found += [Equivocation.decode(_bytes(each), self.network) for each in some]
            except WireError as error:
                raise OperatorError(f"{self.url}: no proof: {error}") from error
            if any(each.first.message.order != order for each in found):
                raise OperatorError(f"{self.url}: a proof of another order than {order}")
            _require_rise(self.url, [each.first.message.sender for each in found])
        return found

    async def accuse(self, proof: Equivocation) -> None:
        """Have a proof kept."""
        await self._ask("POST", "/compute/proofs", proof.encode())

    async def knock(self, data: bytes) -> None:
        """Tell its operator that it was reached: see :mod:`keeper.compute.knocks`."""
        await self._ask("POST", "/compute/knocks", data)

    async def links(self, asking: bytes) -> tuple[tuple[str, int] | None, dict[Pubkey, bytes]]:
        """The relay's host and port (None without one), and who asks' link to each other member's key.

        ``asking`` is a :func:`keeper.compute.relay.bind` of :data:`~keeper.compute.relay.NO_LINK`.
        """
        found = parsed(_LINKS, await self._ask("POST", "/compute/links", asking))
        links = {other: bytes.fromhex(link) for other, link in found.links.items()}
        return self._relay(found.port), links

    async def silent(self, at: int) -> list[Pubkey]:
        """The leases that its operator doesn't hear at a full minute (unix seconds)."""
        return parsed(_ADDRESSES, await self._ask("GET", f"/compute/observations/{at}"))

    async def observation(self, at: int, lease: Pubkey) -> bytes:
        """What its operator saw of a lease at a full minute: see :mod:`keeper.compute.observations`."""
        return await self._ask("GET", f"/compute/observations/{at}/{lease}")

    # -- inside ----------------------------------------------------------------------------------

    def _relay(self, port: int | None) -> tuple[str, int] | None:
        """A relay is on its board's own machine."""
        return None if port is None else (urlsplit(self.url).hostname or "", port)

    async def _texts(self, order: Pubkey, what: str, after: Pubkey | None) -> list[str]:
        behind = "" if after is None else f"?after={after}"
        return parsed(_TEXTS, await self._ask("GET", f"/compute/orders/{order}/{what}{behind}"))

    def _signed(self, text: str, order: Pubkey) -> Signed:
        try:
            signed = decode(_bytes(text), self.network, order)
            signed.verify()
        except WireError as error:
            raise OperatorError(f"{self.url}: no message of the order: {error}") from error
        return signed

    async def _ask(
        self, method: str, path: str, content: bytes | None = None, seconds: float | None = None
    ) -> bytes:
        if seconds is None:
            return await ask(self._http, method, self.url, path, content)
        return await ask(self._http, method, self.url, path, content, seconds=seconds)


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise OperatorError(f"what should be base64 isn't: {error}") from error


def _require_rise(url: str, senders: list[Pubkey]) -> None:
    """Raise OperatorError unless keys rise: else a board could give pages without end."""
    if any(bytes(one) >= bytes(next_) for one, next_ in pairwise(senders)):
        raise OperatorError(f"{url}: senders that aren't in the order of their keys")
