"""Scripts of the pages: clients from the interfaces, and the built files that are committed.

``-m toolchain.web build``    builds ``web/`` into ``keeper/web/static``, with its manifest.
``-m toolchain.web check``    types, tests, a build elsewhere, and every byte compared with what is committed.
``-m toolchain.web clients``  writes ``web/src/clients`` anew, after a change of ``idl/``.

Exit codes: 0 good, 1 with what went wrong. They need Node.js 20 and npm, and packages by the lock files.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from toolchain.calls import Failed, call

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
BUILT = ROOT / "keeper/web/static"
CLIENTS = WEB / "src/clients"
GENERATOR = ROOT / "tests/interop/clients/codama"
"""Where Codama is, by its own lock: 200 MB that a build of the pages doesn't need."""
BESIDE = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


def sources(web: Path = WEB) -> str:
    """The hash of all that a build depends on, as the manifest has it."""
    files = [each.relative_to(web).as_posix() for each in (web / "src").rglob("*") if each.is_file()]
    digest = hashlib.sha256()
    for name in sorted([*files, *BESIDE]):
        own = hashlib.sha256((web / name).read_bytes()).hexdigest()
        digest.update(f"{name} {own}\n".encode())
    return digest.hexdigest()


def install(folder: Path) -> None:
    """Have a folder's packages as its lock names them, once for each lock; raises Failed with npm's words."""
    ready, lock = folder / ".ready", hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if ready.is_file() and ready.read_text() == lock and (folder / "node_modules").is_dir():
        return
    try:
        _call(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)
    except Failed as failure:
        raise Failed(
            f"{folder.name}: it needs the package registry, or a mirror in npm's own settings\n{failure}"
        ) from failure
    ready.write_text(lock)


def build(out: Path) -> None:
    """Build all islands into a folder, which is emptied; raises Failed."""
    install(WEB)
    # The modules' paths are part of nothing: the same bytes come out anywhere.
    _call(["node_modules/.bin/vite", "build", "--logLevel=warn"], WEB, {"IONET_WEB_OUT": str(out)})


def check() -> None:
    """Raise Failed unless types and tests hold, and a build gives what is committed, byte for byte."""
    install(WEB)
    _call(["node_modules/.bin/tsc"], WEB)
    _call(["node", "test/run.mjs"], WEB)
    with tempfile.TemporaryDirectory(prefix="ionet-web-") as folder:
        build(Path(folder))
        compare(Path(folder), BUILT, "make web")


def clients(out: Path) -> None:
    """Write the clients into a folder; raises Failed."""
    install(GENERATOR)
    _call(["node", "generate.mjs", GENERATOR, ROOT / "idl", out], WEB)


def compare(made: Path, committed: Path, cure: str) -> None:
    """Raise Failed for the first file that two folders don't have alike, or that one of them lacks."""
    for name in sorted({*_names(made), *_names(committed)}):
        pair = made / name, committed / name
        if not all(each.is_file() for each in pair) or pair[0].read_bytes() != pair[1].read_bytes():
            raise Failed(f"{committed.relative_to(ROOT) / name} is not what its sources make: {cure}")


def _names(folder: Path) -> Iterator[str]:
    return (each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())


def _call(command: Sequence[str | Path], folder: Path, settings: Mapping[str, str] | None = None) -> None:
    """Run a tool of Node.js'; raises Failed."""
    try:
        call(command, folder, settings)
    except FileNotFoundError as error:
        raise Failed(
            f"{error.filename} is not installed: install Node.js 20 or newer (nodejs.org)"
        ) from error


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; returns the exit code."""
    tasks: dict[str, Callable[[], None]] = {
        "build": lambda: build(BUILT),
        "check": check,
        "clients": lambda: clients(CLIENTS),
    }
    if len(arguments) != 1 or arguments[0] not in tasks:
        print(__doc__, file=sys.stderr)
        return 1
    try:
        tasks[arguments[0]]()
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
