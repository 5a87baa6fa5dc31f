"""Write the programs' interface descriptions (IDLs), or check that they are current.

``-m toolchain.idl write`` makes idl/<program>.json from the programs' own code, completed by the seeds of
toolchain/addresses.py, the words of toolchain/words.py and toolchain/constants.py, and the enums of
toolchain/enums.py; and idl/legacy/<program>.json, the same in the format before Anchor 0.30 that older
clients (anchorpy) read.
``-m toolchain.idl check`` makes them in memory and compares. Needs cargo; standard library alone.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from toolchain.addresses import locate
from toolchain.constants import say_constants
from toolchain.enums import name_numbers
from toolchain.legacy import legacy
from toolchain.program_ids import declared, deployed
from toolchain.programs import ROOT, programs
from toolchain.words import describe, simplify

IDL = Path("idl")

Json = dict[str, Any]


def is_address(text: str) -> bool:
    """Whether ``text`` looks like a base58 address."""
    return re.fullmatch(r"[1-9A-HJ-NP-Za-km-z]{32,44}", text) is not None


def tidy(idl: Json) -> Json:
    """Keep to the format: an account's ``address`` is a fixed address.

    The framework also writes the expression of ``address = config.guardian`` there, which readers
    of the format would take for a key. Aliases (its name for a one-byte bool) are resolved already.
    """
    for instruction in idl["instructions"]:
        for account in instruction["accounts"]:
            if "address" in account and not is_address(account["address"]):
                del account["address"]
    idl["types"] = [each for each in idl["types"] if each["type"]["kind"] != "type"]
    return idl


def complete(idl: Json, ids: Mapping[str, str], own: Path, sources: Iterable[Path]) -> Json:
    """An IDL with what clients need and the framework doesn't write: addresses, words, names of numbers.

    ``ids`` are the addresses of all programs, ``own`` the folder of the program's sources, ``sources`` all
    folders that it is compiled from.
    """
    locate(idl, ids)
    describe(idl)
    say_constants(idl, own)
    name_numbers(idl, sources)
    simplify(idl)
    return idl


def generate(root: Path, name: str, crate: Path) -> Json:
    """The IDL of one program, from its code."""
    environment = {key: value for key, value in os.environ.items() if key != "RUSTUP_TOOLCHAIN"}
    build = ["cargo", "build", "--quiet", "--locked", "--package", "idl"]
    subprocess.run(build, cwd=root, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    run = subprocess.run(
        [target / "debug/idl", root / crate], env=environment, capture_output=True, check=False
    )
    if run.returncode:
        raise SystemExit(f"no IDL for {name}:\n{run.stderr.decode()}")
    return tidy(json.loads(run.stdout))


def outputs(root: Path) -> dict[Path, str]:
    """Every IDL file with its text."""
    files, crates = {}, deployed(root)
    ids = {name: declared(root, crate) or "" for name, crate in crates.items()}
    for name, crate in crates.items():
        sources = [root / folder / "src" for folder in programs(root)[name]]
        idl = complete(generate(root, name, crate), ids, root / crate / "src", sources)
        for path, content in ((IDL / f"{name}.json", idl), (IDL / "legacy" / f"{name}.json", legacy(idl))):
            files[path] = json.dumps(content, indent=1) + "\n"
    return files


def main() -> int:
    """Run one command."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command not in {"write", "check"}:
        print(__doc__)
        return 2
    stale = []
    for path, text in outputs(ROOT).items():
        full = ROOT / path
        if command == "write":
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_text(text)
            print(f"{path} {len(text):,} bytes")
        elif not full.exists() or full.read_text() != text:
            stale.append(str(path))
    if stale:
        print(f"not what the programs say: {', '.join(stale)}; run `make idl` and commit")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
