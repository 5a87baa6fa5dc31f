"""Akash's SDL, versions 2.0 and 2.1: one service, which runs once, as an order and its job.

Keys are those of go/sdl/sdl-input.schema.yaml of its chain-sdk, and those of its documentation.
"""

from __future__ import annotations

from keeper.renter.jobfiles import cards, common
from keeper.renter.jobfiles.common import aside, refused, taken
from keeper.renter.jobfiles.reading import NUMBER, Reading, Wanted
from keeper.renter.jobfiles.tree import Node

NAME = "Akash SDL"
_NO_VOLUME = f"{common.NO_VOLUME}, and come and go by put and get"
_NO_WAY_IN = "nothing on the internet leads to a job here"
_SERVICE, _PROFILE, _PLACE = "services.*", "profiles.compute.*.resources", "profiles.placement.*"
_PORT = f"{_SERVICE}.expose[]"
_GPU = f"{_PROFILE}.gpu"
KEYS = (
    taken("version", "2.0 and 2.1 are read"),
    refused("include", "one file is read: put what it includes into it"),
    refused("reclamation", "a lease runs until its end, or its parties end it"),
    refused("endpoints", "nobody has an address on the internet here"),
    taken(f"{_SERVICE}.image", "taken if it is a device's own runtime; others only by --without-image"),
    taken(f"{_SERVICE}.command", "the job's command"),
    taken(f"{_SERVICE}.args", "what stands behind it"),
    taken(f"{_SERVICE}.env", "--env for each"),
    taken(f"{_PORT}.port", "connect --port: reached from this machine alone, not from the internet"),
    taken(f"{_PORT}.as", "that port here, if a user may listen on it"),
    taken(f"{_PORT}.proto", "TCP alone is forwarded"),
    aside(f"{_PORT}.accept", _NO_WAY_IN),
    aside(f"{_PORT}.http_options", _NO_WAY_IN),
    aside(f"{_PORT}.to[].global", "connect forwards a port to 127.0.0.1 of this machine, and nowhere else"),
    aside(f"{_PORT}.to[].service", "there is one service"),
    refused(f"{_PORT}.to[].ip", "nobody has an address on the internet here"),
    refused(f"{_SERVICE}.params.storage", _NO_VOLUME),
    refused(f"{_SERVICE}.params.permissions", "no job has a say over its deployment"),
    refused(f"{_SERVICE}.params.tee", "there is no confidential computing: who owns a device can read it"),
    refused(f"{_SERVICE}.credentials", "no image is fetched, so no registry is asked"),
    refused(f"{_SERVICE}.dependencies", "an order runs one service: make it several orders, or several jobs"),
    refused(f"{_SERVICE}.depends-on", "an order runs one service: make it several orders, or several jobs"),
    aside(f"{_PROFILE}.cpu", "no class says how many cores a device has: ionet cluster metrics shows them"),
    aside(f"{_PROFILE}.memory", "no class says how much memory a device has: ionet cluster metrics shows it"),
    taken(f"{_PROFILE}.storage", "set aside if it ends with the lease, as /data does; else refused"),
    taken(f"{_GPU}.units", "--processors"),
    taken(f"{_GPU}.attributes.vendor.nvidia", "--class for each class of that model, memory and interface"),
    refused(f"{_GPU}.attributes.vendor.*", "the network's cards are NVIDIA's: ionet class list"),
    refused(
        f"{_PLACE}.attributes.*", "a provider's attributes are Akash's: name --country, or --tier, instead"
    ),
    aside(f"{_PLACE}.attributes.host", "it names Akash itself"),
    refused(
        f"{_PLACE}.signedBy",
        "Akash's auditors vouch for nobody here: ionet device show has a device's record",
    ),
    aside(
        f"{_PLACE}.pricing", "it is in Akash's money, by its blocks: name --price, or take the class's price"
    ),
    taken("deployment.*.*.profile", "which profile it is"),
    taken("deployment.*.*.count", "1: a job runs once"),
)


def is_one(root: Node) -> bool:
    """Whether a file looks like one of these."""
    return root.at("services") is not None or root.at("profiles") is not None


def read(root: Node, reading: Reading, wanted: Wanted, without_image: bool) -> None:
    """Fill in what the file wants; all else is noted in ``reading``."""
    version = reading.word(root.at("version"), "version")
    if version not in ("2.0", "2.1"):
        reading.refuse(root.at("version") or root, "version", "write version: 2.0 or 2.1")
    services = root.at("services")
    if services is None or services.kind != "map" or not services.fields:
        reading.refuse(services or root, "services", "it has no service, so nothing to run")
        return
    for key, _ in services.fields[1:]:
        more = "an order runs one service: make it another file, with an order of its own"
        reading.refuse(key, f"services.{key.text}", more)
    key, service = services.fields[0]
    _service(reading, wanted, key.text, service, without_image)
    _profile(reading, wanted, root, key)


def _service(reading: Reading, wanted: Wanted, name: str, service: Node, without_image: bool) -> None:
    at = f"services.{name}"
    common.image(reading, service.at("image"), f"{at}.image", without_image)
    common.variables(reading, wanted, service.at("env"), f"{at}.env")
    command = reading.words(service.at("command"), f"{at}.command")
    args = reading.words(service.at("args"), f"{at}.args")
    if not command:
        why = "it runs what its image runs, and no image is run here: name a command"
        reading.refuse(service.at("args") or service, f"{at}.command", why)
    for each in (*command, *args):
        for number, line in each.lines():
            common.scan(reading, wanted, number, line, f"{at}.command")
        for variable in wanted.environment:
            if f"$({variable})" in each.text:
                reading.refuse(each, f"{at}.command", f"write the value in place of $({variable})")
    wanted.command = [each.text for each in (*command, *args)]
    exposed = service.at("expose")
    for each in exposed.items if exposed else ():
        there, here = (each.at(one) for one in ("port", "as"))
        if reading.word(each.at("proto"), f"{at}.expose.proto").lower() == "udp":
            reading.refuse(each, f"{at}.expose", "connect forwards TCP alone")
        elif there is None:
            reading.refuse(each, f"{at}.expose", "it names no port")
        else:
            outer = reading.count(here, f"{at}.expose.as") if here else None
            common.port(
                reading, wanted, each, f"{at}.expose", outer, reading.count(there, f"{at}.expose.port")
            )


def _profile(reading: Reading, wanted: Wanted, root: Node, service: Node) -> None:
    placements = root.at("deployment", service.text)
    if placements is None or placements.kind != "map":
        reading.refuse(
            service, f"deployment.{service.text}", "nothing says where it runs, or by which profile"
        )
        return
    for key, _ in placements.fields[1:]:
        reading.refuse(key, f"deployment.{service.text}.{key.text}", "it runs once, so in one place")
    place, chosen = placements.fields[0]
    at = f"deployment.{service.text}.{place.text}"
    if reading.count(chosen.at("count"), f"{at}.count") != 1:
        several = "copies of a job aren't kept running: start tasks by Ray on an order of several devices"
        reading.refuse(chosen.at("count") or chosen, f"{at}.count", several)
    name = reading.word(chosen.at("profile"), f"{at}.profile")
    profile = root.at("profiles", "compute", name, "resources")
    if profile is None:
        reading.refuse(chosen, f"{at}.profile", f"there is no compute profile called {name!r}")
        return
    at = f"profiles.compute.{name}.resources"
    storage = profile.at("storage")
    for each in storage.items if storage and storage.kind == "list" else [storage] if storage else []:
        _storage(reading, each, f"{at}.storage")
    _cards(reading, wanted, profile.at("gpu"), f"{at}.gpu")


def _storage(reading: Reading, node: Node, at: str) -> None:
    for key, _ in node.fields:
        if key.text not in ("size", "name", "attributes"):
            reading.refuse(key, f"{at}.{key.text}", "no such key is known here")
    kept = reading.word(node.at("attributes", "persistent"), f"{at}.attributes.persistent")
    if kept.lower() == "true":
        reading.refuse(node, at, _NO_VOLUME)
    elif reading.word(node.at("attributes", "class"), f"{at}.attributes.class") == "ram":
        reading.set_aside(node, at, "/dev/shm has a size of its own on each device")
    else:
        reading.set_aside(node, at, "/data has half of what is free of the device's disk")


def _cards(reading: Reading, wanted: Wanted, gpu: Node | None, at: str) -> None:
    units = reading.count(gpu.at("units"), f"{at}.units", 0) if gpu else 0
    if gpu is None or not units:
        wanted.classes = [cards.PROCESSOR]
        return
    wanted.processors = units
    models = gpu.at("attributes", "vendor", "nvidia")
    if models is None or not models.items:
        reading.refuse(models or gpu, f"{at}.attributes", "an order names its classes: name a model")
        return
    found = []
    for each in models.items:
        for key, _ in each.fields:
            if key.text not in ("model", "ram", "interface"):
                reading.refuse(key, f"{at}.{key.text}", "no such key is known here")
        model, size, interface = (
            reading.word(each.at(one), f"{at}.{one}") for one in ("model", "ram", "interface")
        )
        memory = _memory(reading, each, size, at)
        classes = cards.classes(model or None, memory, interface.lower() or None)
        if not classes:
            words = " ".join(filter(None, (model, size, interface)))
            common.no_class(reading, each, at, words)
        found.append(classes)
    wanted.classes = cards.together(found)


def _memory(reading: Reading, node: Node, size: str, at: str) -> cards.Range | None:
    if not size:
        return None
    digits = size.removesuffix("Gi").removesuffix("G")
    if not NUMBER.fullmatch(digits):
        reading.refuse(node, f"{at}.ram", f"{size!r} is no size of a card's memory: write 80Gi")
        return None
    return cards.Range(int(digits), int(digits))
