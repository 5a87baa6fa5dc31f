"""All pages, of a network in each of its states: for readers of any kind, narrow, without a script, on paper.

Which pages there are is asked of the site's own routes, so that a new one is walked through, or missed.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Match, Route

from keeper.api.service import application, guarded
from keeper.clients import orders, staking
from keeper.db.visitors import Visitors
from keeper.runtime.serving import served
from keeper.web.app import ROUTERS, install, refusal_of
from tests.browser.conftest import EVIDENCE
from tests.browser.sites import LIMITS, LOCAL, node, running
from tests.keeper.api.conftest import Client, asking
from tests.keeper.api.life import Life, index
from tests.keeper.web.test_empty import EMPTY, indexed
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import HOUR, key

pytestmark = pytest.mark.browser
DRIVER = Path(__file__).parent / "walk.mjs"
LATE = 10 * 60
WIDE, NARROW, PAPER = (1_100, 900), (320, 700), (717, 1_000)
"""Pixels; of paper A4's, within the margins that Chromium prints."""
COLOURS = ["color-contrast", "link-in-text-block"]
"""Of axe's rules those that another rendering than by light and dark can break."""
RENDERINGS: dict[str, dict[str, Any]] = {
    "light": {"size": WIDE, "media": {"colorScheme": "light"}},
    "dark": {"size": WIDE, "media": {"colorScheme": "dark"}},
    "narrow": {"size": NARROW},
    # Whoever has few colours has chosen them; what of them a page says is in its words, too.
    "forced colours": {"size": WIDE, "media": {"forcedColors": "active"}, "rules": COLOURS},
    "no script": {"size": WIDE, "script": False, "rules": []},
    # In the dark, by its system and by its settings, a page is printed like any other.
    "paper": {
        **{"size": PAPER, "theme": "dark", "rules": COLOURS},
        "media": {"media": "print", "colorScheme": "dark"},
    },
}
INK_ON_PAPER = ["rgb(255, 255, 255)", "rgb(27, 31, 36)"]


@dataclass(frozen=True)
class Walk:
    """A site, and what its pages are called by their paths; all are there, but for those that are refused."""

    url: str
    titles: dict[str, str]
    refused: dict[str, int]


async def titles_of(site: Client) -> dict[str, str]:
    """The pages of a network in life: one for each state that something is in."""
    titles = {
        **{"/": "The network", "/supply": "Supply", "/blocks": "Hours", "/devices": "Devices"},
        **{"/market": "Market", "/orders": "Orders", "/buyback": "Buyback", "/slashes": "Slashes"},
        **{"/audit": "Audit", "/settings": "Settings", "/how": "Where each figure comes from"},
        **{"/stake": "Stake", "/offers": "Offers to co-stake", "/blocks/1": "Hour 1", "/blocks/2": "Hour 2"},
        "/seasons/1": "Season 1",
        f"/seasons/1?wallet={key('absent').pubkey()}": "Season 1",
        **{f"/market/{each['id']}": each["name"] for each in (await site.data("/market"))[:1]},
        **{
            "/devices?state=terminated": "Devices",
            "/blocks?state=open": "Hours",
            "/market?country=DE": "Market",
        },
        **{"/supply?step=year": "Supply", "/blocks/0?status=failed": "Hour 0"},
    }
    kinds = {"devices": "Device", "orders": "Order", "leases": "Lease", "slashes": "Slash"}
    for kind, title in kinds.items():
        rows = await site.data(f"/{kind}")
        assert rows, kind
        for each in {(row["state"], bool(row.get("closed_at"))): row for row in rows}.values():
            titles[f"/{kind}/{each['address']}"] = f"{title} {each['address']}"
    for each in await site.data("/auctions"):
        titles[f"/auctions/{each['number']}"] = f"Auction {each['number']}"
    for name in ("supplier a", "renter", "claimant", "nobody"):
        wallet = key(name).pubkey()
        titles[f"/wallets/{wallet}"] = f"Wallet {wallet}"
        titles[f"/stake?wallet={wallet}"] = "Stake"
    of = str(key("supplier a").pubkey())
    titles[f"/history?address={of}"] = f"History of {of}"
    (happened, *_) = await site.data("/transactions", address=of, limit=1)
    titles[f"/tx/{happened['signature']}"] = f"Transaction {happened['signature']}"
    return titles


REFUSED = {
    "/nothing": 404,
    "/search?q=%3Cb%3E": 404,
    "/blocks/99": 404,
    "/devices/abc": 404,
    "/devices?colour=red": 400,
    "/wallets/abc": 400,
}


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Walk]]:
    """A network in life with a node; the same paused, by an index that is late; one in which nothing was."""
    folder = tmp_path_factory.mktemp("walks")
    world = Life.lived(folder / "rewards")
    for operator in world.operators[: world.staking_config().params.threshold]:
        vote = staking.vote_slash(operator.pubkey(), world.read_device("b2"), EVIDENCE, 1_000)
        world.do(vote, signers=[operator])
    world.attest(2, world.publish(2).attestation)
    shutil.rmtree(folder / "rewards/2")
    files = {name: folder / f"{name}.db" for name in ("life", "paused", "early")}
    asyncio.run(index(world, f"sqlite:///{files['life']}"))
    world.chain.save(folder / "life.chain")  # type: ignore[attr-defined]  # it is the embedded one
    for program, account in ((orders, orders.PROGRAM), (staking, staking.PROGRAM)):
        bits = sum(bit for name, bit in account.constants.items() if name.startswith("PAUSE_"))
        pause = program.set_pause(world.guardian.pubkey(), bits, world.chain.now() + HOUR)
        world.do(pause, signers=[world.guardian])
    indexed(world, f"sqlite:///{files['paused']}")
    indexed(OrdersWorld.ready(), f"sqlite:///{files['early']}")

    async def titles() -> dict[str, str]:
        async with asking(files["life"], world.folder) as client:
            return await titles_of(client)

    found = asyncio.run(titles())
    general = {path: title for path, title in found.items() if path in EMPTY and path != "/market/1"}

    async def start(stack: AsyncExitStack) -> list[Walk]:
        asked = await stack.enter_async_context(node(folder / "life.chain"))
        nodes = asked, asked.replace("http", "ws", 1)

        async def site(name: str, own: tuple[str, str] | None, rewards: Path | None) -> Any:
            app = application(Visitors(f"sqlite:///{files[name]}"), rewards=rewards)
            install(app, own)
            port = await stack.enter_async_context(
                served(guarded(app, LIMITS, refusal_of(app, own)), LOCAL, 0, "")
            )
            return app.state.index, f"http://127.0.0.1:{port}"

        _, life = await site("life", nodes, world.folder)
        late, paused = await site("paused", None, None)
        when = (await late.state()).looked
        late._clock = lambda: when + LATE
        _, early = await site("early", None, None)
        return [
            Walk(life, found, REFUSED),
            Walk(paused, {**general, "/blocks/1": "Hour 1"}, {"/blocks/99": 404}),
            Walk(early, general, {"/blocks/0": 404}),
        ]

    with running(start) as walked:
        yield walked


def test_the_walk_goes_to_every_route(walks: list[Walk]) -> None:
    """But for the search, which leads to others; what it doesn't find is refused in a page."""
    paths = {path.partition("?")[0] for path in walks[0].titles}
    there = [route for router in ROUTERS for route in router.routes if isinstance(route, Route)]

    def met(route: Route) -> bool:
        asked = ({"type": "http", "method": "GET", "path": path, "root_path": ""} for path in paths)
        return any(route.matches(each)[0] is Match.FULL for each in asked)

    assert [route.path for route in there if not met(route)] == ["/search"]


@pytest.mark.parametrize("name", RENDERINGS)
def test_nothing_is_wrong_with_any_page(walks: list[Walk], chromium: str, name: str) -> None:
    given = RENDERINGS[name]
    width, height = given["size"]
    for walk in walks:
        pages = [*walk.titles, *walk.refused]
        wanted = {**given, "size": {"width": width, "height": height}, "chromium": chromium}
        done = subprocess.run(
            ["node", str(DRIVER)],
            input=json.dumps({**wanted, "web": walk.url, "pages": pages}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        said = {path: (each["status"], each["title"]) for path, each in seen.items()}
        there = {path: (200, f"{title} - ionet") for path, title in walk.titles.items()}
        assert {path: said[path] for path in walk.titles} == there
        assert {path: said[path][0] for path in walk.refused} == walk.refused
        for path, each in seen.items():
            assert len(each["heading"]) == 1, path
            assert name != "paper" or each["tones"] == INK_ON_PAPER, path
        kinds = "beyond", "wrong", "unseen", "lost", "unpainted", "axe"
        barriers = {
            path: found
            for path, each in seen.items()
            if (found := [each[kind] for kind in kinds if each[kind]])
        }
        assert barriers == {}, walk.url
