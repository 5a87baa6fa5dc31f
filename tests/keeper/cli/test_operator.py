"""``ionet operator serve`` as a process: it starts, answers, is stopped, and starts again in its folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.programs.staking.world import StakingWorld

COMMAND = [Path(sys.executable).parent / "ionet", "operator", "serve"]
SETTINGS = {
    "IONET_POW": "pow",
    "IONET_CHAIN": "a.chain",
    "IONET_KEYPAIR": "id.json",
    "IONET_POW_HTTP": "127.0.0.1:0",
    "IONET_POW_METRICS": "127.0.0.1:0",
    "IONET_RELAY": "127.0.0.1:0",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A chain in a file, and an operator's key."""
    world = StakingWorld.ready()
    world.chain.save(tmp_path / "a.chain")
    key = tmp_path / "id.json"
    key.write_text(json.dumps(list(bytes(world.operators[0]))))
    key.chmod(0o600)
    return tmp_path


@contextmanager
def service(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The process, and what it said when it listened, with the port of its figures."""
    process = subprocess.Popen(
        COMMAND, cwd=folder, env={**os.environ, **SETTINGS}, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        said = (json.loads(line) for line in process.stderr if line.startswith("{"))
        figures = next(each["port"] for each in said if each["event"] == "pow.figures")
        yield process, {**next(each for each in said if each["event"] == "pow.serving"), "figures": figures}
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_it_serves_until_it_is_stopped(folder: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with service(folder) as (process, said):
            url = f"http://127.0.0.1:{said['port']}"
            assert httpx.get(f"{url}/pow/operator").json()["operator"] == said["operator"]
            board = httpx.get(f"{url}/compute/board").json()
            assert board["operator"] == said["operator"] and 0 < board["relay"] < 65_536
            # Figures are where devices don't come.
            assert httpx.get(f"{url}/metrics").status_code == 404
            figures = httpx.get(f"http://127.0.0.1:{said['figures']}/metrics").text
            assert "ionet_pow_devices 0.0" in figures
            # A second one on the folder is refused in a line.
            environment = {**os.environ, **SETTINGS}
            other = subprocess.run(
                COMMAND, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert other.returncode == 1
            assert "one folder is for one service" in other.stderr
            assert "Traceback" not in other.stderr
            with httpx.Client(base_url=url) as client:
                assert client.get("/health").status_code == 200
                process.send_signal(number)
                assert process.stderr is not None
                rest = process.stderr.read()
            assert process.wait() == 0, rest
            assert '"pow.stopped"' in rest
            assert "Traceback" not in rest
    assert (folder / "pow/state.db").exists()


def test_a_kill_leaves_no_relay(folder: Path) -> None:
    with service(folder) as (process, _):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (relays := [each for each in children.read_text().split() if _is_relay(each)]):
            assert process.poll() is None
        process.kill()
        process.wait()
        while any(map(_is_relay, relays)):
            time.sleep(0.01)


def _is_relay(number: str) -> bool:
    try:
        return b"relay_process" in Path(f"/proc/{number}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
