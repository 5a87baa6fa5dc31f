"""The demo, whole: its tables, its files, and that a wrong figure would end it."""

import csv
import re

import pytest
from rich.console import Console

from keeper.chain import EmbeddedChain
from keeper.clients import tokenomics
from keeper.demo import network, run
from keeper.demo.airdrop import airdrop
from keeper.demo.checks import DemoFailed
from keeper.economy.supply import IO, MAX_SUPPLY


async def test_the_whole_demo(tmp_path):
    console = Console(record=True, width=100)
    done = await run.run(tmp_path, console)
    printed = console.export_text()

    assert re.search(r"[\d,]+ figures compared, all equal", printed)
    assert "2025-03   3,072,063.36669555      3,072,063" in printed
    assert "4,129.1174" in printed
    assert "2044-06           3.696   300.000            0.000       500.000   800.000" in printed
    assert len(done.first_day) == 24 and len(done.months) == 240

    with (tmp_path / "supply.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 240
    assert rows[-1]["supply"] == "800000000.00000000"
    assert all(_units(r["supply"]) == 500_000_000 * IO + _units(r["emitted"]) for r in rows)
    assert (tmp_path / "supply.png").read_bytes().startswith(b"\x89PNG")

    saved = EmbeddedChain.load(tmp_path / "network.chain")
    assert (await tokenomics.read_supply(saved)).supply == MAX_SUPPLY
    for number, pool in ((1, 17_500_000), (2, 7_500_000), (3, 5_000_000)):
        (season,) = [s for s in await tokenomics.read_seasons(saved) if s.season == number]
        assert season.total == pool * IO == season.claimed + season.returned
        assert 0 < season.returned < season.total // 10
    # A wallet's balance is what its leaf says, read from the chain file by another process's means.
    claim = airdrop(1).claiming[0]
    account = saved.get(tokenomics.tokens_address(claim.wallet))
    assert account is not None and int.from_bytes(account.data[64:72], "little") == claim.amount


def _units(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * IO + int(fraction)


async def test_a_figure_that_is_not_the_published_one_ends_the_demo(monkeypatch, tmp_path):
    wrong = (3_333_333, 3_299_498, *network.PUBLISHED_MONTHS[2:])
    monkeypatch.setattr(network, "PUBLISHED_MONTHS", wrong)
    with pytest.raises(DemoFailed, match="published month 2: on chain 3299497, expected 3299498"):
        await run.run(tmp_path, Console(quiet=True))
