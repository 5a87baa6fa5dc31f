"""What the IDLs say of their parts: a sentence for everything that a client shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toolchain import constants, words
from toolchain.program_ids import deployed
from toolchain.programs import ROOT

NAMES = sorted(deployed(ROOT))
LONGEST = 260
"""Letters of a sentence in a tooltip."""


def idl(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / f"idl/{name}.json").read_text())
    return found


def parts(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that has words, by whose it is."""
    for each in found["types"]:
        yield "", each
        yield from ((each["name"], field) for field in each["type"].get("fields", []))
    for each in found["instructions"]:
        yield "", each
        yield from ((each["name"], part) for part in each["args"] + each["accounts"])
    yield from (("constant", each) for each in found["constants"])


@pytest.mark.parametrize("name", NAMES)
def test_every_part_says_what_it_is(name: str) -> None:
    silent = [f"{owner}.{part['name']}" for owner, part in parts(idl(name)) if not part.get("docs")]
    assert not silent, f"beside it in the source, or in toolchain/words.py: {silent}"
    for owner, part in parts(idl(name)):
        text = " ".join(part["docs"])
        where = f"{owner}.{part['name']}: {text}"
        assert len(text) <= LONGEST or not owner, where
        assert text[-1] in ".:,", where
        assert "[`" not in text and words.FRAMEWORK not in text, where


@pytest.mark.parametrize("name", NAMES)
def test_every_error_event_and_country_says_what_it_is(name: str) -> None:
    """Errors by their text, the program by its description, events and variants by their type's words."""
    found = idl(name)
    assert found["metadata"]["description"]
    assert all(len(each["msg"]) > 10 for each in found["errors"])
    types = {each["name"]: each for each in found["types"]}
    assert {each["name"] for each in found["events"] + found["accounts"]} <= types.keys()
    for each in types.values():
        text = " ".join(each["docs"])
        for number, variant in enumerate(each["type"].get("variants", [])):
            assert f"{number} `{variant['name']}`: " in text, each["name"]
    for owner, part in parts(found):
        if part["name"] in {"country", "countries"}:
            assert "`CH`" in " ".join(part["docs"]), owner


@pytest.mark.parametrize("name", NAMES)
def test_the_older_format_says_the_same(name: str) -> None:
    older = json.loads((ROOT / f"idl/legacy/{name}.json").read_text())
    for old, new in zip(older["instructions"], idl(name)["instructions"], strict=True):
        assert old["docs"] == new["docs"]
        for part in ("args", "accounts"):
            assert [each["docs"] for each in old[part]] == [each["docs"] for each in new[part]]
    types = {each["name"]: each for each in idl(name)["types"]}
    for old in older["accounts"] + older["types"]:
        new = types[old["name"]]
        assert old["docs"] == new["docs"]
        for before, after in zip(old["type"].get("fields", []), new["type"].get("fields", []), strict=True):
            assert before["docs"] == after["docs"]


def test_no_words_for_what_is_not_there() -> None:
    fields, accounts = set(), set()
    for name in NAMES:
        found = idl(name)
        for owner in found["types"]:
            fields |= {key for each in owner["type"].get("fields", []) for key in keys(owner, each)}
        for owner in found["instructions"]:
            fields |= {key for each in owner["args"] for key in keys(owner, each)}
            accounts |= {key for each in owner["accounts"] for key in keys(owner, each)}
    assert words.FIELDS.keys() <= fields
    assert words.ACCOUNTS.keys() <= accounts


def keys(owner: dict[str, Any], part: dict[str, Any]) -> tuple[str, str]:
    return part["name"], f"{owner['name']}.{part['name']}"


def test_a_constants_words_are_those_above_it(tmp_path: Path) -> None:
    text = "/// Seconds at\n/// most.\n#[constant]\npub const MOST: u64 = 2;\n"
    text += "#[constant]\npub const LEAST: u64 = 1;\n"
    (tmp_path / "constants.rs").write_text(text)
    described = [{"name": each, "type": "u64", "value": "1"} for each in ("LEAST", "MOST")]
    constants.say_constants({"constants": described}, tmp_path)
    assert [each["docs"] for each in described] == [[""], ["Seconds at most."]]
