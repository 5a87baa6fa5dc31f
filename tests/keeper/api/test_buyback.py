"""Auctions as the chain has them, in pages."""

from tests.keeper.api.conftest import Client
from tests.keeper.api.life import Life
from tests.programs.buyback.world import USDC


async def test_auctions_are_the_chains(api: Client, world: Life) -> None:
    found = await api.data("/auctions")
    assert [(each["number"], each["state"]) for each in found] == [(2, "open"), (1, "unsold"), (0, "sold")]
    for each in found:
        real = world.auction(each["number"])
        for name in ("lot", "start_price", "floor_price", "started_at", "ends_at", "price", "cost"):
            assert each[name] == str(getattr(real, name)), name
        assert each["bidder"] == str(real.bidder)
    assert found[1]["price_now"] is found[2]["price_now"] is None


async def test_pages_are_the_whole_list(api: Client) -> None:
    for order in ("asc", "desc"):
        whole = await api.data("/auctions", order=order)
        rows, after = [], None
        while True:
            asked = {"limit": 1, "order": order} | ({"after": after} if after else {})
            page = (await api.ask("/auctions", **asked)).json()
            rows += page["data"]
            after = page["next"]
            if after is None:
                break
        assert rows == whole
        assert len(rows) == 3


async def test_csv_has_the_same_rows(api: Client) -> None:
    rows = await api.data("/auctions")
    answer = await api.ask("/auctions", format="csv", limit=2)
    lines = answer.text.splitlines()
    assert lines[0].split(",") == list(rows[0])
    assert len(lines) == 3
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    link = answer.headers["link"].partition(">")[0].removeprefix("<")
    rest = await api.http.get(link)
    assert rest.text.splitlines()[1].split(",")[:2] == [rows[2]["address"], "sold"]


async def test_one_auction(api: Client, world: Life) -> None:
    assert (await api.data("/auctions/0"))["cost"] == str(world.auction(0).cost)
    missing = await api.ask("/auctions/3")
    assert (missing.status_code, missing.json()["detail"]) == (404, "there was no auction 3")
    assert (await api.ask("/auctions/-1")).status_code == 400
    assert (await api.ask(f"/auctions/{2**32}")).status_code == 400


async def test_the_sums(api: Client, world: Life) -> None:
    found = await api.data("/buyback")
    config = world.buyback_config()
    assert found["open_auction"] == 2
    assert (found["sold"], found["unsold"]) == (1, 1)
    assert int(found["usdc_sold"]) == config.usdc_sold == world.auction(0).lot
    assert int(found["burned_auctions"]) == world.auction(0).cost
    assert int(found["fees_usdc"]) == config.fees_usdc
    assert int(found["next_lot"]) >= 100 * USDC
