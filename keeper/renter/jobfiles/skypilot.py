"""SkyPilot's tasks, as get_task_schema() and get_resources_schema() of its sky/utils/schemas.py have them."""

from __future__ import annotations

import re
from decimal import Decimal

from keeper.renter.jobfiles import cards, common, script
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
from keeper.renter.jobfiles.reading import NUMBER, Reading, Wanted
from keeper.renter.jobfiles.tree import Node

NAME = "SkyPilot task"
_R = "resources"
_ONE_KIND = "an order names its classes, and that is all that it chooses by: take one of these"
_ONLY_ONE = "one task is read: SkyPilot's own servers of jobs aren't here"
_DEFAULT_GIB = {"a100": 40, "v100": 16}
"""What SkyPilot means by a model's bare name, where there are several."""
_MOST_PORTS = 16
KEYS = (
    aside("name", "an order and a job have names of their own"),
    taken("workdir", "--working-dir, from where the commands are typed"),
    taken("num_nodes", "1: SkyPilot runs the commands on all nodes, a job here runs on the head"),
    taken("setup", "packages that it installs are fetched as wheels; the rest is done before run"),
    taken("run", "the job's command"),
    taken("envs", "--env for each; one without a value has the shell's"),
    taken("secrets", "as envs: who owns a device can read them"),
    refused("managed_secrets", "SkyPilot's server keeps those: name them in secrets"),
    refused(
        "file_mounts", "no bucket is reached, and /data alone is written: use workdir, or ionet cluster put"
    ),
    refused("file_mounts_mapping", "SkyPilot writes it for itself"),
    refused("volumes", NO_VOLUME),
    refused("volume_mounts", NO_VOLUME),
    refused(
        "service", "nothing on the internet leads to a job here: connect --port forwards to this machine"
    ),
    refused("pool", _ONLY_ONE),
    refused("config", _ONLY_ONE),
    refused("event_callback", _ONLY_ONE),
    refused("api_server_access", _ONLY_ONE),
    refused("_metadata", "SkyPilot writes it for itself"),
    aside("inputs", "SkyPilot plans by it where to run, and there is one place"),
    aside("outputs", "SkyPilot plans by it where to run, and there is one place"),
    taken(f"{_R}.accelerators", "--class for each class of that card, --processors"),
    refused(f"{_R}.accelerator_args", "it is of TPUs, which no class is"),
    *(aside(f"{_R}.{name}", NO_SIZE) for name in ("cpus", "memory", "disk_size", "ephemeral_storage")),
    *(aside(f"{_R}.{name}", NO_SIZE) for name in ("disk_tier", "network_tier", "local_disk")),
    *(refused(f"{_R}.{name}", NO_CLOUD) for name in ("infra", "cloud", "region", "zone", "instance_type")),
    *(refused(f"{_R}.{name}", _ONE_KIND) for name in ("any_of", "ordered")),
    taken(f"{_R}.use_spot", "false: a lease isn't taken away for somebody who pays more"),
    refused(f"{_R}.job_recovery", NO_RESTART),
    refused(f"{_R}.volumes", NO_VOLUME),
    taken(f"{_R}.max_hourly_cost", "--price for each processor, where --currency is usdc"),
    taken(f"{_R}.ports", "connect --port for each: reached from this machine alone, not from the internet"),
    taken(f"{_R}.image_id", "taken if it is a device's own runtime; others only by --without-image"),
    aside(f"{_R}.labels", "labels of instances; an order has none"),
    taken(f"{_R}.autostop", "end-when-idle, which deletes what is on the devices"),
    aside(f"{_R}.autostop.down", "a lease that is ended leaves nothing that could be stopped"),
    taken(f"{_R}.autostop.idle_minutes", "end-when-idle"),
    taken(f"{_R}.autostop.wait_for", "jobs: shells are jobs here"),
    refused(f"{_R}.autostop.hook", "nothing runs at the end: fetch results by ionet cluster get before"),
    refused(f"{_R}.autostop.hook_timeout", "nothing runs at the end"),
    refused(f"{_R}.priority", "an order's place is its time and its --urgency"),
    refused(f"{_R}.priority_class", "an order's place is its time and its --urgency"),
)


def is_one(root: Node) -> bool:
    """Whether a file looks like one of these."""
    return any(root.at(name) is not None for name in ("run", "setup", "resources", "workdir", "num_nodes"))


def read(root: Node, reading: Reading, wanted: Wanted, without_image: bool) -> None:
    """Fill in what the file wants; all else is noted in ``reading``."""
    nodes = root.at("num_nodes")
    if reading.count(nodes, "num_nodes") != 1:
        why = "SkyPilot runs it on each node, a job here runs on the head and starts Ray's tasks elsewhere"
        reading.refuse(nodes or root, "num_nodes", f"{why}: write 1, and --devices on the order")
    _resources(reading, wanted, root.at(_R) or Node(root.line, "map"), without_image)
    for key in ("envs", "secrets"):
        if (given := root.at(key)) is not None and given.kind != "map":
            reading.refuse(given, key, "fields are expected here")
        else:
            common.variables(reading, wanted, given, key)
    folder = root.at("workdir")
    if folder is not None and folder.kind == "map":
        reading.refuse(
            folder, "workdir", "no repository is reached from inside: check it out here, and name it"
        )
    elif (named := reading.word(folder, "workdir")) and folder is not None:
        wanted.working_dir = named
        if "$" in named:
            reading.refuse(folder, "workdir", "write the folder itself in place of a variable")
    _script(reading, wanted, root)


def _script(reading: Reading, wanted: Wanted, root: Node) -> None:
    run, setup = root.at("run"), root.at("setup")
    if run is None or not reading.word(run, "run").strip():
        reading.refuse(run or root, "run", "it runs nothing")
        return
    before = []
    for number, line in script.whole(setup.lines() if setup and reading.word(setup, "setup") else ()):
        if not common.install(reading, wanted, number, line, "setup"):
            common.scan(reading, wanted, number, line, "setup")
            before.append(line)
    known = {
        "SKYPILOT_NODE_RANK": "0",
        "SKYPILOT_NUM_NODES": "1",
        "SKYPILOT_NUM_GPUS_PER_NODE": common.gpus(wanted),
    }
    texts = [each for each in (setup, run) if each is not None]
    common.own_variables(reading, wanted, texts, "run", "SKYPILOT", known)
    common.shell(reading, wanted, [run], "run", "bash")
    if before:
        # In a shell of its own, as SkyPilot has it: what it exports ends with it; run follows its success.
        said = wanted.command[2] if wanted.command[:2] == ["bash", "-c"] else run.text.strip()
        wanted.command = ["bash", "-c", "\n".join(["(", *before, ") || exit", said])]


def _resources(reading: Reading, wanted: Wanted, found: Node, without_image: bool) -> None:
    _cards(reading, wanted, found.at("accelerators"))
    reading.flag(found.at("use_spot"), f"{_R}.use_spot", f"{NO_SPOT}: write false")
    common.dollars(reading, wanted, found.at("max_hourly_cost"), f"{_R}.max_hourly_cost")
    image = found.at("image_id")
    if image is not None and image.kind == "map":
        reading.refuse(
            image, f"{_R}.image_id", "it names images of a cloud's regions, and there is no cloud here"
        )
    else:
        common.image(reading, image, f"{_R}.image_id", without_image)
    _ports(reading, wanted, found.at("ports"))
    _idle(reading, wanted, found.at("autostop"))


def _cards(reading: Reading, wanted: Wanted, node: Node | None) -> None:
    key = f"{_R}.accelerators"
    if node is None:
        wanted.classes = [cards.PROCESSOR]
        return
    if node.is_word:
        asked = [(node, node.text, "")]
    elif node.kind == "list":
        asked = [(each, each.text, "") for each in reading.words(node, key)]
    else:
        asked = [(name, name.text, reading.word(count, key)) for name, count in node.fields]
    found, counts = [], set()
    for at, text, beside in asked:
        name, _, count = text.partition(":")
        counts.add(_number(reading, at, beside or count or "1", key))
        base = re.sub(r"-(SXM\d?|PCIE)(?=-|$)", "", name, flags=re.I)
        interface = cards.SXM if "-sxm" in name.lower() else cards.PCIE if "-pcie" in name.lower() else None
        size = _DEFAULT_GIB.get(base.lower())
        classes = cards.classes(base, cards.Range(size, size) if size else None, interface)
        if not classes:
            common.no_class(reading, at, key, name)
        found.append(classes)
    if len(counts) > 1:
        reading.refuse(node, key, "an order has one number of processors for each device: take one of these")
    wanted.classes, wanted.processors = cards.together(found), max(counts, default=1)


def _number(reading: Reading, at: Node, text: str, key: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}(\.0+)?", text) or Decimal(text) < 1:
        reading.refuse(at, key, f"{text!r} is no whole number of cards: a part of one can't be leased")
        return 1
    return int(Decimal(text))


def _ports(reading: Reading, wanted: Wanted, node: Node | None) -> None:
    key = f"{_R}.ports"
    listed = reading.words(node, key) if node is not None and node.kind == "list" else [node] if node else []
    for each in listed:
        first, dash, last = reading.word(each, key).partition("-")
        ends = (first, last if dash else first)
        if not all(map(NUMBER.fullmatch, ends)):
            reading.refuse(each, key, f"{each.text!r} is no port, and no range such as 8000-8010")
        elif not 0 <= int(ends[1]) - int(ends[0]) < _MOST_PORTS:
            reading.refuse(each, key, f"{_MOST_PORTS} ports of a range at most are forwarded")
        else:
            for number in range(int(ends[0]), int(ends[1]) + 1):
                common.port(reading, wanted, each, key, number, number)


def _idle(reading: Reading, wanted: Wanted, node: Node | None) -> None:
    key = f"{_R}.autostop"
    if node is None:
        return
    if node.kind == "map":
        minutes = reading.count(node.at("idle_minutes"), f"{key}.idle_minutes", 5)
        wait = node.at("wait_for")
        if reading.word(wait, f"{key}.wait_for").lower() == "none" and wait is not None:
            reading.refuse(wait, f"{key}.wait_for", "leases aren't ended under a job that runs: write jobs")
        wanted.idle = f"{minutes}m"
    elif node.kind == "bool":
        wanted.idle = "5m" if node.text.lower() in ("true", "yes", "on") else None
    else:
        text = reading.word(node, key)
        duration = common.seconds(f"{text}m" if text.isdigit() else text)
        if duration is None:
            reading.refuse(node, key, f"{text!r} is no duration: write 10m")
        else:
            wanted.idle = common.spoken(duration)
