"""What an operator publishes over HTTP: files as they are, and a wallet's proof.

``GET /rewards/{hour}/{file}`` returns a published file (with ``?sha256=``: that one or none),
``GET /rewards/seasons/{number}/points.csv`` an airdrop season's points,
``GET /rewards/slashes/{sha256}.bin`` what operators voted to slash for, ``/rewards/faults/{hash}/lease.json``
and ``/{number}.observation`` beside it what they voted for a fault by,
``GET /rewards/{hour}/proof/{wallet}`` what the wallet can claim by that hour's root, and ``GET /rewards`` the
hours that are published. Of the market there are a tick's files, ``GET /market/{T // 2880}/{T}/{file}``, and
an hour's steps, ``GET /market/prices/{hour}.csv``. Nothing here has to be trusted: hashes and roots are on
chain, and the proof follows from ``wallets.csv``.
"""

from __future__ import annotations

import os
import re
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qsl

from solders.pubkey import Pubkey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from keeper.api.headers import FOREVER
from keeper.api.proofs import proof_of
from keeper.compute.verdicts import FAULTS, SERVED
from keeper.market.files import KINDS
from keeper.market.folder import PRICES
from keeper.market.manifest import NAME as TICK_MANIFEST
from keeper.rewards import publication
from keeper.rewards.proofs import FOLDER as SLASHES
from keeper.rewards.publication import (
    FILES,
    MANIFEST,
    NothingEarned,
    PublicationError,
    published_hours,
)
from keeper.rewards.seasons import FOLDER as SEASONS
from keeper.rewards.seasons import POINTS

HOUR = r"\d{1,9}"
FILE = re.compile(
    f"{HOUR}/({'|'.join(map(re.escape, (*FILES, MANIFEST)))})"
    f"|{SEASONS}/{HOUR}/{re.escape(POINTS)}|{SLASHES}/[0-9a-f]{{64}}\\.bin|{FAULTS}/({SERVED.pattern})"
)
"""What is published; what is still being written lies beside it."""


TICK_FILE = re.compile(
    f"{HOUR}/{HOUR}/({'|'.join(map(re.escape, (*KINDS, TICK_MANIFEST)))})|{PRICES}/{HOUR}\\.csv"
)
"""The same of the market."""


class _Published(StaticFiles):
    """The files of a folder that are published, and nothing else of it."""

    def __init__(self, folder: Path, published: re.Pattern[str]) -> None:
        super().__init__(directory=folder)
        self._published = published

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        return super().lookup_path(path) if self._published.fullmatch(path) else ("", None)


class _Market(Mount):
    """Where ticks' and steps' files are; any other path below it is for who comes next: pages have some."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a path is that of a file."""
        found, child = super().matches(scope)
        is_file = TICK_FILE.fullmatch(scope["path"].removeprefix(f"{self.path}/"))
        return (found, child) if is_file else (Match.NONE, {})


class _Hours(_Published):
    """Hours' files, each by its name, or by its SHA-256 as well.

    Until an hour is final, it may be published anew: whoever asks by hash, such as a page that checks what is
    on chain, isn't given another one for it, which would look as if it had been tampered with.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FILE)
        self._hours = folder

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Raise HTTPException where a hash is asked for that the hour's manifest doesn't name."""
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("sha256")
        if asked is not None and self._published.fullmatch(path):
            await run_in_threadpool(self._require, path, asked)
        found = await super().get_response(path, scope)
        if asked is not None and found.status_code == HTTPStatus.OK:
            # By its hash it is this one and no other.
            found.headers["cache-control"] = FOREVER
        return found

    def _require(self, path: str, asked: str) -> None:
        if not re.fullmatch("[0-9a-f]{64}", asked):
            raise HTTPException(400, "sha256 is none: one has 64 digits, in hexadecimal")
        hour, _, name = path.partition("/")
        try:
            found = publication.files_of(publication.read_manifest(self._hours, int(hour)))[name].sha256
        except (ValueError, PublicationError) as error:
            raise HTTPException(404, f"{path} isn't published here") from error
        if found != asked:
            raise HTTPException(404, f"{path} is another one here: its SHA-256 is {found}")


def application(folder: Path, market: Path | None = None) -> Starlette:
    """Serve the reward blocks in ``folder``, and ticks and steps in ``market``; both must exist."""

    async def hours(request: Request) -> Response:
        # In a thread: a folder of 20 years has 175,320 hours.
        return JSONResponse({"hours": await run_in_threadpool(published_hours, folder)})

    async def proof(request: Request) -> Response:
        number = request.path_params["hour"]
        if not re.fullmatch(HOUR, number):
            raise HTTPException(400, f"no hour: {number[:20]}")
        try:
            wallet = Pubkey.from_string(request.path_params["wallet"])
        except ValueError as error:
            raise HTTPException(400, f"no address: {error}") from error
        try:
            found = await proof_of(folder, int(number), wallet)
        except NothingEarned as error:
            raise HTTPException(404, str(error)) from error
        return JSONResponse(found.json())

    of_market = [] if market is None else [_Market("/market", _Published(market, TICK_FILE))]
    return Starlette(
        routes=[
            Route("/rewards", hours),
            Route("/rewards/{hour}/proof/{wallet}", proof),
            Mount("/rewards", _Hours(folder)),
            *of_market,
        ]
    )
