"""A network of one's own from the command line: begun, used, kept, gone on from; and one from nothing."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx2
import pytest
from solders.keypair import Keypair

from keeper.chain.embedded import EmbeddedChain
from keeper.clients import staking, tokenomics
from keeper.economy.genesis import read_table
from keeper.economy.supply import GENESIS_SUPPLY
from tests.keeper.cli.running import SECONDS, localnet, typed, until


def test_a_network_is_begun_used_kept_and_gone_on_from(ionet) -> None:
    with localnet("--keep", "--keeper") as (url, said):
        assert "What happens is saved in out/localnet/network.chain" in said
        keys = {each.stem: json.loads(each.read_text()) for each in Path("out/localnet/keys").iterdir()}
        assert {"renter", "supplier", "staker", "operator-1", "admin", "keeper", "worker"} <= set(keys)
        renter = Keypair.from_bytes(bytes(keys["renter"])).pubkey()
        assert str(renter) in said
        code, _, err = ionet(*typed(said, "order create"), "--yes")
        assert (code, err) == (0, "")
        code, out, _ = ionet("faucet", "--chain", url, "--keypair", "out/localnet/keys/staker.json")
        assert code == 0 and "got 10 SOL, 10,000.00000000 IO, 1,000.000000 USDC" in out
        before = emitted(ionet, url)
        code, out, _ = ionet("clock", "advance", "1h", "--chain", url)
        assert code == 0 and "2024-07-01 01:" in out
        until(lambda: emitted(ionet, url) > before)  # the keeper's doing
        code, out, _ = ionet("clock", "speed", "0", "--chain", url)
        assert code == 0 and "its clock stands still" in out
    kept = EmbeddedChain.load(Path("out/localnet/network.chain"))
    assert asyncio.run(tokenomics.read_supply(kept)).emitted > 0
    count = len(kept.transactions())
    with localnet("--keep") as (url, said):
        assert "It began as out/localnet/network.chain" in said
        assert emitted(ionet, url) > 0
    assert len(EmbeddedChain.load(Path("out/localnet/network.chain")).transactions()) == count


def emitted(ionet, url: str) -> float:
    code, out, err = ionet("supply", "--chain", url)
    assert code == 0, err
    found = re.search(r"emitted +([\d,.]+)", out)
    assert found, out
    return float(found[1].replace(",", ""))


def test_without_keep_the_file_stays_as_it_was(ionet, tmp_path: Path) -> None:
    made = EmbeddedChain(now=1_700_000_000)
    made.save(tmp_path / "mine.chain")
    before = (tmp_path / "mine.chain").read_bytes()
    with localnet("--chain", "mine.chain") as (url, said):
        assert "What happens is gone when it ends" in said
        assert "There are no keys in keys" in said
        wallet = Keypair().pubkey()
        code, out, _ = ionet("faucet", wallet, "--chain", url)
        assert code == 0
        assert f"{wallet} got 10 SOL\n" in out and "No IO and no USDC" in out
        code, out, _ = ionet("balance", wallet, "--chain", url, "--json")
        assert json.loads(out)["lamports"] == str(10 * 10**9)
    assert (tmp_path / "mine.chain").read_bytes() == before


def test_what_others_wrote_meanwhile_is_not_lost_and_neither_is_this(ionet, tmp_path: Path) -> None:
    """A file that somebody else has changed stays as they left it; what happened here is beside it."""
    path = tmp_path / "mine.chain"
    EmbeddedChain(now=1_700_000_000).save(path)
    here, there = (Keypair().pubkey() for _ in range(2))
    with (
        pytest.raises(AssertionError, match=r"What happened here is in mine\.chain\.localnet"),
        localnet("--chain", "mine.chain", "--keep") as (url, _),
    ):
        assert ionet("faucet", here, "--chain", url)[0] == 0
        assert ionet("faucet", there, "--chain", "mine.chain")[0] == 0
    for file, has, lacks in ((path, there, here), (tmp_path / "mine.chain.localnet", here, there)):
        chain = EmbeddedChain.load(file)
        assert chain.get(has) is not None and chain.get(lacks) is None


def test_from_an_empty_chain_to_a_network(ionet, tmp_path: Path) -> None:
    """What the README says of a network of one's own, in a file: made, begun, with money from its faucet."""
    assert ionet("key", "new", "keys.json")[0] == 0
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys.json").rename(tmp_path / "keys/admin.json")
    mine = "--keypair", "keys/admin.json"
    code, out, _ = ionet("chain", "new", "mine.chain", *mine)
    assert code == 0 and "ionet genesis --chain mine.chain" in out
    owner = Keypair.from_bytes(bytes(json.loads((tmp_path / "keys/admin.json").read_text()))).pubkey()
    people = {row.label: str(owner) for row in read_table()}
    (tmp_path / "people.json").write_text(json.dumps(people))
    genesis = ["--guardian", owner, "--beneficiaries", "people.json", "--test-usdc", "1000000", "--yes"]
    code, _, err = ionet("genesis", "--chain", "mine.chain", *mine, *genesis)
    assert code == 0, err
    chain = EmbeddedChain.load(tmp_path / "mine.chain")
    assert asyncio.run(tokenomics.read_supply(chain)).supply == GENESIS_SUPPLY
    assert asyncio.run(staking.read_classes(chain))
    wallet = Keypair().pubkey()
    code, out, err = ionet("faucet", wallet, "--chain", "mine.chain")
    assert code == 0, err
    assert f"{wallet} got 10 SOL, 1,000.000000 USDC" in out  # no IO is free before the first month
    code, out, _ = ionet("balance", wallet, "--chain", "mine.chain", "--json")
    assert (json.loads(out)["usdc"], json.loads(out)["lamports"]) == ("1000000000", str(10 * 10**9))


def test_programs_are_deployed_on_a_bare_chain(ionet, tmp_path: Path) -> None:
    assert ionet("key", "new", "me.json")[0] == 0
    code, out, _ = ionet("chain", "new", "bare.chain", "--bare", "--keypair", "me.json")
    assert code == 0 and "ionet deploy --chain bare.chain, then ionet genesis" in out
    chain = EmbeddedChain.load(tmp_path / "bare.chain")
    assert chain.get(staking.PROGRAM.address) is None
    code, _, err = ionet("deploy", "--chain", "bare.chain", "--keypair", "me.json", "--yes")
    assert code == 0, err
    chain = EmbeddedChain.load(tmp_path / "bare.chain")
    assert chain.get(staking.PROGRAM.address) is not None


def test_pages_follow_what_happens_on_it(ionet) -> None:
    with localnet("--web", "0", until="Pages of it") as (url, said):
        web = re.findall(r"Pages of it: (http://127\.0\.0\.1:\d+)/", said)[0]
        page = httpx2.get(f"{web}/devices", timeout=SECONDS).text
        assert f'<meta name="ionet-node" content="{url}/">' in page
        assert httpx2.get(f"{web}/api/v1/orders").json()["data"] == []
        assert ionet(*typed(said, "order create"), "--yes")[0] == 0
        until(lambda: len(httpx2.get(f"{web}/api/v1/orders").json()["data"]) == 1)
