"""What is said of an error: one line with what to do for whatever a user can cause."""

from __future__ import annotations

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from keeper.chain import ChainError, ChainUnreachable, TransactionFailed
from keeper.clients.errors import explain
from keeper.errors import UserError


def message(error: Exception) -> str | None:
    """What to tell a user; None for an error that no user can cause."""
    match error:
        case ChainUnreachable():
            return f"{error}\nIs the node running, and is --chain (or IONET_CHAIN) right?"
        case ValidationError():
            problems = [
                f"IONET_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}"
                if each["loc"]
                else each["msg"]
                for each in error.errors()
            ]
            return "\n".join(problems)
        case TransactionFailed():
            return explain(error)
        case ChainError() | UserError() | ValueError():
            return str(error)
        case _:
            return None


def show(text: str) -> None:
    """Print it where errors go, word for word: a path or a command in it stays in one piece."""
    Console(stderr=True).print(Text.assemble(("error:", "bold red"), " ", text), soft_wrap=True)
