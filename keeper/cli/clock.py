"""``ionet clock``: the time of a network of one's own that runs."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from keeper.chain.asking import asking
from keeper.chain.errors import NodeRefused
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption
from keeper.economy.calendar import moment
from keeper.errors import UserError
from keeper.localnet.chain import MAX_SPEED
from keeper.localnet.refusal import NO_METHOD
from keeper.terminal.answers import looking
from keeper.terminal.localnet import pace
from keeper.terminal.tables import console

app = typer.Typer(help="The time of a running ionet localnet.", no_args_is_help=True)


@app.callback()
def clock() -> None:
    """The time of a running ionet localnet."""


@app.command()
@answers(looking.Clock)
def advance(
    time: Annotated[str, typer.Argument(help="how far, such as 90s, 2h or 7d")],
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move a running network's clock on."""
    _show_clock(_ask(chain, "ionet_advance", [options.seconds(time, "time to move on by")]), as_json=as_json)


@app.command()
@answers(looking.Clock)
def speed(
    factor: Annotated[
        float, typer.Argument(min=0, max=MAX_SPEED, help="seconds that pass on it in one of yours, 0 to stop")
    ],
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change how fast a running network's time passes."""
    _show_clock(_ask(chain, "ionet_setSpeed", [factor]), as_json=as_json)


def _ask(chain: str | None, method: str, parameters: list[Any]) -> Any:
    """Ask a running network what only such a one knows."""
    url = options.settings(chain).chain
    if not url.startswith(("http://", "https://")):
        raise UserError(f"{url} is a file: name the running network by --chain http://HOST:PORT")

    async def work() -> Any:
        async with asking(url) as asker:
            try:
                return await asker.ask(method, parameters, lambda result: result, again=False)
            except NodeRefused as refused:
                if refused.code != NO_METHOD:
                    raise
                raise UserError(
                    "that node's time isn't yours: only ionet localnet's is, and not with --public"
                ) from refused

    return asyncio.run(work())


def _show_clock(found: Any, *, as_json: bool) -> None:
    if as_json:
        write({"time": found["unixTimestamp"], "slot": found["slot"], "speed": float(found["speed"])})
        return
    console.print(
        f"it is {moment(found['unixTimestamp'])} on the network, slot {found['slot']:,}, and "
        f"{pace(found['speed'])}",
        soft_wrap=True,
    )
