"""What several formats say in the same way: images, scripts, variables, ports, durations."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from keeper.renter.jobfiles import cards, script
from keeper.renter.jobfiles.reading import Fate, Key, Price, Reading, Wanted
from keeper.renter.jobfiles.tree import Node

RAY = "2.60.0"
"""Of a device's runtime, by keeper/compute/runtime.lock."""
OWN_IMAGES = re.compile(
    r"(docker:)?((docker\.io/)?(library/)?python:3\.11([.-].*)?"
    rf"|(docker\.io/)?rayproject/ray:{re.escape(RAY)}-py311(-cpu)?)"
)
"""Images that have nothing that a device's runtime hasn't, but for Debian's packages."""
NO_CLOUD = "there is no cloud to choose here: take it out, and name --country if it has to be somewhere"
NO_SIZE = "no class says this of a device: ionet cluster metrics shows what there is"
NO_VOLUME = "no volume outlives a lease: files are in /data until it ends"
NO_RESTART = "a job that failed isn't started again by anybody"
NO_SPOT = "no lease is cheaper for being taken away"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_FREE = 1_024
"""The first port that a user may listen on."""
_PORTS = 1 << 16
_DEAREST = 1_000_000
"""Dollars for an hour: no device costs as much."""


def taken(path: str, why: str) -> Key:
    """A key that becomes something."""
    return Key(path, Fate.TAKEN, why)


def aside(path: str, why: str) -> Key:
    """A key that changes nothing here."""
    return Key(path, Fate.ASIDE, why)


def refused(path: str, why: str) -> Key:
    """A key that nothing here does."""
    return Key(path, Fate.REFUSED, why)


def image(reading: Reading, node: Node | None, key: str, without: bool) -> None:
    """A container's image, which no device runs: refused unless it is like a device's own, or ``without``."""
    named = reading.word(node, key)
    if node is None or not named:
        return
    if without:
        reading.set_aside(node, key, f"the command runs in a device's own runtime: Python 3.11 and Ray {RAY}")
    elif OWN_IMAGES.fullmatch(named):
        reading.set_aside(node, key, f"a device's own runtime is Python 3.11 with Ray {RAY}")
    else:
        why = (
            f"no image is run here, as a device has a runtime of its own, Python 3.11 with Ray {RAY}: "
            "if that and wheels are enough for the command, add --without-image"
        )
        reading.refuse(node, key, why)


def shell(
    reading: Reading, wanted: Wanted, nodes: Sequence[Node], key: str, program: str, joined: str = "\n"
) -> None:
    """The lines of shell texts as the job's command; what they install at their beginning becomes wheels."""
    kept: list[str] = []
    for node in nodes:
        lines = list(script.whole(node.lines()))
        first = 0
        while not kept and first < len(lines) and install(reading, wanted, *lines[first], key):
            first += 1
        for number, line in lines[first:]:
            scan(reading, wanted, number, line, key)
        if first == 0:
            text = node.text.strip()
            kept += [text] if text else []
        elif lines[first:]:
            kept.append("\n".join(text for _, text in lines[first:]))
    if not kept:
        return
    if joined != "\n":  # What goes on in the background goes on beside the next one.
        kept = [f"{{ {each} }}" if each.endswith("&") else each for each in kept]
    text = joined.join(kept)
    wanted.command = [program, "-c", text]
    if len(kept) == 1 and "\n" not in text and not re.search(r"[|&;<>()$`\\\"'*?\[#~=%!{}]", text):
        wanted.command = shlex.split(text)


def install(reading: Reading, wanted: Wanted, number: int, line: str, key: str) -> bool:
    """Whether a line installs packages alone, which are noted."""
    found = script.packages(line)
    if found is None:
        return False
    for name in found:
        if re.split(r"[\[=<>!~]", name)[0].lower() in script.RUNTIME:
            reading.set_aside(number, key, f"{name}: each device has Ray {RAY}, and no other one")
        else:
            wanted.packages.append(name)
    return True


def scan(reading: Reading, wanted: Wanted, number: int, line: str, key: str) -> None:
    """Refuse a line that needs root, or the internet beyond a way out that the renter asks for."""
    for found in script.fetches(line):
        if wanted.egress and found.hosts:
            reading.set_aside(number, key, script.by_a_way_out(found))
        else:
            reading.refuse(number, key, script.why(found))


def variable(reading: Reading, wanted: Wanted, node: Node, name: str, value: str | None, key: str) -> None:
    """A variable of the job's; with None it has the value that the shell has where commands are typed."""
    if not _NAME.fullmatch(name):
        reading.refuse(node, key, f"{name!r} is no variable's name")
    elif name in wanted.environment:
        reading.refuse(node, key, f"{name} is there twice")
    else:
        wanted.environment[name] = value


def variables(reading: Reading, wanted: Wanted, node: Node | None, key: str) -> None:
    """Variables as a list of ``NAME=VALUE``, or of fields."""
    if node is not None and node.kind == "map":
        for named, value in node.fields:
            at = f"{key}.{named.text}"
            if not value.is_word:
                reading.refuse(value, at, "one value is expected here")
            else:
                variable(reading, wanted, named, named.text, None if value.is_null else value.text, at)
        return
    for each in reading.words(node, key):
        name, equals, text = each.text.partition("=")
        variable(reading, wanted, each, name, text if equals else None, key)


def own_variables(
    reading: Reading, wanted: Wanted, nodes: Sequence[Node], key: str, prefix: str, known: dict[str, str]
) -> None:
    """Variables that the tool itself sets, as they are for one node; others of its names are refused."""
    for node in nodes:
        for number, name in script.mentions(node, prefix):
            if name in known:
                wanted.environment.setdefault(name, known[name])
            elif name not in wanted.environment:
                reading.refuse(number, key, f"nobody sets {name} here: give it a value, or take it out")


def no_class(reading: Reading, at: Node, key: str, asked: str) -> None:
    """Refuse cards that no class has."""
    reading.refuse(at, key, f"the network has no class of cards that are {asked}: ionet class list")


def gpus(wanted: Wanted) -> str:
    """How many cards a device of the order has, as tools' own variables say it."""
    return "0" if wanted.classes == [cards.PROCESSOR] else str(wanted.processors)


def port(reading: Reading, wanted: Wanted, node: Node, key: str, here: int | None, there: int) -> None:
    """A port of the head's that is forwarded to 127.0.0.1 here."""
    if not (0 < there < _PORTS and (here is None or 0 < here < _PORTS)):
        reading.refuse(node, key, f"a port is a number from 1 to {_PORTS - 1}")
        return
    first = here or there
    wanted.ports.append((first if first >= _FREE else there if there >= _FREE else there + 8_000, there))


def seconds(text: str) -> int | None:
    """A duration such as ``90``, ``2h``, ``1d``; None for what is none."""
    found = re.fullmatch(r"([0-9]{1,8}) ?([smhdw]?)", text.strip())
    return int(found[1]) * _UNITS[found[2] or "s"] if found else None


def spoken(duration: int) -> str:
    """A duration as ``ionet cluster end-when-idle`` takes it."""
    size, unit = next((each for each in ((3_600, "h"), (60, "m")) if duration % each[0] == 0), (1, "s"))
    return f"{duration // size}{unit}"


def dollars(reading: Reading, wanted: Wanted, node: Node | None, key: str) -> None:
    """The most for a device and hour."""
    text = reading.word(node, key)
    if node is None or not text:
        return
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not (amount.is_finite() and 0 < amount < _DEAREST):
        reading.refuse(node, key, f"{text!r} is no price of an hour")
        return
    wanted.most = Price(amount, node.line, key)
