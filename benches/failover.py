"""How long nobody leads when a leader is killed, stopped, frozen, or loses its server: real processes.

``python benches/failover.py`` runs two keepers on a chain on which nothing happens, does to the leader what
the rows say, waits for the next ``keeper.leads`` in their logs, and renews the table in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import queue
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from idl_codec import write_section
from sqlalchemy.engine import make_url

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.db.leader import LEASE_SECONDS  # noqa: E402
from keeper.demo.network import Network  # noqa: E402
from tests.keeper.postgres import Server, binaries  # noqa: E402

SECTION = "failover.py"
PATIENCE = 120
STEADY_SECONDS = 7.0
"""Both have looked a few times: the one in reserve knows the leader's beat."""


class Keeper:
    """``ionet keeper run`` in a process, and when it said what."""

    def __init__(self, folder: Path, url: str, name: str) -> None:
        """Start it."""
        self.name = name
        environment = {
            "IONET_DATABASE": url,
            "IONET_NAME": name,
            "IONET_HTTP": "off",
            "IONET_CHECK_SECONDS": "5",
            "IONET_CHAIN": "a.chain",
            "IONET_KEYPAIR": "id.json",
        }
        self.process = subprocess.Popen(
            [Path(sys.executable).parent / "ionet", "keeper", "run"],
            cwd=folder,
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: queue.Queue[tuple[float, str]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.put((time.monotonic(), json.loads(line)["event"]))

    def until(self, event: str) -> float:
        """When it next says this."""
        end = time.monotonic() + PATIENCE
        while True:
            at, said = self.said.get(timeout=end - time.monotonic())
            if said == event:
                return at

    def forget(self) -> None:
        """What it has said so far."""
        while not self.said.empty():
            self.said.get()

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()


@contextmanager
def keepers(folder: Path, url: str) -> Iterator[tuple[Keeper, Keeper]]:
    """One that leads and one in reserve."""
    started = [Keeper(folder, url, "leader")]
    try:
        started[0].until("keeper.leads")
        started.append(Keeper(folder, url, "reserve"))
        leader, reserve = started
        reserve.until("keeper.stands_by")
        time.sleep(STEADY_SECONDS)
        for each in started:
            each.forget()
        yield leader, reserve
    finally:
        for each in started:
            each.end()


def signalled(number: signal.Signals) -> Callable[[Path, str], float]:
    """Seconds from a signal to the leader until the other one leads."""

    def measure(folder: Path, url: str) -> float:
        with keepers(folder, url) as (leader, reserve):
            began = time.monotonic()
            leader.process.send_signal(number)
            return reserve.until("keeper.leads") - began

    return measure


def alone(folder: Path, url: str) -> float:
    """Seconds from the start of a process beside the row of a killed one until it leads."""
    killed = Keeper(folder, url, "killed")
    killed.until("keeper.leads")
    killed.end()
    after = Keeper(folder, url, "after")
    try:
        began = after.until("keeper.stands_by")
        return after.until("keeper.leads") - began
    finally:
        after.end()


def restarted(server: Server, down: float) -> Callable[[Path, str], float]:
    """Seconds from a server's return, after ``down`` seconds, until somebody's lease is renewed."""

    def measure(folder: Path, url: str) -> float:
        import psycopg  # noqa: PLC0415

        with keepers(folder, url):
            server.stop()
            time.sleep(down)
            server.start()
            began = time.monotonic()
            with psycopg.connect(url, autocommit=True) as connection:
                query = "SELECT epoch, beat FROM leadership"
                before = connection.execute(query).fetchone()
                while connection.execute(query).fetchone() == before:
                    time.sleep(0.02)
            return time.monotonic() - began

    return measure


def main() -> None:
    """Measure and renew the section between the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each row")
    rounds = parser.parse_args().rounds
    programs = binaries()
    if programs is None:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    server = Server(programs)
    rows: dict[str, dict[str, list[float]]] = {}
    numbers = iter(range(1_000))
    causes: dict[str, Callable[[Path, str], float]] = {
        "SIGTERM": signalled(signal.SIGTERM),
        "`kill -9`": signalled(signal.SIGKILL),
        "SIGSTOP": signalled(signal.SIGSTOP),
        "`kill -9`, nobody in reserve, a new process": alone,
    }
    on_server = {
        "the server restarts at once": restarted(server, 0),
        "the server is gone for 30 s": restarted(server, 30),
    }
    try:
        with tempfile.TemporaryDirectory() as name:
            network = Network.empty()
            asyncio.run(network.genesis())
            network.chain.save(Path(name) / "a.chain")
            key = Path(name) / "id.json"
            key.write_text(json.dumps(list(bytes(network.keeper))))
            key.chmod(0o600)
            for kind in ("SQLite", "PostgreSQL"):
                for cause, measure in {**causes, **(on_server if kind == "PostgreSQL" else {})}.items():
                    for _ in range(rounds):
                        database = f"failover{next(numbers)}"
                        if kind == "SQLite":
                            url = f"sqlite:///{name}/{database}.db"
                        else:
                            server.execute(f"CREATE DATABASE {database}")
                            url = make_url(server.url(database)).render_as_string()
                        took = measure(Path(name), url)
                        rows.setdefault(cause, {}).setdefault(kind, []).append(took)
                        print(f"{kind}, {cause}: {took:.1f} s", flush=True)
    finally:
        server.remove()
    write_section(SECTION, report(rows, rounds))


def report(rows: dict[str, dict[str, list[float]]], rounds: int) -> str:
    """The table."""

    def cell(values: list[float] | None) -> str:
        if not values:
            return ""
        return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"

    lines = ["| what happens to the leader | SQLite, s | PostgreSQL, s |", "| :--- | ---: | ---: |"]
    for cause, of in rows.items():
        lines.append(f"| {cause} | {cell(of.get('SQLite'))} | {cell(of.get('PostgreSQL'))} |")
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    lines += ["", f"Median and range of {rounds} rounds, a lease of {LEASE_SECONDS:g} s; {machine}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
