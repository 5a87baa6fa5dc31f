"""Shell lines of a task: what of them asks for the internet, which a cluster has by a way out alone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from keeper.compute.egress import PORT, is_name
from keeper.renter.jobfiles.tree import Node

WHEELS = "wheels"
"""The folder that packages are fetched into."""
RUNTIME = ("ray",)
"""Packages that each device has, at the version of its runtime."""
_PARTS = re.compile(r"&&|\|\||;")
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]*\])?([=<>!~]=?[A-Za-z0-9.*,<>=!~-]+)?"
)
_QUIET = {"-q", "-qq", "-U", "--quiet", "--upgrade", "--no-cache-dir"}
_FETCHES = {
    *("apt", "apt-get", "apk", "yum", "dnf", "brew", "npm", "conda", "mamba", "pip", "pip3", "uv", "poetry"),
    *("curl", "wget", "docker", "aws", "gcloud", "gsutil", "az", "huggingface-cli", "hf", "ollama"),
}
_GIT = {"clone", "fetch", "pull", "lfs", "submodule"}
_BY_URL = {"curl", "wget", "git clone", "git fetch", "git pull"}
"""What knows a proxy, and says its host in the line."""
_NO_FETCH = {("pip", "list"), ("pip", "freeze"), ("pip", "show"), ("pip3", "list"), ("pip3", "freeze")}


class Fetch(NamedTuple):
    """A command of a line that needs the internet, or root."""

    command: str
    hosts: tuple[str, ...]
    """Whom it asks by TLS, where that is all that it needs: a way out leads there. Else none."""


def whole(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Lines that go on on the next one put together, without empty ones and comments."""
    begun: tuple[int, str] | None = None
    for number, text in lines:
        at, before = begun or (number, "")
        begun = (at, before + text.rstrip()[:-1]) if text.rstrip().endswith("\\") else None
        line = (before + text).strip()
        if begun is None and line and not line.startswith("#"):
            yield at, line
    if begun is not None:
        yield begun


def packages(line: str) -> list[str] | None:
    """What a line of ``pip install`` installs, as arguments of pip; None for any other line, and for any that
    builds something or takes it from elsewhere than an index.
    """
    words = _words(line)
    installs = words[1:] if words[:1] == ["uv"] else words
    if installs[:3] in (["python", "-m", "pip"], ["python3", "-m", "pip"]):
        installs = installs[2:]
    if installs[:2] not in (["pip", "install"], ["pip3", "install"]):
        return None
    found, given = [], iter(installs[2:])
    for word in given:
        if word in ("-r", "--requirement"):
            file = next(given, "")
            if not file or file.startswith("-") or "://" in file:
                return None
            found += ["-r", file]
        elif word not in _QUIET:
            if not _REQUIREMENT.fullmatch(word):
                return None
            found.append(word)
    return found or None


def fetches(line: str) -> Iterator[Fetch]:
    """What of a line needs the internet, or root, as far as its commands' first words tell."""
    for part in _PARTS.split(line):
        words = _words(part)
        while words and (words[0] in ("exec", "nohup", "time", "!") or re.fullmatch(r"\w+=.*", words[0])):
            words = words[1:]
        command = _command(words)
        if command is not None:
            yield Fetch(command, _hosts(words) if command in _BY_URL else ())


def why(fetch: Fetch) -> str:
    """Why a command that :func:`fetches` names isn't taken."""
    command, hosts = fetch
    if command == "sudo":
        return "nobody is root inside: a job is user 1000"
    instead = "bring it in the working folder, or by ionet cluster put"
    if command in ("pip", "pip3", "uv"):
        instead = "name packages in lines of their own, at the beginning, which become wheels"
    if hosts:
        instead += f"; or add --egress, for devices whose suppliers allow {', '.join(hosts)}"
    elif command in _BY_URL:
        instead += "; a way out leads to hosts that the line names by https:// alone"
    return f"{command} needs the internet, and there is none inside: {instead}"


def by_a_way_out(fetch: Fetch) -> str:
    """What a command takes that is let out."""
    hosts = ", ".join(fetch.hosts)
    return (
        f"{fetch.command} is let out by devices that have that program and whose suppliers allow {hosts}, "
        "and wherever that leads on to: ionet cluster metrics shows their lists"
    )


def mentions(node: Node, prefix: str) -> Iterator[tuple[int, str]]:
    """Variables whose names begin so, with their lines."""
    for number, text in node.lines():
        yield from ((number, each) for each in re.findall(rf"\b{prefix}_[A-Z0-9_]+", text))


def _command(words: list[str]) -> str | None:
    """What needs the internet, or root, by a command's first words."""
    if words[:1] == ["sudo"]:
        return "sudo"
    if words[1:3] == ["-m", "pip"]:
        return "pip"
    if words and words[0] in _FETCHES and tuple(words[:2]) not in _NO_FETCH:
        return words[0]
    if words[:1] == ["git"] and set(words[1:2]) & _GIT:
        return f"git {words[1]}"
    return None


def _hosts(words: list[str]) -> tuple[str, ...]:
    """The hosts of URLs, if a way out leads to all of them; one in a variable isn't known here."""
    found: list[str] = []
    for word in words:
        scheme, there, rest = word.partition("://")
        if not there:
            continue
        host, colon, port = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2].partition(":")
        if not (scheme.lower().endswith("https") and is_name(host.lower()) and port == (colon and str(PORT))):
            return ()
        found.append(host.lower())
    return tuple(dict.fromkeys(found))


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:  # A quotation that goes on: its first words are enough.
        return text.split()
