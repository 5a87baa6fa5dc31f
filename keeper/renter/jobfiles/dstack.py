"""dstack's tasks, as TaskConfiguration and ProfileParams of its core/models have them."""

from __future__ import annotations

import re

from keeper.renter.jobfiles import cards, common
from keeper.renter.jobfiles.common import (
    NO_CLOUD,
    NO_RESTART,
    NO_SIZE,
    NO_SPOT,
    NO_VOLUME,
    aside,
    refused,
    taken,
)
from keeper.renter.jobfiles.reading import Reading, Wanted
from keeper.renter.jobfiles.tree import Node

NAME = "dstack task"
_NO_POOL = "no fleet or pool is kept: each order has its own leases"
_FOLDER = "the job runs in a copy of one folder, which repos names: put them into it"
_GIB = re.compile(r"([0-9]{1,5}(?:\.[0-9]+)?) ?(gb|tb|mb)?", re.I)
_SCALE = {"": 1.0, "gb": 1.0, "tb": 1_024.0, "mb": 1 / 1_024}
_G = "resources.gpu"
KEYS = (
    taken("type", "task"),
    aside("name", "an order and a job have names of their own"),
    taken("commands", "the job's command; packages that it begins with installing are fetched as wheels"),
    taken("image", "taken if it is a device's own runtime; others only by --without-image"),
    taken("env", "--env for each; one without a value has the shell's"),
    taken("shell", "sh or bash"),
    taken("python", "3.11, which devices have"),
    taken("nodes", "1: dstack runs the commands on all nodes, a job here runs on the head"),
    taken("ports", "connect --port for each"),
    taken("repos", "one folder, '.': --working-dir"),
    refused("files", _FOLDER),
    refused("working_dir", "the job runs in the copy of --working-dir: begin with cd for another folder"),
    aside("home_dir", "dstack ignores it, too"),
    aside("setup", "dstack ignores it in tasks, too"),
    refused("user", "a job is user 1000"),
    taken("privileged", "false: nobody is root inside"),
    refused("entrypoint", "no image is run here: name commands"),
    refused("registry_auth", "no image is fetched, so no registry is asked"),
    taken("nvcc", "false: the runtime has no compiler of CUDA's"),
    taken("docker", "false: containers can't be run inside"),
    aside("single_branch", "the working folder is sent, not a repository"),
    refused("volumes", NO_VOLUME),
    aside("priority", "it is among one's own runs; an order's place is its time and its --urgency"),
    *(aside(f"resources.{name}", NO_SIZE) for name in ("cpu", "memory", "shm_size", "disk")),
    taken(_G, "--class for each class of that card, --processors"),
    taken(f"{_G}.vendor", "nvidia"),
    taken(f"{_G}.name", "--class"),
    taken(f"{_G}.count", "--processors: the least of a range"),
    taken(f"{_G}.memory", "--class: those of which every card has that much"),
    refused(f"{_G}.total_memory", "name the count and each card's memory"),
    refused(f"{_G}.compute_capability", "name the cards: an order names its classes"),
    *(refused(name, NO_CLOUD) for name in ("backends", "regions", "availability_zones", "instance_types")),
    refused("reservation", NO_CLOUD),
    refused("backend_options", NO_CLOUD),
    taken("spot_policy", "on-demand or auto: a lease isn't taken away for somebody who pays more"),
    taken("retry", f"false: {NO_RESTART}"),
    taken("max_duration", "--hours, unless that is named"),
    aside("stop_duration", "a job that is told to end is killed soon after"),
    taken("max_price", "--price for each processor, where --currency is usdc"),
    taken("idle_duration", "end-when-idle"),
    refused("utilization_policy", "nothing ends a job for using too little"),
    refused("schedule", "nothing starts a job at a time: cron can type the commands"),
    aside("startup_order", "there is one node"),
    aside("stop_criteria", "there is one node"),
    aside("tags", "labels of instances; an order has none"),
    *(refused(name, _NO_POOL) for name in ("creation_policy", "fleets", "instances", "pool_name")),
    *(refused(name, _NO_POOL) for name in ("instance_name", "termination_policy", "termination_idle_time")),
    refused("retry_policy", NO_RESTART),
)


def is_one(root: Node) -> bool:
    """Whether a file looks like one of these."""
    return root.at("type") is not None


def read(root: Node, reading: Reading, wanted: Wanted, without_image: bool) -> None:
    """Fill in what the file wants; all else is noted in ``reading``."""
    kind = root.at("type")
    if reading.word(kind, "type") != "task":
        reading.refuse(
            kind or root, "type", "tasks alone are jobs: nothing on the internet leads to a service here"
        )
    if reading.count(root.at("nodes"), "nodes") != 1:
        why = "dstack runs them on each node, a job here runs on the head and starts Ray's tasks elsewhere"
        reading.refuse(root.at("nodes") or root, "nodes", f"{why}: write 1, and --devices on the order")
    common.image(reading, root.at("image"), "image", without_image)
    for name, why in (
        ("privileged", "nobody is root inside"),
        ("nvcc", "the runtime has no compiler of CUDA's"),
        ("docker", "containers can't be run inside"),
    ):
        reading.flag(root.at(name), name, why)
    python = reading.word(root.at("python"), "python")
    if python not in ("", "3.11"):
        reading.refuse(root.at("python") or root, "python", "devices have Python 3.11")
    _cards(reading, wanted, root.at("resources", "gpu"))
    _policies(reading, wanted, root)
    _folder(reading, wanted, root.at("repos"))
    common.variables(reading, wanted, root.at("env"), "env")
    for each in reading.words(root.at("ports"), "ports"):
        _port(reading, wanted, each)
    _commands(reading, wanted, root)


def _commands(reading: Reading, wanted: Wanted, root: Node) -> None:
    program = reading.word(root.at("shell"), "shell") or ("sh" if root.at("image") else "bash")
    if program not in ("sh", "bash"):
        reading.refuse(root.at("shell") or root, "shell", "write sh or bash")
    commands = reading.words(root.at("commands"), "commands")
    if not commands:
        reading.refuse(root.at("commands") or root, "commands", "it runs nothing, as no image is run here")
        return
    for each in commands:
        if "${{" in each.text:
            reading.refuse(
                each, "commands", "write the value in place of dstack's ${{ }}, or take it from env"
            )
    gpus = common.gpus(wanted)
    known = {
        "DSTACK_NODE_RANK": "0",
        "DSTACK_NODES_NUM": "1",
        "DSTACK_GPUS_NUM": gpus,
        "DSTACK_GPUS_PER_NODE": gpus,
    }
    common.own_variables(reading, wanted, commands, "commands", "DSTACK", known)
    common.shell(reading, wanted, commands, "commands", program, " && ")


def _policies(reading: Reading, wanted: Wanted, root: Node) -> None:
    spot = root.at("spot_policy")
    if reading.word(spot, "spot_policy") not in ("", "on-demand", "auto"):
        reading.refuse(spot or root, "spot_policy", f"{NO_SPOT}: write on-demand")
    retry = root.at("retry")
    if retry is not None and (not retry.is_word or retry.text.lower() not in ("false", "no", "off")):
        reading.refuse(retry, "retry", f"{NO_RESTART}: write false")
    common.dollars(reading, wanted, root.at("max_price"), "max_price")
    if (longest := _duration(reading, root, "max_duration")) is not None:
        wanted.hours = -(-longest // 3_600)
    if (idle := _duration(reading, root, "idle_duration")) is not None:
        wanted.idle = common.spoken(idle)


def _duration(reading: Reading, root: Node, key: str) -> int | None:
    """Seconds; None where there is none, or it is off."""
    node = root.at(key)
    text = reading.word(node, key)
    if node is None or text.lower() in ("", "off", "false", "no", "-1"):
        return None
    found = common.seconds(text)
    if not found:
        reading.refuse(node, key, f"{text!r} is no duration: write 90m, 2h or 1d")
        return None
    return found


def _folder(reading: Reading, wanted: Wanted, node: Node | None) -> None:
    if node is None or node.kind != "list" or not node.items:
        if node is not None:
            reading.refuse(node, "repos", "a list is expected here")
        return
    first = node.items[0]
    local = first.at("local_path") if first.kind == "map" else first
    odd = [each.text for each, _ in first.fields if each.text not in ("local_path", "path")]
    where = first.at("path") if first.kind == "map" else None
    text = reading.word(local, "repos")
    path, _, inside = text.partition(":")
    if (
        len(node.items) > 1
        or odd
        or not text
        or inside not in ("", ".")
        or "@" in text
        or (where and where.text != ".")
    ):
        reading.refuse(first, "repos", "one folder here alone is sent, and no repository reached: write '.'")
    else:
        wanted.working_dir = path


def _port(reading: Reading, wanted: Wanted, node: Node) -> None:
    found = re.fullmatch(r"(?:([0-9]{1,5}|\*):)?([0-9]{1,5})", node.text)
    if found is None:
        reading.refuse(node, "ports", f"{node.text!r} is no port: write 8000, or 9000:8000")
    else:
        here = int(found[1]) if found[1] not in (None, "*") else None
        common.port(reading, wanted, node, "ports", here, int(found[2]))


def _cards(reading: Reading, wanted: Wanted, node: Node | None) -> None:
    if node is None:
        wanted.classes = [cards.PROCESSOR]
        return
    names, count, memory = _spec(reading, node)
    if wanted_count := _least(count):
        wanted.processors = wanted_count
    elif count != "0":
        reading.refuse(node, f"{_G}.count", f"{count!r} is no number of cards")
    if count == "0":
        wanted.classes = [cards.PROCESSOR]
        return
    size = _sizes(memory)
    if memory and size is None:
        reading.refuse(node, f"{_G}.memory", f"{memory!r} is no size of memory: write 24GB, or 24GB..80GB")
    asked: list[str | None] = [*names] or [None]
    found = [(name, cards.classes(name, size)) for name in asked]
    for name, classes in found:
        if not classes:
            words = " ".join(filter(None, (name, memory)))
            common.no_class(reading, node, _G, words)
    wanted.classes = cards.together(classes for _, classes in found)


def _spec(reading: Reading, node: Node) -> tuple[list[str], str, str]:
    """Names, count, memory."""
    if node.kind == "map":
        vendor = reading.word(node.at("vendor"), f"{_G}.vendor").lower()
        if vendor not in ("", "nvidia"):
            reading.refuse(node.at("vendor") or node, f"{_G}.vendor", "the network's cards are NVIDIA's")
        named = node.at("name")
        listed = named.kind == "list" if named else False
        names = (
            [e.text for e in reading.words(named, f"{_G}.name")]
            if listed
            else _split(reading.word(named, _G))
        )
        sizes = (_range(reading, node.at(each), f"{_G}.{each}") for each in ("count", "memory"))
        count, memory = sizes
        return names, count or "1", memory
    names, count, memory = [], "1", ""
    for token in reading.word(node, _G).replace(" ", "").split(":"):
        if token.lower() == "nvidia":
            continue
        if token.lower() in ("amd", "google", "tpu", "intel", "tenstorrent"):
            reading.refuse(node, _G, "the network's cards are NVIDIA's: ionet class list")
        elif token[:1].isalpha():
            names = _split(token)
        elif any(each.isalpha() for each in token):
            memory = token
        else:
            count = token
    return names, count, memory


def _range(reading: Reading, node: Node | None, key: str) -> str:
    """A number or range as text; dstack takes fields ``min`` and ``max``, too."""
    if node is not None and node.kind == "map":
        least, most = (reading.word(node.at(each), key) for each in ("min", "max"))
        return f"{least}..{most}"
    return reading.word(node, key)


def _split(text: str) -> list[str]:
    return [each for each in text.split(",") if each]


def _least(count: str) -> int | None:
    """The least number that is in a range, one of it; None for what is no range."""
    found = re.fullmatch(r"([0-9]{0,4})(\.\.([0-9]{0,4}))?", count.replace(" ", ""))
    return (int(found[1] or 1) or None) if found and count else None


def _sizes(memory: str) -> cards.Range | None:
    least, dots, most = memory.partition("..")
    ends = [_GIB.fullmatch(each.strip()) for each in ((least, most) if dots else (least, least))]
    if not all(found or (dots and not text) for found, text in zip(ends, (least, most), strict=True)):
        return None
    sizes = [float(each[1]) * _SCALE[(each[2] or "").lower()] if each else None for each in ends]
    return cards.Range(sizes[0] or 0, float("inf") if sizes[1] is None else sizes[1])
