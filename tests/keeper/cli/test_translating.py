"""``ionet order translate``: the commands that do the same, or every line that has none."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from keeper.economy.orders import Currency
from tests.keeper.renter.test_jobfiles import FILES, of


def test_the_command_tells_lines_and_ends_with_one(ionet, tmp_path: Path) -> None:
    good, bad = (FILES / name for name in ("batch.sdl.yaml", "serve.sky.yaml"))
    code, out, err = ionet("order", "translate", str(good), "--currency", "io", "--hours", "4")
    assert (code, err) == (0, "") and "This Akash SDL as commands:" in out
    assert all(f"  {line}\n" in out for line in of("batch.sdl.yaml", Currency.IO).commands)
    code, out, err = ionet("order", "translate", str(bad), "--currency", "io", "--hours", "4")
    assert code == 1 and len(err.splitlines()) == 1 and "has 12 things that nothing here does" in err
    assert f"  {bad}:2: resources.infra: there is no cloud to choose here" in out and "commands:" not in out
    code, out, _ = ionet("order", "translate", str(bad), "--currency", "io", "--hours", "4", "--json")
    found = json.loads(out)
    assert code == 1 and found["commands"] == [] and found["refused"][0]["line"] == 2
    assert all(a["line"] <= b["line"] for a, b in pairwise(found["refused"]))
