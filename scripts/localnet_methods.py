"""Write the tables of methods in docs/localnet.md from the node's own, or check them with --check."""

import sys
from pathlib import Path

from keeper.localnet.methods import METHODS
from keeper.localnet.sockets import SUBSCRIPTIONS
from scripts.pages import rewritten

PAGE = Path(__file__).parents[1] / "docs/localnet.md"
BEGIN, END = "## What it answers\n", "\nShapes, numbers of errors"


def tables() -> str:
    """A row for each method, and for each subscription of the websocket."""
    rows = [
        f"| `{name}` | {method.help}{'' if method.on_public else ' Not with `--public`.'} |"
        for name, method in sorted(METHODS.items(), key=lambda item: item[0].lower())
    ]
    notices = [f"| `{name}` | {text} |" for name, text in SUBSCRIPTIONS.items()]
    return "\n".join(
        [
            "",
            "| method | answers |",
            "| --- | --- |",
            *rows,
            "",
            "| over the websocket | tells |",
            "| --- | --- |",
            *notices,
            "",
        ]
    )


def text() -> str:
    """The page with the tables as they are now."""
    return rewritten(PAGE.read_text(), BEGIN, END, tables())


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            PAGE.read_text() != text() and "docs/localnet.md isn't what the node answers; run this script"
        )
    PAGE.write_text(text())
