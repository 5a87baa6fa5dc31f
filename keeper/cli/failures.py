"""What is printed about an error: one line with what to do for whatever a user can cause."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.text import Text

from keeper.chain import TransactionFailed
from keeper.clients.errors import advise, explain
from keeper.errors import UserError
from keeper.terminal.answers.kinds import Failure


def message(error: UserError) -> str:
    """What to tell a user, with the hint on a line of its own."""
    text, hint = _told(error)
    return f"{text}\n{hint}" if hint else text


def write(text: str, hint: str = "") -> None:
    """The same for programs, as one line of standard error."""
    told: Failure = {"error": text, "hint": hint}
    print(json.dumps(told), file=sys.stderr)


def _told(error: UserError) -> tuple[str, str]:
    if isinstance(error, TransactionFailed):
        return explain(error), error.hint or advise(error)
    return str(error), error.hint


def show(error: UserError, *, as_json: bool) -> None:
    """Print it where errors go, word for word: a path or a command in it stays in one piece."""
    if as_json:
        write(*_told(error))
        return
    text = message(error)
    Console(stderr=True).print(Text.assemble(("error:", "bold red"), " ", text), soft_wrap=True)
