"""What is printed about an error: one line with what to do for whatever a user can cause."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from keeper.chain import TransactionFailed
from keeper.clients.errors import explain
from keeper.errors import UserError


def message(error: UserError) -> str:
    """What to tell a user, with the hint on a line of its own."""
    text = explain(error) if isinstance(error, TransactionFailed) else str(error)
    return f"{text}\n{error.hint}" if error.hint else text


def show(text: str) -> None:
    """Print it where errors go, word for word: a path or a command in it stays in one piece."""
    Console(stderr=True).print(Text.assemble(("error:", "bold red"), " ", text), soft_wrap=True)
