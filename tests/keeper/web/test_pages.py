"""Every page, on a network in life."""

from __future__ import annotations

import asyncio
import shutil
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from solders.pubkey import Pubkey

from keeper.api.service import application
from keeper.db.visitors import Visitors
from keeper.market.folder import MarketFolder
from keeper.market.steps import StepTable
from keeper.rewards.publication import PublicationError
from keeper.web.app import install
from keeper.web.once import Once
from keeper.web.pages import devices
from tests.keeper.api.conftest import Client
from tests.keeper.api.life import Life

VOID = {"meta", "link", "input", "br", "path", "line", "rect", "circle"}
FOREIGN = {"iframe", "object", "embed", "img", "video", "audio", "base", "style"}


class Page(HTMLParser):
    """What a page has in it; refuses tags that don't close as they opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script":
            assert set(given) - {"async", "blocking"} == {"type", "src", "integrity"} and str(
                given["src"]
            ).startswith("/static/")
        else:
            assert tag not in FOREIGN, tag
        assert not [name for name in given if name.startswith("on") or name == "style"], (tag, given)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        if tag == "link":
            self.loads.append(str(given["href"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_every_link_of_every_page_resolves(site: Client) -> None:
    """From the first page on, whatever is linked is there, whole, and loads nothing foreign."""
    seen: dict[str, Page | None] = {}
    # The hours' files were written for the test: their devices aren't the chain's.
    hours = [await site.data(f"/blocks/{hour}/devices") for hour in range(2)]
    invented = {f"/devices/{row['device']}" for rows in hours for row in rows}
    todo = ["/"]
    fragments: list[tuple[str, str]] = []
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        answer = await site.http.get(path)
        if answer.status_code == 404 and path in invented:
            seen[path] = None
            continue
        assert answer.status_code == 200, (path, answer.text)
        if not answer.headers["content-type"].startswith("text/html"):
            seen[path] = None
            continue
        page = seen[path] = Page(answer.text)
        assert len(set(page.ids)) == len(page.ids), path
        policy = answer.headers["content-security-policy"]
        assert "connect-src 'self';" in policy
        assert policy.startswith("default-src 'none';")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        for each in page.loads:
            assert each.startswith(("/style-", "/static/", "data:")), each
        for link in page.links:
            at = urlsplit(urljoin(f"http://site{path}", link))
            assert at.netloc == "site", link
            target = at.path + (f"?{at.query}" if at.query else "")
            if at.fragment:
                fragments.append((target, at.fragment))
            todo.append(target)
        todo += [each for each in page.loads if each.startswith("/")]
    for target, fragment in fragments:
        found = seen[target]
        assert found is not None
        assert fragment in found.ids, (target, fragment)
    kinds = {urlsplit(path).path.split("/")[1] for path in seen}
    assert kinds >= {"", "supply", "blocks", "devices", "market", "orders", "leases", "buyback", "auctions"}
    assert kinds >= {"wallets", "tx", "history", "how", "audit", "rewards"}


async def test_figures_are_the_apis(site: Client) -> None:
    """Amounts of the API, written out, are on the pages that show them."""

    async def shows(path: str, *amounts: str, decimals: int = 8) -> None:
        page = Page((await site.http.get(path)).text)
        for each in amounts:
            whole, part = divmod(int(each), 10**decimals)
            assert f"{whole:,}.{part:0{decimals}}" in page.text, (path, each)

    network = await site.data("/network")
    await shows("/", *network["supply"].values(), network["staked"], network["slashed"])
    await shows(
        "/supply", *(network["supply"][name] for name in ("supply", "circulating", "emitted", "burned"))
    )
    for row in await site.data("/blocks"):
        await shows("/blocks", row["paid"], row["pot"])
        await shows(f"/blocks/{row['hour']}", row["emitted"], row["paid"], row["carried"], row["total"])
    for row in await site.data("/devices"):
        await shows("/devices", row["own"], row["ask_io"])
        await shows(f"/devices/{row['worker']}", row["own"], row["ask_io"])
    for row in await site.data("/orders"):
        sums = [row[name] for name in ("deposit", "paid", "refunded", "held", "free")]
        await shows(f"/orders/{row['address']}", *sums, decimals=6 if row["currency"] else 8)
    wallet = network["programs"]["staking"]["admin"]
    for address in (wallet, (await site.data("/devices"))[0]["supplier"]):
        found = await site.data(f"/wallets/{address}")
        await shows(f"/wallets/{address}", found["earned"], found["claimed"], found["due"], found["staked"])
    for row in await site.data("/seasons"):
        await shows("/supply", row["total"], row["claimed"])
        await shows(f"/seasons/{row['season']}", row["total"], row["claimed"], *row["pools"])
    for row in await site.data("/auctions"):
        await shows(f"/auctions/{row['number']}", row["start_price"], row["floor_price"])


async def test_the_nomination_of_a_device_is_on_its_page(site: Client) -> None:
    (row, *_) = await site.data("/devices", state="leased")
    page = Page((await site.http.get(f"/devices/{row['address']}")).text)
    for each in ("its class is rewarded", "enough is staked", "no slash is pending", "it isn't barred"):
        assert each in page.text


async def test_what_operators_saw_counts_if_the_chain_has_its_hash(site: Client, world: Life) -> None:
    final = await site.data("/blocks/1")
    (row, *_) = await site.data("/blocks/1/devices")
    device = Pubkey.from_string(row["device"])
    rows, manifest = devices.inputs(world.folder, 1)
    found = devices.seen(rows, manifest, final["data_hash"], device)
    assert found is not None
    assert (found.hour, found.start) == (1, final["starts_at"])
    assert devices.seen(rows, manifest, final["root"], device) is None
    assert devices.seen(rows, manifest, final["data_hash"], Pubkey.default()) is None


async def test_what_is_slow_to_read_is_read_by_one_visitor_alone() -> None:
    """Those that come meanwhile wait for it, also when the first goes away; a failure isn't kept."""
    begun, go, calls = threading.Event(), threading.Event(), []

    def read(hour: int) -> int:
        calls.append(hour)
        begun.set()
        assert go.wait(60)
        if hour == 2:
            raise PublicationError("gone")
        return hour * 10

    once = Once(read)
    first, *rest = [asyncio.create_task(once(1)) for _ in range(20)]
    await asyncio.to_thread(begun.wait, 60)
    first.cancel()
    go.set()
    assert await asyncio.gather(*rest) == [10] * 19
    assert await once(1) == 10 and calls == [1]
    for _ in range(2):
        with pytest.raises(PublicationError):
            await once(2)
    assert calls == [1, 2, 2]


async def test_filters_are_the_apis_and_empty_fields_ask_for_nothing(site: Client) -> None:
    everything = "class=&state={}&country=&supplier=&has_offer=&closed="
    for state in ("ready", "leased", "short"):
        rows = await site.data("/devices", state=state)
        answer = await site.http.get(f"/devices?{everything.format(state)}")
        page = Page(answer.text)
        linked = {link.split("/")[-1] for link in page.links if link.startswith("/devices/")}
        assert linked == {row["address"] for row in rows}
        assert ("No device is like that" in page.text) == (not rows)


async def test_hours_and_their_devices_by_what_one_looks_for(site: Client) -> None:
    for path, hours, words in (
        ("/blocks?state=final&from=1", {"1"}, ""),
        ("/blocks?from=0&to=0", {"0"}, ""),
        ("/blocks?state=open", set(), "No hour is like that"),
        ("/blocks?from=7&to=9", set(), "No hour is like that"),
        ("/blocks/0?status=failed", set(), "work failed"),
        ("/blocks/0?status=missed", set(), "No device of this hour is like that"),
    ):
        page = Page((await site.http.get(path)).text)
        links = {link for link in page.links if link.startswith("/blocks/")}
        assert hours <= {link.removeprefix("/blocks/") for link in links} <= hours | {"0"}, path
        assert words in page.text, path
    failed, *paid = [row["device"] for row in await site.data("/blocks/0/devices", order="asc")]
    page = Page((await site.http.get("/blocks/0?status=failed&reason=work_failed")).text)
    assert f"/devices/{failed}" in page.links and f"/devices/{paid[0]}" not in page.links
    # What only the page can be asked is left out of the API's address.
    page = Page((await site.http.get("/blocks?state=final&to=0")).text)
    csv = next(link for link in page.links if "format=csv" in link)
    assert (await site.http.get(csv)).text.splitlines()[1].startswith("0,")


async def test_the_market_of_a_country(site: Client) -> None:
    for country, words in (("CH", "Classes without a device in CH"), ("DE", "No device is registered in DE")):
        assert words in Page((await site.http.get(f"/market?country={country}")).text).text
    page = Page((await site.http.get("/market/1?country=DE")).text)
    assert "No device that can be leased asks for IO" in page.text
    assert "/devices?class=1&country=DE" in page.links


async def test_the_next_page_goes_on(site: Client) -> None:
    path, seen = "/devices?limit=2", []
    while path:
        page = Page((await site.http.get(path)).text)
        seen += [link.split("/")[-1] for link in page.links if link.startswith("/devices/")]
        path = next((f"/devices{link}" for link in page.links if link.startswith("?")), "")
    assert seen == [row["address"] for row in await site.data("/devices")]


async def test_the_search_finds_pages(site: Client) -> None:
    device, order = (await site.data("/devices"))[0], (await site.data("/orders"))[0]
    happened = await site.data("/transactions", address=order["address"])
    signature = happened[0]["signature"]
    for looked, place in (
        (device["address"], f"/devices/{device['address']}"),
        (device["worker"], f"/devices/{device['worker']}"),
        (f" {order['address']} ", f"/orders/{order['address']}"),
        (device["supplier"], f"/wallets/{device['supplier']}"),
        (signature, f"/tx/{signature}"),
        ("1", "/blocks/1"),
    ):
        answer = await site.http.get("/search", params={"q": looked})
        assert (answer.status_code, answer.headers["location"]) == (303, place)
    answer = await site.http.get("/search", params={"q": "<b>who</b>"})
    assert answer.status_code == 404
    assert "this is no address" in Page(answer.text).text


async def test_what_is_wrong_is_said_in_a_page(site: Client) -> None:
    for path, status, words in (
        ("/nothing", 404, "Not Found"),
        ("/devices/abc", 404, "no device has this address, nor such a worker"),
        ("/seasons/9", 404, "there is no season 9"),
        ("/blocks/99", 404, "it has hours from 0 to 1"),
        ("/blocks/-1", 400, "hour"),
        ("/tx/abc", 404, "look on the chain"),
        ("/wallets/abc", 400, "address is none"),
        ("/devices?colour=red", 400, "there is no parameter colour here"),
        ("/?x=1", 400, "this page has no parameter x"),
        ("/devices?country=%3Cscript%3E", 400, "country is '<script>'"),
        ("/devices?after=abc", 400, "after is no place in this list"),
        ("/history?from=soon", 400, "from is 'soon'"),
        ("/orders/%00", 404, "no order has this address"),
    ):
        answer = await site.http.get(path)
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["content-type"].startswith("text/html")
        assert words in Page(answer.text).text, (path, answer.text)
    api = await site.http.get("/api/v1/nothing")
    assert (api.status_code, api.headers["content-type"]) == (404, "application/problem+json")


async def test_a_class_has_its_page_beside_published_files_of_the_market(
    life: tuple[Life, Path], tmp_path: Path
) -> None:
    market = MarketFolder(tmp_path / "market")
    market.write_steps(StepTable(480_000, {1: (-5, 7)}))
    database = Visitors(f"sqlite:///{shutil.copy(life[1], tmp_path / 'index.db')}")
    app = application(database, rewards=life[0].folder, market=market.path)
    install(app)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://site") as http:
        for path in ("/market", "/market/1"):
            assert (await http.get(path)).headers["content-type"].startswith("text/html"), path
        assert (await http.get("/market/prices/480000.csv")).text == "class,io,usdc\n1,-5,7\n"
        missing = await http.get("/market/prices/480001.csv")
        assert missing.status_code == 404 and "Not Found" in missing.text
    await database.close()


async def test_a_page_that_is_known_is_not_sent_again(site: Client) -> None:
    tag = (await site.http.get("/devices")).headers["etag"]
    again = await site.http.get("/devices", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_an_index_that_is_late_says_so(site: Client) -> None:
    app = site.http._transport.app  # type: ignore[attr-defined]
    when = (await app.state.index.state()).looked
    app.state.index._clock = lambda: when + 4 * 60 + 30
    page = Page((await site.http.get("/")).text)
    assert "The index is 4 minutes behind" in page.text
    app.state.index._clock = lambda: when + 30
    assert "minutes behind" not in Page((await site.http.get("/")).text).text
