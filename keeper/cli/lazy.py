"""Commands that are listed at once and imported when they are called.

What all commands need together takes seconds to import, and most need little of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from keeper.cli.extras import needs


class LazyCommand(TyperCommand):
    """A command that is known by its help alone, until it is called."""

    def __init__(self, name: str, path: str, help: str, extra: str | None = None) -> None:
        """It is at ``path``, as ``module:attribute``: a function, or the Typer app of several commands.

        What it imports comes with the package's ``extra``; with None, with every installation.
        """
        super().__init__(name, help=help)
        self.path = path
        self.extra = extra

    def load(self) -> Any:
        """The command itself."""
        module, _, attribute = self.path.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            return typer.main.get_group(found)
        single = typer.Typer(add_completion=False)
        single.command(self.name)(found)
        return typer.main.get_command(single)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **more: Any) -> Any:
        """Let the command itself read its arguments; what it returns is run. Raises ExtraMissing."""
        if self.extra is None:
            return self.load().make_context(info_name, args, parent, **more)
        with needs(self.extra, self._typed(args)):
            command = self.load()
        return command.make_context(info_name, args, parent, **more)

    def _typed(self, args: list[str]) -> str:
        """The command with its subcommand, if one is called: ``ionet keeper run``."""
        return " ".join(["ionet", self.name or "", *(arg for arg in args[:1] if not arg.startswith("-"))])
