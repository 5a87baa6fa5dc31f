"""Write docs/json.md, what every command answers with --json, from the shapes; or check it with --check."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keeper.cli.answering import shape_of, walk
from keeper.cli.main import COMMANDS
from keeper.terminal.answers import Failure, schema
from keeper.terminal.answers.kinds import FORMATS

PAGE = Path(__file__).parents[1] / "docs/json.md"
INTRODUCTION = """# What commands answer programs

<!-- Written by python -m scripts.json_page -->

With `--json` a command writes one JSON document to standard output, and nothing else there. `ionet schema
COMMAND` prints its JSON Schema (draft 2020-12), from the same shapes as this page. A command that signs asks
no question then: it goes with `--yes` or `--dry-run`.

What can't be done is one line on standard error, with exit code 1, or 2 for something typed wrongly:

{failure}
A command that says by its exit code what it found (`ionet slash show`, `market replay`, `pow verify`, `keeper
status`, the doctors) writes its document all the same.

## Values

The `format` in a schema says what a value is:

| format | is |
| --- | --- |
{formats}

A field that may be absent says so; else what there isn't is null. Fields may be added; none changes what it
means.

## Commands

| command | answers |
| --- | --- |
{commands}

## Shapes

{shapes}"""


def text() -> str:
    """The page as it is by the shapes now."""
    commands: dict[str, str] = {}
    shapes: dict[str, dict[str, Any]] = {}
    for name, command in walk(COMMANDS):
        shape = shape_of(command)
        if shape is None:
            continue
        found = schema(shape)
        commands[name] = _kind(found)
        for title, each in found.get("$defs", {}).items():
            assert shapes.setdefault(title, each) == each, f"two shapes are called {title}"
    return INTRODUCTION.format(
        failure="\n".join(_fields(next(iter(schema(Failure)["$defs"].values())))),
        formats="\n".join(f"| {name} | {words} |" for name, words in FORMATS.items()),
        commands="\n".join(f"| `ionet {name}` | {kind} |" for name, kind in sorted(commands.items())),
        shapes="\n".join(line for title in sorted(shapes) for line in _shape(title, shapes[title])),
    )


def _shape(title: str, found: dict[str, Any]) -> Iterator[str]:
    yield from (f"### {title}", "", *found.get("description", "").splitlines(), "")
    yield from _fields(found)


def _fields(found: dict[str, Any]) -> Iterator[str]:
    yield from ("| field | is | |", "| --- | --- | --- |")
    required = found.get("required", ())
    for name, each in found["properties"].items():
        said = " ".join(each.get("description", "").split())
        if name not in required:
            said = f"Not always there. {said}"
        yield f"| `{name}` | {_kind(each)} | {said.strip()} |"
    yield ""


def _kind(found: dict[str, Any]) -> str:
    """A value's kind, in words."""
    if "$ref" in found:
        title = found["$ref"].rpartition("/")[2]
        return f"[{title}](#{title.lower()})"
    if "anyOf" in found:
        return " or ".join(_kind(each) for each in found["anyOf"])
    if "items" in found:
        return f"list of {_kind(found['items'])}"
    if isinstance(found.get("additionalProperties"), dict):
        return f"object of {_kind(found['additionalProperties'])}"
    if "enum" in found:
        return ", ".join(map(str, found["enum"]))
    plain = {"string": "text", "boolean": "true or false", None: "anything"}
    kind = found.get("type")
    return str(found.get("const") or found.get("format") or plain.get(kind, kind))


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text() != text() and "docs/json.md isn't what commands answer; run this script")
    PAGE.write_text(text())
