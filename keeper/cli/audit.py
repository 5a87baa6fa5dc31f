"""``ionet audit``: recomputes everything, and names what isn't so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress
from typer.core import TyperGroup

from keeper.audit import parts
from keeper.audit.beside import beside
from keeper.audit.findings import Report
from keeper.audit.sources import Told, opened
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.extras import needs
from keeper.cli.options import U32_MAX, ChainOption, address, require_folders, settings
from keeper.settings import Settings
from keeper.terminal import audit as shown
from keeper.terminal.answers import auditing
from keeper.terminal.tables import errors

if TYPE_CHECKING:
    from keeper.pow.verification import Verifier

ALL = "all"


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
RayOption = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="verify openings on this Ray cluster",
        show_default="a process a core",
    ),
]
EachOption = Annotated[
    bool, typer.Option("--all", help="show each finding, where many say the same of other places")
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
    ray: RayOption = None,
    each: EachOption = False,
    as_json: JsonOption = False,
) -> None:
    """All parts."""
    run((), chain, each, as_json, rewards, evidence, market, database, verifying=True, ray=ray)


@app.command("chain")
@answers(auditing.Audit)
def of_chain(
    chain: ChainOption = None,
    database: DatabaseOption = None,
    each: EachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Accounts, vaults, the mint, schedules and roles, rebuilt from the transactions alone."""
    run(("chain",), chain, each, as_json, database=database)


@app.command()
@answers(auditing.Audit)
def programs(
    chain: ChainOption = None,
    authority: Annotated[
        str | None, typer.Option(help="who alone may upgrade them", show_default="told, and not held to any")
    ] = None,
    each: EachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Whether the programs on a chain are the published ones, to the last byte, and who may replace them."""
    run(("programs",), chain, each, as_json, authority=authority)


@app.command()
@answers(auditing.Audit)
def hour(
    hour: Annotated[
        int | None,
        typer.Argument(min=0, max=U32_MAX, help="by hours since emission began", show_default="all"),
    ] = None,
    sample: SampleOption = 100,
    chain: ChainOption = None,
    rewards: RewardsOption = None,
    evidence: EvidenceOption = None,
    ray: RayOption = None,
    each: EachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Published hours against blocks, events and operators' files; what was attested, and what was claimed.

    Example: ionet audit hour 20 --rewards out/demo/rewards/operator-1 --pow out/demo/pow/operator-1
    """
    with needs("keeper", "ionet audit hour"):
        from keeper.audit import hours  # noqa: PLC0415 - the database, which no other command pays for
    check = partial(hours.check, only=None if hour is None else {hour})
    share = sample / 100
    run((), chain, each, as_json, rewards, evidence, check=check, share=share, verifying=True, ray=ray)


@app.command("pow")
@answers(auditing.Audit)
def of_work(
    hour: Annotated[
        int | None,
        typer.Argument(min=0, max=U32_MAX, help="by hours since emission began", show_default="all"),
    ] = None,
    chain: ChainOption = None,
    evidence: EvidenceOption = None,
    each: EachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Operators' files against what they posted of them: hashes, forms, devices' signatures, two roots.

    Example: ionet audit pow --pow out/demo/pow/operator-1
    """
    with needs("keeper", "ionet audit pow"):
        from keeper.audit import pow as of_files  # noqa: PLC0415 - as above
    run((), chain, each, as_json, evidence=evidence, check=partial(of_files.check, only=hour))


@app.command()
@answers(auditing.Audit)
def market(
    tick: Annotated[
        int | None, typer.Argument(min=1, max=U32_MAX, help="unix time over 30", show_default="all")
    ] = None,
    hour: Annotated[
        int | None,
        typer.Option(min=1, max=U32_MAX, help="the steps of this hour alone, unix time over 3,600"),
    ] = None,
    chain: ChainOption = None,
    rewards: RewardsOption = None,
    market: MarketOption = None,
    each: EachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ticks against the rule: batches, matches and who made them; price steps, votes and prices.

    Example: ionet audit market --market out/demo/market/operator-2 --rewards out/demo/rewards/operator-1
    """
    with needs("keeper", "ionet audit market"):
        from keeper.audit import market as of_market  # noqa: PLC0415 - as above
    check = partial(of_market.check, tick=tick, hour=hour)
    run((), chain, each, as_json, rewards, market=market, check=check)


@app.command("order")
@answers(auditing.Audit)
def of_order(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="the order's address, closed or not")],
    chain: ChainOption = None,
    rewards: RewardsOption = None,
    market: MarketOption = None,
    each: EachOption = False,
    as_json: JsonOption = False,
) -> None:
    """One order: its money to the base unit, its matches against the rule, votes on its leases, who got what.

    Example: ionet audit order ORDER --market out/demo/market/operator-1 --rewards out/demo/rewards/operator-1
    """
    at = address(order)
    with needs("keeper", "ionet audit order"):
        from keeper.audit import order as of_one  # noqa: PLC0415 - as above
    check = partial(of_one.check, order=at)
    run((), chain, each, as_json, rewards, market=market, check=check)


class Does(StrEnum):
    """What is done with a bundle."""

    WRITE = "write"
    READ = "read"


@app.command()
@answers(auditing.Audit)
def bundle(  # noqa: PLR0913, PLR0917 - an option for each thing that goes in
    does: Annotated[Does, typer.Argument(help="write one, or audit one that was written")],
    file: Annotated[Path, typer.Argument(help="the bundle's file")],
    first: Annotated[
        int | None, typer.Option("--from", min=0, max=U32_MAX, help="first hour", show_default="all")
    ] = None,
    last: Annotated[
        int | None, typer.Option("--to", min=0, max=U32_MAX, help="last hour", show_default="all")
    ] = None,
    sample: SampleOption = 100,
    chain: ChainOption = None,
    rewards: RewardsOption = None,
    evidence: EvidenceOption = None,
    market: MarketOption = None,
    each: EachOption = False,
    as_json: JsonOption = False,
) -> None:
    """One file with all that an audit reads: the chain's answers and published files; audited offline.

    What is written is audited meanwhile, but for openings: these whoever reads it verifies.

    Example: ionet audit bundle write day.bundle --from 24 --to 47 --rewards rewards --pow pow
    """
    with needs("keeper", "ionet audit bundle"):
        from keeper.audit.bundle import source as of_bundle  # noqa: PLC0415 - as above
    chosen = settings(chain)
    require_folders(*(rewards or ()), *(evidence or ()), *(market or ()))

    async def written(told: Told) -> Report:
        there = folders_of(chosen, rewards, evidence)
        async with opened(
            chosen.chain,
            rewards=there[0],
            evidence=there[1],
            market=market or (),
            profiles=chosen.profiles,
        ) as source:
            digest, report = await of_bundle.write(source, file, first, last, told)
            errors.print(f"{file} has SHA-256 {digest}", highlight=False, soft_wrap=True)
            return report

    async def read(told: Told) -> Report:
        with beside() as pool:
            async with of_bundle.opened(file, sample / 100, chosen.profiles) as found:
                return found.told(await parts.run(replace(found.source, beside=pool), (), told))

    with _progress() as told:
        report = asyncio.run(written(told) if does is Does.WRITE else read(told))
    end(report, each, as_json)


def run(  # noqa: PLR0913, PLR0917 - what each command was given
    names: tuple[str, ...],
    chain: str | None,
    each: bool,
    as_json: bool,
    rewards: Sequence[Path] | None = None,
    evidence: Sequence[Path] | None = None,
    market: Sequence[Path] | None = None,
    database: str | None = None,
    authority: str | None = None,
    check: parts.Run | None = None,
    share: float = 1.0,
    verifying: bool = False,
    ray: str | None = None,
) -> None:
    """Run parts by their names, all for none, tell what came of them, and end with their exit code.

    With a ``check`` that alone is run. For one that is ``verifying`` openings there is a process for each
    core, or the Ray cluster at ``ray``.
    """
    chosen = settings(chain)
    require_folders(*(rewards or ()), *(evidence or ()), *(market or ()))
    verifier = _verifier(ray) if verifying else None

    async def look(told: Told) -> Report:
        there = folders_of(chosen, rewards, evidence)
        with beside() as pool:
            async with opened(
                chosen.chain,
                rewards=there[0],
                evidence=there[1],
                market=market or (),
                database=database,
                share=share,
                authority=address(authority) if authority else None,
                profiles=chosen.profiles,
                verifier=verifier,
            ) as source:
                if check is not None:
                    return await parts.only(source, check, told)
                return await parts.run(replace(source, beside=pool), names, told)

    try:
        with _progress() as told:
            report = asyncio.run(look(told))
    finally:
        if verifier is not None:
            verifier.close()
    end(report, each, as_json)


def _verifier(ray: str | None) -> Verifier:
    """Made before there is a loop: Ray's client starts threads, and says at once when there is no cluster."""
    with needs("keeper", "ionet audit"):
        from keeper.pow.verification import Cluster, Processes  # noqa: PLC0415 - as above
    return Cluster(ray) if ray else Processes()


def folders_of(
    chosen: Settings, rewards: Sequence[Path] | None, evidence: Sequence[Path] | None
) -> tuple[Sequence[Path], Sequence[Path]]:
    """The folders of hours and of operators' files that are named, or else those of settings."""
    return (
        rewards or [each for each in (chosen.rewards,) if each.is_dir()],
        evidence or [each for each in (chosen.pow,) if each is not None],
    )


def end(report: Report, each: bool, as_json: bool) -> None:
    """Write a report, ``each`` finding of it for people, too, and end with its exit code."""
    if as_json:
        write(shown.as_json(report))
    else:
        shown.tell(report, each=each)
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
