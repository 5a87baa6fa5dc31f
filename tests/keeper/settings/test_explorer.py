"""Explorers that settings and viewers name; what is one is the same here and in a browser (web/test)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keeper.settings.explorer import MOST, Explorer

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/explorers.json").read_text())


@pytest.mark.parametrize(("template", "transaction", "address"), VECTORS["right"])
def test_where_it_shows_what(template: str, transaction: str, address: str) -> None:
    explorer = Explorer(template)
    assert (explorer.transaction("ID"), explorer.address("ID")) == (transaction, address)


@pytest.mark.parametrize("template", [*VECTORS["wrong"], "https://x.example/{tx,address}/{id}" + "x" * MOST])
def test_what_is_none(template: str) -> None:
    with pytest.raises(ValueError, match="write it like https://"):
        Explorer(template)
