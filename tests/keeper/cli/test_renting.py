"""A renter's commands on a real cluster: two sandboxes with Ray, boards, a relay, WireGuard."""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import httpx2 as httpx
import numpy as np
import psutil
import pytest
from websockets.sync.client import connect as websocket

from keeper.compute import runtime
from tests.keeper.compute import sandboxing
from tests.keeper.compute.test_cluster import installed
from tests.keeper.renter.hired import OBJECTS
from tests.keeper.renter.rented import ENDING, NOTEBOOK, Connected, Rented
from tests.keeper.renter.wheels import notebook_wheels, numpy_wheel

__all__ = ["installed"]
COUNT = """
import ray
ray.init(log_to_driver=False)
print("NODES", sum(each["Alive"] for each in ray.nodes()))
"""
BIG_MIB = 48
EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def rented(installed: runtime.Runtime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rented]:
    with Rented(tmp_path_factory.mktemp("rented"), installed) as made:
        yield made


@pytest.fixture(scope="module")
def connected(rented: Rented) -> Iterator[Connected]:
    made = Connected(rented)
    yield made
    if made.process.poll() is None:
        made.interrupt()


@pytest.fixture
def rent(ionet, rented: Rented, connected: Connected, monkeypatch: pytest.MonkeyPatch):
    """A command of ``ionet cluster`` on the order: its exit code, what it printed, what it told."""
    for name, value in rented.environment.items():
        monkeypatch.setenv(name, value)
    return lambda group, command, *typed: ionet(group, command, rented.order, *map(str, typed))


def test_what_is_printed_is_for_rays_own_tools(rented: Rented, connected: Connected) -> None:
    address, mode, token = connected.said
    assert address.startswith("export RAY_ADDRESS=http://127.0.0.1:")
    assert (mode, token) == ("export RAY_AUTH_MODE=token", f"export RAY_AUTH_TOKEN_PATH={rented.place}/token")
    assert (rented.place / "token").read_text() == rented.here.token.hex()
    assert sandboxing.alive(rented.here.token.hex()) == []


def test_a_job_runs_in_a_copy_of_the_folder_and_its_end_is_the_commands(rent, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "train.py").write_text(
        "import sys, helper; print(helper.NAME, sys.argv[1:]); sys.exit(len(sys.argv) - 2)"
    )
    (work / "helper.py").write_text("NAME = 'helped'")
    code, out, err = rent(
        "cluster", "submit", "--working-dir", work, "--follow", "--", "python", "train.py", "a b"
    )
    name = out.splitlines()[0]
    assert code == 0 and out.splitlines()[-1] == "helped ['a b']", err
    code, out, _ = rent("cluster", "logs", name, "--json")
    found = json.loads(out)
    assert (code, found["state"], found["logs"].splitlines()[-1]) == (0, "SUCCEEDED", "helped ['a b']")
    code, out, err = rent(
        "cluster", "submit", "--working-dir", work, "-f", "--", "python", "train.py", "a", "b"
    )
    assert code == 1 and "helped ['a', 'b']" in out and "is FAILED" in err
    code, out, _ = rent("cluster", "jobs", "--json")
    found = json.loads(out)["jobs"]
    assert code == 0 and {each["state"]: each["exit_code"] for each in found} == {"SUCCEEDED": 0, "FAILED": 1}
    assert found[1]["job"] == name and 0 < found[1]["started"] <= found[1]["ended"]
    code, out, _ = rent("cluster", "jobs")
    assert code == 0 and out.count("train.py") == 2


def test_a_job_is_stopped(rent) -> None:
    code, out, _ = rent(
        "cluster", "submit", "--env", "N=7", "--json", "--", "sh", "-c", "echo begun $N; sleep 1000"
    )
    name = json.loads(out)["job"]
    assert code == 0
    while "begun 7" not in rent("cluster", "logs", name)[1]:
        pass
    assert json.loads(rent("cluster", "stop", name, "--json")[1])["stopped"] is True
    code, _, err = rent("cluster", "logs", name, "--follow")
    assert code == 1 and "is STOPPED" in err
    code, out, _ = rent("cluster", "stop", name)
    assert code == 0 and "doesn't run" in out
    code, _, err = rent("cluster", "stop", "nothing")
    assert code == 1 and "the cluster has no job nothing" in err


FETCH = """
import urllib.request
for name in ("evil", "models"):
    try:
        urllib.request.urlopen(f"https://{name}.example/")
    except OSError as error:
        print("TOLD", getattr(error, "reason", error))
"""


def test_a_job_is_told_where_the_way_out_is(rent, rented: Rented) -> None:
    """All jobs here have it: Ray's own connections don't take it."""
    code, out, err = rent("cluster", "submit", "--follow", "--", "python", "-c", FETCH)
    told = [each for each in out.splitlines() if each.startswith("TOLD")]
    refused = "TOLD Tunnel connection failed: "
    assert code == 0 and len(told) == 2, err
    assert told[0].startswith(f"{refused}403 evil.example isn't on the list of this device's supplier")
    assert told[1].startswith(f"{refused}502 models.example isn't found by this device just now")
    nodes = json.loads(rent("cluster", "metrics", "--json")[1])["nodes"]
    assert [each["way_out"]["allowed"] for each in nodes] == [["models.example"]] * 2
    assert [each["way_out"]["refused"] for each in nodes] == [2, 0]
    code, out, _ = rent("cluster", "metrics")
    assert code == 0 and out.count("0 MiB of 1 MiB") == 2


def test_files_go_to_a_node_and_come_back(rent, rented: Rented, tmp_path: Path) -> None:
    source, back = tmp_path / "set", tmp_path / "back"
    (source / "deep").mkdir(parents=True), back.mkdir()
    (source / "deep/a.bin").write_bytes(bytes(range(256)) * 4_000)
    (source / "b").write_text("b")
    head = json.loads(rent("cluster", "status", "--json")[1])["nodes"][0]["address"]
    device = next(each for each in rented.here.devices.values() if str(each.address) != head)
    other = str(device.address)
    code, out, err = rent("cluster", "put", source, "in", "--node", other, "--json")
    assert code == 0 and json.loads(out) == {"order": rented.order, "files": 2, "bytes": 1_024_001}, err
    assert (device.sandbox.folder / "data/in/set/b").read_text() == "b"
    code, out, err = rent("cluster", "get", "in/set", back, "--node", other, "--json")
    assert code == 0 and json.loads(out)["bytes"] == 1_024_001, err
    assert (back / "set/deep/a.bin").read_bytes() == (source / "deep/a.bin").read_bytes()
    code, _, err = rent("cluster", "get", "in/set", back)
    assert code == 1 and "there is no /data/in/set" in err, "it is on the other node"
    code, _, err = rent("cluster", "put", source, "--node", "10.9.9.9")
    assert code == 1 and "has no node 10.9.9.9" in err


def test_a_shell_is_a_terminal_on_the_node(rented: Rented, connected: Connected) -> None:
    done = connected.typed("tty; pwd; id -un; stty size; exit 7\n", "shell", rented.order)
    lines = [each.strip() for each in done.stdout.splitlines()]
    assert {"/dev/pts/0", "/data", "renter", "24 80"} <= set(lines), done
    assert done.returncode == 7
    done = connected.typed("", "shell", rented.order, "--", "echo", "a b")
    assert (done.stdout.strip(), done.returncode) == ("a b", 0), done


def test_nodes_tell_what_they_use(rent, rented: Rented) -> None:
    code, out, err = rent("cluster", "metrics", "--json")
    found = json.loads(out)["nodes"]
    assert code == 0 and [each["wrong"] for each in found] == ["", ""], err
    assert {each["address"] for each in found} == {str(e.address) for e in rented.here.devices.values()}
    for each in found:
        assert 0 < each["memory_used"] <= each["memory_total"] and each["disk_free"] > 0
        assert 0 < each["objects_used"] + each["objects_free"] <= OBJECTS
    code, out, _ = rent("cluster", "metrics")
    assert code == 0 and out.count("MiB of") == 6


def test_a_notebook_server_on_the_head_is_reached_by_its_token_alone(rent, connected: Connected) -> None:
    """As docs/compute.md has it: what a notebook runs is on the cluster, and its pages are here."""
    token = secrets.token_hex(16)
    brought = [part for each in notebook_wheels() for part in ("--wheel", each)]
    serves = ("python", "-m", "jupyter_server", "--ip", "0.0.0.0", "--port", NOTEBOOK, "--no-browser")
    code, out, err = rent(
        "cluster", "submit", *brought, "--env", f"JUPYTER_TOKEN={token}", "--json", "--", *serves
    )
    assert code == 0, err
    job, here = json.loads(out)["job"], f"127.0.0.1:{connected.notebook}"
    mine = httpx.Client(
        base_url=f"http://{here}/api", headers={"Authorization": f"token {token}"}, timeout=60
    )
    with mine as server:
        while True:
            try:
                if server.get("/status").status_code == 200:
                    break
            except httpx.HTTPError:
                found = json.loads(rent("cluster", "logs", job, "--json")[1])
                assert found["state"] in ("PENDING", "RUNNING"), found["logs"]
        assert httpx.get(f"http://{here}/api/kernels").status_code == 403
        assert httpx.get(f"http://{here}/api/kernels?token={token[:-2]}xx").status_code == 403
        kernel = server.post("/kernels", json={}).json()["id"]
        asked = {
            "channel": "shell",
            "header": {"msg_id": "1", "msg_type": "execute_request", "session": "s", "username": ""},
            "parent_header": {},
            "metadata": {},
            "content": {"code": COUNT, "silent": False, "user_expressions": {}, "allow_stdin": False},
        }
        said = ""
        with websocket(f"ws://{here}/api/kernels/{kernel}/channels?token={token}") as channel:
            channel.send(json.dumps(asked))
            while "NODES" not in said:
                told = json.loads(channel.recv(timeout=300))
                assert told["msg_type"] != "error", told["content"]
                said += told["content"].get("text", "") if told["msg_type"] == "stream" else ""
        assert said.split()[-2:] == ["NODES", "2"]
    assert json.loads(rent("cluster", "stop", job, "--json")[1])["stopped"] is True


# -- examples/: each as a job, held to the same functions run here ------------------------------


def example(name: str) -> ModuleType:
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def runs(rent) -> Callable[..., str]:
    """Run an example to its end; the last line that it prints."""

    def run(name: str, *arguments: object, wheel: bool = True) -> str:
        brought = ("--wheel", numpy_wheel()) if wheel else ()
        typed = ("--working-dir", EXAMPLES, *brought, "--follow", "--", "python", f"{name}.py", *arguments)
        code, out, err = rent("cluster", "submit", *typed)
        assert code == 0, out + err
        return out.splitlines()[-1]

    return run


def test_batch_inference(runs) -> None:
    own = example("batch_inference")
    counts = sum(np.array(own.score(own.weights(), each)) for each in range(3))
    assert runs("batch_inference", 3) == "CLASSES " + " ".join(map(str, counts))


def test_training(runs) -> None:
    own = example("training")
    workers = [own.Worker(each, 2) for each in range(2)]
    for _ in range(20):
        gradients = [each.gradient() for each in workers]
        for each in workers:
            each.step(*gradients)
    assert (workers[0].model == workers[1].model).all()
    right = sum(each.right() for each in workers)
    assert right > 0.9 * own.ROWS
    assert runs("training", 2, 20) == f"RIGHT {right} of {own.ROWS}"


def test_tuning(runs) -> None:
    own = example("tuning")
    tried = own.drawn(4)
    two = sorted(tried, key=lambda each: own.trial(each, 20))[:2]
    error, (rate, penalty) = min((own.trial(each, 40), each) for each in two)
    final = own.trial((rate, penalty), 80)
    assert final < error < max(own.trial(each, 40) for each in tried)
    assert runs("tuning", 4, 20) == f"BEST {rate:.6f} {penalty:.6f} {final:.6f}"


def test_reinforcement(runs) -> None:
    own = example("reinforcement")
    name, steps, _, most = runs("reinforcement", 2).split()
    assert name == "STEPS" and int(steps) > 0.9 * int(most)
    assert own.evaluate(np.zeros((1, 4)), 1_000)[0] < 0.5 * int(most), "who has learned nothing"


def test_rendering(runs, rent, tmp_path: Path) -> None:
    own = example("render")
    header, picture = b"P6 320 240 255\n", own.strip(320, 240, 0, 240)
    assert runs("render") == f"PICTURE /data/picture.ppm {len(header) + len(picture)}"
    assert rent("cluster", "get", "picture.ppm", tmp_path)[0] == 0
    assert (tmp_path / "picture.ppm").read_bytes() == header + picture
    assert len(set(picture)) > 100, "there is something on it"


def test_files_in_and_out(runs, rent, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("one two\nTWO three")
    (tmp_path / "in/b.txt").write_text("three three")
    assert rent("cluster", "put", tmp_path / "in")[0] == 0
    assert runs("files_in_and_out", wheel=False) == "WORDS 6"
    assert rent("cluster", "get", "out/words.json", tmp_path)[0] == 0
    found = json.loads((tmp_path / "words.json").read_text())
    assert found == {"one": 1, "three": 3, "two": 2} == example("files_in_and_out").count(tmp_path / "in")


def test_every_example_has_its_line_and_its_test() -> None:
    names = {each.stem for each in EXAMPLES.glob("*.py")}
    table = (EXAMPLES / "README.md").read_text()
    mine = Path(__file__).read_text()
    assert all(f"| `{each}.py` |" in table and f'runs("{each}"' in mine for each in names) and len(names) == 6


def killed(connected: Connected, *typed: object, when: Callable[[], object]) -> None:
    """A command that is ended by kill -9 once something holds, in the middle of what it does."""
    command = connected.begun(*map(str, typed))
    while not when():
        assert command.poll() is None, command.communicate()
        time.sleep(0.01)
    command.kill()
    command.communicate()


def test_put_and_get_that_are_killed_leave_nothing_under_a_files_name_and_are_repeated(
    rent, rented: Rented, connected: Connected, tmp_path: Path
) -> None:
    source, back = tmp_path / "big", tmp_path / "back"
    source.write_bytes(secrets.token_bytes(1 << 20) * BIG_MIB), back.mkdir()
    found = json.loads(rent("cluster", "status", "--json")[1])["nodes"][0]["address"]
    device = next(each for each in rented.here.devices.values() if str(each.address) == found)
    there = device.sandbox.folder / "data"

    def begun(folder: Path) -> bool:
        return any(each.stat().st_size > 1 << 20 for each in folder.glob(".*.part"))

    killed(connected, "put", rented.order, source, when=lambda: begun(there))
    assert not (there / "big").exists()
    code, _, err = rent("cluster", "put", source)
    assert code == 0 and (there / "big").read_bytes() == source.read_bytes(), err
    killed(connected, "get", rented.order, "big", back, when=lambda: begun(back))
    assert not (back / "big").exists()
    code, _, err = rent("cluster", "get", "big", back)
    assert code == 0 and (back / "big").read_bytes() == source.read_bytes(), err
    # What they ran on the node ends by itself, as nobody is there.
    while json.loads(rent("cluster", "status", "--json")[1])["jobs_running"]:
        time.sleep(0.1)


def test_submit_that_is_killed_leaves_a_whole_job_or_none(
    rent, rented: Rented, connected: Connected, tmp_path: Path
) -> None:
    work, file = tmp_path / "work", tmp_path / "said"
    work.mkdir()
    (work / "big").write_bytes(secrets.token_bytes(16 << 20))
    before = {each["job"] for each in json.loads(rent("cluster", "jobs", "--json")[1])["jobs"]}
    typed = ("submit", rented.order, "--working-dir", work, "--", "test", "-s", "big")
    for seconds in (1, 2, 3):  # While it packs, sends, or asks for the job.
        until = time.monotonic() + seconds
        command = connected.begun(*map(str, typed))
        while time.monotonic() < until and command.poll() is None:
            time.sleep(0.01)
        command.kill()
        command.communicate()
    code, out, err = rent("cluster", "submit", "--working-dir", work, "--follow", "--", "test", "-s", "big")
    assert code == 0, out + err
    while (found := json.loads(rent("cluster", "status", "--json")[1]))["jobs_running"]:
        time.sleep(0.1)
    jobs = json.loads(rent("cluster", "jobs", "--json")[1])["jobs"]
    new = [each for each in jobs if each["job"] not in before]
    assert 1 <= len(new) <= 4 and {each["state"] for each in new} == {"SUCCEEDED"}, found
    # One that is followed goes on without who follows it.
    with file.open("w") as said:
        follows = ("submit", rented.order, "--follow", "--", "sh", "-c", "echo begun; sleep 1000")
        command = connected.begun(*follows, out=said)
        while "begun" not in file.read_text():
            assert command.poll() is None, file.read_text()
            time.sleep(0.01)
        command.kill()
        command.wait()
    (job,) = [e for e in json.loads(rent("cluster", "jobs", "--json")[1])["jobs"] if e["state"] == "RUNNING"]
    assert json.loads(rent("cluster", "stop", job["job"], "--json")[1])["stopped"] is True


def test_what_is_idle_is_ended(rent, rented: Rented) -> None:
    code, out, err = rent("cluster", "end-when-idle", "1s", "--dry-run", "--json")
    found = json.loads(out)["transactions"]
    assert code == 0 and len(found) == 1, err
    assert json.loads(rent("cluster", "status", "--json")[1])["jobs_running"] == 0


def test_another_connection_is_refused_and_the_end_leaves_nothing(
    rent, rented: Rented, connected: Connected
) -> None:
    code, _, err = rent("cluster", "connect", "--jobs", "0")
    assert code == 1 and "another process of this machine is connected" in err
    code, told = connected.interrupt()
    assert code == 0 and told.splitlines()[-1] == "connected"
    assert not (rented.place / "door").exists()
    # Without it, a command is connected for as long as it takes.
    code, out, err = rent("cluster", "jobs", "--json")
    assert code == 0 and "connected" in err and json.loads(out)["jobs"]
    assert not (rented.place / "door").exists()


def test_connect_that_is_killed_leaves_no_process_and_is_begun_anew(rent, rented: Rented) -> None:
    made = Connected(rented)
    below = psutil.Process(made.process.pid).children(recursive=True)
    assert {"unshare", "wireguard-go"} <= {each.name() for each in below} or len(below) > 1
    port = int(made.said[0].rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port)).close()
    made.process.kill()
    made.process.communicate()
    psutil.wait_procs(below, timeout=ENDING)
    assert not any(each.is_running() for each in below)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert (rented.place / "door").exists(), "what a killed one can't take away holds nobody up"
    code, out, err = rent("cluster", "jobs", "--json")
    assert code == 0 and json.loads(out)["jobs"], err
    again = Connected(rented)
    assert again.said[2] == made.said[2]
    assert again.interrupt()[0] == 0 and not (rented.place / "door").exists()
