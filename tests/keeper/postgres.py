"""A PostgreSQL server and a pooler of the tests' own, Debian's, as an unprivileged user on a socket."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

PACKAGED = Path("/usr/lib/postgresql")
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
}
"""No test cuts the machine's power: nothing need reach the disk."""


def binaries() -> Path | None:
    """Where the server's programs are, the newest version's; None when it isn't installed."""
    versions = sorted(PACKAGED.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def pooler() -> Path | None:
    """Where PgBouncer is; None when it isn't installed."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return Path(found) if found else None


def _folder(prefix: str) -> tuple[Path, dict[str, str | int]]:
    """A folder for servers, and whom they run as: they refuse to be root."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if os.getuid() != 0:
        return folder, {}
    owner = pwd.getpwnam("postgres")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return folder, {"user": owner.pw_uid, "group": owner.pw_gid}


class Server:
    """A running server; its administrator is ``postgres``, who needs no password."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder, self._user = _folder("ionet-pg-")
        self._run(
            "initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "-D", self.data
        )
        settings = {**SETTINGS, "unix_socket_directories": str(self.folder)}
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        self._run("pg_ctl", "start", "--wait", "--silent", "-D", self.data, "-l", self.folder / "log")

    def stop(self) -> None:
        """At once, as in a crash."""
        self._run("pg_ctl", "stop", "--mode=immediate", "--silent", "-D", self.data)

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for each in (first, *map(int, others)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Run a statement on the administrator's own database."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._user)  # type: ignore[call-overload]


class Pooler:
    """PgBouncer before a server: each transaction (or what ``mode`` says) has another of four sessions."""

    def __init__(self, program: Path, server: Server, mode: str = "transaction") -> None:
        self.folder, user = _folder("ionet-pool-")
        settings = {
            "listen_addr": "",
            "unix_socket_dir": self.folder,
            "listen_port": 6432,
            "auth_type": "any",
            "pool_mode": mode,
            "default_pool_size": 4,
            "min_pool_size": 4,
            "server_round_robin": 1,
            "server_login_retry": 0,
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        text = ["[databases]", f"* = host={server.folder} user=postgres", "[pgbouncer]", *lines]
        (self.folder / "pgbouncer.ini").write_text("\n".join(text))
        command = [program, "-q", self.folder / "pgbouncer.ini"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder, **user
        )  # type: ignore[call-overload]
        while not (self.folder / ".s.PGSQL.6432").exists():
            assert self._process.poll() is None, "pgbouncer ended"
            time.sleep(0.01)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}&port=6432"

    def remove(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder)
