"""``ionet audit chain``: what it looked at, and a lie by its name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.audit.findings import Code, Finding, Part, Report
from keeper.chain.embedded import EmbeddedChain
from keeper.clients import tokenomics
from keeper.terminal import audit as shown
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


def test_many_findings_of_a_kind_are_a_few_and_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten thousand rows of one lie don't hide the one of another, nor whoever else signed the same."""

    def of(code: Code, row: str, signer: str | None) -> Finding:
        return Finding("hours", code, "out/7/inputs.csv", row, None, 1, 2, signer)

    key = str(tokenomics.MINT)
    many = [of(Code.INPUT_DIFFERS, f"row {number}, own, {key}", "ann") for number in range(10_000)]
    several = [of(Code.INPUT_DIFFERS, f"row {number}, co_amount, {key}", "ann") for number in range(3)]
    others = [of(Code.INPUT_DIFFERS, f"row 1, own, {key}", None), of(Code.CHAIN_BROKEN, "previous", "ann")]
    report = Report("here", (Part("hours", findings=(*many, *several, *others)),))
    shown.tell(report)
    out = capsys.readouterr().out
    assert "and 9,997 more input_differs (row own), signed by ann" in out and "--all shows each" in out
    assert out.count("input_differs:") == 3 + 3 + 1 and out.count("chain_broken:") == 1
    assert out.count(" more ") == 1 and "10,005" in out
    assert len(shown.as_json(report)["parts"][0]["findings"]) == 10_005
    few = Report("here", (Part("hours", findings=(*many[:9], *others)),))
    shown.tell(few, each=True)
    out = capsys.readouterr().out
    assert out.count("input_differs:") == 10 and " more " not in out
