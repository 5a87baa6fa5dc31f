"""Codama's Rust clients: generated for every instruction and account. They are not compiled here."""

from __future__ import annotations

import re
from pathlib import Path

from keeper.clients.programs import PROGRAMS
from keeper.resources import idl
from tests.interop import installed
from tests.interop.answers import IDLS, SIDES
from tests.interop.documented import run


def test_every_instruction_and_account_has_a_client_in_rust(machine: None, tmp_path: Path) -> None:
    packages = installed.packages("codama-rust")
    run(["node", str(SIDES / "codama_rust.mjs"), str(packages), str(IDLS), str(tmp_path)], tmp_path)
    for name in PROGRAMS:
        for listed in ("instructions", "accounts"):
            written = {}
            for path in (tmp_path / name / listed).glob("*.rs"):
                found = re.search(r"_DISCRIMINATOR: \[u8; 8\] = \[([\d, ]+)\]", path.read_text())
                if found:
                    written[path.stem] = [int(each) for each in found[1].split(",")]
            assert written == {_snake(each["name"]): each["discriminator"] for each in idl(name)[listed]}


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
