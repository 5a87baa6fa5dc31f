"""docs/reference.md is what the interfaces and the table of costs say."""

from __future__ import annotations

import re

from keeper.clients.programs import PROGRAMS
from keeper.resources import idl
from scripts import reference


def test_the_page_is_current() -> None:
    assert reference.PAGE.read_text() == reference.text(), "run python -m scripts.reference"


def test_nothing_of_an_interface_is_left_out() -> None:
    """Each instruction, kind of account, event and error has its row under its program."""
    page = reference.text()
    for name in PROGRAMS:
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        first = re.findall(r"^\| `?(\w+)`? \|", section, re.M)
        described = idl(name)
        listed = [each["name"] for kind in ("instructions", "accounts", "events") for each in described[kind]]
        missing = {*listed, *(str(each["code"]) for each in described["errors"])} - set(first)
        assert missing == set(), name
