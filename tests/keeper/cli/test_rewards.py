"""``ionet rewards``: shown, proven, verified and claimed from published files."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.chain.embedded import EmbeddedChain
from keeper.clients import staking, tokenomics
from keeper.economy import merkle
from keeper.economy.calendar import emission_hour
from keeper.economy.supply import IO, io
from keeper.rewards import publication, recomputed
from keeper.rewards.rows import Hour
from keeper.rewards.tree import leaf
from tests.keeper.api.serving import serving
from tests.keeper.rewards.seen import publish_rows
from tests.keeper.rewards.tables import another, classes, rows
from tests.keeper.rewards.test_publication import EMITTED, START
from tests.programs.staking.world import StakingWorld
from tests.programs.world import HOUR, START_MONTH, key

OWNER = key("owner").pubkey()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Two hours of three devices, one of them the owner's; the first hour's block is final on a chain."""
    return on_chain(tmp_path)


def on_chain(tmp_path: Path, **params: int) -> Path:
    """The same, with staking's parameters."""
    folder = tmp_path / "rewards"
    for number in range(2):
        machines = [another(n, work=int(n > 0)) for n in range(3)]
        hour = Hour(number, START + number * HOUR, EMITTED * (number + 1))
        publish_rows(folder, hour, rows(owned(machines)), classes())
    world = StakingWorld.ready(**params)
    world.earner("owner")
    world.give(OWNER, IO)
    world.chain.warp_to(START + HOUR)
    for record in world.attest(0, publication.read_manifest(folder, 0).attestation):
        assert record.error is None
    world.chain.advance(HOUR)
    world.do(staking.finalise(0))
    world.chain.save(tmp_path / "test.chain")
    (tmp_path / "payer.json").write_text(json.dumps(list(bytes(world.payer))))
    assert world.config().start_month == START_MONTH
    return tmp_path


def owned(machines):
    """The second device pays the owner."""
    return [replace(each, payout=bytes(OWNER)) if n == 1 else each for n, each in enumerate(machines)]


def words(text: str) -> str:
    return " ".join(text.split())


def test_show(ionet, published):
    code, out, err = ionet("rewards", "show", "--hour", 0)
    assert code == 0, err
    manifest = publication.read_manifest(published / "rewards", 0)
    for figure in (io(manifest.paid), io(manifest.carried), manifest.root, manifest.hash):
        assert figure in out
    assert "work missing 1" in words(out)
    assert words(out).count("Community 3 2 1 0 160,400") == 1


def test_a_receipt_is_what_the_hours_brought(ionet, published):
    """Newest first, as the tables of wallets have it; nothing of an hour whose predecessor isn't there."""
    expected, lifetime = [], 0
    for hour in range(2):
        folder = published / "rewards"
        wallets = publication.read_table(folder, publication.read_manifest(folder, hour), "wallets.csv")
        (row,) = wallets[wallets["wallet"] == bytes(OWNER)]
        lifetime += int(row["earned"])
        assert lifetime == row["lifetime"] and row["earned"]
        expected.append({"hour": hour, "start": START + hour * HOUR, "earned": str(row["earned"])})
        expected[-1]["lifetime"] = str(lifetime)
    code, out, err = ionet("rewards", "receipt", "--wallet", OWNER, "--json")
    assert code == 0, err
    assert json.loads(out) == {"wallet": str(OWNER), "by_hour": 1, "hours": expected[::-1]}
    code, out, _ = ionet("rewards", "receipt", "--wallet", OWNER, "--limit", 1)
    assert code == 0 and io(lifetime) in out
    assert len(out.split(" UTC ")) == 2


def test_index_takes_final_hours_into_the_database(ionet, published):
    """And rebuilding the views does, too; the second hour isn't final."""
    manifest = publication.read_manifest(published / "rewards", 0)
    for command in (("index", "--chain", "test.chain"), ("db", "rebuild")):
        code, _, err = ionet(*command)
        assert code == 0, err
        with closing(sqlite3.connect(published / "ionet.db")) as connection:
            totals = connection.execute("SELECT hour, data_hash, paid, carried FROM hour_total").fetchall()
            (paid,) = connection.execute("SELECT sum(reward) FROM hour_device WHERE hour = 0").fetchone()
        assert totals == [(0, manifest.hash, manifest.paid, manifest.carried)]
        assert paid == manifest.paid


def test_proof(ionet, published):
    code, out, _ = ionet("rewards", "proof", "--wallet", OWNER, "--json")
    found = json.loads(out)
    assert (code, found["hour"], found["wallet"]) == (0, 1, str(OWNER))
    proof = b"".join(map(bytes.fromhex, found["proof"]))
    assert merkle.verify(bytes.fromhex(found["root"]), leaf(OWNER, found["lifetime"]), proof)
    code, out, _ = ionet("rewards", "proof", "--wallet", OWNER, "--hour", 0)
    assert code == 0
    assert io(publication.claimable(published / "rewards", 0, OWNER).lifetime) in out


def test_hashes_come_out_whole_in_a_narrow_terminal(published):
    """To be copied, and piped."""
    command = [Path(sys.executable).with_name("ionet"), "rewards"]
    environment = {**os.environ, "COLUMNS": "60"}

    def lines(*arguments: str) -> list[list[str]]:
        done = subprocess.run(
            [*command, *arguments, "--hour", "0"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return [line.split() for line in done.stdout.splitlines()]

    found = publication.claimable(published / "rewards", 0, OWNER).json()
    assert found["proof"]
    out = lines("proof", "--wallet", str(OWNER))
    for number, sibling in enumerate(found["proof"]):
        assert ["level", str(number), sibling] in out
    assert ["root", found["root"]] in out
    assert ["wallet", str(OWNER)] in out
    manifest = publication.read_manifest(published / "rewards", 0)
    out = lines("show")
    assert ["root", manifest.root] in out
    assert ["SHA-256", manifest.hash] in out


def test_verify_with_the_chain(ionet, published):
    code, out, err = ionet("rewards", "verify", "--hour", 0, "--chain", "test.chain")
    assert code == 0, err
    assert "3 devices computed again, every byte equal" in words(out)
    assert "root, total and data hash are those on chain" in words(out)
    code, _, err = ionet("rewards", "verify", "--chain", "test.chain")
    assert (code, "hour 1 is not on chain" in words(err)) == (1, True)


def test_verify_finds_another_block_on_chain(ionet, published):
    hour = Hour(0, START, EMITTED)
    publish_rows(published / "rewards", hour, rows(owned([another(n) for n in range(3)])), classes())
    code, _, err = ionet("rewards", "verify", "--hour", 0, "--chain", "test.chain")
    assert (code, "hour 0: root on chain is" in words(err)) == (1, True)


def test_fetch(ionet, published):
    with serving(published / "rewards") as url:
        gone = "http://ionet:secret@127.0.0.1:9"
        arguments = ("--from", gone, "--from", url, "--dir", "mine", "--chain", "test.chain")
        code, out, err = ionet("rewards", "fetch", *arguments)
        assert (code, words(out)) == (
            0,
            f"{emission_hour(0, START)} is in mine, as on chain: 3 devices",
        ), err
        code, _, err = ionet("rewards", "fetch", "--hour", 1, *arguments)
        assert (code, "hour 1 is not on chain" in words(err)) == (1, True)
    assert recomputed.verify(published / "mine", 0) == publication.read_manifest(published / "rewards", 0)
    code, _, err = ionet("rewards", "fetch", *arguments)
    assert (code, "nobody has emission hour 0 as it is on chain: 127.0.0.1: " in words(err)) == (1, True)
    assert "secret" not in err
    code, _, err = ionet("rewards", "fetch", "--chain", "test.chain")
    assert (code, "--from (or IONET_PEERS)" in words(err)) == (1, True)


def test_claim(ionet, published):
    arguments = ("--wallet", OWNER, "--hour", 0, "--chain", "test.chain", "--keypair", "payer.json", "--yes")
    code, out, err = ionet("rewards", "claim", *arguments)
    assert code == 0, err
    due = publication.claimable(published / "rewards", 0, OWNER).lifetime
    assert f"the reward vault the wallet's account {io(due)} IO earned up to emission hour 0" in words(out)
    assert "still to come" not in out
    saved = EmbeddedChain.load(published / "test.chain")
    account = saved.get(tokenomics.tokens_address(OWNER))
    assert account is not None
    assert int.from_bytes(account.data[64:72], "little") == IO + due
    code, _, err = ionet("rewards", "claim", *arguments)
    assert (code, f"all {io(due)} IO that {OWNER} has earned by emission hour 0 are paid" in words(err)) == (
        1,
        True,
    )


def test_a_claim_that_a_limit_holds_back(ionet, tmp_path):
    """It says what is paid now, and that the rest is not lost."""
    on_chain(tmp_path, wallet_share_bps=1_000)
    found = publication.claimable(tmp_path / "rewards", 0, OWNER)
    paid = publication.read_manifest(tmp_path / "rewards", 0).total // 10
    arguments = ("--wallet", OWNER, "--hour", 0, "--chain", "test.chain", "--keypair", "payer.json", "--yes")
    code, out, err = ionet("rewards", "claim", *arguments)
    assert code == 0, err
    said = words(out)
    assert f"the wallet's account {io(paid)} IO earned" in said
    assert f"{io(found.lifetime - paid)} IO come with later hours, as a wallet gets at most 10 % of" in said
    assert "still to come" not in said, "the limit of an hour's claims holds nothing back"
    code, _, err = ionet("rewards", "claim", *arguments)
    assert (code, "a wallet gets at most 10 % of what all have earned" in words(err)) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("proof", "--wallet", "abc"), "error:"),
        (("proof", "--wallet", str(Pubkey.default())), "has earned nothing by emission hour 1"),
        (("proof", "--wallet", str(OWNER), "--hour", "9"), "hour 9 is not in rewards"),
        (("show", "--dir", "nowhere"), "no hour is published in nowhere: --dir (or IONET_REWARDS) names"),
        (("serve", "--dir", "nowhere"), "nowhere is no folder"),
    ],
)
def test_what_is_not_there(ionet, published, arguments, message):
    code, _, err = ionet("rewards", *arguments)
    assert (code, message in words(err)) == (1, True), err
