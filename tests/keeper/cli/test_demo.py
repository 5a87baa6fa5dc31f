"""The demo, whole: its tables, its files, and that a wrong figure would end it."""

import asyncio
import csv
import json
import re
import shlex
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console

from keeper.chain.embedded import EmbeddedChain
from keeper.cli import ticks
from keeper.cli.options import settings
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.demo import midlife, network, run
from keeper.demo.airdrop import airdrop
from keeper.demo.checks import DemoFailed
from keeper.economy.calendar import DAY
from keeper.economy.supply import IO, MAX_SUPPLY
from keeper.market.findings import SAME, Verdict
from keeper.rewards import publication, recomputed
from keeper.terminal.ticks import replayed_all
from scripts import demo_page
from tests.keeper import forks
from tests.keeper.demo.page import Page
from tests.keeper.rewards.tables import machine
from tests.model import rewards as model

DOCUMENTS = Path(__file__).parents[3]


async def test_the_whole_demo(tmp_path, monkeypatch, ionet):
    monkeypatch.chdir(tmp_path)
    forks.serving()
    console = Console(record=True, width=80)
    done = await run.run(tmp_path, console)
    printed = console.export_text()

    assert re.search(r"[\d,]+ figures compared, all equal", printed)
    assert "2025-03   3,072,063.36669555      3,072,063" in printed
    assert "4,129.1174" in printed
    lines = [line for line in map(str.rstrip, printed.splitlines()) if line]
    for shown in _shown("README.md"):
        assert any(line.startswith(shown) for line in lines), shown
    text = (DOCUMENTS / "docs/demo.md").read_text()
    assert demo_page.page(text, done.sections, done.summary) == text, "run python -m scripts.demo_page"
    assert lines[-2] == done.summary
    assert re.fullmatch(r"in \d+\.\d s", lines[-1])
    assert all(each.rstrip() in lines for each in text[text.index("## ") :].splitlines() if "───" in each)
    assert len(re.findall(r"left over +0\.00000000 *\n", printed)) == 3
    assert re.search(r"dust left in vaults +0\.00000000 +0\.000000 *\n", printed)
    _check_outcomes(printed)
    assert len(done.network.hours) == 48 and len(done.network.months) == 240

    with (tmp_path / "supply.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 240
    for row in rows:
        supply = 500_000_000 * IO + _units(row["emitted"]) - _units(row["burned"])
        assert _units(row["supply"]) == supply
    for name in ("supply.png", "buyback.png"):
        assert np.array_equal(imread(tmp_path / name), imread(DOCUMENTS / "docs" / name)), (
            f"copy out/demo/{name}"
        )

    _check_page(tmp_path)
    await _check_mid(tmp_path, ionet)

    saved = EmbeddedChain.load(tmp_path / "network.chain")
    burned = 25 * IO + await _check_burns(saved)
    assert _units(rows[-1]["burned"]) == burned
    assert (await tokenomics.read_supply(saved)).supply == MAX_SUPPLY - burned
    stakes = await staking.read_config(saved)
    assert stakes is not None
    assert (stakes.staked, stakes.slashed, stakes.next_hour) == (0, 25 * IO, 48)
    assert stakes.claimed == stakes.final_total
    assert await orders.read_orders(saved) == await orders.read_leases(saved) == {}
    assert await _check_money(saved) == 60
    assert await _check_hours(tmp_path / "rewards/operator-1") == stakes.final_total
    await _check_again(tmp_path, saved, printed, ionet)
    for number, pool in ((1, 17_500_000), (2, 7_500_000), (3, 5_000_000)):
        (season,) = [s for s in await tokenomics.read_seasons(saved) if s.season == number]
        assert season.total == pool * IO == season.claimed + season.returned
        assert 0 < season.returned < season.total // 10
    # A wallet's balance is what its leaf says, read from the chain file by another process's means.
    claim = airdrop(1).claiming[0]
    account = saved.get(tokenomics.tokens_address(claim.wallet))
    assert account is not None and int.from_bytes(account.data[64:72], "little") == claim.amount


def _check_outcomes(printed):
    """What became of orders and leases."""
    outcomes = {"completed": 119, "ended by the renter": 13, "broken off by the supplier": 4}
    outcomes |= {"not accepted in time": 5, "failed, attested by operators": 3}
    outcomes |= {"not enough of its gang accepted": 1}
    for name, count in outcomes.items():
        assert re.search(rf"{name} +{count} +[\d,.]+ *\n", printed), name
    for name, count in (("served", 52), ("no device available at their price", 7)):
        assert re.search(rf" {name} +{count} +\d+ *\n", printed), name
    assert max(map(len, printed.splitlines())) <= 80
    told = " ".join(printed.split())
    assert "57, 27, 40 matched by the operators in their turns, 21 taken by suppliers" in told
    assert "Places of 5 orders opened again, as a worker didn't accept; other devices served 4" in told
    assert "6 leases were extended; the guardian held the money of 1 back and released it" in told
    assert re.search(r"[1-9][\d.]* USDC waited for a payee whose account was frozen, and were paid", told)


def _check_page(folder):
    """Every figure of the page is one of the results, and no line of it is too long for an editor."""
    text = (folder / "index.html").read_text()
    read, found = Page().read(text), json.loads((folder / "results.json").read_text())
    assert read.problems == []
    assert [each for each in read.loaded if not each.startswith("#")] == []
    tables = [each for one in found["sections"].values() for each in one["tables"]]
    rows = [[each["columns"], *each["rows"]] for each in tables]
    assert sorted(read.tables) == sorted(rows) and len(rows) > 25
    said = [text for one in found["sections"].values() for text in (one["title"], *one["texts"])]
    shown = [each for each in read.texts if not each.startswith("\n.venv")]
    assert {each for each in shown if re.search(r"\d", each)} <= {*said, found["summary"] + "."}
    assert len(read.named) == text.count("<figure>") > 6
    assert max(map(len, text.splitlines())) < 1_200 and len(text) < 300_000


async def _check_mid(folder, ionet):
    """What the README says to try on the network in the middle of its life works as it is written there."""
    readme = (DOCUMENTS / "README.md").read_text()
    commands = re.findall(r"^\.venv/bin/ionet ((?:[^\n]*\\\n)*[^\n]*)$", readme, re.M)
    lines = [each.replace("\\\n", " ").replace("out/demo", str(folder)) for each in commands]
    typed = [shlex.split(each) for each in lines if "mid.chain" in each]
    assert len(typed) > 5
    before = EmbeddedChain.load(folder / "mid.chain")
    devices, found = await staking.read_devices(before), await orders.read_orders(before)
    assert len(devices) == 200 and await orders.read_leases(before)
    assert sum(each.takes_devices(before.now()) for each in found.values()) == midlife.OPEN
    assert (await buyback.read_config(before)).open
    assert (await staking.read_config(before)).claimed == 0
    for each in typed:
        code, said, failed = await asyncio.to_thread(ionet, *each)
        assert (code, failed) == (0, "") and "Nothing can serve it" not in said, each
    after = EmbeddedChain.load(folder / "mid.chain")
    assert before.now() <= after.now() < before.now() + DAY
    assert (await staking.read_config(after)).claimed > 0
    assert len(await orders.read_orders(after)) == len(found) + 1


async def _check_money(chain):
    """The orders' events again, by another reader: every base unit that came in went out."""
    came, went, fees, currencies = Counter(), Counter(), Counter(), {}
    for record in await chain.history(orders.PROGRAM.address):
        for event in orders.PROGRAM.events(record):
            if event.name == "BookProduct":
                currencies[event.fields["cluster_id"]] = event.fields["currency"]
            if event.name in ("Pay", "Refund", "Worked", "Earn"):
                currency, amount = currencies[event.fields["cluster_id"]], event.fields["amount"]
                net = amount - event.fields.get("fee", 0)
                {"Pay": came, "Earn": fees}.get(event.name, went)[currency] += net
    config, sold = await orders.read_config(chain), await buyback.read_config(chain)
    for currency, vault, out in (
        (0, config.io_fees, sold.burned_fees),
        (1, config.usdc_fees, sold.usdc_sold),
    ):
        assert came[currency] == went[currency] + fees[currency] > 0
        left = int.from_bytes(chain.get(vault).data[64:72], "little")
        assert left == fees[currency] - out < fees[currency]
    return len(currencies)


async def _check_again(folder, chain, printed, ionet):
    """The market and the proofs, from what the demo leaves."""
    await _check_market(folder, chain, printed)
    await asyncio.to_thread(_check_proofs, folder, ionet)


def _check_proofs(folder, ionet):
    """Some hours' proofs by the command that the demo ends with, and a file that was changed, by its name."""
    chain, rewards, proofs = (
        folder / each for each in ("network.chain", "rewards/operator-1", "pow/operator-1")
    )
    where = "--dir", rewards, "--pow", proofs, "--chain", chain, "--json"
    for hour in (0, 23, 47):
        code, out, err = ionet("pow", "verify", "--hour", hour, *where)
        found = json.loads(out)
        assert (code, err, found["finding"], found["known_profiles"]) == (0, "", None, False), hour
        assert found["verified"] > 150
    for changed in sorted((proofs / "47").glob("wave-*.bin")):
        changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    code, out, err = ionet("pow", "verify", "--hour", 47, *where)
    found = json.loads(out)["finding"]
    assert (code, found["check"], found["what"]) == (1, "file", "WAVE file")
    assert f"{changed}: its SHA-256 is" in err


async def _check_market(folder, chain, printed):
    """Every match and every price again, from the chain's file and the operators' folders."""
    folders = [folder / f"market/operator-{number}" for number in (1, 2, 3)]
    chosen, rewards = settings(str(folder / "network.chain")), folder / "rewards/operator-1"
    found = await asyncio.to_thread(ticks.replay_all, chosen, folders, rewards, lambda done, all_: None)
    page = (DOCUMENTS / "docs/demo.md").read_text()
    for line in replayed_all(found):
        assert f"{line}\n" in page, line
    (favour,) = [each for each in found if each.finding != SAME]
    assert favour.finding.verdict is Verdict.DIFFERENT
    assert "".join(favour.finding.what.split()) in "".join(printed.split())
    events = [e for r in await chain.history(orders.PROGRAM.address) for e in orders.PROGRAM.events(r)]
    matched = [e.fields["tick"] for e in events if e.name == "LeaseMatched" and e.fields["tick"]]
    assert {each.tick: each.on_chain for each in found if each.hour is None} == Counter(matched)
    events = [e for r in await chain.history(staking.PROGRAM.address) for e in staking.PROGRAM.events(r)]
    applied = Counter(e.fields["hour"] for e in events if e.name == "PriceApplied")
    assert {each.hour: each.announced for each in found if each.hour is not None} == applied
    assert len(applied) == 47


async def _check_burns(chain):
    """The buyback's events again: several auctions, each paid by its price; gives the IO that was burned."""
    found = [e for r in await chain.history(buyback.PROGRAM.address) for e in buyback.PROGRAM.events(r)]
    sales = [event.fields for event in found if event.name == "AuctionSold"]
    assert len(sales) > 2
    assert len({sale["bidder"] for sale in sales}) > 2
    assert all(sale["cost"] == -(-sale["lot"] * sale["price"] // 10**6) for sale in sales)
    fees = [event.fields["amount"] for event in found if event.name == "FeesBurned"]
    return sum(sale["cost"] for sale in sales) + sum(fees)


def _shown(document: str) -> list[str]:
    """The lines that a document shows of the tables printed, without the dots where it leaves some out."""
    blocks = re.findall(r"^```\n(.*?)^```", (DOCUMENTS / document).read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks if "───" in block for line in block.splitlines()]
    return [line for line in (each.removesuffix("...").rstrip() for each in lines) if line]


async def _check_hours(folder):
    """Every hour by the reference model, row by row; gives what all wallets have earned."""
    before = {}
    for hour in range(48):
        manifest = recomputed.verify(folder, hour)
        _, _, inputs, classes, rewards, wallets = (
            publication.read_table(folder, manifest, name) for name in publication.KINDS
        )
        machines = [machine(row) for row in inputs]
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


def _units(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * IO + int(fraction)


async def test_a_figure_that_is_not_the_published_one_ends_the_demo(monkeypatch):
    wrong = (3_333_333, 3_299_498, *network.PUBLISHED_MONTHS[2:])
    monkeypatch.setattr(network, "PUBLISHED_MONTHS", wrong)
    alone = network.Network.empty()
    await alone.genesis()
    alone.begin()
    await alone.month(0)
    with pytest.raises(DemoFailed, match="published month 2: on chain 3299497, expected 3299498"):
        await alone.month(1)
