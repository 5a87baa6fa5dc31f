"""Other tools' files of a task, Akash's SDL, SkyPilot's and dstack's, as an order's terms and a job.

Each format is a table of all its keys: what each becomes, or why it becomes nothing. A key that has an effect
there and would have none here is refused, with its line: who runs what is made of a file gets what it says.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from types import ModuleType

from keeper.clients.orders import MAX_CLASSES
from keeper.clients.staking import MAX_PROCESSORS
from keeper.economy.money import DECIMALS
from keeper.economy.orders import MAX_HOURS, Currency
from keeper.renter.jobfiles import akash, cards, dstack, script, skypilot
from keeper.renter.jobfiles.reading import Finding, Reading, Wanted
from keeper.renter.jobfiles.tree import MOST_CHARACTERS, FileUnreadable, Node, read

__all__ = ["FORMATS", "MOST_CHARACTERS", "FileUnreadable", "Finding", "Translation", "findings", "translate"]

FORMATS: tuple[ModuleType, ...] = (akash, dstack, skypilot)
"""In the order in which a file is taken for one of them."""
_UNIT = Decimal(1).scaleb(-DECIMALS[Currency.USDC])
_PIP = "pip download --only-binary :all: --python-version 3.11 --platform manylinux2014_x86_64"


@dataclass(frozen=True)
class Translation:
    """What a file comes to."""

    format: str
    commands: tuple[str, ...]
    """For a shell, in this order; ``ORDER`` is what the first one prints. None where keys are refused."""
    aside: tuple[Finding, ...]
    refused: tuple[Finding, ...]


def translate(
    text: str,
    name: str,
    currency: Currency,
    hours: int | None = None,
    without_image: bool = False,
    egress: bool = False,
) -> Translation:
    """Read a file called ``name``; ``hours`` are leased, or as many as it says, and paid in ``currency``.

    ``egress`` is whether the renter asks for a way out, ``without_image`` whether it does without images.
    Raises FileUnreadable for what is no file of a known format. All that can't be is in the answer.
    """
    root = read(text, name)
    found = next((each for each in FORMATS if each.is_one(root)), None)
    if found is None:
        raise FileUnreadable(f"{name} is none of Akash's, SkyPilot's and dstack's: it has none of their keys")
    reading = Reading(found.KEYS)
    reading.check(root)
    wanted = Wanted(egress=egress)
    found.read(root, reading, wanted, without_image)
    price = _price(reading, wanted, currency)
    wanted.hours = hours or wanted.hours
    _require_terms(reading, wanted, root)
    refused = tuple(sorted(dict.fromkeys(reading.refused)))
    commands = () if refused else _commands(wanted, currency, price)
    return Translation(found.NAME, commands, tuple(sorted(dict.fromkeys(reading.aside))), refused)


def findings(found: Sequence[Finding], name: str) -> list[str]:
    """A line for each, as compilers have it."""
    return [
        f"{name}:{each.line}: {each.key}: {each.why}" if each.line else f"{name}: {each.why}"
        for each in found
    ]


# -- inside --------------------------------------------------------------------------------------


def _price(reading: Reading, wanted: Wanted, currency: Currency) -> str | None:
    """The most for a processor and hour."""
    if wanted.most is None:
        return None
    dollars, line, key = wanted.most
    if currency is not Currency.USDC:
        reading.refuse(
            line, key, "it is in dollars: --currency usdc, or take it out and add --price to the order"
        )
        return None
    each = f"{(dollars / wanted.processors).quantize(_UNIT, ROUND_DOWN).normalize():f}"
    if each == "0":
        reading.refuse(line, key, f"{_UNIT:f} USDC for each processor is the least that can be paid")
        return None
    reading.set_aside(line, key, f"taken as {each} USDC for each processor, a dollar as a USDC")
    return each


def _require_terms(reading: Reading, wanted: Wanted, root: Node) -> None:
    if wanted.hours is None:
        reading.refuse(0, "hours", "an order is for a number of hours, and the file says none: name --hours")
    elif not 0 < wanted.hours <= MAX_HOURS:
        reading.refuse(root.at("max_duration") or 0, "hours", f"an order is for at most {MAX_HOURS:,} hours")
    if wanted.processors > MAX_PROCESSORS:
        reading.refuse(0, "processors", f"a device has at most {MAX_PROCESSORS}, not {wanted.processors}")
    if len(wanted.classes) > MAX_CLASSES:
        many = f"{len(wanted.classes)} classes are what it asks for, and an order names {MAX_CLASSES} at most"
        reading.refuse(0, "classes", f"{many}: name the cards")
    if wanted.classes and cards.PROCESSOR not in wanted.classes:
        reading.set_aside(
            0, "cards", "no agent serves a lease of cards yet: see docs/compute.md before you pay"
        )


def _commands(wanted: Wanted, currency: Currency, price: str | None) -> tuple[str, ...]:
    order = ["ionet", "order", "create"]
    for each in wanted.classes:
        order += ["--class", each]
    order += ["--currency", currency.name.lower(), "--hours", str(wanted.hours)]
    if wanted.processors > 1:
        order += ["--processors", str(wanted.processors)]
    if price is not None:
        order += ["--price", price]
    made = [shlex.join(order)]
    ports = [part for here, there in wanted.ports for part in ("--port", f"{here}:{there}")]
    out = ["--egress"] if wanted.egress else []
    # Until Ctrl+C, in a terminal of its own; other commands use it, and end-when-idle needs one.
    if ports or out or wanted.idle:
        made.append(shlex.join(["ionet", "cluster", "connect", "ORDER", *ports, *out]))
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
