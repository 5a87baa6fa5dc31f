"""The board over HTTP: what members of clusters send, what they and anybody else read.

``POST /compute/messages`` takes one signed message, ``/compute/proofs`` a proof of equivocation that somebody
found elsewhere, ``/compute/links`` a signed question for links of the relay, ``/compute/knocks`` another
operator's knock; ``GET /compute/board`` says whose board it is,
``/compute/orders/<order>/messages?after=<number>`` waits for what is said next (not with ``&wait=0``), and
``/beats``, ``/proofs`` and ``/nonces/<worker>`` beside it give the rest. All of it is public: what is secret
is sealed.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from solders.pubkey import Pubkey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keeper.chain import SigningFailed
from keeper.compute.board import BoardUnusable
from keeper.compute.knocks import KNOCK
from keeper.compute.refusals import Why as Unsaid
from keeper.compute.refusals import WireError
from keeper.compute.relay import ASKING
from keeper.compute.wire import MAX_MESSAGE
from keeper.operator.clusters.office import Office
from keeper.operator.clusters.witness import TooMany
from keeper.operator.desk import Desk
from keeper.operator.http import NUMBER, Refused, address_of, exact, up_to
from keeper.operator.refusals import Refusal, Why

VERSION = 1
POLL_SECONDS = 25.0
MAX_SILENT = 1_024
"""Leases that are named at a time: of more, the network has failed, and not they."""
MAX_PROOF = 2 + 2 * MAX_MESSAGE
NO_STORE = {"cache-control": "no-store"}
RETRY_SECONDS = {Unsaid.TOO_MANY: 18, Unsaid.WRONG_ORDER: 5, Unsaid.NOT_A_PARTY: 5}
"""When to come again: an hour has 200 messages of a sender, and the chain is looked at every five seconds."""


class BoardService:
    """The board's endpoints."""

    def __init__(self, office: Office, desk: Desk, genesis: str) -> None:
        """``genesis`` is the chain's genesis hash, base58."""
        self._office, self._desk, self._genesis = office, desk, genesis

    def routes(self) -> list[Route]:
        """For the operator's application."""

        def post(path: str, endpoint: Callable[[Request], Any]) -> Route:
            return Route(f"/compute/{path}", endpoint, methods=["POST"])

        return [
            post("messages", self.post),
            post("proofs", self.accuse),
            post("links", self.links),
            post("knocks", self.knock),
            Route("/compute/board", self.about),
            Route("/compute/observations/{minute}", self.silent),
            Route("/compute/observations/{minute}/{lease}", self.observation),
            Route("/compute/orders/{order}/messages", self.messages),
            Route("/compute/orders/{order}/beats", self.beats),
            Route("/compute/orders/{order}/proofs", self.proofs),
            Route("/compute/orders/{order}/nonces/{worker}", self.nonce),
        ]

    # -- what members send ---------------------------------------------------------------------

    async def post(self, request: Request) -> Response:
        """A message: its number, what the sender's next BEAT has to repeat, and what its sandbox is asked."""
        self._admit(request, unread=True)
        data = await up_to(request, MAX_MESSAGE)
        try:
            taken = await self._office.post(data, address_of(request))
        except (WireError, BoardUnusable) as error:
            raise self._refused(error) from error
        self._desk.took("messages")
        return JSONResponse({"number": taken.number, "nonce": taken.nonce.hex(), "probe": taken.probe.hex()})

    async def accuse(self, request: Request) -> Response:
        """A proof that a sender said two things."""
        self._admit(request, unread=True)
        data = await up_to(request, MAX_PROOF)
        try:
            await self._office.accuse(data, address_of(request))
        except (WireError, BoardUnusable) as error:
            raise self._refused(error) from error
        self._desk.took("proofs")
        return Response(status_code=204)

    async def links(self, request: Request) -> Response:
        """The links of whoever signed the question, by the key at the other end; the relay's port."""
        self._admit(request, unread=True)
        data = await exact(request, ASKING)
        try:
            found = self._office.links_of(data)
        except WireError as error:
            raise self._refused(error) from error
        port = self._office.links.port if self._office.links else None
        links = {str(other): link.hex() for other, link in found.items()}
        return JSONResponse({"port": port, "links": links}, headers=NO_STORE)

    async def knock(self, request: Request) -> Response:
        """Another operator shows that this board can be reached."""
        self._admit(request, unread=True)
        data = await exact(request, KNOCK)
        try:
            self._office.knocked(data)
        except WireError as error:
            raise self._refused(error) from error
        return Response(status_code=204)

    # -- what anybody reads --------------------------------------------------------------------

    async def about(self, request: Request) -> Response:
        """Whose board it is, for which network, and its relay's port."""
        self._admit(request)
        network = self._office.network
        found = {
            "version": VERSION,
            "operator": str(self._office.operator),
            "genesis": self._genesis,
            "program": str(network.program),
            "relay": self._office.links.port if self._office.links else None,
        }
        return JSONResponse(found)

    async def messages(self, request: Request) -> Response:
        """An order's messages behind a number; waits a while for there to be one."""
        self._admit(request)
        text = request.query_params.get("after", "0")
        if not NUMBER.fullmatch(text) or int(text) >= 1 << 63:
            raise Refused(Refusal(Why.NOT_FOUND, "after is a message's number: ?after=123."))
        try:
            seconds = 0.0 if request.query_params.get("wait") == "0" else POLL_SECONDS
            found = await self._office.after(_key(request, "order"), int(text), seconds)
        except BoardUnusable as error:
            raise self._refused(error) from error
        rows = [{"number": number, "data": b64encode(data).decode()} for number, data in found]
        return JSONResponse({"messages": rows}, headers=NO_STORE)

    async def beats(self, request: Request) -> Response:
        """The last BEATs of an order's workers, behind a worker's key."""
        return await self._some(request, self._office.board.beats)

    async def proofs(self, request: Request) -> Response:
        """Proofs against who said two things, behind a sender's key."""
        return await self._some(request, self._office.board.proofs)

    async def nonce(self, request: Request) -> Response:
        """What a worker's next BEAT has to repeat."""
        self._admit(request)
        order, worker = _key(request, "order"), _key(request, "worker")
        try:
            found = await self._office.run(self._office.board.nonce, order, worker)
        except (WireError, BoardUnusable) as error:
            raise self._refused(error) from error
        return JSONResponse({"nonce": found.hex()}, headers=NO_STORE)

    async def silent(self, request: Request) -> Response:
        """The leases that aren't heard here at a full minute, some."""
        self._admit(request)
        found = self._office.witness.silent(_minute(request))[:MAX_SILENT]
        return JSONResponse([str(each) for each in found], headers=NO_STORE)

    async def observation(self, request: Request) -> Response:
        """What was seen of a lease at a full minute, signed."""
        self._admit(request)
        try:
            found = await self._office.observation(_minute(request), _key(request, "lease"))
        except TooMany as error:
            wait = max(1, round(error.wait))
            raise Refused(Refusal(Why.TOO_MANY, "Too many observations: wait.", wait)) from error
        except SigningFailed as error:
            self._desk.log.error("board.observation_unsigned", reason=str(error))
            raise Refused(Refusal(Why.BUSY, "It can't be signed now: ask again.", 5)) from error
        if found is None:
            raise Refused(Refusal(Why.NOT_FOUND, "There is no such observation here."))
        return Response(found, media_type="application/octet-stream")

    async def _some(self, request: Request, read: Callable[[Pubkey, bytes], list[bytes]]) -> Response:
        self._admit(request)
        order = _key(request, "order")
        after = bytes(_pubkey(request.query_params["after"])) if "after" in request.query_params else b""
        try:
            found = await self._office.run(read, order, after)
        except BoardUnusable as error:
            raise self._refused(error) from error
        return JSONResponse([b64encode(each).decode() for each in found], headers=NO_STORE)

    def _admit(self, request: Request, *, unread: bool = False) -> None:
        wait = self._desk.intake.gate.read(address_of(request), self._desk.monotonic())
        if wait:
            refusal = Refusal(Why.TOO_MANY, "Too many requests from here: wait.", max(1, round(wait)))
            raise Refused(refusal, unread=unread)

    def _refused(self, error: WireError | BoardUnusable) -> Refused:
        if isinstance(error, BoardUnusable):
            self._desk.log.error("board.unusable", reason=str(error))
            return Refused(Refusal(Why.BUSY, "Nothing can be kept here now: send it again.", 5))
        return Refused(Refusal(error.why, f"{error}", RETRY_SECONDS.get(error.why, 0)))


def _minute(request: Request) -> int:
    text = request.path_params["minute"]
    if not NUMBER.fullmatch(text):
        raise Refused(Refusal(Why.NOT_FOUND, "A minute is the unix time of its first second."))
    return int(text)


def _key(request: Request, name: str) -> Pubkey:
    return _pubkey(request.path_params[name])


def _pubkey(text: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError:
        raise Refused(Refusal(Why.NOT_FOUND, "An order, and a worker, is an address.")) from None
