"""An hour checked in Chromium, from a real node and a site that is honest, or lies in one way at a time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keeper.api.service import application, guarded
from keeper.clients import tokenomics
from keeper.db.visitors import Visitors
from keeper.economy.supply import io
from keeper.rewards.publication import claimable, read_manifest
from keeper.runtime.serving import served
from keeper.web.app import install
from tests.browser.sites import LIMITS, LOCAL, node, running
from tests.keeper.api.conftest import life
from tests.keeper.api.life import Life
from tests.programs.orders.world import IO
from tests.programs.world import key

__all__ = ["life"]
pytestmark = pytest.mark.browser
DRIVER = Path(__file__).parent / "check.mjs"
OWNER = key("supplier a").pubkey()
FOREIGN = "site.example"
"""A name that Chromium finds on this machine: a page from there has no secure context."""

Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Lie:
    """What a site changes of the answers at one path; None takes the answer away."""

    path: str
    change: Change | None


LIES = {
    "honest": None,
    "reward": Lie(r"/rewards/1/rewards\.csv", lambda data: data.replace(b",1,2,0,", b",1,1,0,", 1)),
    "lifetime": Lie(r"/rewards/1/wallets\.csv", lambda data: re.sub(rb",(\d)", rb",9\1", data, count=1)),
    "input": Lie(r"/rewards/1/inputs\.csv", lambda data: data.replace(b",80000000000,", b",8000000000x,", 1)),
    "manifest": Lie(r"/rewards/1/manifest\.json", lambda data: data.replace(b'"paid":', b'"paid":1', 1)),
    "missing": Lie(r"/rewards/1/classes\.csv", None),
    "larger": Lie(r"/rewards/1/manifest\.json", lambda data: data + b" " * 20_000),
    "proof": Lie(r"/api/v1/blocks/1/proof/.*", lambda data: data.replace(b'"lifetime":"', b'"lifetime":"1')),
    "wrong hour": Lie(r"/api/v1/blocks/1/proof/.*", lambda data: data.replace(b'"hour":1', b'"hour":0')),
    "no proof": Lie(r"/api/v1/blocks/1/proof/.*", lambda data: b'{"data":{}}'),
    "page": Lie(r"/wallets/.*", lambda data: re.sub(rb'data-earned="', rb'data-earned="7', data)),
    "root": Lie(
        r"/blocks/1", lambda data: re.sub(rb'data-root="[0-9a-f]{64}', b'data-root="' + b"ab" * 32, data)
    ),
    "points": Lie(r"/rewards/seasons/1/points\.csv", lambda data: data.replace(b",gpu,4", b",gpu,5", 1)),
    "no points": Lie(r"/rewards/seasons/1/points\.csv", None),
    "part": Lie(r"/api/v1/seasons/1/proof/.*", lambda data: data.replace(b'"amount":"', b'"amount":"1')),
    "no part": Lie(r"/api/v1/seasons/1/proof/.*", lambda data: b'{"data":{}}'),
    "season's root": Lie(
        r"/seasons/1", lambda data: re.sub(rb'data-root="[0-9a-f]{64}', b'data-root="' + b"ab" * 32, data)
    ),
}
ABSENT = key("absent").pubkey()
SEASON_LIES = ("points", "part", "no part", "season's root")


class Lying:
    """A site whose answers at a path are others."""

    def __init__(self, app: ASGIApp, lie: Lie | None) -> None:
        self._app, self._lie = app, lie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lie = self._lie
        if lie is None or scope["type"] != "http" or not re.fullmatch(lie.path, scope["path"]):
            await self._app(scope, receive, send)
            return
        started: dict[str, Any] = {}
        body = bytearray()

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            data = lie.change(bytes(body)) if lie.change else b"gone"
            assert data != bytes(body), "nothing was changed"
            headers = [each for each in started["headers"] if each[0] != b"content-length"]
            status = started["status"] if lie.change else 404
            await send(
                {**started, "status": status, "headers": [*headers, (b"content-length", b"%d" % len(data))]}
            )
            await send({"type": "http.response.body", "body": data})

        await self._app(scope, receive, changed)


@dataclass
class Sites:
    """Where each site is, and the node."""

    node: str
    ports: dict[str, int] = field(default_factory=dict)

    def url(self, name: str, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.ports[name]}{path}"


@pytest.fixture(scope="module")
def sites(life: tuple[Life, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """A node and the sites, on a thread of their own."""
    world, index = life
    folder = tmp_path_factory.mktemp("sites")
    world.chain.save(folder / "life.chain")

    async def start(stack: AsyncExitStack) -> Sites:
        found = Sites(await stack.enter_async_context(node(folder / "life.chain")))
        for number, (name, lie) in enumerate(LIES.items()):
            file = shutil.copy(index, folder / f"{number}.db")
            app = application(Visitors(f"sqlite:///{file}"), rewards=world.folder)
            install(app)
            found.ports[name] = await stack.enter_async_context(
                served(Lying(guarded(app, LIMITS), lie), LOCAL, 0, "")
            )
        return found

    with running(start) as found:
        yield found


@pytest.fixture(scope="module")
def told(sites: Sites, chromium: str) -> dict[str, Any]:
    """What the pages say in each scenario; one browser plays them all."""
    block, wallet, season = "/blocks/1", f"/wallets/{OWNER}", f"/seasons/1?wallet={ABSENT}"

    def scenario(site: str, path: str, level: int, **more: Any) -> dict[str, Any]:
        return {"name": site, "url": sites.url(site, path), "node": sites.node, "level": level, **more}

    audit = {"hour": "0", "wallet": str(OWNER)}
    nowhere = "http://127.0.0.1:9"
    scenarios = [
        scenario("honest", block, 3),
        scenario("honest", wallet, 3, name="wallet"),
        scenario("honest", "/audit", 2, name="audit", fields=audit),
        scenario("honest", "/audit", 1, name="later", fields={"hour": "77"}),
        scenario("honest", block, 1, name="away", node=nowhere),
        scenario("honest", block, 1, name="plain http", node="http://node.example:8899"),
        scenario("honest", block, 1, name="no node", node=sites.url("honest", "/api/v1/network")),
        scenario("honest", block, 2, name="insecure", url=sites.url("honest", block, FOREIGN)),
        *(scenario(each, block, 3) for each in ("reward", "input", "manifest", "missing", "larger", "root")),
        scenario("lifetime", block, 2),
        *(scenario(each, wallet, 1) for each in ("proof", "wrong hour", "no proof", "page")),
        scenario("honest", season, 2, name="season"),
        scenario("honest", f"/seasons/1?wallet={OWNER}", 2, name="none of it"),
        *(scenario(each, season, 2) for each in (*SEASON_LIES, "no points")),
    ]
    given = {"executablePath": chromium, "hosts": f"MAP {FOREIGN} 127.0.0.1", "scenarios": scenarios}
    command = ["node", str(DRIVER)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def wrong(told: dict[str, Any], name: str) -> list[tuple[str, str]]:
    """The lines of a scenario that don't hold: the state and what is said."""
    return [(each["state"], each["says"]) for each in told[name]["lines"] if each["state"] != "right"]


BLAMED = "Whoever serves this page gave something else than"


def test_an_honest_site_holds_at_every_level(told: dict[str, Any], life: tuple[Life, Path]) -> None:
    manifest = read_manifest(life[0].folder, 1)
    for name in ("honest", "wallet"):
        assert told[name]["status"] == "All of it holds.", told[name]
        assert told[name]["complaints"] == []
        values = [each["value"] for each in told[name]["lines"]]
        hashes = {manifest.root, manifest.hash, manifest.previous}
        assert set(values) >= hashes | {each.sha256 for each in manifest.files.values()}
        assert told[name]["lines"][-1]["value"] == "computed in this browser, every byte equal"
    claim = claimable(life[0].folder, 1, OWNER)
    titles = [each["title"] for each in told["wallet"]["lines"]]
    assert f"the leaf: this wallet, {io(claim.lifetime)} IO" in titles
    assert sum(each.startswith("hashed with sibling ") for each in titles) == len(claim.proof) // 32


def test_a_season_holds_down_to_its_points(told: dict[str, Any], life: tuple[Life, Path]) -> None:
    found = told["season"]
    assert (found["status"], found["complaints"]) == ("All of it holds.", []), found
    real = tokenomics.parse_season(life[0].account(tokenomics.season_address(1)).data)
    values = [each["value"] for each in found["lines"]]
    assert {real.root.hex(), real.data_hash.hex()} <= set(values)
    assert (found["lines"][-1]["title"][-4:], values[-1]) == ("of 2", f"{io(600 * IO)} IO")
    assert f"the leaf: this wallet, {io(600 * IO)} IO" in [each["title"] for each in found["lines"]]
    nothing = f"{OWNER} gets nothing in season 1"
    assert wrong(told, "none of it") == [("unknown", nothing)]
    assert told["none of it"]["lines"][-1]["title"] == "the wallet gets nothing by the points"


def test_an_hour_and_a_wallet_of_ones_own_choice(told: dict[str, Any], life: tuple[Life, Path]) -> None:
    assert told["audit"]["status"] == "All of it holds."
    values = [each["value"] for each in told["audit"]["lines"]]
    assert read_manifest(life[0].folder, 0).root in values
    assert f"{io(claimable(life[0].folder, 0, OWNER).lifetime)} IO" in values


def test_nothing_keeps_anybody_from_reading_what_is_said(told: dict[str, Any]) -> None:
    assert {name: each["barriers"] for name, each in told.items() if each["barriers"]} == {}


def test_what_isnt_known_accuses_nobody(told: dict[str, Any], sites: Sites) -> None:
    later = "emission hour 77 is not on chain: nobody attested it, or its account was closed"
    assert wrong(told, "later") == [("unknown", later)]
    ((state, says),) = wrong(told, "away")
    assert (state, says.partition(" (")[0]) == ("unknown", "your node at http://127.0.0.1:9 doesn't answer")
    ((state, says),) = wrong(told, "no node")
    assert state == "unknown" and "doesn't answer" in says
    for name in ("away", "no node"):
        assert (
            told[name]["lines"][0]["todo"] == "Name another node, such as one of your own, and check again."
        )
    elsewhere = "http://node.example:8899 is no node that a page can ask"
    assert wrong(told, "plain http") == [("unknown", elsewhere)]
    assert told["plain http"]["lines"][0]["todo"].startswith("Name one by https")
    ((state, says),) = wrong(told, "insecure")
    assert state == "unknown" and says.startswith("this page wasn't loaded securely")
    ((state, says),) = wrong(told, "missing")
    assert (state, says) == ("unknown", "1/classes.csv is missing")
    assert wrong(told, "no points") == [("unknown", "seasons/1/points.csv is missing")]


DIFFERS = "is not the file that the manifest names: its SHA-256 differs; "
HASH = "[0-9a-f]{64}"
SAID = {
    "reward": rf"1/rewards\.csv {DIFFERS}1/rewards\.csv: row \d, status: 1, but the rule gives 2",
    "input": rf"1/inputs\.csv {DIFFERS}1/inputs\.csv: row 1, own: not a whole number from 0 to {2**64 - 1}",
    "manifest": f"emission hour 1: data_hash on chain is {HASH}, but {HASH} in the published files",
    "larger": r"1/manifest\.json has more than 16384 bytes",
    "root": f"this page shows root (ab){{32}}, but on chain it is {HASH}",
    "proof": f"the proof leads to {HASH}, but the root on chain is {HASH}: the wallet didn't .*",
    "wrong hour": f"the proof is of wallet {OWNER} in hour 0, not of {OWNER} in hour 1",
    "no proof": "the answer is no proof",
    "page": r"this page says that the wallet earned 7\d+ base units, but \d+ leads to the root",
    "points": rf"points\.csv has SHA-256 {HASH}, but the season was opened with {HASH}",
    "part": f"the proof leads to {HASH}, but the root on chain is {HASH}: the wallet doesn't get .*",
    "no part": "the answer is no proof",
    "season's root": f"this page shows the root (ab){{32}}, but season 1 has {HASH} on chain",
}


@pytest.mark.parametrize(("name", "says"), SAID.items())
def test_a_lie_is_told(told: dict[str, Any], name: str, says: str) -> None:
    ((state, found),) = wrong(told, name)
    assert state == "wrong" and re.fullmatch(says, found), found
    (line,) = [each for each in told[name]["lines"] if each["state"] == "wrong"]
    opened = "what the season was opened with" if name in SEASON_LIES else "what operators attested"
    assert line["todo"].startswith(f"{BLAMED} {opened}.")
    assert told[name]["status"] == "Not all of it holds: see the lines marked ✗ or ?."


def test_a_changed_wallet_is_named_by_its_row_without_being_asked(told: dict[str, Any]) -> None:
    first, second = wrong(told, "lifetime")
    assert first == ("wrong", "1/wallets.csv is not the file that the manifest names: its SHA-256 differs")
    assert re.fullmatch(
        rf"{re.escape(first[1])}; 1/wallets\.csv: row 1, lifetime: 9\d+, but the rule gives \d+", second[1]
    )
