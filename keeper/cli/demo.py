"""``ionet demo``: the network's economy, whole, on a chain in this process."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from keeper.cli.extras import needs
from keeper.pow.quiet import one_thread
from keeper.terminal.tables import console


def demo(
    out: Annotated[Path, typer.Option(help="folder for the files")] = Path("out/demo"),
    http_hours: Annotated[
        int,
        typer.Option(min=1, help="for how many of the 48 hours devices prove over HTTP, which takes longer"),
    ] = 1,
) -> None:
    """Run the whole economy on an embedded chain: genesis, airdrops, 20 years of emission."""
    # The products are small here: threads for each would cost more than they save. numpy asks when it loads.
    one_thread()
    with needs("demo", "ionet demo"):
        import uvloop  # noqa: PLC0415

        from keeper.demo import page, run  # noqa: PLC0415
        from keeper.demo.staking import OPERATORS  # noqa: PLC0415
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run.run(out, console, http_hours))
    console.print(
        f"In {out}: two chains, network.chain of the end and mid.chain after two days, to try commands on "
        "with the people's keys in keys; the operators' files; the figures as results.json and supply.csv; "
        "charts. Next:"
    )
    folders = " ".join(f"--dir {out}/market/operator-{number + 1}" for number in range(OPERATORS))
    blocks = f"{out}/rewards/operator-1"
    for command in (
        f"balance --chain {out}/mid.chain --keypair {out}/keys/supplier.json",
        f"order list --chain {out}/mid.chain",
        f"rewards verify --dir {blocks} --chain {out}/network.chain",
        f"pow verify --hour 5 --dir {blocks} --pow {out}/pow/operator-1 --chain {out}/network.chain",
        f"market replay --all --chain {out}/network.chain --rewards {blocks} {folders}",
    ):
        console.print(f"  {sys.argv[0]} {command}", soft_wrap=True)
    console.print(
        f"A cluster that its renter really uses, on this machine: [bold]{sys.argv[0]} cluster demo[/], "
        "which takes Ray, by ionet worker runtime.",
        soft_wrap=True,
    )
    console.print(
        f"All of it as a page, with figures: open [bold]{(out / page.NAME).resolve().as_uri()}[/]",
        soft_wrap=True,
    )
