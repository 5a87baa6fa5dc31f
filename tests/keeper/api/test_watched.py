"""Offers, slashes, the market, what there is to audit, and what is looked for: by the chain's accounts."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keeper import resources
from keeper.clients import staking
from keeper.clients.programs import PROGRAMS
from keeper.db.shapes import NOBODY
from keeper.web.app import install
from tests.keeper.api.conftest import Client, asking
from tests.keeper.api.life import WORKERS, index
from tests.keeper.api.watched import CLASS, EVIDENCE, OFFER, PART, SHARE, STEPS, Watched
from tests.keeper.web.test_pages import Page
from tests.programs.orders.world import ASK_IO
from tests.programs.world import HOUR

WEEK, YEAR, BPS = 168, 8_760, 10_000


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, Path]:
    folder = tmp_path_factory.mktemp("watched")
    world, file = Watched.watched(folder / "rewards"), folder / "index.db"
    asyncio.run(index(world, f"sqlite:///{file}"))
    return world, file


@pytest.fixture
def world(life: tuple[Watched, Path]) -> Watched:
    return life[0]


@pytest.fixture
async def api(life: tuple[Watched, Path]) -> AsyncIterator[Client]:
    async with asking(life[1], life[0].folder, install) as client:
        yield client


def address(world: Watched, worker: str) -> str:
    return str(staking.device_address(world.read_device(worker).worker))


async def test_offers_begin_with_the_smallest(world: Watched, api: Client) -> None:
    found = await api.data("/offers")
    assert [each["device"] for each in found] == [address(world, "a3"), address(world, "b2")]
    for worker, row in zip(("a3", "b2"), found, strict=True):
        device = world.read_device(worker)
        assert (int(row["offer"]), row["offer_reward_bps"]) == (device.offer, device.offer_reward_bps)
        assert (int(row["own"]), row["class"]) == (device.own, device.device_class)
    assert [int(each["offer"]) for each in found] == [OFFER, 2 * OFFER]
    assert {each["offer_reward_bps"] for each in found} == {SHARE}
    assert [each["device"] for each in await api.data("/offers", max_io=OFFER)] == [address(world, "a3")]
    assert await api.data("/offers", min_share=SHARE + 1) == []
    assert len(await api.data("/offers", **{"class": world.read_device("a3").device_class})) == 2


async def test_pages_of_offers_are_the_whole_list(api: Client) -> None:
    whole = await api.data("/offers")
    first = (await api.ask("/offers", limit=1)).json()
    second = (await api.ask("/offers", limit=1, after=first["next"])).json()
    assert first["data"] + second["data"] == whole
    assert second["next"] is None
    assert await api.data("/offers", order="desc") == whole[::-1]


async def test_a_year_follows_from_the_hours_rewards(world: Watched, api: Client) -> None:
    """The published hours are of other machines: a device that wasn't in them has nothing to tell."""
    rows = [row for hour in range(2) for row in await api.data(f"/blocks/{hour}/devices")]
    of = {each["device"]: [row for row in rows if row["device"] == each["device"]] for each in rows}
    for row in await api.data("/offers"):
        hours = of.get(row["device"])
        if not hours:
            assert (row["earned_week"], row["paid_hours"], row["yearly_bps"]) == (None, None, None)
            continue
        earned = sum(int(each["reward"]) for each in hours)
        assert int(row["earned_week"]) == earned
        assert row["yearly_bps"] == earned * SHARE * YEAR // (WEEK * int(row["offer"]))


async def test_slashes_are_the_chains(world: Watched, api: Client) -> None:
    found = {each["evidence"]: each for each in await api.data("/slashes")}
    assert set(found) == {EVIDENCE.hex(), (b"o" * 32).hex()}
    pending, voting = found[EVIDENCE.hex()], found[(b"o" * 32).hex()]
    at = staking.slash_address(staking.device_address(world.read_device("b2").worker), EVIDENCE)
    assert pending["address"] == str(at)
    assert (pending["state"], pending["bps"], pending["votes_cast"]) == ("pending", PART, 2)
    fields = staking.PROGRAM.account("Slash", world.account(at).data)
    assert int(pending["appeal_until"]) == fields["appeal_until"]
    assert pending["can_be_appealed"] is True
    assert (voting["state"], voting["votes_cast"], voting["can_be_appealed"]) == ("voting", 1, False)
    assert await api.data("/slashes", state="pending") == [pending]
    assert len(await api.data("/slashes", device=address(world, "b2"))) == 2
    assert await api.data("/slashes", device=address(world, "a1")) == []
    assert await api.data(f"/slashes/{at}") == pending
    assert (await api.ask(f"/slashes/{address(world, 'a1')}")).status_code == 404


async def test_the_market_is_what_devices_ask_and_operators_announced(world: Watched, api: Client) -> None:
    (row,) = [each for each in await api.data("/market") if each["id"] == CLASS]
    fields = staking.parse_class(world.account(staking.class_address(CLASS)).data)
    assert fields.price_hour == world.priced_hour
    holds, (before, after) = (world.priced_hour + 2) * HOUR, [int(e["amount"]) for e in row["quotes"]["IO"]]
    assert after == -(-before * (BPS + STEPS[0]) // BPS)
    assert [each["holds_from"] for each in row["quotes"]["IO"]] == [world.chain.now(), holds]
    devices = [world.read_device(each) for each in WORKERS]
    leased = sum(each.processors for each in devices if each.lease != NOBODY)
    free = [each.processors for each in devices if each.lease == NOBODY]
    ready = sum(free)
    assert (row["ready"], row["leased"]) == (ready, leased)
    assert row["utilisation_bps"] == leased * BPS // (ready + leased)
    (ask,) = await api.data(f"/market/{CLASS}/depth")
    assert ask == {"ask": str(ASK_IO), "devices": len(free), "processors": ready}
    # They are all in one country; prices are the same in all of them.
    for country, there in (("CH", row), ("DE", row | {"ready": 0, "leased": 0, "utilisation_bps": None})):
        found = await api.data("/market", country=country)
        assert [each for each in found if each["id"] == CLASS] == [there]
    assert await api.data(f"/market/{CLASS}/depth", country="CH") == [ask]
    assert await api.data(f"/market/{CLASS}/depth", country="DE") == []
    assert (await api.ask("/market", country="ch")).status_code == 400
    (step,) = await api.data(f"/market/{CLASS}/history")
    assert (step["step_io"], step["step_usdc"], step["holds_from"]) == (*STEPS, holds)
    # The step is still to be made: the account, too, has the price before it.
    assert int(step["price_io"]) == fields.price_io == before
    for path in ("depth", "history"):
        assert (await api.ask(f"/market/999/{path}")).status_code == 404


async def test_the_audit_has_the_programs_and_what_was_compared(world: Watched, api: Client) -> None:
    found = await api.data("/audit")
    for name, program in PROGRAMS.items():
        build = found["builds"][name]
        assert build["sha256"] == hashlib.sha256(resources.binary(name)).hexdigest()
        assert build["address"] == str(program.address)
        compared = found["compared"][name]
        accounts = [data for data in (await world.chain.program_accounts(program.address)).values()]
        assert (compared["accounts"], compared["differences"]) == (len(accounts), [])
        assert compared["halted"] is None
        assert compared["deployed_sha256"] == build["sha256"]
        assert compared["is_this_build"] is True
    config = world.staking_config()
    assert [each["address"] for each in found["operators"]] == list(map(str, config.params.operators))
    assert found["threshold"] == config.params.threshold
    names = [each["event"] for each in found["changes"]]
    assert names.count("Initialized") == len(PROGRAMS)
    slots = [each["slot"] for each in found["changes"]]
    assert slots == sorted(slots, reverse=True)


async def test_days_add_up_to_the_programs_own_sums(world: Watched, api: Client) -> None:
    async def total(program: str, name: str) -> int:
        return sum(int(each["amount"]) for each in await api.data("/days", program=program, name=name))

    config, books = world.staking_config(), await api.data("/supply")
    assert await total("tokenomics", "emitted") == int(books["emitted"]) > 0
    assert await total("tokenomics", "burned") == int(books["burned"]) > 0
    assert await total("staking", "staked") == config.staked > 0
    assert await total("staking", "claimed") == config.claimed > 0
    assert await total("buyback", "auctioned_usdc") == world.buyback_config().usdc_sold > 0
    assert await total("staking", "slashed") == 0
    whole = await api.data("/days", program="staking", name="registered")
    assert [each["starts_at"] for each in whole] == sorted(
        (each["starts_at"] for each in whole), reverse=True
    )
    assert sum(each["count"] for each in whole) == len(WORKERS)


async def test_a_devices_hours_are_those_of_the_files(api: Client) -> None:
    rows = [row for hour in range(2) for row in await api.data(f"/blocks/{hour}/devices")]
    for device in {row["device"] for row in rows}:
        own = [row for row in rows if row["device"] == device]
        assert await api.data(f"/devices/{device}/hours", order="asc") == own
        first = (await api.ask(f"/devices/{device}/hours", limit=1)).json()
        second = (await api.ask(f"/devices/{device}/hours", limit=1, after=first["next"])).json()
        assert first["data"] + second["data"] == own[::-1]


async def test_an_hours_reasons_are_those_of_its_devices(api: Client) -> None:
    rows = await api.data("/blocks/0/devices")
    found = await api.data("/blocks/0/reasons")
    assert sum(each["devices"] for each in found) == len(rows) == len(WORKERS)
    for each in found:
        alike = [row for row in rows if (row["status"], row["reasons"]) == (each["status"], each["reasons"])]
        assert len(alike) == each["devices"]
    assert {each["status"] for each in found} > {"succeeded"}
    assert (await api.ask("/blocks/7/reasons")).status_code == 404


async def test_devices_of_an_hour_that_are_kept_no_more(life: tuple[Watched, Path], tmp_path: Path) -> None:
    """The hour is still there, and where its devices are is said."""
    file = tmp_path / "index.db"
    with sqlite3.connect(life[1]) as whole, sqlite3.connect(file) as copy:
        whole.backup(copy)
        copy.execute("DELETE FROM hour_device WHERE hour = 0")
        copy.execute("DELETE FROM hour_device WHERE hour = 1")
        copy.execute("DELETE FROM hour_total WHERE hour = 1")
    async with asking(file, life[0].folder, install) as api:
        for path in ("devices", "reasons"):
            answer = await api.ask(f"/blocks/0/{path}")
            assert answer.status_code == 410
            assert "rewards.csv" in answer.json()["detail"]
            answer = await api.ask(f"/blocks/1/{path}")
            assert answer.status_code == 404
            assert "aren't taken in yet" in answer.json()["detail"]
        page = await api.http.get("/blocks/0")
        assert page.status_code == 200
        assert "rewards.csv of the hour's files has them" in Page(page.text).text


async def test_what_is_looked_for_is_found(world: Watched, api: Client) -> None:
    device = world.read_device("a1")
    at = str(staking.device_address(device.worker))
    for asked, kind, path in (
        (at, "devices", f"/devices/{at}"),
        (str(device.worker), "devices", f"/devices/{device.worker}"),
        (str(device.supplier), "wallets", f"/wallets/{device.supplier}"),
        (" 1 ", "blocks", "/blocks/1"),
    ):
        assert await api.data("/search", q=asked) == {"kind": kind, "path": path}
        assert (await api.ask(path)).status_code == 200
    assert (await api.ask("/search", q="nonsense")).status_code == 404


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/offers", ("Devices that look for a co-staker", "25 %", "10.00000000")),
        ("/slashes", ("pending", "10 %", "voting")),
        ("/audit", ("Check it yourself", "2 of 3 must say the same", "0 differences", "pass the same")),
        (f"/market/{CLASS}", ("Its price", "What its devices ask for")),
    ],
)
async def test_pages_show_them(api: Client, path: str, words: tuple[str, ...]) -> None:
    answer = await api.http.get(path)
    assert answer.status_code == 200, answer.text
    said = Page(answer.text).text
    assert not [each for each in words if each not in said]
    assert not re.search(r"<script(?![^>]* src=)", answer.text)


async def test_the_page_of_a_slash(world: Watched, api: Client) -> None:
    at = staking.slash_address(staking.device_address(world.read_device("b2").worker), EVIDENCE)
    answer = await api.http.get(f"/slashes/{at}")
    assert answer.status_code == 200, answer.text
    assert f"ionet slash show {EVIDENCE.hex()}" in answer.text
    assert answer.text.count("/tx/") >= 3
