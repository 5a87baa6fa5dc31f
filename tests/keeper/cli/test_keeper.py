"""``ionet keeper``: one job, a dry run, the whole bot as a process, and the doctor."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from keeper.chain import Program, loader
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.rpc import RpcChain
from keeper.clients import tokenomics
from keeper.rewards.rows import OBSERVATION
from keeper.runtime.doctor import CheckState, Doctor
from keeper.settings import Settings
from keeper.tables import encode
from keeper.terminal import tables
from tests.keeper.chain.rpc_node import RpcNode
from tests.programs.staking.world import StakingWorld
from tests.programs.world import HOUR, START, World, finish, key

IONET = Path(sys.executable).parent / "ionet"


def write_key(path: Path, keypair) -> Path:
    path.write_text(json.dumps(list(bytes(keypair))))
    return path


@pytest.fixture
def launched(tmp_path) -> Path:
    world = StakingWorld.ready()
    world.chain.warp_to(START + 2 * HOUR)
    world.chain.save(tmp_path / "network.chain")
    write_key(tmp_path / "id.json", world.payer)
    return tmp_path / "network.chain"


def emitted_hours(path: Path) -> int:
    config = finish(tokenomics.read_config(EmbeddedChain.load(path)))
    assert config is not None
    return config.emitted_hours


# -- once ------------------------------------------------------------------------------------------


def test_one_job_once(ionet, launched):
    code, _, err = ionet("keeper", "once", "emission", "--chain", launched, "--keypair", "id.json")
    assert code == 0
    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert "emission.emitted" in events and "vesting.released" not in events
    assert emitted_hours(launched) > 2


def test_a_job_that_there_is_not(ionet, launched):
    code, _, err = ionet("keeper", "once", "mining", "--chain", launched)
    assert code == 1
    assert "no job is called mining; there are emission, vesting, seasons" in " ".join(err.split())


def test_attesting_needs_observations(ionet, launched):
    code, _, err = ionet("keeper", "once", "attest", "--dry-run", "--chain", launched, "--keypair", "id.json")
    assert code == 1
    assert "set IONET_POW" in " ".join(err.split())


def test_a_job_that_may_send_nothing_fails(ionet, launched, monkeypatch):
    monkeypatch.setenv("IONET_BALANCE_WARNING", "1000000000")
    monkeypatch.setenv("IONET_BALANCE_STOP", "100000000")
    code, _, err = ionet("keeper", "once", "emission", "--chain", launched, "--keypair", "id.json")
    assert code == 1
    withheld = next(
        json.loads(line) for line in err.splitlines() if json.loads(line)["event"] == "job.withheld"
    )
    assert f"SOL or more to {World().payer.pubkey()}; until then nothing is sent" in withheld["reason"]
    assert emitted_hours(launched) == 0


def test_beside_a_keeper_that_leads(ionet, launched, start):
    _wait_for(start(launched), "emission.emitted")
    code, _, err = ionet("keeper", "once", "emission", "--chain", launched, "--keypair", "id.json")
    assert code == 1
    assert "another keeper leads on this database: stop it first" in " ".join(err.split())


def test_a_dry_run_tells_all_and_changes_nothing(ionet, launched, tmp_path):
    before = launched.read_bytes()
    arguments = ("--dry-run", "--chain", launched, "--keypair", "id.json")
    code, out, err = ionet("keeper", "once", "emission", "vesting", "burns", *arguments)
    assert (code, err) == (0, "")
    assert re.search(r"emission: *\n +transaction 1: goes through with [\d,]+ compute units\n", out)
    assert "tokenomics.emit\n" in out and f"config: {tokenomics.CONFIG}\n" in out
    assert out.count("tokenomics.release\n") == 3
    assert "burns: sends nothing" in out
    assert launched.read_bytes() == before
    assert not (tmp_path / "ionet.db").exists()


def test_a_dry_run_of_attest_indexes_somewhere_else(ionet, launched, tmp_path, monkeypatch):
    """Where there is no index yet it makes one, and leaves none."""
    (tmp_path / "observations").mkdir()
    (tmp_path / "observations/0.csv").write_bytes(b"".join(encode(np.zeros(0, OBSERVATION))))
    write_key(tmp_path / "operator.json", key("operator 1"))
    monkeypatch.setenv("IONET_POW", "observations")
    before = sorted(tmp_path.rglob("*"))
    arguments = ("--chain", launched, "--keypair", "operator.json")
    code, first, err = ionet("keeper", "once", "attest", "--dry-run", *arguments)
    assert code == 0, err
    assert "staking.attest\n" in first
    assert sorted(tmp_path.rglob("*")) == before
    assert ionet("index", "--chain", launched)[0] == 0
    code, second, _ = ionet("keeper", "once", "attest", "--dry-run", *arguments)
    assert (code, second) == (0, first)


# -- run -------------------------------------------------------------------------------------------


@pytest.fixture
def start(tmp_path):
    """Starts ``ionet keeper run`` as a process of its own; all have ended after the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(chain: Path | str, **settings: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "IONET_CHAIN": str(chain),
            "IONET_KEYPAIR": "id.json",
            "IONET_CHECK_SECONDS": "0.2",
            "IONET_JOBS": '["emission"]',
            "IONET_HTTP": "off",
            **settings,
        }
        command = [IONET, "keeper", "run"]
        started.append(
            subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield begin
    for each in started:
        each.kill()
        each.wait()


def _wait_for(process: subprocess.Popen[str], event: str) -> dict:
    """The next thing of this name that it logs; ends a process that takes too long."""
    assert process.stderr is not None
    impatience = threading.Timer(60, process.kill)
    impatience.start()
    try:
        for line in process.stderr:
            said = json.loads(line)
            if said["event"] == event:
                return said
    finally:
        impatience.cancel()
    raise AssertionError(f"it ended without {event}")


def _ready(port: int) -> dict:
    """What a keeper answers once it is ready: it has to look again after its jobs."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=30) as answer:
                found: dict = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            reasons = error.read()
        time.sleep(0.1)
    raise AssertionError(reasons)


def test_a_running_keeper_answers_monitoring_and_hands_over_when_told_to_stop(launched, start):
    keeper = start(launched, IONET_HTTP="127.0.0.1:0", IONET_NAME="one of three", IONET_LAG_HOURS="1000000")
    port = _wait_for(keeper, "http.listening")["port"]
    _wait_for(keeper, "emission.emitted")
    found = _ready(port)
    assert (found["ready"], found["leads"], found["name"]) == (True, True, "one of three")
    keeper.send_signal(signal.SIGTERM)
    _wait_for(keeper, "keeper.stopping")
    _wait_for(keeper, "keeper.stopped")
    assert keeper.wait(30) == 0
    assert emitted_hours(launched) > 2
    after = start(launched)
    assert _wait_for(after, "keeper.leads")["epoch"] == 2
    after.terminate()
    assert after.wait(30) == 0


async def test_the_first_signal_waits_for_the_job_and_the_second_does_not(tmp_path, start):
    world = World.launched()
    world.chain.warp_to(START + HOUR)
    hang = tmp_path / "hang.sh"
    hang.write_text("#!/bin/sh\ntouch asked\nsleep 60\n")
    hang.chmod(0o700)
    node = RpcNode(world.chain)
    await node.start()
    write_key(tmp_path / "id.json", world.payer)
    keeper = start(
        node.url,
        IONET_SIGNER_COMMAND=str(hang),
        IONET_SIGNER_ADDRESS=str(world.payer.pubkey()),
        IONET_SIGNER_SECONDS="60",
    )
    try:
        async with asyncio.timeout(60):
            while not (tmp_path / "asked").exists():
                await asyncio.sleep(0.05)
            keeper.send_signal(signal.SIGTERM)
            await asyncio.to_thread(_wait_for, keeper, "keeper.stopping")
            assert keeper.poll() is None
            keeper.send_signal(signal.SIGTERM)
            await asyncio.to_thread(_wait_for, keeper, "keeper.aborted")
            assert await asyncio.to_thread(keeper.wait) == 1
    finally:
        keeper.kill()
        await node.stop()
    assert world.config().emitted_hours == 0


# -- doctor ----------------------------------------------------------------------------------------


@pytest.fixture
def doctor(ionet, monkeypatch):
    """Run the doctor in a terminal that is wide enough for its table."""
    monkeypatch.setattr(tables.console, "width", 400)
    return lambda *arguments: ionet("keeper", "doctor", *arguments)


def rows(out: str) -> dict[str, str]:
    """The doctor's table by check, each row's lines joined."""
    found: dict[str, str] = {}
    name = ""
    for line in out.splitlines():
        if match := re.match(r" (\S.*?)  +(ok|note|wrong)  +(.*)", line):
            name = match[1]
            found[name] = f"{match[2]} {match[3]}"
        elif name:
            found[name] += " " + " ".join(line.split())
    return found


def test_nothing_has_to_be_done(doctor, launched):
    code, out, _ = doctor("--chain", launched, "--keypair", "id.json")
    found = rows(out)
    assert code == 0, out
    assert found["chain"].startswith("ok LiteSVM")
    assert found["program tokenomics"].startswith("ok") and found["program staking"].startswith("ok")
    assert found["database"].startswith("note ionet.db is not there yet")
    assert found["role: operator"].startswith("note no;")
    assert found["settings"].startswith("ok")
    assert not Path("ionet.db").exists(), "it only looks"


def test_a_chain_without_anything(doctor, tmp_path):
    EmbeddedChain(now=START).save(tmp_path / "empty.chain")
    code, out, _ = doctor("--chain", "empty.chain", "--keypair", "none.json")
    found = rows(out)
    assert code == 1
    assert found["key"].startswith("wrong none.json: no keypair")
    assert "ionet deploy" in found["program tokenomics"]


def test_a_key_that_others_can_read(doctor, launched):
    Path("id.json").chmod(0o644)
    code, out, _ = doctor("--chain", launched, "--keypair", "id.json")
    assert code == 1
    assert "run chmod 600 id.json" in " ".join(out.split())


def test_who_is_admin_or_poor(doctor, launched, tmp_path):
    write_key(tmp_path / "admin.json", key("admin"))
    code, out, _ = doctor("--chain", launched, "--keypair", "admin.json")
    assert code == 1 and rows(out)["role: admin"].startswith("wrong")
    write_key(tmp_path / "poor.json", key("poor"))
    code, out, _ = doctor("--chain", launched, "--keypair", "poor.json")
    assert code == 1
    assert rows(out)["balance"].startswith("wrong 0 SOL")
    assert "send 0.5 SOL or more to" in " ".join(out.split())


def test_operators_and_those_who_attest_without_being_one(doctor, launched, tmp_path, monkeypatch):
    (tmp_path / "observations").mkdir()
    monkeypatch.setenv("IONET_POW", "observations")
    write_key(tmp_path / "operator.json", key("operator 1"))
    code, out, _ = doctor("--chain", launched, "--keypair", "operator.json")
    assert code == 0 and rows(out)["role: operator"].startswith("ok one of 3, 2 must agree")
    code, out, _ = doctor("--chain", launched, "--keypair", "id.json")
    assert code == 1 and rows(out)["role: operator"].startswith("wrong")


async def test_a_program_of_other_bytes():
    chain = World().chain
    address = loader.program_data_address(Program.load("tokenomics").address)
    account = chain.get(address)
    assert account is not None
    header, code = (
        account.data[: loader.PROGRAM_DATA_HEADER],
        account.data[loader.PROGRAM_DATA_HEADER :],
    )
    for changed, state in (
        (code, CheckState.OK),
        (code + bytes(10_000), CheckState.OK),  # room to grow
        (code + b"\x01", CheckState.WRONG),
        (code[:-1], CheckState.WRONG),
        (b"\x00" + code[1:], CheckState.WRONG),
    ):
        data = header + changed
        chain.set_account(address, type(account)(account.lamports, data, account.owner))
        found = {
            each.check: each.state
            for each in await Doctor(Settings(), chain, {}, key("payer").pubkey()).examine()
        }
        assert (found["program tokenomics"], found["program staking"]) == (state, CheckState.OK)


def test_a_database_of_another_chain_behind_and_halted(ionet, doctor, launched, tmp_path, monkeypatch):
    arguments = ("--chain", launched, "--keypair", "id.json")
    assert ionet("keeper", "once", "emission", "index", *arguments)[0] == 0
    code, out, _ = doctor(*arguments)
    found = rows(out)
    assert code == 0, out
    assert found["database"].startswith("ok schema") and found["leader"].startswith("ok last: ")
    assert found["genesis"].startswith("ok") and found["index of staking"].startswith("ok")

    with sqlite3.connect("ionet.db") as connection:
        connection.execute("INSERT INTO halts VALUES ('staking', 'slot 7: staked', 1)")
        connection.execute("UPDATE watermarks SET final_slot = 1 WHERE program = 'staking'")
    code, out, _ = doctor(*arguments)
    found = rows(out)
    assert code == 1
    assert found["accounts of staking"].startswith("wrong") and found["index of staking"].startswith("wrong")

    with sqlite3.connect("ionet.db") as connection:
        connection.execute("UPDATE chain SET genesis_hash = 'another'")
    code, out, _ = doctor(*arguments)
    assert code == 1
    assert rows(out)["genesis"].startswith(
        f"wrong ionet.db is about another chain (genesis another) that was at {launched}"
    )
    assert "another database with IONET_DATABASE" in rows(out)["genesis"]

    with sqlite3.connect("ionet.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    code, out, _ = doctor(*arguments)
    assert code == 1 and "its schema is at 9999" in rows(out)["database"]


@pytest.mark.parametrize(
    ("settings", "row"),
    [
        ({"IONET_JOB": "[]"}, "IONET_JOB has no effect: there is no such setting"),
        (
            {"IONET_SIGNER_ADDRESS": "x"},
            "IONET_SIGNER_ADDRESS has no effect: there is no IONET_SIGNER_COMMAND",
        ),
        ({"IONET_POW": "nowhere"}, "IONET_POW has no effect: nowhere is no folder"),
        (
            {"IONET_POW": ".", "IONET_JOBS": '["emission"]'},
            "IONET_POW has no effect: the job attest is off",
        ),
        ({"IONET_JOBS": '["attest"]'}, "IONET_JOBS has no effect: the job attest needs IONET_POW"),
    ],
)
def test_settings_that_do_nothing(doctor, launched, monkeypatch, settings, row):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IONET_KEYPAIR", "id.json")
    code, out, _ = doctor("--chain", launched)
    assert code == 1
    assert row in " ".join(rows(out)["settings"].split())


async def test_on_a_node_and_when_it_is_gone(tmp_path):
    world = StakingWorld.ready()
    node = RpcNode(world.chain)
    await node.start()
    chain = RpcChain(node.url)
    doctor = Doctor(Settings(), chain, {}, world.payer.pubkey())
    found = {each.check: each for each in await doctor.examine()}
    assert found["chain"].found.startswith("Solana node 4.1.1, finalized slot ")
    assert found["clock"].state is CheckState.WRONG and "behind this machine's" in found["clock"].found
    assert found["program staking"].state is CheckState.OK
    world.chain.warp_to(int(time.time()))
    assert {each.check: each.state for each in await doctor.examine()}["clock"] is CheckState.OK
    await node.stop()
    gone = {each.check: each for each in await doctor.examine()}
    await chain.close()
    for name in ("chain", "clock", "programs", "balance"):
        assert gone[name].state is CheckState.WRONG and "IONET_CHAIN" in gone[name].do
    assert gone["settings"].state is CheckState.OK
