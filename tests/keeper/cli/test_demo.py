"""The demo, whole: its tables, its files, and that a wrong figure would end it."""

import csv
import re
from dataclasses import fields

import pytest
from rich.console import Console

from keeper.chain import EmbeddedChain
from keeper.clients import staking, tokenomics
from keeper.demo import network, run
from keeper.demo.airdrop import airdrop
from keeper.demo.checks import DemoFailed
from keeper.economy.supply import IO, MAX_SUPPLY
from keeper.rewards import publication
from tests.model import rewards as model


async def test_the_whole_demo(tmp_path):
    console = Console(record=True, width=100)
    done = await run.run(tmp_path, console)
    printed = console.export_text()

    assert re.search(r"[\d,]+ figures compared, all equal", printed)
    assert "2025-03   3,072,063.36669555      3,072,063" in printed
    assert "4,129.1174" in printed
    assert "2044-06           3.696   300.000            0.000       500.215   800.000" in printed
    assert printed.count("left over                                    0.00000000") == 2
    assert len(done.hours) == 48 and len(done.months) == 240

    with (tmp_path / "supply.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 240
    assert (rows[-1]["supply"], rows[-1]["burned"]) == ("799999975.00000000", "25.00000000")
    for row in rows:
        supply = 500_000_000 * IO + _units(row["emitted"]) - _units(row["burned"])
        assert _units(row["supply"]) == supply
    assert (tmp_path / "supply.png").read_bytes().startswith(b"\x89PNG")

    saved = EmbeddedChain.load(tmp_path / "network.chain")
    assert (await tokenomics.read_supply(saved)).supply == MAX_SUPPLY - 25 * IO
    stakes = await staking.read_config(saved)
    assert stakes is not None
    assert (stakes.staked, stakes.slashed, stakes.next_hour) == (0, 25 * IO, 48)
    assert stakes.claimed == stakes.final_total
    assert await _check_hours(tmp_path / "rewards/operator-1") == stakes.final_total
    for number, pool in ((1, 17_500_000), (2, 7_500_000), (3, 5_000_000)):
        (season,) = [s for s in await tokenomics.read_seasons(saved) if s.season == number]
        assert season.total == pool * IO == season.claimed + season.returned
        assert 0 < season.returned < season.total // 10
    # A wallet's balance is what its leaf says, read from the chain file by another process's means.
    claim = airdrop(1).claiming[0]
    account = saved.get(tokenomics.tokens_address(claim.wallet))
    assert account is not None and int.from_bytes(account.data[64:72], "little") == claim.amount


async def _check_hours(folder):
    """Every hour by the reference model, row by row; gives what all wallets have earned."""
    before = {}
    for hour in range(48):
        manifest = publication.verify(folder, hour)
        inputs, classes, rewards, wallets = (
            publication.read_table(folder, manifest, name) for name in publication.KINDS
        )
        machines = [_machine(row) for row in inputs]
        table = {int(row["id"]): (int(row["multiplier"]), int(row["pool"])) for row in classes}
        rows, after = model.reward(manifest.start, manifest.emitted, machines, table, before)
        for row in rewards:
            expected = rows[row["device"].ljust(32, b"\0")]
            found = (row["status"], row["score"], row["reward"], row["co_staker"])
            assert found == (expected.status, expected.score, expected.reward, expected.co_part)
        lifetimes = {row["wallet"].ljust(32, b"\0"): int(row["lifetime"]) for row in wallets}
        assert lifetimes == after
        before = after
    assert len(machines) == 200
    assert len({each.class_id for each in machines}) == 12
    return sum(before.values())


def _machine(row):
    names = {"class_id": "class"}
    values = {each.name: row[names.get(each.name, each.name)] for each in fields(model.Machine)}
    addresses = ("device", "payout", "co_staker")
    plain = {
        name: value.ljust(32, b"\0") if name in addresses else int(value) for name, value in values.items()
    }
    return model.Machine(**plain)


def _units(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * IO + int(fraction)


async def test_a_figure_that_is_not_the_published_one_ends_the_demo(monkeypatch, tmp_path):
    wrong = (3_333_333, 3_299_498, *network.PUBLISHED_MONTHS[2:])
    monkeypatch.setattr(network, "PUBLISHED_MONTHS", wrong)
    with pytest.raises(DemoFailed, match="published month 2: on chain 3299497, expected 3299498"):
        await run.run(tmp_path, Console(quiet=True))
