"""The pages' scripts: built files, each loaded by its hash.

They are made of ``web/`` by ``make web``; ``manifest.json`` beside them says of what, and
by which tools, so that anybody can build the same.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

BUILT = Path(__file__).parent / "static"
PREFIX = "/static/"
TYPES = {".js": "text/javascript", ".css": "text/css"}


@cache
def manifest() -> dict[str, Any]:
    """What was built: ``files`` by name, and ``entries``, the files that each island needs, its own first."""
    found: dict[str, Any] = json.loads((BUILT / "manifest.json").read_text())
    return found


def read(name: str) -> tuple[bytes, str] | None:
    """A built file and its media type; None for what isn't in the manifest."""
    if name not in manifest()["files"]:
        return None
    return _bytes(name), TYPES[Path(name).suffix]


@cache
def _bytes(name: str) -> bytes:
    """Of those in the manifest alone: they are few, and each is asked for by every visitor."""
    return (BUILT / name).read_bytes()


def own_file(island: str) -> str:
    """The name of an island's own file."""
    name: str = manifest()["entries"][island][0]
    return name


def address(island: str) -> str:
    """Where an island's own file is, for a script that starts it."""
    return PREFIX + own_file(island)


def tags(island: str) -> Markup:
    """What a page's head needs for an island; a browser runs no file whose hash is another."""
    own, *shared = manifest()["entries"][island]
    lines = [_tag('<link rel="modulepreload" href="{}" integrity="{}">', each) for each in shared]
    return Markup("\n").join([*lines, _tag('<script type="module" src="{}" integrity="{}"></script>', own)])


def before_paint(island: str) -> Markup:
    """The same for one of a single file, which runs before anything is shown."""
    (own,) = manifest()["entries"][island]
    return _tag('<script type="module" async blocking="render" src="{}" integrity="{}"></script>', own)


def _tag(text: str, name: str) -> Markup:
    return Markup(text).format(PREFIX + name, manifest()["files"][name]["integrity"])
