"""Extras of the package: dependencies that only some commands need, installed by those who ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from keeper.errors import UserError


class ExtraMissing(UserError):
    """A command was called whose extra isn't installed."""

    def __init__(self, command: str, extra: str) -> None:
        """``command`` as it was typed, without options; ``extra`` by its name in pyproject.toml."""
        super().__init__(f"{command} needs the extra '{extra}': pip install 'ionet[{extra}]'")


@contextmanager
def needs(extra: str, command: str) -> Iterator[None]:
    """A block of imports that ``command`` needs ``extra`` for; raises ExtraMissing when that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "keeper":
            raise  # our own module is missing, which no extra brings
        raise ExtraMissing(command, extra) from error
