"""Published reward blocks over HTTP: the files as they are, and a wallet's proof.

``GET /rewards/{hour}/{file}`` gives a published file, ``GET /rewards/{hour}/proof/{wallet}`` what the
wallet can claim by that hour's root, and ``GET /rewards`` the hours that there are. Nothing here has
to be trusted: the files' hashes are on chain, and the proof follows from ``wallets.csv``.
"""

from __future__ import annotations

from pathlib import Path

from solders.pubkey import Pubkey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from keeper.rewards.publication import PublicationError, claimable, published_hours


def application(folder: Path) -> Starlette:
    """Serve what is published in ``folder``, which must exist."""

    async def hours(request: Request) -> Response:
        return JSONResponse({"hours": published_hours(folder)})

    async def proof(request: Request) -> Response:
        try:
            wallet = Pubkey.from_string(request.path_params["wallet"])
        except ValueError as error:
            raise HTTPException(400, f"no address: {error}") from error
        try:
            # A block of a million wallets is read and hashed: beside the other requests.
            found = await run_in_threadpool(claimable, folder, request.path_params["hour"], wallet)
        except PublicationError as error:
            raise HTTPException(404, str(error)) from error
        return JSONResponse(found.json())

    return Starlette(
        routes=[
            Route("/rewards", hours),
            Route("/rewards/{hour:int}/proof/{wallet}", proof),
            Mount("/rewards", StaticFiles(directory=folder)),
        ]
    )
