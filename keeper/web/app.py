"""Pages beside the API: rendered on the server. Scripts, our own built files, are there to sign alone."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from keeper.api import problems
from keeper.api.headers import ALWAYS, FOREVER, adding
from keeper.api.index import Index
from keeper.settings.explorer import Explorer
from keeper.web import assets
from keeper.web.once import Once
from keeper.web.pages import (
    audit,
    blocks,
    buyback,
    devices,
    found,
    market,
    network,
    offers,
    orders,
    positions,
    seasons,
    settings,
    wallets,
)
from keeper.web.rendering import render
from keeper.web.style import STYLE, STYLE_PATH
from keeper.web.visits import late

ROUTERS = tuple(
    each.router
    for each in (
        *(network, devices, offers, market, blocks, orders, buyback, wallets, positions, audit, found),
        *(seasons, settings),
    )
)
NODE = "node"
"""The state's name of the node that browsers ask: its URL and where it sends notices, or None."""
LOCAL = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "ws://localhost")
"""This machine, for a page that isn't on it."""
KEPT = {"cache-control": FOREVER}
"""Headers of what has another name as soon as it changes."""


ANY_NODE = ("https:", "wss:", *(f"{each}:*" for each in LOCAL))
"""Where pages that sign may ask, too: a node of the viewer's own choice, as no page can know it beforehand.

What is loaded and run is ours alone, by its hash, and a page knows no secret that could be sent there.
"""


def headers(node: tuple[str, str] | None) -> dict[str, str]:
    """What every page has: no script but ours runs in one; with ``node``, nodes are asked beside us."""
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        " ".join(("connect-src 'self'", *(() if node is None else (*map(_origin, node), *ANY_NODE)))),
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        # Of a worker's address alone, by the page that checks an hour: web/src/islands/check.ts.
        "trusted-types ionet-worker",
    )
    return ALWAYS | {
        "content-security-policy": "; ".join(policy),
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }


CHECKER = "check-worker"
"""The island that checks an hour, in a worker: it sees no wallet, signs nothing, and writes into no page."""
CHECKER_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self' https: http://127.0.0.1:* http://localhost:*",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Its own: a check is worth something because it asks the viewer's own node, whatever that is."""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def install(app: FastAPI, node: tuple[str, str] | None = None, explorer: Explorer | None = None) -> None:
    """Serve pages at all paths that the API ``app`` doesn't have.

    ``node`` are the URLs at which browsers ask a chain and hear of it: without it no page signs. What is on
    the chain is shown by ``explorer``, too, if there is one.
    """
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    pages.state = app.state
    setattr(pages.state, NODE, node)
    pages.state.explorer = explorer
    pages.state.inputs = Once(devices.inputs)
    problems.install(pages, refusal_of(app, node))
    for router in ROUTERS:
        pages.include_router(router, default_response_class=HTMLResponse)

    @pages.get(STYLE_PATH)
    async def style() -> Response:
        return Response(STYLE, media_type="text/css", headers=KEPT)

    @pages.get(assets.PREFIX + "{name}")
    async def built(name: str) -> Response:
        found = assets.read(name)
        if found is None:
            raise HTTPException(404, "no such file was built")
        own = {"content-security-policy": CHECKER_POLICY} if name == assets.own_file(CHECKER) else {}
        return Response(found[0], media_type=found[1], headers=KEPT | own)

    @app.get("/api/{rest:path}", include_in_schema=False)
    async def missing(request: Request) -> None:
        # Who asks the API is refused in its own form.
        raise HTTPException(404)

    app.mount("/", _Guarded(pages, headers(node)))


def refusal_of(app: FastAPI, node: tuple[str, str] | None = None) -> problems.Refusal:
    """How people are refused on the pages of an API: in a page, with how old the index was when last read."""
    index: Index = app.state.index
    own = headers(node)

    def refusal(status: int, detail: str, more: Mapping[str, str] | None) -> Response:
        state = index.last_known()
        body = render(
            "refused.html",
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            late=None if state is None else late(state),
            as_of=state,
            path="",
            style_path=STYLE_PATH,
            node=None,
        )
        return HTMLResponse(body, status, own | dict(more or {}))

    return refusal


class _Guarded:
    """An application whose answers have the pages' headers; a form's empty fields ask for nothing."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app, self._headers = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            # Empty fields are left out by this, too.
            given = parse_qsl(scope["query_string"].decode("latin-1"))
            scope = {**scope, "query_string": urlencode(given).encode()}
        # A refusal has them by itself, as it may come from outside; the checker has its own policy.
        await self._app(scope, receive, adding(send, self._headers))
