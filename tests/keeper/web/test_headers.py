"""What a browser is told of every answer, whichever path it is of and whoever refuses it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from keeper.api.limits import Limits
from keeper.api.service import application, guarded
from keeper.budgets import Rate
from keeper.db.visitors import Visitors
from keeper.web import assets
from keeper.web.app import install, refusal_of
from keeper.web.style import STYLE_PATH
from tests.keeper.api.life import Life

PATHS = {
    "/": 200,
    "/nothing": 404,
    "/devices?x=1": 400,
    "/api/v1/network": 200,
    "/api/v1/nothing": 404,
    "/api/openapi.json": 200,
    "/rewards": 200,
    "/rewards/1/manifest.json": 200,
    "/rewards/1/wallets.csv": 200,
    "/rewards/1/nothing": 404,
    "/static/nothing.js": 404,
    f"/static/{assets.own_file('lease')}": 200,
    f"/static/{assets.own_file('check-worker')}": 200,
    STYLE_PATH: 200,
    "/" + "x" * 3_000: 414,
}


@pytest.fixture
async def served(life: tuple[Life, Path], tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """The whole of it behind its limits, asked by a proxy on this machine."""
    database = Visitors(f"sqlite:///{shutil.copy(life[1], tmp_path / 'index.db')}")
    app = application(database, rewards=life[0].folder)
    install(app)
    limits = Limits(questions=Rate(50, 1))
    transport = httpx2.ASGITransport(guarded(app, limits, refusal_of(app)), client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://site") as http:
        yield http
    await database.close()


async def test_every_path_has_them(served: httpx2.AsyncClient) -> None:
    for path, status in PATHS.items():
        answer = await served.get(path, headers={"accept": "text/html, */*;q=0.8"})
        assert answer.status_code == status, path
        for name, value in (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")):
            assert answer.headers.get_list(name) == [value], (path, name)
        (policy,) = answer.headers.get_list("content-security-policy")
        assert policy.startswith("default-src 'none'"), path
        assert ("sandbox" in policy) == path.startswith(("/api/", "/rewards")), path
        assert "strict-transport-security" not in answer.headers, path
    while (answer := await served.get("/api/v1/nothing")).status_code != 429:
        pass
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_whoever_is_asked_by_tls_is_so_for_a_year(served: httpx2.AsyncClient) -> None:
    """A proxy on this machine says so; what a visitor wrote before its word counts for nothing."""
    for told, is_so in (("https", True), ("http", False), ("https, http", False), ("http, https", True)):
        for path in ("/", "/api/v1/network", "/rewards/1/manifest.json"):
            answer = await served.get(path, headers={"x-forwarded-proto": told})
            found = answer.headers.get("strict-transport-security")
            assert found == ("max-age=31536000" if is_so else None), (told, path)


async def test_a_strangers_word_for_tls_is_none(served: httpx2.AsyncClient) -> None:
    app = served._transport.app  # type: ignore[attr-defined]
    transport = httpx2.ASGITransport(app, client=("192.0.2.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://site") as http:
        answer = await http.get("/", headers={"x-forwarded-proto": "https"})
        assert "strict-transport-security" not in answer.headers
    async with httpx2.AsyncClient(transport=transport, base_url="https://site") as http:
        assert "strict-transport-security" in (await http.get("/")).headers
