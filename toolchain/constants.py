"""Words for IDLs' constants: what the programs' sources say above each, which the framework leaves out.

Standard library alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from toolchain.enums import comment

Json = dict[str, Any]

CONSTANT = re.compile(r"((?: *///.*\n)*)#\[constant\]\npub const (\w+):")


def read(folder: Path) -> dict[str, str]:
    """What a folder's sources say of each constant that clients get, by name."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.rs")):
        for lines, name in CONSTANT.findall(path.read_text()):
            found[name] = comment(lines.splitlines())
    return found


def say_constants(idl: Json, folder: Path) -> None:
    """Add their words to an IDL's constants, from the sources of its own program in ``folder``."""
    words = read(folder)
    for each in idl["constants"]:
        kept = {"type": each.pop("type"), "value": each.pop("value")}
        each |= {"docs": [words.get(each["name"], "")], **kept}
