"""A network of one's own from the command line: begun, used, kept, gone on from; and one from nothing."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from solders.keypair import Keypair

from keeper.chain.embedded import EmbeddedChain
from keeper.clients import staking, tokenomics
from keeper.economy.genesis import read_table
from keeper.economy.supply import GENESIS_SUPPLY

SECONDS = 600
"""Only a process that hangs takes so long."""


@contextmanager
def localnet(*options: str, until: str = "clock advance") -> Iterator[tuple[str, str]]:
    """``ionet localnet`` in this folder until the end of the block, when it is told to stop.

    Gives where it answers, and all that it has said by then.
    """
    code = "from keeper.cli.main import main; main()"
    command = [sys.executable, "-c", code, "localnet", "--rpc", "127.0.0.1:0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if until in line:
                    break
            found = re.search(r"http://127\.0\.0\.1:\d+", "".join(said))
            assert found, "".join(said)
            yield found[0], "".join(said)
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait(SECONDS) == 0, rest


def until(what: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_devices_work_on_it_and_nothing_of_it_is_left(ionet) -> None:
    """Operators listen, a device is enrolled, hears of what is asked and answers; Ctrl+C ends all of them."""
    place = Path("out/localnet/crew")
    with localnet("--workers", "2") as (url, said):
        for name in ("operator-1", "operator-3-keeper", "operator-2-files", "worker", "worker-2"):
            assert f"{name} " in said and (place.resolve() / f"{name}.log").exists()
        mine = crew_in(Path.cwd())
        assert len(mine) == 3 * 3 + 2
        code, out, _ = ionet("device", "list", "--chain", url, "--json")
        assert code == 0 and len(json.loads(out)["devices"]) == 2
        for worker in ("worker", "worker-2"):
            until(lambda log=place / f"{worker}.log": "worker.pong" in log.read_text())
    assert not crew_in(Path.cwd())


def crew_in(folder: Path) -> list[int]:
    """The processes in a folder that go by light profiles: operators' and devices'."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (each / "cwd").readlink() == folder and b"IONET_PROFILES=" in (each / "environ").read_bytes():
                found.append(int(each.name))
    return found


def test_a_network_is_begun_used_kept_and_gone_on_from(ionet) -> None:
    with localnet("--keep", "--keeper") as (url, said):
        assert "What happens is saved in out/localnet/network.chain" in said
        keys = {each.stem: json.loads(each.read_text()) for each in Path("out/localnet/keys").iterdir()}
        assert {"renter", "supplier", "staker", "operator-1", "admin", "keeper", "worker"} <= set(keys)
        renter = Keypair.from_bytes(bytes(keys["renter"])).pubkey()
        assert str(renter) in said
        typed = next(line for line in said.splitlines() if " order create " in line)
        arguments = typed[typed.index("order create") :]
        parts = re.findall(r"'[^']*'|\S+", arguments)
        code, _, err = ionet(*(each.strip("'") for each in parts), "--yes")
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
        typed = next(line for line in said.splitlines() if " order create " in line)
        parts = re.findall(r"'[^']*'|\S+", typed[typed.index("order create") :])
        assert ionet(*(each.strip("'") for each in parts), "--yes")[0] == 0
        until(lambda: len(httpx2.get(f"{web}/api/v1/orders").json()["data"]) == 1)
