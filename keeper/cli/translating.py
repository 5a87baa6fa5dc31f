"""``ionet order translate``: what another tool's file of a task comes to here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.cli import terms
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.extras import needs
from keeper.economy.orders import Currency
from keeper.errors import UserError, why
from keeper.terminal.answers import renting
from keeper.terminal.tables import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keeper.renter.jobfiles import Finding


class FileRefused(UserError):
    """A file that can't be read, or has what nothing here does."""


@answers(renting.Translated)
def translate(
    file: Annotated[Path, typer.Argument(help="an Akash SDL, or a task of SkyPilot's or dstack's")],
    currency: Annotated[terms.Unit, terms.CURRENCY],
    hours: Annotated[
        int | None,
        typer.Option(
            min=1, max=terms.MAX_HOURS, help="for how many hours it is leased", show_default="the file's"
        ),
    ] = None,
    without_image: Annotated[
        bool, typer.Option("--without-image", help="run the command in a device's runtime, not in its image")
    ] = False,
    egress: Annotated[
        bool, typer.Option("--egress", help="ask for a way out, for lines that fetch from hosts by https")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Another tool's file of a task as the commands that do the same here; runs none of them.

    What has an effect there and none here is refused, with its line.

    Example: ionet order translate task.yaml --currency io --hours 4
    """
    with needs("compute", "ionet order translate"):
        from keeper.renter import jobfiles  # noqa: PLC0415 - YAML, for this alone
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(jobfiles.MOST_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        said = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else why(error)
        raise FileRefused(f"{file} can't be read: {said}") from error
    found = jobfiles.translate(text, str(file), Currency[currency.name], hours, without_image, egress)
    if as_json:
        write(
            {
                "file": str(file),
                "format": found.format,
                "commands": list(found.commands),
                "aside": _listed(found.aside),
                "refused": _listed(found.refused),
            }
        )
    else:
        for title, some in (("Set aside:", found.aside), ("Refused:", found.refused)):
            _say(title if some else "", jobfiles.findings(some, str(file)))
        _say(f"This {found.format} as commands:" if found.commands else "", found.commands)
    if found.refused:
        count = len(found.refused)
        raise FileRefused(f"{file} has {count} thing{'s' * (count > 1)} that nothing here does: see above")


def _listed(found: Sequence[Finding]) -> list[dict[str, object]]:
    return [each._asdict() for each in found]


def _say(title: str, lines: Sequence[str]) -> None:
    for line in (title, *(f"  {each}" for each in lines)) if title else ():
        console.print(line, soft_wrap=True, markup=False, highlight=False)
