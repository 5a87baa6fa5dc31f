"""Every setting does something."""

import re
from pathlib import Path

from keeper.settings import Settings

KEEPER = Path(__file__).parents[3] / "keeper"


def test_every_setting_is_used() -> None:
    code = "\n".join(path.read_text() for path in KEEPER.rglob("*.py"))
    used = set(re.findall(r"\b(?:chosen|self|settings(?:\(\w*\))?)\.(\w+)", code))
    assert set(Settings.model_fields) <= used, "passed on by keeper/runtime/wiring.py or a command"
