"""Names for the numbers in IDLs: the enums behind fields that are one byte on chain.

A field of an account can't be an enum there, so that the framework lists none. Those that are one byte in the
programs' sources (``#[repr(u8)]``) are read from there, for each program with a field whose words name them:
a type of the format needs no field of it. It counts variants from 0 and has no words for them; their words
follow the enum's own, with their numbers. Standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Json = dict[str, Any]

START = "#[repr(u8)]\npub enum "
COMPARED = {
    "Currency": ("What is paid in.", ("Io", "Usdc"), ("The network's token.", "A dollar's token.")),
    "Pool": (
        "What shares an hour's emission.",
        ("Enterprise", "Community"),
        ("The strongest classes.", "All others."),
    ),
    "ProcessorKind": (
        "What kind of processor it is.",
        ("Gpu", "Cpu", "Apple"),
        ("A graphics card.", "A central processor.", "One of Apple's chips."),
    ),
    "Urgency": (
        "What place in the operators' queue an order's fee buys.",
        ("Ordinary", "Soon", "Now"),
        ("No fee for it.", "Before those, for a fee.", "Before all, for a higher fee."),
    ),
    "AuctionStatus": (
        "What became of an auction.",
        ("Open", "Sold", "Unsold", "Void"),
        (
            "For sale, or over and not closed.",
            "A bidder took it.",
            "Nobody did.",
            "Bids were stopped during it.",
        ),
    ),
}
"""Numbers that the programs have no enum of one byte for: words, variants, their words."""


def comment(lines: Iterable[str]) -> str:
    """What the doc comments among some lines say."""
    return " ".join(line.strip()[3:].strip() for line in lines if line.strip().startswith("///"))


def enum(name: str, text: str, variants: Iterable[tuple[str, str]]) -> Json:
    """An enum as the format has it."""
    listed = list(variants)
    docs = [text]
    for number, (each, says) in enumerate(listed):
        docs += ["", f"{number} `{each}`: {says}"]
    kind = {"kind": "enum", "variants": [{"name": each} for each, _ in listed]}
    return {"name": name, "docs": docs, "type": kind}


def read(folder: Path) -> dict[str, Json]:
    """The one-byte enums in a folder's sources, by name."""
    found = {}
    for path in sorted(folder.rglob("*.rs")):
        before, *rest = path.read_text().split(START)
        for each in rest:
            name, _, text = each.partition(" {\n")
            body, _, after = text.partition("\n}")
            own = before.rpartition("\n\n")[2]
            found[name] = enum(name, comment(own.splitlines()), variants(path, name, body))
            before = after
    return found


def variants(path: Path, name: str, body: str) -> list[tuple[str, str]]:
    """The variants of an enum in Rust, and what is said of each."""
    found: list[tuple[str, str]] = []
    said: list[str] = []
    for line in body.splitlines():
        if not (match := re.fullmatch(r"    (\w+) = (\d+),", line)):
            said.append(line)
            continue
        if not said or int(match[2]) != len(found):
            raise SystemExit(f"{path}: {name} must count from 0 and say what each number is")
        found.append((match[1], comment(said)))
        said = []
    return found


def name_numbers(idl: Json, sources: Iterable[Path]) -> None:
    """Add the enums that words of ``idl`` name as ``[`Pool`]``, of its own and its dependencies' sources.

    To be called before the words lose their links.
    """
    known = {name: enum(name, text, zip(*rest, strict=True)) for name, (text, *rest) in COMPARED.items()}
    for folder in sources:
        known |= read(folder)
    wanted = set()
    for owner in [*idl["types"], *idl["instructions"]]:
        for part in owner.get("args", owner.get("type", {}).get("fields", [])):
            wanted |= set(re.findall(r"\[`(\w+)`\]", " ".join(part.get("docs", []))))
    idl["types"] += [known[name] for name in sorted(wanted & known.keys())]
    idl["types"].sort(key=lambda each: str(each["name"]))
