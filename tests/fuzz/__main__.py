"""``make fuzz``: each parser of strangers' bytes for a while, guided by what of it was run (atheris).

``python -m tests.fuzz --seconds 60 [TARGET ...]`` keeps inputs that reach something new in out/fuzz/TARGET,
and one that raises what it mustn't, or takes more than 10 s or 1 GiB, in out/fuzz/found. ``--keep`` copies
the smallest set of inputs that reaches all that was reached into tests/fuzz/corpus, which ``make test``
replays.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from tests.fuzz.targets import MOST, TARGETS

REPOSITORY = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
OUT = REPOSITORY / "out/fuzz"
SLOW, MEMORY = 10, 1_024
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
MOST_KEPT = 9_000
"""Bytes of inputs that are kept for a target: the whole corpus stays small."""


def prepare() -> None:
    """Atheris, by its hash, where it isn't installed: nothing else needs it."""
    try:
        import atheris  # noqa: F401, PLC0415
    except ImportError:
        command = [
            Path(sys.prefix) / "bin/uv",
            "pip",
            "install",
            "-q",
            "--require-hashes",
            "-r",
            REQUIREMENTS,
        ]
        subprocess.run(command, check=True)


def write_seeds(names: list[str]) -> None:
    """What fuzzing begins from: right inputs, and the corpus."""
    from tests.fuzz.seeds import seeds  # noqa: PLC0415 - atheris instruments what is imported after it

    for name, found in seeds().items():
        if name in names:
            (OUT / name).mkdir(parents=True, exist_ok=True)
            kept = [each.read_bytes() for each in (CORPUS / name).glob("*")] if CORPUS.exists() else []
            for data in (*found, *kept):
                (OUT / name / sha256(data).hexdigest()[:16]).write_bytes(data)


def run(name: str, *flags: str) -> tuple[str, int, str]:
    """One target in a process of its own; its exit code, and what it said last."""
    (OUT / "found").mkdir(parents=True, exist_ok=True)
    limits = (f"-max_len={MOST}", f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}", "-detect_leaks=0")
    found = f"-artifact_prefix={OUT / 'found' / name}-"
    command = [sys.executable, "-m", "tests.fuzz.one", name, *limits, found, *flags]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return name, done.returncode, (done.stdout + done.stderr)[-6_000:]


def keep(name: str) -> None:
    """The corpus of a target: what reaches all that was reached, smallest first, as far as there is room."""
    merged = OUT / "merged" / name
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    run(name, "-merge=1", str(merged), str(OUT / name))
    room = MOST_KEPT
    shutil.rmtree(CORPUS / name, ignore_errors=True)
    (CORPUS / name).mkdir(parents=True)
    for path in sorted(merged.iterdir(), key=lambda each: (each.stat().st_size, each.name)):
        data = path.read_bytes()
        if len(data) <= room:
            room -= len(data)
            (CORPUS / name / sha256(data).hexdigest()[:16]).write_bytes(data)


def main() -> None:
    """Fuzz; exit code 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=120, help="for each")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    names = given.targets or list(TARGETS)
    unknown = set(names) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {min(unknown)}")
    prepare()
    write_seeds(names)
    began, bad = time.monotonic(), []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        flags = [(name, f"-max_total_time={given.seconds}", str(OUT / name)) for name in names]
        for name, code, said in pool.map(lambda each: run(*each), flags):
            last = [line for line in said.splitlines() if "cov:" in line][-1:]
            print(f"{name}: {'found something' if code else 'nothing'} {last}", flush=True)
            if code:
                bad.append(name)
                print(said[-3_000:])
        if given.keep:
            list(pool.map(keep, names))
    print(f"{len(names)} parsers in {time.monotonic() - began:.0f} s: {len(bad)} with something found")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
