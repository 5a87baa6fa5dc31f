"""Proofs of airdrop seasons: by the reference model's own trees; nothing a visitor asks makes one anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from keeper.clients import tokenomics
from keeper.economy.seasons import points_file
from keeper.rewards import seasons
from keeper.rewards.wallet_index import NAME
from tests.keeper.api.conftest import Client, asking
from tests.keeper.api.life import Life
from tests.model import schedule
from tests.programs.orders.world import IO
from tests.programs.tokenomics.seasons import distribution, points_of
from tests.programs.world import key

CLAIMANT, ABSENT = key("claimant").pubkey(), key("absent").pubkey()
AMOUNTS = {CLAIMANT: 400 * IO, ABSENT: 600 * IO}


def leaf(index: int, wallet: bytes, amount: int) -> bytes:
    """By the model's definition."""
    return schedule.leaf(bytes(tokenomics.PROGRAM.address), bytes(tokenomics.MINT), 1, index, wallet, amount)


async def test_each_wallet_has_the_models_proof(api: Client, world: Life) -> None:
    order = sorted(AMOUNTS, key=bytes)
    leaves = [leaf(number, bytes(wallet), AMOUNTS[wallet]) for number, wallet in enumerate(order)]
    (real,) = [each for each in await api.data("/seasons") if each["season"] == 1]
    assert real["root"] == schedule.root(leaves).hex()
    for number, wallet in enumerate(order):
        assert await api.data(f"/seasons/1/proof/{wallet}") == {
            "season": 1,
            "wallet": str(wallet),
            "index": number,
            "amount": str(AMOUNTS[wallet]),
            "root": real["root"],
            "proof": [each.hex() for each in schedule.proof(leaves, number)],
            "claimed": wallet == CLAIMANT,
        }


async def test_whoever_gets_nothing_or_asks_wrongly_is_told(api: Client) -> None:
    for path, status, words in (
        (f"/seasons/1/proof/{key('nobody').pubkey()}", 404, "gets nothing in season 1"),
        (f"/seasons/2/proof/{ABSENT}", 404, "there is no season 2"),
        ("/seasons/1/proof/abc", 400, "address is none"),
        (f"/seasons/-1/proof/{ABSENT}", 400, "season"),
        (f"/seasons/{2**32}/proof/{ABSENT}", 400, "season"),
        (f"/seasons/1/proof/{ABSENT}?x=1", 400, "there is no parameter x"),
    ):
        answer = await api.ask(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert words in answer.json()["detail"], path


async def test_the_file_of_points_is_served(api: Client) -> None:
    path = seasons.points_path(1)
    answer = await api.http.get(f"/rewards/{path}")
    assert answer.content == points_file(points_of(AMOUNTS))
    for other in (f"{path}x", f"seasons/1/{NAME}", "seasons/2/points.csv", "seasons/.1.part/points.csv"):
        assert (await api.http.get(f"/rewards/{other}")).status_code == 404


@pytest.mark.parametrize("what", ["away", "cut", "another season's", "another network's folder"])
async def test_without_the_seasons_own_index_nothing_is_made_up(
    life: tuple[Life, Path], tmp_path: Path, what: str
) -> None:
    """Nor is anything computed, however often somebody asks: the folder stays as it is."""
    folder = tmp_path / "rewards"
    seasons.publish(folder, distribution(1, AMOUNTS), points_file(points_of(AMOUNTS)))
    index = folder / seasons.FOLDER / "1" / NAME
    match what:
        case "away":
            index.unlink()
        case "cut":
            index.write_bytes(index.read_bytes()[:-1])
        case "another season's":
            other = {CLAIMANT: 1, ABSENT: 2}
            seasons.publish(folder, distribution(1, other), points_file(points_of(other)))
        case _:
            shutil.rmtree(folder / seasons.FOLDER)
    before = {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    async with asking(shutil.copy(life[1], tmp_path / "index.db"), folder) as client:
        for _ in range(3):
            answer = await client.ask(f"/seasons/1/proof/{ABSENT}")
            assert answer.status_code == 404
            assert answer.json()["detail"] == "the points of season 1 aren't published here"
    assert {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()} == before
