"""``ionet cluster demo``: one of the demo's people hires devices, and really gets a cluster of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from keeper.cli import options
from keeper.cli.extras import needs
from keeper.errors import UserError
from keeper.terminal import tables
from keeper.terminal.tables import console

MID, FOLDER = Path("out/demo/mid.chain"), Path("out/cluster")
PIP = ("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--python-version", "3.11")
PLATFORM = "manylinux2014_x86_64"


class NotServed(UserError):
    """Something that a served order takes is not there, or did not come in time."""


def demo(
    chain: Annotated[
        Path, typer.Option("--chain", help="a chain in the middle of its life, such as the demo leaves")
    ] = MID,
    keys: Annotated[
        Path | None, typer.Option(help="folder of people's keys", show_default="keys beside the chain")
    ] = None,
    wheel: Annotated[
        Path | None,
        typer.Option(help="numpy's wheel for the jobs", show_default="fetched by pip, once"),
    ] = None,
    folder: Annotated[Path, typer.Option(help="folder for logs and the results")] = FOLDER,
) -> None:
    """Hire two devices on the demo's network, run five jobs on their cluster, end it, and pay: for real.

    Ray runs in two sandboxes of this machine; nothing stays but the folder. The chain's file isn't changed.
    """
    with needs("demo", "ionet cluster demo"):
        import uvloop  # noqa: PLC0415 - the demo's, and who only asks for a cluster's state has none of it
    with needs("worker", "ionet cluster demo"):
        from keeper.cli.cluster_stage import EXAMPLES, PICTURE, Stage, shown  # noqa: PLC0415
        from keeper.compute.runtime import find  # noqa: PLC0415
        from keeper.compute.tools import lacking  # noqa: PLC0415
    if not chain.exists():
        raise NotServed(f"there is no {chain} yet: run make demo, a minute or two")
    people = keys or chain.parent / "keys"
    options.require_folders(people)
    options.make_folder(folder)
    if lacks := lacking():
        raise NotServed(f"no sandbox can be made here: {lacks[0].what}: {lacks[0].do}")
    if find(options.settings().runtimes.expanduser()) is None:
        raise NotServed("Ray isn't installed yet: ionet worker runtime does it, 380 MB in a minute")
    if not (EXAMPLES / "render.py").exists():
        raise NotServed("the jobs are in the project's examples/: run this in a checkout of it")
    stage = Stage(chain, people, folder, wheel or fetched(folder / "wheels"), _Clock())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(stage.run())
    for table in shown(found):
        tables.show(table)
    console.print(
        f"The picture is {folder / PICTURE}; what the devices and operators said is beside it.",
        soft_wrap=True,
    )


def fetched(place: Path) -> Path:
    """numpy's wheel for a device's Python; raises NotServed where there is no index to fetch it from."""
    if not (there := sorted(place.glob("numpy-*-cp311-*.whl"))):
        command = (sys.executable, "-m", "pip", *PIP, "--platform", PLATFORM, "--dest", str(place), "numpy")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not (there := sorted(place.glob("numpy-*-cp311-*.whl"))):
            said = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
            raise NotServed(f"numpy's wheel can't be fetched: {said}. Name one by --wheel")
    return there[-1]


class _Clock:
    """What is happening, with the seconds since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, what: str) -> None:
        console.print(f"{time.monotonic() - self._began:6.0f} s  {what}", soft_wrap=True, highlight=False)
