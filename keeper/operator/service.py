"""The challenge service over HTTP: what devices send, what they and other operators read.

``POST /pow/commit``, ``/pow/ping`` and ``/pow/opening`` take binary bodies of exact lengths, ``/pow/pings``
several answers in one; ``GET`` and ``POST /pow/transfer/<slot>/<device>`` measure a device's line; ``GET``
``/pow/operator``, ``/pow/waves``, ``/pow/hours/<hour>`` with its files and ``/pow/openings/<sha256>`` give
what there is. Nothing is secret. A refusal is ``application/problem+json`` with a stable code and what to do.

No body is read that isn't as long as it has to be, and none longer than it may take. A connection on which
something was refused that was not read ends with the answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from solders.pubkey import Pubkey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from keeper.chain import SigningFailed
from keeper.operator.claims import Due
from keeper.operator.clusters.office import Office
from keeper.operator.clusters.service import BoardService
from keeper.operator.desk import Desk
from keeper.operator.http import (
    BODY_SECONDS,
    NUMBER,
    Refused,
    address_of,
    exact,
    length_of,
    problem,
    slow,
    some,
)
from keeper.operator.intake import COMMIT_BYTES, PING_BYTES
from keeper.operator.line import Turn
from keeper.operator.operator import Operator
from keeper.operator.progress import progress
from keeper.operator.refusals import Refusal, Why, told
from keeper.operator.store import FILE, HASH, HOUR
from keeper.operator.transfer import Download, upload
from keeper.pow.connectivity import Direction
from keeper.pow.messages import PONGS, Opening

VERSION = 1
OPENING_SECONDS = 30.0
"""For an opening: 35 kB, and up to some hundreds with many processors."""
OPENINGS_BYTES = 256 << 20
"""Of openings that are on their way at a time, half of them from where their devices aren't known: more have
to wait."""
MAX_OPENING = 4 << 20
"""Longer than any opening of any profile; the exact length is known once the first 96 bytes are read."""
POLL_SECONDS = 25.0
HOLD_SECONDS = 2.0
"""How long who sends too much waits for the answer."""
MAX_WAITING = 16_384
"""Of those at a time, with 5 kB each; further ones are answered at once."""
SLOT_LIMIT = 1 << 63
SENT = "commit", "ping", "opening", "transfer", "messages", "proofs", "links", "knocks"
MESSAGES = {each: each for each in SENT} | {"pings": "ping"}
"""What a device, or a member of a cluster, sends, by the path that it sends it to."""
FRESH_SECONDS = 60.0
"""After so long without a block the service isn't ready."""


def identity(desk: Desk, genesis: str) -> dict[str, Any]:
    """Whose service it is, and for which network: what a worker asks first; ``genesis`` is base58."""
    return {
        "version": VERSION,
        "operator": str(desk.operator),
        "genesis": genesis,
        "program": str(desk.network.program),
        "profiles": desk.profiles.hash.hex(),
    }


class Service:
    """The endpoints of an operator's service."""

    def __init__(self, operator: Operator, genesis: str) -> None:
        """``genesis`` is the chain's genesis hash, base58."""
        self._operator, self._desk = operator, operator.desk
        self._genesis = genesis
        self._coming = self._held = 0

    # -- what devices send ---------------------------------------------------------------------

    async def commit(self, request: Request) -> Response:
        """A commit: the receipt."""
        data = await exact(request, COMMIT_BYTES)
        taken = self._desk.intake.commit(data, address_of(request), self._desk.monotonic())
        if isinstance(taken, Refusal):
            raise Refused(taken)
        try:
            receipt = await self._desk.receipt(taken)
        except SigningFailed as error:
            self._desk.log.error("pow.receipt_unsigned", reason=str(error))
            busy = Refusal(Why.BUSY, "The commit is kept; its receipt can't be signed now: send it again.", 5)
            raise Refused(busy) from error
        self._desk.took("commit")
        return Response(receipt, media_type="application/octet-stream")

    async def ping(self, request: Request) -> Response:
        """An answer to a ping."""
        data = await exact(request, PING_BYTES)
        refusal = self._desk.intake.ping(data, address_of(request), self._desk.monotonic())
        if refusal is not None:
            raise Refused(refusal)
        self._desk.took("ping")
        return Response(status_code=204)

    async def pings(self, request: Request) -> Response:
        """Answers of several devices to pings: what was refused of them, in their order."""
        data = await some(request, PING_BYTES, PONGS)
        refusals = self._desk.intake.answers(data, address_of(request), self._desk.monotonic())
        for each in refusals:
            if each is None:
                self._desk.took("ping")
            else:
                self._desk.refused("ping", each.why)
        await self.hold(each.why for each in refusals if each is not None)
        return JSONResponse(told(refusals))

    async def hold(self, refused: Iterable[str]) -> None:
        """Let who sends too much wait for the answer: a flood is as fast as it is answered."""
        if Why.TOO_MANY in refused and self._held < MAX_WAITING:
            self._held += 1
            await self._desk.news.closing(HOLD_SECONDS)
            self._held -= 1

    async def opening(self, request: Request) -> Response:
        """An opening: its header says what it must be, before the rest is read."""
        length = length_of(request)
        if not Opening.HEADER < length <= MAX_OPENING:
            raise Refused(Refusal(Why.WRONG_LENGTH, f"No opening has {length} bytes."), unread=True)
        expected, blob = await self._read_opening(request, length)
        if refusal := self._desk.intake.bind(expected, blob):
            raise Refused(refusal)
        digest = await run_in_threadpool(self._desk.store.put_opening, blob)
        self._operator.collecting.keep(expected, blob, digest)
        self._desk.took("opening")
        return Response(status_code=204)

    async def _read_opening(self, request: Request, length: int) -> tuple[Due, bytes]:
        address, pieces = address_of(request), request.stream()
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for piece in pieces:
                    body += piece
                    if len(body) >= Opening.HEADER:
                        break
        except TimeoutError:
            raise Refused(slow(BODY_SECONDS), unread=True) from None
        head = bytes(body[: Opening.HEADER])
        expected = self._desk.intake.expected(head, length, address, self._desk.monotonic())
        if isinstance(expected, Refusal):
            raise Refused(expected, unread=True)
        # Room is kept for what is owed, and not for what a stranger says that it will send.
        known = self._desk.intake.gate.is_home(address, bytes(expected.commit.device))
        if self._coming + length > (OPENINGS_BYTES if known else OPENINGS_BYTES // 2):
            raise Refused(Refusal(Why.BUSY, "Too many openings at once: send it again.", 2), unread=True)
        self._coming += length
        try:
            async with asyncio.timeout(OPENING_SECONDS):
                async for piece in pieces:
                    body += piece
        except TimeoutError:
            raise Refused(slow(OPENING_SECONDS), unread=True) from None
        finally:
            self._coming -= length
        return expected, bytes(body[Opening.HEADER :])

    async def download(self, request: Request) -> Response:
        """Bytes to a device, timed."""
        if request.method != "GET":  # An answer to HEAD has no bytes, and takes no time.
            raise HTTPException(405)
        return Download(self._operator.line, self._turn(request, Direction.DOWN), request)

    async def upload(self, request: Request) -> Response:
        """Bytes from a device, timed; without any, whether they would be taken.

        A refusal of a body that is on its way may not be read: the connection ends while the device sends.
        """
        length, size = length_of(request), self._operator.line.size
        if length not in (0, size):
            raise Refused(Refusal(Why.WRONG_LENGTH, f"{size} bytes are transferred."), unread=True)
        turn = self._turn(request, Direction.UP)
        if not length:
            return Response(status_code=204)
        if not await upload(self._operator.line, turn, request):
            raise Refused(Refusal(Why.BUSY, "A wave has begun: come again after it.", 60), unread=True)
        return Response(status_code=204, headers={"connection": "close"})  # It may not be read to its end.

    def _turn(self, request: Request, direction: Direction) -> Turn:
        slot, device = request.path_params["slot"], request.path_params["device"]
        try:
            address = bytes(Pubkey.from_string(device))
        except ValueError:
            raise Refused(Refusal(Why.UNKNOWN_DEVICE, "A device is an address."), unread=True) from None
        if not NUMBER.fullmatch(slot):
            raise Refused(Refusal(Why.UNKNOWN_WAVE, "A slot is a number."), unread=True)
        signature = request.headers.get("authorization", "")
        turn = self._operator.line.admit(int(slot), address, direction, signature, address_of(request))
        if isinstance(turn, Refusal):
            raise Refused(turn, unread=True)
        return turn

    # -- what anybody reads --------------------------------------------------------------------

    async def about(self, request: Request) -> Response:
        """Whose service it is, and for which network."""
        self._admit(request)
        return JSONResponse(identity(self._desk, self._genesis))

    async def waves(self, request: Request) -> Response:
        """Waves, pings and blocks of picks above a slot; waits a while for there to be some."""
        self._admit(request)
        text = request.query_params.get("after", "0")
        if not NUMBER.fullmatch(text) or int(text) >= SLOT_LIMIT:
            raise Refused(Refusal(Why.NOT_FOUND, "after is a slot: ?after=123."))
        after, news = int(text), self._desk.news
        if not news.is_new(after):
            await news.wait(POLL_SECONDS)
        return JSONResponse(news.after(after), headers={"cache-control": "no-store"})

    async def hour(self, request: Request) -> Response:
        """The files of an hour, with hash and size."""
        self._admit(request)
        return JSONResponse(await run_in_threadpool(self._desk.store.listing, _hour(request)))

    async def file(self, request: Request) -> Response:
        """One of them."""
        self._admit(request)
        name = request.path_params["name"]
        path = self._desk.store.path(_hour(request), name) if FILE.fullmatch(name) else None
        if path is None or not path.is_file():
            raise Refused(Refusal(Why.NOT_FOUND, "There is no such file here."))
        return FileResponse(path, media_type="application/octet-stream")

    async def blob(self, request: Request) -> Response:
        """An opening by its hash."""
        self._admit(request)
        name = request.path_params["sha256"]
        path = self._desk.store.opening_path(bytes.fromhex(name)) if HASH.fullmatch(name) else None
        if path is None or not path.is_file():
            raise Refused(Refusal(Why.NOT_FOUND, "There is no such opening here."))
        return FileResponse(path, media_type="application/octet-stream")

    # -- monitoring ----------------------------------------------------------------------------

    async def health(self, request: Request) -> Response:
        """Whether the service runs."""
        self._admit(request)
        return JSONResponse({"alive": True})

    async def ready(self, request: Request) -> Response:
        """Whether it sees the chain; how far it is; what it took and refused since its start."""
        self._admit(request)
        desk = self._desk
        age = desk.monotonic() - self._operator.looked_at
        is_ready = age < FRESH_SECONDS
        found = {
            "ready": is_ready,
            "seconds_since_block": round(age, 1) if self._operator.looked_at > float("-inf") else None,
            "slot": desk.newest,
            "devices": len(desk.intake.roster.entries),
            "unverified": desk.book.unverified_count(),
            "counts": dict(sorted(desk.counts.items())),
            **progress(desk),
        }
        return JSONResponse(found, 200 if is_ready else 503)

    def _admit(self, request: Request) -> None:
        wait = self._desk.intake.gate.read(address_of(request), self._desk.monotonic())
        if wait:
            raise Refused(Refusal(Why.TOO_MANY, "Too many requests from here: wait.", max(1, round(wait))))


def application(operator: Operator, genesis: str, office: Office | None = None) -> Starlette:
    """The service of ``operator``, for a chain with the genesis hash ``genesis`` (base58).

    With an ``office`` it has the board of clusters, too.
    """
    service, desk = Service(operator, genesis), operator.desk

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        desk.refused(_message(request), error.refusal.why)
        await service.hold([error.refusal.why])
        return problem(error.refusal, closes=error.unread)

    async def other(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        is_method = error.status_code == 405  # noqa: PLR2004 - HTTP's number
        why = Why.WRONG_METHOD if is_method else Why.NOT_FOUND
        desk.refused(_message(request), why)
        return problem(Refusal(why, "There is nothing like this here: see docs/operator.md."), closes=True)

    async def gone(request: Request, error: Exception) -> Response:
        return Response(status_code=400)  # To nobody.

    def post(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(path, endpoint, methods=["POST"])

    return Starlette(
        routes=[
            post("/pow/commit", service.commit),
            post("/pow/ping", service.ping),
            post("/pow/pings", service.pings),
            post("/pow/opening", service.opening),
            Route("/pow/transfer/{slot}/{device}", service.download),
            post("/pow/transfer/{slot}/{device}", service.upload),
            Route("/pow/operator", service.about),
            Route("/pow/waves", service.waves),
            Route("/pow/hours/{hour}", service.hour),
            Route("/pow/hours/{hour}/{name}", service.file),
            Route("/pow/openings/{sha256}", service.blob),
            Route("/health", service.health),
            Route("/ready", service.ready),
            *(BoardService(office, desk, genesis).routes() if office else ()),
        ],
        exception_handlers={Refused: refused, HTTPException: other, ClientDisconnect: gone},
    )


def _message(request: Request) -> str:
    """What a device sends by a request, for monitoring: ``read`` for all that isn't a message."""
    name = request.url.path.removeprefix("/pow/").removeprefix("/compute/").partition("/")[0]
    return MESSAGES.get(name, "read")


def _hour(request: Request) -> int:
    text = request.path_params["hour"]
    if not re.fullmatch(HOUR, text):
        raise Refused(Refusal(Why.NOT_FOUND, "An hour is a number, counted from the first of the emission."))
    return int(text)
