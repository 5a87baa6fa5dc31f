"""``ionet audit chain``: what it looked at, and a lie by its name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.chain.embedded import EmbeddedChain
from keeper.clients import tokenomics
from tests.keeper.audit.world import MidLife


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "mid.chain"
    MidLife.grown().chain.save(path)
    return path


def test_the_command_says_what_it_looked_at(ionet, saved: Path) -> None:
    code, out, _ = ionet("audit", "chain", "--chain", str(saved))
    assert code == 0
    assert "nothing is wrong" in out and "tokenomics admin" in out


def test_the_command_names_a_lie(ionet, saved: Path, tmp_path: Path) -> None:
    chain = EmbeddedChain.load(saved)
    account = chain.get(tokenomics.MINT)
    assert account is not None
    data = account.data[:36] + b"\xff" + account.data[37:]
    chain.set_account(tokenomics.MINT, replace(account, data=data))
    chain.save(tmp_path / "lie.chain")
    code, out, _ = ionet("audit", "chain", "--chain", str(tmp_path / "lie.chain"), "--json")
    (part,) = json.loads(out)["parts"]
    (found,) = part["findings"]
    assert (code, found["code"], found["where"]) == (1, "mint_differs", str(tokenomics.MINT))
