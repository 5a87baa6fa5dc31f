"""The files that come with the keeper: interfaces, programs, tables. In a checkout they are the project's
own folders; in an installed package they are its data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGED = Path(__file__).parent / "_data"
_ROOT = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[1]

IDL = _ROOT / "idl"
"""The programs' interfaces, a ``<program>.json`` each."""
ARTIFACTS = _ROOT / "programs/artifacts"
"""The programs' binaries, a ``<program>.so`` each; ``manifest.json`` says what they were made of."""
GENESIS_TABLE = _ROOT / "migrations/genesis/ionet.json"
"""Who gets the first IO, and when."""
CLASS_TABLE = _ROOT / "migrations/classes/ionet.json"
"""Which processors are rewarded."""
POW_PROFILES = _ROOT / "migrations/pow/profiles.json"
"""What devices of each class compute to prove that they are there."""
POW_HOURS = _ROOT / "migrations/pow/hours.json"
"""Which tables of these hold in which hours."""
POW_DEMO_PROFILES = _ROOT / "migrations/pow/demo.json"
"""The same for the demo's classes: so little that 200 devices do it in a process."""
POW_LIGHT = _ROOT / "migrations/pow/light.json"
"""The table of a network of one's own, for all hours: any machine does its work in no time."""
POW_LIGHT_PROFILES = _ROOT / "migrations/pow/light-profiles.json"
"""The table itself."""
THROUGHPUT_TABLE = _ROOT / "migrations/pow/throughput.csv"
"""What the card of each class can do, by its data sheet."""
DEV_KEYS = _ROOT / "keys/dev"
"""Keypairs of the addresses that the committed programs are built for; they are public."""


@cache
def idl(program: str) -> dict[str, Any]:
    """A program's interface, in the format of Anchor 0.30 and later."""
    found: dict[str, Any] = json.loads((IDL / f"{program}.json").read_text())
    return found


@cache
def constants(program: str) -> dict[str, Any]:
    """A program's constants by name: numbers, bytes, and addresses as text."""
    return {each["name"]: constant(each) for each in idl(program).get("constants", [])}


def binary(program: str) -> bytes:
    """A program's committed binary."""
    return (ARTIFACTS / f"{program}.so").read_bytes()


def manifest() -> dict[str, Any]:
    """What the committed binaries are: by program, its size and SHA-256 among others."""
    found: dict[str, Any] = json.loads((ARTIFACTS / "manifest.json").read_text())["programs"]
    return found


def constant(entry: Mapping[str, Any]) -> Any:
    """The value of one of an interface's constants: a number, bytes, or an address as text."""
    if entry["type"] == "pubkey":
        return entry["value"]
    value = json.loads(entry["value"])
    return bytes(value) if entry["type"] == "bytes" else value
