"""What a wallet has staked, part by part, with the date from which each can be taken out."""

from __future__ import annotations

from types import SimpleNamespace

from keeper.economy.staking import CoStakeState
from keeper.economy.supply import IO
from keeper.web.pages.positions import positions
from tests.keeper.api.conftest import Client
from tests.keeper.web.test_pages import Page

NOW, COOLDOWN = 1_000_000, 5_000


def row(part: str, state: CoStakeState, until: int) -> SimpleNamespace:
    """A device with a co-stake in one of its two places."""
    fields = {"staker": "s", "amount": 7 * IO, "until": until, "reward_bps": 1_250, "state": int(state)}
    return SimpleNamespace(**{f"{part}_{name}": value for name, value in fields.items()})


def found(part: str, state: CoStakeState, until: int) -> list[tuple[str, int | None, int | None]]:
    name = "co_staker" if part == "co" else "leaving_staker"
    return [
        (each.state, each.free_at, each.share_bps)
        for each in positions(row(part, state, until), name, COOLDOWN, NOW)
    ]


def test_a_co_stake_is_free_when_the_program_pays_it() -> None:
    assert found("co", CoStakeState.ACTIVE, 0) == [("running", None, 1_250)]
    assert found("co", CoStakeState.WAITING, NOW + 1) == [("leaving", NOW + 1 + COOLDOWN, None)]
    # Its wait is over, and nobody has written down that it cools.
    assert found("co", CoStakeState.WAITING, NOW - 10) == [("cooling", NOW - 10 + COOLDOWN, None)]
    assert found("co", CoStakeState.WAITING, NOW - COOLDOWN) == [("free", NOW, None)]
    for part in ("co", "leaving"):
        assert found(part, CoStakeState.COOLING, NOW + 1) == [("cooling", NOW + 1, None)]
        assert found(part, CoStakeState.COOLING, NOW) == [("free", NOW, None)]


def test_a_suppliers_own_is_what_counts_and_what_cools() -> None:
    device = SimpleNamespace(own=5 * IO, own_cooling=3 * IO, own_until=NOW + 60, state="ready")
    counts, cools = positions(device, "supplier", COOLDOWN, NOW)
    assert (counts.amount, counts.state, counts.free_at) == (5 * IO, "ready", None)
    assert (cools.amount, cools.state, cools.free_at) == (3 * IO, "cooling", NOW + 60)
    nothing = SimpleNamespace(own=0, own_cooling=0, own_until=0, state="short")
    assert list(positions(nothing, "supplier", COOLDOWN, NOW)) == []


async def test_the_page_has_all_devices_of_a_wallet_and_what_it_can_claim(site: Client) -> None:
    (device, *_) = await site.data("/devices")
    wallet = await site.data(f"/wallets/{device['supplier']}")
    page = (await site.http.get("/stake", params={"wallet": device["supplier"]})).text
    for each in await site.data("/devices", supplier=device["supplier"]):
        assert f"/devices/{each['address']}" in page
    text = Page(page).text
    assert f"{int(wallet['staked']) / IO:,.8f}" in text and f"{int(wallet['due']) / IO:,.8f}" in text
    assert "Nothing cools" in page
    assert (await site.http.get("/stake?wallet=abc")).status_code == 400
    assert (await site.http.get("/stake")).status_code == 200
