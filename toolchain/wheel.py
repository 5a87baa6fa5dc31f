"""Build the package, install it into empty environments elsewhere, and use it there.

``-m toolchain.wheel``  does it with every extra and with a device's, by the versions and hashes in
requirements.lock. Exit codes: 0 good, 1 with what went wrong.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair

from toolchain.calls import Failed, call, tell

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
UV = Path(sys.executable).with_name("uv")
NOT_ON_DEVICES = {"sqlalchemy", "psycopg", "psycopg-binary", "matplotlib"}
CHAIN = "out/demo/network.chain"
"""What the demo leaves, below the folder it ran in."""


@dataclass(frozen=True)
class Use:
    """A command that is run, how it must end, and what it must say on stdout or stderr."""

    command: str
    says: str
    code: int = 0


EVERYTHING = (
    Use("emission", "2024-07"),
    Use("demo", "figures compared, all equal"),
    Use(f"supply --chain {CHAIN}", "0, as it must be"),
    Use(f"rewards verify --dir out/demo/rewards/operator-1 --chain {CHAIN}", "every byte equal"),
    Use(f"keeper once --chain {CHAIN} --keypair id.json", "ledger.agrees"),
    Use(f"keeper status --chain {CHAIN}", "all agree"),
)
"""With all extras. The keeper's one run makes its database, by the package's own migrations."""

DEVICE = (
    Use("emission", "2024-07"),
    Use(f"device list --chain {CHAIN}", "Devices"),
    Use(f"order list --chain {CHAIN}", "Orders"),
    Use("keeper run", "ionet keeper run needs the extra 'keeper': pip install 'ionet[keeper]'", code=1),
    Use("demo", "ionet demo needs the extra 'demo': pip install 'ionet[demo]'", code=1),
)
"""With a device's extra, where the demo's chain lies already."""


def build(source: Path, folder: Path, target: str, settings: Mapping[str, str] | None = None) -> Path:
    """Build a project's ``wheel`` or ``sdist`` with the installed hatchling; returns the file."""
    call([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder], source, settings)
    (built,) = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return built


def wheel_of_sdist(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist below ``folder`` and build its wheel there; returns the file."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = (each for each in folder.iterdir() if each.is_dir())
    return build(source, folder, "wheel")


def install(wheel: Path, extra: str, environment: Path) -> set[str]:
    """Make an environment with a wheel and one of its extras; returns all its packages but ours.

    Raises Failed for one that requirements.lock doesn't know.
    """
    call([UV, "venv", "-q", "--python", sys.executable, environment], environment.parent)
    which = f"--python={environment}"
    call([UV, "pip", "install", "-q", which, "-c", LOCK, f"{wheel}[{extra}]"], environment.parent)
    listed = json.loads(call([UV, "pip", "list", "-q", which, "--format=json"], environment.parent))
    found = {(each["name"], each["version"]) for each in listed if each["name"] != "ionet"}
    locked = set(re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK.read_text(), re.MULTILINE))
    if found - locked:
        raise Failed(f"installed, but not by requirements.lock: {sorted(found - locked)}")
    return {name for name, _ in found}


def use(environment: Path, folder: Path, uses: Sequence[Use]) -> None:
    """Run an environment's ``ionet`` in ``folder``, with nothing of this process' settings; raises Failed."""
    settings = {"PATH": os.defpath, "HOME": str(folder), "COLUMNS": "200"}
    for each in uses:
        began = time.monotonic()
        done = subprocess.run(
            [environment / "bin/ionet", *each.command.split()],
            cwd=folder,
            env=settings,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        if done.returncode != each.code or each.says not in said or "Traceback" in said:
            wanted = f"{each.code} with '{each.says}'"
            raise Failed(f"ionet {each.command}: exit code {done.returncode}, not {wanted}\n{said}")
        tell(f"ionet {each.command}", began)


def check(folder: Path) -> None:
    """Do all of it below an empty folder; raises Failed."""
    began = time.monotonic()
    wheel = build(ROOT, folder / "dist", "wheel")
    again = wheel_of_sdist(build(ROOT, folder / "dist", "sdist"), folder / "sdist")
    if wheel.read_bytes() != again.read_bytes():
        raise Failed("the sdist's wheel is not the checkout's")
    tell(f"{wheel.name}, {wheel.stat().st_size:,} bytes; the sdist makes the same", began)

    work = folder / "work"
    work.mkdir()
    key = work / "id.json"
    key.touch(mode=0o600)
    key.write_text(json.dumps(list(bytes(Keypair()))))

    for extra, uses in (("all", EVERYTHING), ("worker", DEVICE)):
        began = time.monotonic()
        environment = folder / extra
        packages = install(wheel, extra, environment)
        tell(f"ionet[{extra}] installed, with {len(packages)} packages", began)
        if extra == "worker" and (unwanted := packages & NOT_ON_DEVICES):
            raise Failed(f"ionet[worker] brings {', '.join(sorted(unwanted))}")
        use(environment, work, uses)


def main() -> int:
    """Check the package; returns the exit code."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="ionet-wheel-") as folder:
            check(Path(folder))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    tell("in all", began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
