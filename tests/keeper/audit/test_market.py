"""What a replay of the market says, as findings: each as itself, and signed by whoever signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.audit.findings import Code
from keeper.audit.market import of_culprit
from keeper.market.audit import SILENT
from keeper.market.findings import Culprit, Finding, Verdict
from keeper.market.folder import MarketFolder
from tests.programs.world import key

OPERATOR = key("operator").pubkey()
FOLDER = MarketFolder(Path("out/operator-2"))
FILE = "out/operator-2, tick 7, matches.csv"


@pytest.mark.parametrize(
    ("culprit", "code", "where", "row", "signer"),
    [
        (
            Culprit(OPERATOR, "a", "b", "matches.csv", 2, vouched=True),
            Code.BATCH_DIFFERS,
            FILE,
            "line 2",
            True,
        ),
        (
            Culprit(OPERATOR, "a", "b", "matches.csv", 2, vouched=False),
            Code.BATCH_DIFFERS,
            FILE,
            "line 2",
            False,
        ),
        (Culprit(OPERATOR, SILENT), Code.BATCH_UNPOSTED, "tick 7", str(OPERATOR), True),
        (Culprit(OPERATOR, "order due", "order other"), Code.MATCH_UNFOUNDED, "tick 7", str(OPERATOR), True),
        (Culprit(OPERATOR, None, "order other"), Code.MATCH_UNFOUNDED, "tick 7", str(OPERATOR), True),
        (Culprit(OPERATOR, "ab", "cd"), Code.POSTING_DIFFERS, "tick 7", str(OPERATOR), True),
    ],
)
def test_whose_difference_it_is(culprit: Culprit, code: Code, where: str, row: str, signer: bool) -> None:
    found = of_culprit(7, Finding(Verdict.DIFFERENT, "words", culprit), FOLDER)
    assert (found.code, found.where, found.row) == (code, where, row)
    assert found.signer == (str(OPERATOR) if signer else None)
    assert found.expected == culprit.expected
    assert found.found == (culprit.found or "words")
