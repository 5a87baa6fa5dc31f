"""A PostgreSQL server of the tests' own, from Debian's package, as an unprivileged user on a socket."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
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


class Server:
    """A running server; its administrator is ``postgres``, who needs no password."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user: dict[str, str | int] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="ionet-pg-"))
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            self._user = {"user": owner.pw_uid, "group": owner.pw_gid}
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
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

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Run a statement on the administrator's own database."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._user)  # type: ignore[call-overload]
