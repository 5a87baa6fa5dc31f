"""Whom a program's bytes say to tell of a hole."""

from __future__ import annotations

import pytest

from keeper.chain.contact import BEGIN, END, contact
from keeper.clients.programs import PROGRAMS
from keeper.resources import binary

FIELDS = ["name", "project_url", "contacts", "policy", "preferred_languages", "auditors"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_says_whom_under_its_own_name(name: str) -> None:
    """Once: a program that is linked into another leaves its own out."""
    code = binary(name)
    assert code.count(BEGIN) == code.count(END) == 1
    found = contact(code)
    assert (list(found), found["name"]) == (FIELDS, f"ionet {name}")
    kind, colon, who = found["contacts"].partition(":")
    assert kind in {"email", "link", "discord", "telegram", "twitter", "other"} and colon and who


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        (b"name\0x\0", {"name": "x"}),
        (b"name\0\0", {"name": ""}),
        (b"name\0x", {}),
        (b"name\0x\0policy\0", {}),
        (b"name\0\xff\0", {}),
        (b"", {}),
    ],
)
def test_what_is_stated_as_it_should_be_is_read(stated: bytes, found: dict[str, str]) -> None:
    assert contact(b"before" + BEGIN + stated + END + b"after") == found


@pytest.mark.parametrize("code", [b"", BEGIN + b"a\0x\0", b"a\0x\0" + END, END + b"a\0x\0" + BEGIN])
def test_bytes_without_one(code: bytes) -> None:
    assert contact(code) == {}
