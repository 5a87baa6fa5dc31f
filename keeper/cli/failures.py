"""What is said of an error: one line with what to do for whatever a user can cause."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from keeper.chain import ChainUnreachable, TransactionFailed
from keeper.chain.program import UnexpectedData
from keeper.clients.errors import explain
from keeper.errors import UserError


def message(error: UserError) -> str:
    """What to tell a user, with a hint where the error itself can't know one."""
    match error:
        case ChainUnreachable():
            return f"{error}\nIs the node running, and is --chain (or IONET_CHAIN) right?"
        case TransactionFailed():
            return explain(error)
        case UnexpectedData():
            return f"{error}\nAre the chain's programs this version's? Compare them by: ionet keeper doctor"
        case _:
            return str(error)


def show(text: str) -> None:
    """Print it where errors go, word for word: a path or a command in it stays in one piece."""
    Console(stderr=True).print(Text.assemble(("error:", "bold red"), " ", text), soft_wrap=True)
