"""What is printed about an error: one line with what to do for whatever a user can cause."""

from __future__ import annotations

import json

from rich.console import Console
from rich.text import Text

from keeper.chain import TransactionFailed
from keeper.clients.errors import advise, explain
from keeper.errors import UserError


def message(error: UserError) -> str:
    """What to tell a user, with the hint on a line of its own."""
    text, hint = _told(error)
    return f"{text}\n{hint}" if hint else text


def as_json(error: UserError) -> str:
    """The same for a program: an object with ``error`` and ``hint``, which may be empty."""
    text, hint = _told(error)
    return json.dumps({"error": text, "hint": hint})


def _told(error: UserError) -> tuple[str, str]:
    if isinstance(error, TransactionFailed):
        return explain(error), error.hint or advise(error)
    return str(error), error.hint


def show(text: str) -> None:
    """Print it where errors go, word for word: a path or a command in it stays in one piece."""
    Console(stderr=True).print(Text.assemble(("error:", "bold red"), " ", text), soft_wrap=True)
