"""``ionet audit``: recomputes everything, and names what isn't so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress
from typer.core import TyperGroup

from keeper.audit import parts
from keeper.audit.findings import Report
from keeper.audit.sources import Told, opened
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.extras import needs
from keeper.cli.options import ChainOption, address, settings
from keeper.terminal import audit as shown
from keeper.terminal.answers import auditing
from keeper.terminal.tables import errors

ALL = "all"
MAX_HOUR = 2**32 - 1
"""The largest number that the program has for an hour."""


class _AllByDefault(TyperGroup):
    """``ionet audit`` alone is ``ionet audit all``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See :class:`typer.core.TyperGroup`."""
        if not args or (args[0].startswith("-") and args[0] != "--help"):
            args = [ALL, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_AllByDefault, help="Recompute everything that a network claims, and name a lie.")

RewardsOption = Annotated[
    list[Path] | None,
    typer.Option("--rewards", help="folder of published hours; several", show_default="IONET_REWARDS"),
]
EvidenceOption = Annotated[
    list[Path] | None,
    typer.Option("--pow", help="folder of operators' files; several", show_default="IONET_POW"),
]
MarketOption = Annotated[
    list[Path] | None,
    typer.Option("--market", help="folder of published ticks and steps; several", show_default="none"),
]
SampleOption = Annotated[
    float,
    typer.Option(
        min=0, max=100, help="percent of each wave's openings to verify, drawn by a block after all of them"
    ),
]
DatabaseOption = Annotated[
    str | None, typer.Option(help="URL of an index that is held to the chain", show_default="none")
]


@app.callback()
def audit() -> None:
    """Recompute everything that a network claims, and name a lie; without a part, all of them.

    Exit code 1: something is wrong; 2: something couldn't be checked.
    """


@app.command(ALL)
@answers(auditing.Audit)
def all_parts(
    chain: ChainOption = None,
    rewards: RewardsOption = None,
    evidence: EvidenceOption = None,
    market: MarketOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """All parts, one after the other."""
    run((), chain, as_json, rewards, evidence, market, database)


@app.command("chain")
@answers(auditing.Audit)
def of_chain(
    chain: ChainOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accounts, vaults, the mint, schedules and roles, rebuilt from the transactions alone."""
    run(("chain",), chain, as_json, database=database)


@app.command()
@answers(auditing.Audit)
def programs(
    chain: ChainOption = None,
    authority: Annotated[
        str | None, typer.Option(help="who alone may upgrade them", show_default="told, and not held to any")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Whether the programs on a chain are the published ones, to the last byte, and who may replace them."""
    run(("programs",), chain, as_json, authority=authority)


@app.command()
@answers(auditing.Audit)
def hour(
    hour: Annotated[
        int | None,
        typer.Argument(min=0, max=MAX_HOUR, help="by hours since emission began", show_default="all"),
    ] = None,
    sample: SampleOption = 100,
    chain: ChainOption = None,
    rewards: RewardsOption = None,
    evidence: EvidenceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Published hours against blocks, events and operators' files; what was attested, and what was claimed.

    Example: ionet audit hour 20 --rewards out/demo/rewards/operator-1 --pow out/demo/pow/operator-1
    """
    with needs("keeper", "ionet audit hour"):
        from keeper.audit import hours  # noqa: PLC0415 - the database, which no other command pays for
    only = None if hour is None else {hour}
    check = partial(hours.check, only=only, share=sample / 100)
    run((), chain, as_json, rewards, evidence, check=check)


def run(
    names: tuple[str, ...],
    chain: str | None,
    as_json: bool,
    rewards: Sequence[Path] | None = None,
    evidence: Sequence[Path] | None = None,
    market: Sequence[Path] | None = None,
    database: str | None = None,
    authority: str | None = None,
    check: parts.Run | None = None,
) -> None:
    """Run parts by their names, all for none, tell what came of them, and end with their exit code.

    With a ``check`` that alone is run.
    """
    chosen = settings(chain)

    async def look(told: Told) -> Report:
        folders = {
            "rewards": rewards or [each for each in (chosen.rewards,) if each.is_dir()],
            "evidence": evidence or [each for each in (chosen.pow,) if each is not None],
            "market": market or [],
        }
        async with opened(
            chosen.chain,
            **folders,
            database=database,
            authority=address(authority) if authority else None,
        ) as source:
            return await (
                parts.run(source, names, told) if check is None else parts.only(source, check, told)
            )

    with _progress() as told:
        report = asyncio.run(look(told))
    end(report, as_json)


def end(report: Report, as_json: bool) -> None:
    """Write a report, and end with its exit code."""
    if as_json:
        write(shown.as_json(report))
    else:
        shown.tell(report)
    raise typer.Exit(int(report.exit))


@contextmanager
def _progress() -> Any:
    """Bars for people, one for each step; none where nobody looks."""
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def told(step: str, done: int, all_: int, /) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step)
            progress.update(tasks[step], completed=done, total=all_)

        yield told
