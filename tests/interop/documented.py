"""The pieces of docs/clients.md, as programs: all of a heading's blocks in a language, one after another."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.interop import installed
from tests.interop.results import PAGE

RPC, NOTICES = "http://127.0.0.1:8899", "ws://127.0.0.1:8900"
"""Where the pieces look for a node."""
IDLS = PAGE.parents[1] / "idl"
CORAL, LANG = "@coral-xyz/anchor", "@anchor-lang/core"
CODAMA = "Codama and @solana/kit"


def pieces(heading: str, language: str) -> str:
    """The blocks of a language under a heading; raises ValueError when there are none."""
    sections = re.split(r"^## (.*)$", PAGE.read_text(), flags=re.M)
    found = dict(zip(sections[1::2], sections[2::2], strict=True)).get(heading, "")
    blocks = re.findall(rf"^```{language}\n(.*?)^```", found, re.M | re.S)
    if not blocks:
        raise ValueError(f"{PAGE}: no {language} under {heading!r}")
    return "\n".join(blocks)


def _anchor(name: str, package: str) -> Callable[[Path, str, str], list[str]]:
    def command(folder: Path, url: str, notices: str) -> list[str]:
        text = pieces("Anchor for TypeScript", "js").replace(CORAL, package)
        return ["node", _beside(installed.packages(name), folder, _placed(text, url, notices))]

    return command


def _codama(folder: Path, url: str, notices: str) -> list[str]:
    packages = installed.packages("codama")
    run(["node", _beside(packages, folder, pieces(CODAMA, "js"))], folder)
    (folder / "piece.ts").write_text(_placed(pieces(CODAMA, "ts"), url, notices))
    banner = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
    bundle = ["node", str(packages / "node_modules/esbuild/bin/esbuild"), "piece.ts", "--bundle"]
    bundle += ["--platform=node", "--format=esm", "--outfile=piece.mjs", "--log-level=error"]
    run([*bundle, f"--banner:js={banner}"], folder, NODE_PATH=str(packages / "node_modules"))
    return ["node", "piece.mjs"]


def _anchorpy(folder: Path, url: str, notices: str) -> list[str]:
    (folder / "piece.py").write_text(_placed(pieces("anchorpy", "python"), url, notices))
    return [str(installed.python()), "piece.py"]


PROGRAMS: dict[str, Callable[[Path, str, str], list[str]]] = {
    CORAL: _anchor("coral-anchor", CORAL),
    LANG: _anchor("anchor-lang", LANG),
    "Codama": _codama,
    "anchorpy": _anchorpy,
}
"""By client: the command that runs its pieces in a folder, with a node's two addresses."""


def run(command: list[str], folder: Path, **environment: str) -> list[str]:
    """Run it in ``folder``; the lines that it prints. Raises RuntimeError with its output when it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()


def _placed(text: str, url: str, notices: str) -> str:
    return text.replace(RPC, url).replace(NOTICES, notices)


def _beside(packages: Path, folder: Path, text: str) -> str:
    """Write a program where node finds its packages; ``folder`` sets it apart from others."""
    path = packages / f".run-{folder.name}.mjs"
    path.write_text(text)
    return str(path)
