"""Pages by which a wallet signs: their scripts by hash, and a policy that lets them ask one node alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keeper.clients.buyback import auction_address
from keeper.clients.staking import class_address
from keeper.settings.explorer import Explorer
from keeper.web import assets
from keeper.web.app import install
from tests.keeper.api.conftest import Client, asking
from tests.keeper.api.life import Life
from tests.programs.staking.world import GPU_CLASS

NODE = "http://node.example:8899/", "ws://node.example:8900/"


EXPLORER = Explorer("https://explorer.example/{tx,account}/{id}?cluster=custom")


async def test_what_is_on_chain_leads_to_an_explorer(life: tuple[Life, Path], tmp_path: Path) -> None:
    file = shutil.copy(life[1], tmp_path / "index.db")
    async with asking(file, life[0].folder, lambda app: install(app, None, EXPLORER)) as client:
        led = {name: path for name, path in (await pages(client)).items() if name not in ("order", "stake")}
        for path in led.values():
            of = str(auction_address(2)) if path.startswith("/auctions") else path.split("/")[-1]
            page = (await client.http.get(path)).text
            assert f'href="https://explorer.example/account/{of}?cluster=custom"' in page, path
        device = (await pages(client))["device"].removeprefix("/devices/")
        (happened, *_) = await client.data("/transactions", address=device)
        page = (await client.http.get(f"/tx/{happened['signature']}")).text
        assert f'href="https://explorer.example/tx/{happened["signature"]}?cluster=custom"' in page


BESIDE = {"explorer": "data-explored", "check": "data-check"}
"""Scripts that need no node, by what of a page they are for."""


@pytest.fixture
async def signing(life: tuple[Life, Path], tmp_path: Path) -> AsyncIterator[Client]:
    file = shutil.copy(life[1], tmp_path / "index.db")
    async with asking(file, life[0].folder, lambda app: install(app, NODE)) as client:
        yield client


async def pages(client: Client) -> dict[str, str]:
    """A page for each island, by the island's name."""
    (device,) = (await client.data("/devices?limit=1"))[:1]
    lease = next(each for each in await client.data("/leases") if each["state"] == "running")
    wallet = f"/wallets/{device['supplier']}"
    order = next(each for each in await client.data("/orders") if not each["closed_at"])
    return {
        "order": f"/market/{GPU_CLASS}",
        "opened": f"/orders/{order['address']}",
        "device": f"/devices/{device['address']}",
        "claim": wallet,
        "stake": f"/stake?wallet={device['supplier']}",
        "auction": "/auctions/2",
        "lease": f"/leases/{lease['address']}",
    }


async def test_each_island_has_its_place_and_its_files_by_their_hashes(signing: Client) -> None:
    for name, path in (await pages(signing)).items():
        page = (await signing.http.get(path)).text
        own = {"auction": auction_address(2), "order": class_address(GPU_CLASS)}
        of = str(own.get(name, re.split("[/=]", path)[-1]))
        assert f'<div class="island" id="{name}" data-of="{of}">' in page
        assert f'<meta name="ionet-node" content="{NODE[0]}">' in page
        named = re.findall(r'(?:href|src)="/static/([^"]+)" integrity="([^"]+)"', page)
        files = assets.manifest()["files"]
        checks = [each for each, mark in BESIDE.items() if mark in page]
        needed = {
            each for island in ("theme", name, *checks) for each in assets.manifest()["entries"][island]
        }
        assert sorted(set(named)) == sorted((each, files[each]["integrity"]) for each in needed)
        assert page.count("<script") == 2 + len(checks) and 'style="' not in page
        for each, _ in named:
            answer = await signing.http.get(f"/static/{each}")
            assert answer.content == (assets.BUILT / each).read_bytes()
            assert answer.headers["content-type"].startswith("text/javascript")
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_the_policy_lets_pages_ask_nodes_and_run_our_files(signing: Client) -> None:
    answer = await signing.http.get("/")
    policy = dict(each.split(" ", 1) for each in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    # The site's node, and one of the viewer's own choice: by TLS, or on their machine.
    own = "https: wss: http://127.0.0.1:* http://localhost:* ws://127.0.0.1:* ws://localhost:*"
    assert policy["connect-src"] == f"'self' http://node.example:8899 ws://node.example:8900 {own}"
    assert policy["require-trusted-types-for"] == "'script'"
    assert re.findall(r'<script[^>]* src="/static/([a-z-]+)-', answer.text) == ["theme"]


async def test_what_was_not_built_is_not_served(signing: Client) -> None:
    for path in ("manifest.json", "missing.js", "..%2Fapp.py", "%2e%2e%2fapp.py"):
        assert (await signing.http.get(f"/static/{path}")).status_code == 404


async def test_without_a_node_no_page_signs(site: Client) -> None:
    for path in (await pages(site)).values():
        page = (await site.http.get(path)).text
        scripts = re.findall(r'<script[^>]* src="/static/([a-z-]+)-', page)
        assert (
            scripts == ["theme", *(each for each, mark in BESIDE.items() if mark in page)]
            and "island" not in page.partition("</head>")[2]
        )
