"""The countries against the system's own list, where it has one."""

from pathlib import Path

import pytest

from keeper.economy.countries import COUNTRIES

SYSTEM = Path("/usr/share/zoneinfo/iso3166.tab")


@pytest.mark.skipif(not SYSTEM.exists(), reason="no tzdata here")
def test_they_are_the_systems() -> None:
    lines = (line.split("\t")[0] for line in SYSTEM.read_text().splitlines() if not line.startswith("#"))
    assert frozenset(lines) == COUNTRIES


def test_each_is_what_the_program_takes() -> None:
    assert len(COUNTRIES) == 249
    assert all(len(each) == 2 and each.isascii() and each.isupper() for each in COUNTRIES)
