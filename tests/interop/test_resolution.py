"""Which accounts clients find: docs/clients_accounts.md is what they did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop import resolution, results
from tests.interop.answers import RESOLVERS, Answers
from tests.interop.cases import cases

ACCOUNTS = Path(__file__).parents[2] / "docs/clients_accounts.md"
NEW = "run: python -m scripts.clients"


@pytest.mark.parametrize("client", RESOLVERS)
def test_every_instruction_is_complete_with_what_the_page_says(
    answers: dict[str, Answers], client: str
) -> None:
    """Given that, its accounts are those of a call that succeeds; else there is an error instead."""
    found = answers[client]["scenes"]
    assert found.keys() == cases().answers["scenes"].keys()
    assert {name: each for name, each in found.items() if "error" in each} == {}


def test_the_page_of_accounts_is_current(answers: dict[str, Answers]) -> None:
    assert ACCOUNTS.read_text() == resolution.page(answers), NEW


def test_the_results_are_current(answers: dict[str, Answers]) -> None:
    text = results.PAGE.read_text()
    assert text == results.page(text, answers), NEW
