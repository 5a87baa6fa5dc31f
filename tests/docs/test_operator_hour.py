"""What an operator needs, in docs/operations.md, follows from what docs/benchmarks.md has measured."""

from __future__ import annotations

import pytest

from scripts import operator_hour


def test_the_page_follows_from_what_was_measured() -> None:
    page = operator_hour.PAGE.read_text()
    assert page == operator_hour.text(page), "run python -m scripts.operator_hour"


def test_figures_are_those_of_the_tables() -> None:
    measured = operator_hour.MEASURED.read_text()
    changed = measured.replace("| 100,000 | 8.89 % |", "| 100,000 | 17.78 % |")
    before, after = (
        {
            line.split("|")[1].strip(): line.split("|")[3].strip()
            for line in operator_hour.section(page).splitlines()
        }
        for page in (measured, changed)
    )
    assert {what for what in before if before[what] != after[what]} == {
        "openings verified, core-s",
        "**cores in use**",
    }


def test_a_table_that_lacks_a_row_is_told() -> None:
    measured = operator_hour.MEASURED.read_text().replace(
        "| 1,000,000 | 0.888 % |", "| 2,000,000 | 0.888 % |"
    )
    with pytest.raises(ValueError, match=r"0 rows of waves\.py begin with 1,000,000"):
        operator_hour.section(measured)
