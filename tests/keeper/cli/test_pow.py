"""``ionet pow``."""

import json
from hashlib import sha256

from keeper.resources import CLASS_TABLE, POW_PROFILES
from keeper.terminal import tables

MONOTONE = CLASS_TABLE.parent / "monotone.json"


def test_what_the_command_prints(ionet):
    code, out, _ = ionet("pow", "classes")
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "RTX 4090 1.25 RTX 4080 2.75 10" in lines
    assert "RTX 6000 Ada 4.50 A100-PCIE-40GB (richer pool) 2.00 2" in lines
    assert "141 pairs of classes, of 20 cards." in lines
    code, out, _ = ionet("pow", "classes", "--table", str(MONOTONE))
    assert (code, out.strip()) == (0, "No class pays more than one that is harder to pass for.")


def test_what_it_prints_for_programs(ionet):
    code, out, _ = ionet("pow", "classes", "--json")
    found = json.loads(out)["pairs"]
    assert (code, len(found)) == (0, 141)
    first = {"card": "L40S", "passes_for": "RTX 6000 Ada", "multiplier": 300, "other": 450, "by_pool": False}
    assert found[0] == first
    assert json.loads(ionet("pow", "classes", "--json", "--table", str(MONOTONE))[1]) == {"pairs": []}


def test_what_each_class_computes(ionet, monkeypatch):
    """Times, and the memory that a hired card keeps free: operand, panel, and the panel's product twice."""
    code, out, _ = ionet("pow", "profiles", "--json")
    found = json.loads(out)
    assert (code, found["sha256"]) == (0, sha256(POW_PROFILES.read_bytes()).hexdigest())
    card = next(each for each in found["profiles"] if 10 in each["classes"])
    assert card["memory"] == card["n"] * card["K"] + 4_096 * card["K"] + 2 * 4 * 4_096**2
    monkeypatch.setattr(tables.console, "width", 160)
    _, out, _ = ionet("pow", "profiles")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    (line,) = [each for each in lines if each.startswith(f"RTX 4090 {card['id']} ")]
    assert line.endswith(f" 11.9 19.1 {-(-card['memory'] // 2**20):,} no: not paid yet")
    assert sum(line.startswith("CPU 7 ") and line.endswith(" yes") for line in lines) == 1
