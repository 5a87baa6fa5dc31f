"""Pages beside the API: rendered on the server, read only, without a line of JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keeper.api import problems
from keeper.web.pages import blocks, buyback, devices, found, network, orders, wallets
from keeper.web.rendering import render
from keeper.web.style import STYLE, STYLE_PATH

ROUTERS = tuple(each.router for each in (network, devices, blocks, orders, buyback, wallets, found))
POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
"""What every page has; no script can run in one, and nothing foreign is loaded."""


def install(app: FastAPI) -> None:
    """Serve pages at all paths that the API ``app`` doesn't have."""
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    pages.state = app.state
    problems.install(pages, _refusal)
    for router in ROUTERS:
        pages.include_router(router, default_response_class=HTMLResponse)

    @pages.get(STYLE_PATH)
    async def style() -> Response:
        return Response(
            STYLE, media_type="text/css", headers={"cache-control": "public, max-age=31536000, immutable"}
        )

    @app.get("/api/{rest:path}", include_in_schema=False)
    async def missing(request: Request) -> None:
        # Who asks the API is refused in its own form.
        raise HTTPException(404)

    app.mount("/", _Guarded(pages))


def _refusal(status: int, detail: str, headers: Mapping[str, str] | None) -> Response:
    title = HTTPStatus(status).phrase
    body = render(
        "refused.html",
        title=title,
        status=status,
        detail=detail,
        late=None,
        as_of=None,
        path="",
        style_path=STYLE_PATH,
    )
    return HTMLResponse(body, status, dict(headers or {}))


class _Guarded:
    """An application whose answers have the pages' headers; a form's empty fields ask for nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        if scope["type"] == "http":
            # Empty fields are left out by this, too.
            given = parse_qsl(scope["query_string"].decode("latin-1"))
            scope = {**scope, "query_string": urlencode(given).encode()}
        await self._app(scope, receive, with_headers)
