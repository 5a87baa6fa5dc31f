"""The shapes of what commands write with ``--json``; their schemas, for programs that read it.

``@answers(SHAPE)`` ties a command to its shape (:mod:`keeper.cli.answering`), mypy holds what makes an
answer to it, tests/keeper/cli/test_answers.py what is written. ``ionet schema`` and docs/json.md tell them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from keeper.terminal.answers.kinds import Failure

__all__ = ["Failure", "check", "schema"]


_STRICT = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    # A TypedDict takes no config from an adapter, but one inside of something does.
    return TypeAdapter(tuple[shape], config=_STRICT)


def schema(shape: Any) -> dict[str, Any]:
    """A shape's JSON Schema, draft 2020-12."""
    found = _adapter(shape).json_schema(mode="serialization")
    (own,) = found["prefixItems"]
    rest = {"$defs": found["$defs"]} if "$defs" in found else {}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **own, **rest}


def check(shape: Any, text: str) -> None:
    """Hold a JSON document to its shape, to the last field; raises pydantic's ValidationError."""
    _adapter(shape).validate_json(f"[{text}]")
