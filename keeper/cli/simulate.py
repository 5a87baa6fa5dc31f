"""``ionet market simulate``: what a price rule, or a game, comes to among agents, from a seed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.extras import needs
from keeper.economy.classes import MAX_STEP
from keeper.errors import UserError, why
from keeper.market.price import RULE, Rule
from keeper.market.simulation.findings import game
from keeper.market.simulation.outcome import Outcome
from keeper.market.simulation.play import play
from keeper.market.simulation.scenario import MONTH, Attack, Scenario, Shock
from keeper.terminal import simulation as shown
from keeper.terminal.answers import trading
from keeper.terminal.tables import console, progress_of, show

HIGHEST = 10_000
"""The most that makes sense of demand in percent, and of what IO is worth."""
SHOCK = re.compile(r"[0-9]{1,4}(:[0-9]{1,5}){1,2}")


class ChartUnwritten(UserError):
    """A chart that can't be where it should."""


@answers(trading.Simulated)
def simulate(  # noqa: PLR0913, PLR0917 - an option for each thing that a scenario has
    seed: Annotated[int, typer.Option(min=0, help="draws the same people and orders again")] = 1,
    days: Annotated[int, typer.Option(min=1, max=365, help="how long it is")] = 30,
    devices: Annotated[
        int, typer.Option(min=2, max=5_000, help="devices of the class, with a processor each")
    ] = 300,
    demand: Annotated[int, typer.Option(min=0, max=HIGHEST, help="orders, in percent of the usual")] = 100,
    swing: Annotated[
        int, typer.Option(min=0, max=100, help="percent by which demand rises and falls in a day")
    ] = 35,
    shock: Annotated[
        list[str] | None,
        typer.Option(
            help="DAY:DEMAND or DAY:DEMAND:WORTH: from a day on so many percent of the demand, and so many "
            "IO for what one was; again for more of them",
            show_default="10:45 and 20:45:2",
        ),
    ] = None,
    calm: Annotated[bool, typer.Option("--calm", help="no shocks")] = False,
    attack: Annotated[Attack, typer.Option(help=shown.kinds())] = Attack.NONE,
    share: Annotated[
        int, typer.Option(min=1, max=100, help="percent of devices that are the attacker's")
    ] = 10,
    ends: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=365,
            help="the day from which on the attack is over, such as an operator's that was found out",
            show_default="never",
        ),
    ] = None,
    operators: Annotated[
        int, typer.Option(min=1, max=12, help="how many operators there are, a rogue one among them")
    ] = 5,
    goal: Annotated[
        int, typer.Option(min=1, max=1_000, help="percent of the first price to which operators vote")
    ] = 200,
    target: Annotated[
        int,
        typer.Option(min=100, max=9_900, help="utilisation at which the price stands still, basis points"),
    ] = RULE.target,
    step: Annotated[
        int, typer.Option(min=0, max=MAX_STEP, help="the most that it moves in an hour, basis points")
    ] = RULE.step,
    thin: Annotated[
        int, typer.Option(min=1, max=100_000, help="a class of fewer processors moves by less")
    ] = RULE.thin,
    chart: Annotated[
        Path | None, typer.Option(help="draw it: a file that ends with .svg or .png", show_default="none")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """A class's market for a month by the keeper's own rules: suppliers, renters, shocks, and who games it.

    No chain is asked. With --attack the same month is played twice, with and without it.
    """
    if chart is not None:
        if chart.suffix not in {".svg", ".png"}:
            raise typer.BadParameter("a chart ends with .svg or .png", param_hint="'--chart'")
        if not chart.absolute().parent.is_dir():
            raise ChartUnwritten(f"{chart.parent} is no folder: --chart names a file in one that is there")
        with needs("demo", "ionet market simulate --chart"):
            from keeper.terminal import simulation_chart  # noqa: PLC0415 - matplotlib, which tables do without
    scenario = Scenario(
        seed=seed,
        days=days,
        devices=devices,
        demand=demand,
        swing=swing,
        shocks=() if calm else tuple(map(_shock, shock)) if shock else MONTH,
        attack=attack,
        share=share,
        ends=ends or 0,
        operators=operators,
        goal=goal,
        rule=Rule(target, step, thin),
    )
    if ends and attack is Attack.NONE:
        raise typer.BadParameter("there is no attack that could be over: add --attack", param_hint="'--ends'")
    if attack is not Attack.NONE and not scenario.own:
        raise typer.BadParameter(f"{share} % of {devices} devices is none", param_hint="'--share'")
    played = _played(scenario)
    if chart is not None:
        try:
            simulation_chart.draw(scenario, played, chart)
        except OSError as error:
            raise ChartUnwritten(f"{chart}: {why(error)}; --chart names another file") from error
    if as_json:
        write(shown.row(scenario, played))
        return
    for outcome in played.values():
        show(shown.levels(scenario, outcome))
    if "attacked" in played:
        show(shown.attacked(scenario, game(scenario, played["honest"], played["attacked"])))
    console.print(shown.ASSUMED, soft_wrap=True)


def _played(scenario: Scenario) -> dict[str, Outcome]:
    """All honest, and with the attack if there is one."""
    wanted = {"honest": scenario.honest}
    if scenario.attack is not Attack.NONE:
        wanted["attacked"] = scenario
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        return {name: play(each, progress_of(progress, name)) for name, each in wanted.items()}


def _shock(typed: str) -> Shock:
    """DAY:DEMAND or DAY:DEMAND:WORTH."""
    if not SHOCK.fullmatch(typed):
        raise typer.BadParameter(f"{typed!r} isn't DAY:DEMAND or DAY:DEMAND:WORTH", param_hint="'--shock'")
    found = Shock(*map(int, typed.split(":")))
    if found.demand > HIGHEST or not 1 <= found.worth <= HIGHEST:
        raise typer.BadParameter(f"{typed!r}: both are {HIGHEST:,} at most", param_hint="'--shock'")
    return found
