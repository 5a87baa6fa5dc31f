"""Operators' services over real HTTP that speak the wire protocol, and misbehave when they are told to."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256

import base58
import uvicorn
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keeper.clients import staking
from keeper.pow.clock import WaveKind
from keeper.pow.messages import Commit, Opening, Pong, Receipt, Signed, decode
from keeper.pow.seeds import wave_seed
from keeper.worker.client import OpenAt, PingAt, WaveAt

GENESIS = sha256(b"a chain").digest()
PROGRAM = staking.PROGRAM.address
DAY = 1_800_057_600
"""Unix seconds of the start of a day."""
TIME = DAY + 3_600
"""Of a wave's block."""


def blockhash(slot: int, of: str = "") -> bytes:
    return sha256(f"block {slot} {of}".encode()).digest()


class Service:
    """One operator. What it was sent is in its lists, as it came; ``misbehave`` overrides a path's answer."""

    def __init__(self, name: str, workers: Sequence[Keypair]) -> None:
        self.key = Keypair.from_seed(sha256(name.encode()).digest())
        self.workers = {staking.device_address(each.pubkey()): each.pubkey() for each in workers}
        self.genesis, self.program = GENESIS, PROGRAM
        self.slot = 0
        self.places: list[tuple[int, WaveAt | PingAt | OpenAt]] = []
        """What it tells, each at a slot above all that it told before."""
        self.commits: list[Signed[Commit]] = []
        self.pongs: list[Pong] = []
        self.openings: list[Opening] = []
        self.requests: Counter[str] = Counter()
        self.misbehave: dict[str, list[Response | float | None]] = {}
        """By path, what is answered in turn, the last for ever: seconds of silence, or None for the truth."""
        self.news = asyncio.Condition()
        self.url = ""

    async def tell(self, *items: WaveAt | PingAt | OpenAt, slot: int | None = None) -> None:
        async with self.news:
            begun = [each.open_slot if isinstance(each, OpenAt) else each.slot for each in items]
            self.slot = max(self.slot, *begun) if slot is None else max(self.slot, slot)
            for each in items:
                self.slot += 1
                self.places.append((self.slot, each))
            self.news.notify_all()

    @property
    def items(self) -> list[WaveAt | PingAt | OpenAt]:
        return [each for _, each in self.places]

    # -- answers -----------------------------------------------------------------------------------

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        self.requests[path] += 1
        planned = self.misbehave.get(path)
        if planned:
            does = planned.pop(0) if len(planned) > 1 else planned[0]
            if isinstance(does, Response):
                await request.body()
                return does
            if does is not None:
                await asyncio.sleep(does)
        honest = {
            "/pow/operator": self._operator,
            "/pow/waves": self._waves,
            "/pow/commit": self._commit,
            "/pow/ping": self._ping,
            "/pow/pings": self._pings,
            "/pow/opening": self._opening,
        }
        return await honest[path](request)

    async def _operator(self, _: Request) -> Response:
        text = {"operator": str(self.key.pubkey()), "program": str(self.program)}
        genesis = base58.b58encode(self.genesis).decode()
        return JSONResponse({"version": 1, "genesis": genesis, "profiles": "00" * 32, **text})

    async def _waves(self, request: Request) -> Response:
        after = int(request.query_params["after"])
        async with self.news:
            try:
                async with asyncio.timeout(25):
                    await self.news.wait_for(lambda: self.places and self.places[-1][0] > after)
            except TimeoutError:
                pass
        new = [each for place, each in self.places if place > after]
        return JSONResponse(
            {
                "slot": self.slot,
                "waves": [
                    {
                        "slot": each.slot,
                        "blockhash": _text(each.blockhash),
                        "kind": each.kind.name.lower(),
                        "spot": each.spot,
                        "time": each.time,
                    }
                    for each in new
                    if isinstance(each, WaveAt)
                ],
                "pings": [
                    {"slot": each.slot, "seed": _text(each.seed)} for each in new if isinstance(each, PingAt)
                ],
                "opens": [
                    {
                        "slot": each.slot,
                        "open_slot": each.open_slot,
                        "open_blockhash": _text(each.open_blockhash),
                    }
                    for each in new
                    if isinstance(each, OpenAt)
                ],
            }
        )

    async def _commit(self, request: Request) -> Response:
        commit = decode(Commit, await request.body())
        message = commit.message
        if message.wave_seed not in self.seeds():
            return problem(404, "unknown_wave")
        if message.device not in self.workers:
            return problem(404, "unknown_device")
        if not commit.is_by(self.workers[message.device]):
            return problem(400, "bad_signature")
        self.commits.append(commit)
        mine = {
            each.message.root
            for each in self.commits
            if (each.message.wave_seed, each.message.device) == (message.wave_seed, message.device)
        }
        if len(mine) > 1:
            return problem(409, "conflict")
        receipt = Receipt(self.key.pubkey(), message.hash(), 7_000)
        return Response(receipt.sign(self.key).encode())

    async def _ping(self, request: Request) -> Response:
        pong = decode(Pong, await request.body())
        if not pong.is_by(self.workers[pong.message.device]):
            return problem(400, "bad_signature")
        self.pongs.append(pong.message)
        return Response(status_code=204)

    async def _pings(self, request: Request) -> Response:
        body, size = await request.body(), 128
        told: list[dict[str, str] | None] = []
        for at in range(0, len(body), size):
            pong = decode(Pong, body[at : at + size])
            right = pong.is_by(self.workers[pong.message.device])
            told.append(None if right else {"code": "bad_signature"})
            if right:
                self.pongs.append(pong.message)
        return JSONResponse(told)

    async def _opening(self, request: Request) -> Response:
        self.openings.append(Opening.decode(await request.body()))
        return Response(status_code=204)

    def seeds(self) -> set[bytes]:
        """Of the waves that it has told of."""
        waves = (each for each in self.items if isinstance(each, WaveAt))
        return {wave_seed(GENESIS, PROGRAM, each.slot, each.blockhash) for each in waves}


def problem(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    text = json.dumps({"code": code, "detail": "said the test"})
    return Response(text, status, headers, media_type="application/problem+json")


@asynccontextmanager
async def serving(services: Sequence[Service]) -> AsyncIterator[None]:
    """Serve them meanwhile; each gets its URL."""
    servers, tasks = [], []
    for service in services:
        app = Starlette(routes=[Route("/{path:path}", service.answer, methods=["GET", "POST"])])
        config = uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=0)
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        servers.append(server)
        tasks.append(asyncio.create_task(server.serve()))
    try:
        for service, server in zip(services, servers, strict=True):
            while not server.started:
                await asyncio.sleep(0.01)
            service.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield
    finally:
        for server in servers:
            server.should_exit = True
            server.force_exit = True
        await asyncio.gather(*tasks)


def wave(slot: int, kind: WaveKind = WaveKind.PRODUCT, of: str = "", time: int = TIME) -> WaveAt:
    return WaveAt(slot, blockhash(slot, of), kind, False, time)


def opened(slot: int, of: str = "") -> OpenAt:
    return OpenAt(slot, slot + 150, blockhash(slot + 150, of))


def ping(slot: int) -> PingAt:
    return PingAt(slot, wave_seed(GENESIS, PROGRAM, slot, blockhash(slot)))


def device_of(worker: Keypair) -> Pubkey:
    return staking.device_address(worker.pubkey())


def _text(data: bytes) -> str:
    return base58.b58encode(data).decode()
