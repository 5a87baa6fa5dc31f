"""docs/auditors.md knows every finding, and what it does by hand comes to what the package does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import base58
import pytest

from keeper.audit.findings import Code
from keeper.clients import staking, tokenomics
from keeper.economy import merkle
from scripts.assurance import ROOT

PAGE = (ROOT / "docs/auditors.md").read_text()


def test_it_says_of_every_finding_what_to_do() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", PAGE, re.M)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(each.label for each in Code)


@pytest.mark.parametrize("wallets", [1, 2, 3, 83])
@pytest.mark.parametrize("changed", [False, True])
def test_the_root_by_hand(tmp_path: Path, wallets: int, changed: bool) -> None:
    program, mint = bytes(staking.PROGRAM.address), bytes(tokenomics.MINT)
    rows = [(sha256(bytes([number])).digest(), 10**9 * number + 1) for number in range(wallets)]
    leaves = [merkle.leaf(program, mint, wallet, amount.to_bytes(8, "little")) for wallet, amount in rows]
    manifest = {
        "program": str(staking.PROGRAM.address),
        "mint": str(tokenomics.MINT),
        "root": merkle.Tree(leaves).root.hex(),
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    lines = [f"{base58.b58encode(wallet).decode()},{amount + changed},0" for wallet, amount in rows]
    (tmp_path / "wallets.csv").write_text("\n".join(["wallet,lifetime,earned", *lines]) + "\n")
    (script,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
    command = [sys.executable, "-I", "-c", script, str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.rstrip().endswith("NOT the manifest's" if changed else "as attested")
    assert printed.startswith(manifest["root"]) is not changed
