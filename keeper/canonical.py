"""Canonical JSON (RFC 8785) of what is published: one form alone, so that a hash says all of it."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from keeper.errors import UserError, unfit_there

T = TypeVar("T")


def encode(value: Any) -> bytes:
    """Write a dataclass: sorted keys, no spaces. Its numbers are integers that JSON can hold."""
    return json.dumps(value, default=_fields, sort_keys=True, separators=(",", ":")).encode()


class Form(Generic[T]):
    """How a kind of dataclass is read: strictly, and with one error for whatever it isn't."""

    def __init__(self, kind: type[T], name: str, what: str, error: type[UserError]) -> None:
        """``name`` and ``what`` begin the error's sentence: ``manifest.json``, ``is no manifest``."""
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)
        self._name, self._what, self._error = name, what, error

    def read(self, data: bytes) -> T:
        """Read JSON of any form; raises the error naming the first field that is wrong."""
        try:
            return self._adapter.validate_json(data, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise self._error(f"{self._name} {self._what}: {unfit_there(first)}") from error

    def require_canonical(self, value: T, data: bytes) -> None:
        """Raise the error unless ``value`` is written as ``data``."""
        if encode(value) != data:
            raise self._error(f"{self._name} is not canonical JSON")

    def decode(self, data: bytes) -> T:
        """Read canonical JSON; raises the error for any other."""
        value = self.read(data)
        self.require_canonical(value, data)
        return value


def _fields(each: Any) -> dict[str, Any]:
    """What :func:`~dataclasses.asdict` returns, without its copies of everything."""
    return {field.name: getattr(each, field.name) for field in fields(each)}
