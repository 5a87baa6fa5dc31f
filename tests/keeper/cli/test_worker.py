"""``ionet worker`` as suppliers type it: enrolled, registered, run among operators, looked at."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx2 as httpx
import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain.embedded import EmbeddedChain
from keeper.compute import cgroups, proxy, runtime
from keeper.compute.proxy import look_up
from keeper.economy.calendar import month_start, parse_month
from keeper.economy.orders import LeaseStatus
from keeper.pow import profiles
from keeper.rewards import publication
from keeper.rewards.rows import Hour
from keeper.tables import addresses
from keeper.worker.client import Item
from keeper.worker.earnings import earned
from keeper.worker.state import Enrolment, Store
from tests.keeper.api.serving import serving as published
from tests.keeper.rewards.seen import publish_rows
from tests.keeper.rewards.tables import another, classes, rows
from tests.keeper.rewards.test_publication import EMITTED, START
from tests.keeper.worker.operators import Service, device_of, opened, serving, wave
from tests.programs.orders.world import IO, OrdersWorld
from tests.programs.world import key

SLOT = 3_200
RUN = [str(Path(sys.executable).with_name("ionet")), "worker", "run"]


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch) -> None:
    """A table of profiles in which a 4090, and the class of the programs' tests, have little to do."""
    table = json.loads(profiles.POW_PROFILES.read_text())["profiles"][:1]
    table[0]["classes"] = [1, 10]
    path = tmp_path / "profiles.json"
    path.write_text(json.dumps({"profiles": table}))
    row = {"from": "1970-01-01T00:00:00Z", "file": path.name, "sha256": sha256(path.read_bytes()).hexdigest()}
    (tmp_path / "hours.json").write_text(json.dumps({"tables": [row]}))
    monkeypatch.setenv("IONET_PROFILES", str(tmp_path / "hours.json"))


@contextmanager
def operators(count: int) -> Iterator[tuple[list[Service], Callable[..., None]]]:
    """Operators' services in a thread of their own, and what makes all of them tell of something."""
    loops = []
    services = [Service(f"operator {number}", []) for number in range(count)]
    ready, stop = threading.Event(), threading.Event()

    async def work() -> None:
        async with serving(services):
            loops.append(asyncio.get_running_loop())
            ready.set()
            while not stop.is_set():
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    assert ready.wait(30)

    def tell(item: Item) -> None:
        for service in services:
            asyncio.run_coroutine_threadsafe(service.tell(item), loops[0]).result(30)

    try:
        yield services, tell
    finally:
        stop.set()
        thread.join()


def worker_key(path: str = "w.json") -> Keypair:
    return Keypair.from_bytes(bytes(json.loads(Path(path).read_text())))


def enrolled(ionet: Callable[..., tuple[int, str, str]]) -> str:
    code, out, err = ionet("worker", "enrol", "--class", "rtx 4090", "--backend", "numpy", "--new", "w.json")
    assert (code, err) == (0, "")
    return out


def test_what_enrol_prints_registers_the_device(ionet) -> None:
    out = enrolled(ionet)
    assert Path("w.json").stat().st_mode & 0o777 == 0o600
    assert re.search(r"verdict +PASS", out)
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.warp_to(month_start(parse_month("2090-01")))
    supplier = world.supplier("supplier")
    world.chain.save(Path("test.chain"))
    Path("s.json").touch(0o600)
    Path("s.json").write_text(json.dumps(list(bytes(supplier))))
    (line,) = [each for each in out.splitlines() if "ionet device register" in each]
    typed = shlex.split(line.replace("CC", "CH"))[1:]
    code, _, err = ionet(*typed, "--keypair", "s.json", "--chain", "test.chain", "--yes", "--stake", "0")
    assert (code, err) == (0, "")
    code, out, _ = ionet("device", "list", "--chain", "test.chain")
    assert str(device_of(worker_key())) in out


def test_a_worker_runs_among_operators_and_stops(ionet, monkeypatch) -> None:
    enrolled(ionet)
    worker = worker_key()
    device = device_of(worker)
    with operators(3) as (services, tell):
        for service in services:
            service.workers[device] = worker.pubkey()
        tell(wave(SLOT))
        settings = {
            "IONET_OPERATORS": json.dumps([each.url for each in services]),
            "IONET_KEYPAIR": "w.json",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        process = subprocess.Popen(RUN, stderr=subprocess.PIPE, env=dict(os.environ))
        assert process.stderr is not None
        events = []
        for line in process.stderr:
            events.append(json.loads(line)["event"])
            if events[-1] == "worker.receipt" and events.count("worker.receipt") == 3:
                tell(opened(SLOT))
            if events[-1] == "worker.opened":
                break
        process.send_signal(signal.SIGTERM)
        rest = process.communicate()[1].decode()
        assert process.returncode == 0, rest
        assert "worker.stopping" in rest
        assert [len(each.openings) for each in services] == [1, 1, 1]

        code, out, _ = ionet("worker", "status")
        assert code == 0
        assert re.search(r"3,200 .* product +opened .* 3 of 3 +7,000 ms", out)
        code, out, _ = ionet("worker", "status", "--json")
        found = json.loads(out)
        assert found["device"] == str(device)
        (row,) = found["waves"]
        assert bytes.fromhex(row["commit"]) == services[0].commits[0].encode()
        assert {each["operator"] for each in row["receipts"]} == {str(x.key.pubkey()) for x in services}


def test_the_table_of_a_worker_that_runs(ionet, monkeypatch) -> None:
    enrolled(ionet)
    with operators(1) as (services, _):
        environment = {
            **os.environ,
            "FORCE_COLOR": "1",
            "COLUMNS": "140",
            "IONET_OPERATORS": json.dumps([services[0].url]),
            "IONET_KEYPAIR": "w.json",
        }
        process = subprocess.Popen(RUN, stdout=subprocess.PIPE, env=environment)
        assert process.stdout is not None
        out = b""
        while b"earned" not in out:
            out += process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 0
    assert str(device_of(worker_key())) in out.decode()
    assert "waiting for a wave" in out.decode()
    assert "none without a node: set IONET_CHAIN" in out.decode()


def test_a_worker_accepts_a_lease_and_shows_it(ionet, monkeypatch) -> None:
    """On a saved chain, which others see as it left it."""
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.warp_to(month_start(parse_month("2090-01")))
    world.renter("renter")
    world.let("one", world.supplier("supplier"))
    world.chain.airdrop(key("one").pubkey(), 10**7)
    order = world.order(key("renter"))
    world.match(order, "one")
    world.chain.save(Path("test.chain"))
    Path("one.json").touch(0o600)
    Path("one.json").write_text(json.dumps(list(bytes(key("one")))))
    store = Store(Path("worker"))
    store.enrol(Enrolment(device_of(key("one")), 1, 0, 4, "numpy", 1))
    store.close()
    with operators(1) as (services, _):
        services[0].genesis = bytes(Hash.from_string(asyncio.run(world.chain.genesis_hash())))
        settings = {
            "IONET_OPERATORS": json.dumps([services[0].url]),
            "IONET_KEYPAIR": "one.json",
            "IONET_CHAIN": "test.chain",
            "IONET_LEASES": "unserved",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        process = subprocess.Popen(RUN, stderr=subprocess.PIPE, env=dict(os.environ))
        assert process.stderr is not None
        events = []
        for line in process.stderr:
            events.append(json.loads(line)["event"])
            if events[-1] == "worker.lease_runs":
                break
        process.send_signal(signal.SIGTERM)
        process.communicate()
        assert "worker.lease_accepted" in events, events
    world.chain = EmbeddedChain.load(Path("test.chain"))
    lease = world.lease(order, "one")
    assert lease.status == LeaseStatus.RUNNING
    code, out, err = ionet("worker", "status")
    assert (code, err) == (0, "")
    assert re.search(rf"{order.address} +runs +2.00000000 IO", out)
    code, out, _ = ionet("worker", "status", "--json")
    (row,) = json.loads(out)["leases"]
    shown = (row["order"], row["status"], row["price"], row["start"], row["stop"], row["hindrance"])
    assert shown == (str(order.address), "running", str(2 * IO), lease.start, lease.stop, None)
    code, _, err = ionet("device", "accept", str(order.address), "--worker", "one.json")
    assert (code, "has a lease of this order already" in err) == (1, True)


def test_the_runtime_that_is_there_is_named(ionet, monkeypatch) -> None:
    """Installing one takes the network and a minute: tests of clusters do it."""
    made = Path("runtimes", runtime.identity().hex())
    made.mkdir(parents=True)
    (made / runtime.READY).write_text(json.dumps({"base": "/usr"}))
    monkeypatch.setenv("IONET_RUNTIMES", "runtimes")
    code, out, err = ionet("worker", "runtime")
    assert (code, err) == (0, "") and out.startswith(f"renters' Ray is in {made}")
    code, out, _ = ionet("worker", "runtime", "--json")
    assert json.loads(out) == {"folder": str(made), "sha256": runtime.identity().hex()}


@pytest.mark.parametrize(("leases", "said"), [("serve", "ionet worker runtime"), ("unserved", "")])
def test_the_doctor_names_what_a_lease_lacks(leases: str, said: str, ionet, monkeypatch) -> None:
    enrolled(ionet)
    monkeypatch.setenv("IONET_KEYPAIR", "w.json")
    monkeypatch.setenv("IONET_LEASES", leases)
    monkeypatch.setenv("IONET_RUNTIMES", "nowhere")
    _, out, _ = ionet("worker", "doctor", "--json")
    checks = json.loads(out)["checks"]
    assert [each["do"] for each in checks if each["check"] == "runtime"] == ([said] if said else [])
    sandbox = " ".join(each["found"] for each in checks if each["check"] == "sandbox")
    assert ("a sandbox shows no card yet" in sandbox) is bool(said)
    assert ("accepted and not served" in sandbox) is (not said)


def test_the_doctor_says_whom_a_renter_reaches_and_what_limits_it(ionet, monkeypatch) -> None:
    def told() -> dict[str, list[str]]:
        checks = json.loads(ionet("worker", "doctor", "--json")[1])["checks"]
        names = ("egress", "limits")
        return {name: [each["found"] for each in checks if each["check"] == name] for name in names}

    enrolled(ionet)
    monkeypatch.setenv("IONET_KEYPAIR", "w.json")
    assert told()["egress"] == ["IONET_EGRESS is empty: a renter's code has no way out"]
    monkeypatch.setattr(cgroups, "delegated", lambda: None)
    (missing,) = told()["limits"]
    assert missing.startswith("LIMITS_MISSING: ") and missing.endswith("no lease is accepted")
    monkeypatch.setenv("IONET_UNCONFINED", "true")
    (watched,) = told()["limits"]
    assert watched.startswith("IONET_UNCONFINED: memory and disk are looked at each second")
    # Names that this machine finds, as its DNS would say them; the last one is really looked up.
    known = {"models.example.org.": ["93.184.216.34"], "inside.example.org.": ["10.0.0.7", "10.0.0.7"]}
    monkeypatch.setattr(proxy, "look_up", lambda name: known.get(name) or look_up(name))
    names = ["models.example.org", "*.example.org", "inside.example.org", "nowhere.invalid"]
    monkeypatch.setenv("IONET_EGRESS", json.dumps(names))
    monkeypatch.setenv("IONET_EGRESS_LIMIT", "7")
    may, private, lost = told()["egress"]
    assert may.startswith(f"a renter's code may reach {', '.join(names)} by https, 7 GiB a lease")
    assert private == "inside.example.org has no public address from here, only 10.0.0.7"
    assert lost == "nowhere.invalid isn't found from here just now"
    monkeypatch.setenv("IONET_LEASES", "unserved")
    assert told() == {"egress": [], "limits": []}


async def test_what_a_wallet_has_earned(tmp_path: Path) -> None:
    hour = Hour(0, START, EMITTED)
    publish_rows(tmp_path / "rewards", hour, rows([another(n) for n in range(3)]), classes())
    folder = tmp_path / "rewards"
    wallets = publication.read_table(folder, publication.read_manifest(folder, 0), "wallets.csv")
    wallet = addresses(wallets["wallet"])[0]
    with published(tmp_path / "rewards") as url:
        async with httpx.AsyncClient() as http:
            found = await earned(http, ["http://127.0.0.1:9", url, url + "/nowhere"], wallet)
            assert found == (0, publication.claimable(folder, 0, wallet).lifetime)
            assert found.lifetime > 0
            assert await earned(http, [url], Pubkey.default()) is None


def states(out: str) -> dict[str, str]:
    """The checks of a doctor's table, by name."""
    return dict(re.findall(r"^ ?([a-z][a-z-]*)(?: http\S*)? +(ok|note|wrong) ", out, re.M))


def test_a_doctor_s_findings(ionet, monkeypatch) -> None:
    enrolled(ionet)
    monkeypatch.setenv("IONET_KEYPAIR", "w.json")
    code, out, _ = ionet("worker", "doctor")
    assert code == 1
    found = states(out)
    assert (found["operators"], found["chain"], found["self-test"]) == ("wrong", "note", "ok")
    with operators(2) as (services, _):
        urls = [each.url for each in services]
        for service in services:
            service.genesis = bytes(32)
        monkeypatch.setenv("IONET_OPERATORS", json.dumps(urls))
        code, out, _ = ionet("worker", "doctor")
        assert code == 0
        assert set(states(out).values()) == {"ok", "note"}
        # One of two is no majority.
        monkeypatch.setenv("IONET_OPERATORS", json.dumps([urls[0], "http://127.0.0.1:9"]))
        code, out, _ = ionet("worker", "doctor")
        assert (code, states(out)["operators"]) == (1, "wrong")


def test_a_doctor_with_a_chain_says_what_sol_is_for(ionet, monkeypatch) -> None:
    enrolled(ionet)
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.save(Path("test.chain"))
    monkeypatch.setenv("IONET_KEYPAIR", "w.json")
    _, out, _ = ionet("worker", "doctor", "--chain", "test.chain")
    found = states(out)
    assert (found["balance"], found["registration"]) == ("note", "wrong")
    said = " ".join(out.split())
    assert "0.01 SOL" in said and "proof of work itself costs none" in said


def test_a_device_that_is_registered_otherwise_does_not_run(ionet, monkeypatch) -> None:
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.warp_to(month_start(parse_month("2090-01")))
    world.let("one", world.supplier("supplier"))
    world.chain.save(Path("test.chain"))
    Path("one.json").touch(0o600)
    Path("one.json").write_text(json.dumps(list(bytes(key("one")))))
    enrol = (
        "worker",
        "enrol",
        "--class",
        "rtx 4090",
        "--backend",
        "numpy",
        "--processors",
        "2",
        "--keypair",
        "one.json",
    )
    assert ionet(*enrol)[0] == 0
    monkeypatch.setenv("IONET_OPERATORS", '["http://127.0.0.1:9"]')
    code, _, err = ionet("worker", "run", "--keypair", "one.json", "--chain", "test.chain")
    assert code == 1
    assert "the device is 4 of class 1, but it was enrolled for 2 of class 10: run ionet worker enrol" in err


def test_a_wave_by_oneself(ionet) -> None:
    code, out, _ = ionet("worker", "test", "--processors", "2")
    assert code == 0
    assert re.search(r"deadline +11,900 ms", out) and re.search(r"verdict +PASS", out)
