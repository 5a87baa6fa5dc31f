"""``ionet demo``: the network's economy, whole, on a chain in this process."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from keeper.cli.extras import needs
from keeper.operator.quiet import one_thread
from keeper.terminal.tables import console


def demo(
    out: Annotated[Path, typer.Option(help="folder for the files")] = Path("out/demo"),
) -> None:
    """Run the whole economy on an embedded chain: genesis, airdrops, 20 years of emission."""
    # The products are small here: threads for each would cost more than they save. numpy asks when it loads.
    one_thread()
    with needs("demo", "ionet demo"):
        import uvloop  # noqa: PLC0415

        from keeper.demo import run  # noqa: PLC0415
        from keeper.demo.staking import OPERATORS  # noqa: PLC0415
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run.run(out, console))
    console.print(
        f"In {out}: supply.png, buyback.png, supply.csv, the seasons' points, each operator's reward blocks "
        "and folder of the market, and the chain itself. Next:"
    )
    blocks = out / "rewards/operator-1"
    folders = " ".join(f"--dir {out}/market/operator-{number + 1}" for number in range(OPERATORS))
    for command in (
        f"supply --chain {out}/network.chain",
        f"rewards show --dir {blocks}",
        f"rewards verify --dir {blocks} --chain {out}/network.chain",
        f"market replay --all --chain {out}/network.chain --rewards {blocks} {folders}",
    ):
        console.print(f"  {sys.argv[0]} {command}", soft_wrap=True)
