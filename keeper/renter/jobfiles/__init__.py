"""Other tools' files of a task, Akash's SDL, SkyPilot's and dstack's, as an order's terms and a job.

Each format is a table of all its keys: what each becomes, or why it becomes nothing. A key that has an effect
there and would have none here is refused, with its line: who runs what is made of a file gets what it says.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from types import ModuleType

from keeper.renter.jobfiles import akash, cards, dstack, script, skypilot
from keeper.renter.jobfiles.reading import Finding, Reading, Wanted
from keeper.renter.jobfiles.tree import FileUnreadable, Node, read

__all__ = ["FORMATS", "FileUnreadable", "Finding", "Money", "Translation", "translate"]

FORMATS: tuple[ModuleType, ...] = (akash, dstack, skypilot)
"""In the order in which a file is taken for one of them."""
MOST_CLASSES, MOST_PROCESSORS, MOST_HOURS = 8, 8, 8_760
"""What the orders program takes."""
_CENT = Decimal("0.000001")
_PIP = "pip download --only-binary :all: --python-version 3.11 --platform manylinux2014_x86_64"


class Money(StrEnum):
    """What an order is paid in."""

    IO = "io"
    USDC = "usdc"


@dataclass(frozen=True)
class Translation:
    """What a file comes to."""

    format: str
    commands: tuple[str, ...]
    """For a shell, in this order; ``ORDER`` is what the first one prints. None where keys are refused."""
    aside: tuple[Finding, ...]
    refused: tuple[Finding, ...]


def translate(
    text: str, name: str, money: Money, hours: int | None = None, without_image: bool = False
) -> Translation:
    """Read a file called ``name``; ``hours`` are leased, or as many as it says.

    Raises FileUnreadable for what is no file of a known format. All that can't be is in the answer.
    """
    root = read(text, name)
    found = next((each for each in FORMATS if each.is_one(root)), None)
    if found is None:
        raise FileUnreadable(f"{name} is none of Akash's, SkyPilot's and dstack's: it has none of their keys")
    reading = Reading(found.KEYS)
    reading.check(root)
    wanted: Wanted = found.read(root, reading, without_image)
    price = _price(reading, wanted, root, money)
    wanted.hours = hours or wanted.hours
    _require_terms(reading, wanted, root)
    refused = tuple(sorted(dict.fromkeys(reading.refused)))
    commands = () if refused else _commands(wanted, money, price)
    return Translation(found.NAME, commands, tuple(sorted(dict.fromkeys(reading.aside))), refused)


# -- inside --------------------------------------------------------------------------------------


def _price(reading: Reading, wanted: Wanted, root: Node, money: Money) -> str | None:
    """The most for a processor and hour."""
    if wanted.dollars is None:
        return None
    key = "max_price" if root.at("max_price") is not None else "resources.max_hourly_cost"
    node = root.at(*key.split(".")) or root
    if money is not Money.USDC:
        reading.refuse(
            node, key, "it is in dollars: --currency usdc, or take it out and add --price to the order"
        )
        return None
    each = (wanted.dollars / wanted.processors).quantize(_CENT, ROUND_DOWN)
    reading.set_aside(node, key, f"taken as {each.normalize():f} USDC for each processor, a dollar as a USDC")
    return f"{each.normalize():f}"


def _require_terms(reading: Reading, wanted: Wanted, root: Node) -> None:
    if wanted.hours is None:
        reading.refuse(0, "hours", "an order is for a number of hours, and the file says none: name --hours")
    elif not 0 < wanted.hours <= MOST_HOURS:
        reading.refuse(root.at("max_duration") or 0, "hours", f"an order is for at most {MOST_HOURS:,} hours")
    if wanted.processors > MOST_PROCESSORS:
        reading.refuse(0, "processors", f"a device has at most {MOST_PROCESSORS}, not {wanted.processors}")
    if len(wanted.classes) > MOST_CLASSES:
        many = (
            f"{len(wanted.classes)} classes are what it asks for, and an order names {MOST_CLASSES} at most"
        )
        reading.refuse(0, "classes", f"{many}: name the cards")
    if wanted.classes and cards.PROCESSOR not in wanted.classes:
        reading.set_aside(
            0, "cards", "no agent serves a lease of cards yet: see docs/compute.md before you pay"
        )


def _commands(wanted: Wanted, money: Money, price: str | None) -> tuple[str, ...]:
    order = ["ionet", "order", "create"]
    for each in wanted.classes:
        order += ["--class", each]
    order += ["--currency", money, "--hours", str(wanted.hours)]
    if wanted.processors > 1:
        order += ["--processors", str(wanted.processors)]
    if price is not None:
        order += ["--price", price]
    made = [shlex.join(order)]
    ports = [part for here, there in wanted.ports for part in ("--port", f"{here}:{there}")]
    # Until Ctrl+C, in a terminal of its own; other commands use it, and end-when-idle needs one.
    if ports or wanted.idle:
        made.append(shlex.join(["ionet", "cluster", "connect", "ORDER", *ports]))
    if wanted.packages:
        made.append(f"{_PIP} --dest {script.WHEELS} {shlex.join(wanted.packages)}")
    made.append(_submit(wanted))
    if wanted.idle:
        made.append(shlex.join(["ionet", "cluster", "end-when-idle", "ORDER", wanted.idle, "--yes"]))
    return tuple(made)


def _submit(wanted: Wanted) -> str:
    parts = ["ionet cluster submit ORDER"]
    if wanted.working_dir is not None:
        parts.append(f"--working-dir {_folder(wanted.working_dir)}")
    if wanted.packages:
        parts.append(f"$(printf -- '--wheel %s ' {script.WHEELS}/*.whl)")
    for name, value in wanted.environment.items():
        given = f'{name}="${name}"' if value is None else shlex.quote(f"{name}={value}")
        parts.append(f"--env {given}")
    return " ".join([*parts, "--follow --", shlex.join(wanted.command)])


def _folder(path: str) -> str:
    """A folder for a shell, which is to know what ``~`` means."""
    return f"~/{shlex.quote(path[2:])}" if path.startswith("~/") and path != "~/" else shlex.quote(path)


def findings(found: Sequence[Finding], name: str) -> list[str]:
    """A line for each, as compilers have it."""
    return [
        f"{name}:{each.line}: {each.key}: {each.why}" if each.line else f"{name}: {each.why}"
        for each in found
    ]
