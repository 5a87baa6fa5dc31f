"""``ionet chain``: chains in files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import LAMPORTS, sol
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import KeypairOption
from keeper.deploy import load_programs
from keeper.errors import UserError, why
from keeper.terminal.answers import looking
from keeper.terminal.tables import console

FUNDS = 10_000 * LAMPORTS
"""What whoever founds a network has: deploying all programs takes a tenth of it."""

app = typer.Typer(help="Chains in files.", no_args_is_help=True)


@app.callback()
def chain() -> None:
    """Chains in files."""


@app.command()
@answers(looking.Chain)
def new(
    path: Annotated[Path, typer.Argument(help="file that is written; one that is there stays")],
    keypair: KeypairOption = None,
    bare: Annotated[
        bool, typer.Option("--bare", help="without the programs: ionet deploy puts them there")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make an empty chain in a file, with the programs on it, and SOL for your key.

    Your key is the programs' upgrade authority; ionet genesis with --chain FILE begins a network on it.
    """
    if _is_there(path):
        raise UserError(f"{path} is there already: name another file, or delete it first")
    founder = options.settings(keypair=keypair).signer().pubkey()
    made = EmbeddedChain(now=int(time.time()))
    made.airdrop(founder, FUNDS)
    if not bare:
        load_programs(made, founder)
    try:
        made.save(path)
    except OSError as error:
        raise UserError(f"{path} can't be written: {why(error)}") from error
    if as_json:
        write({"file": str(path), "founder": str(founder), "lamports": str(FUNDS), "programs": not bare})
        return
    console.print(
        f"{path}: an empty chain, {'without programs' if bare else 'with the four programs'}; {founder} has "
        f"{sol(FUNDS)} SOL. Next: {f'ionet deploy --chain {path}, then ' if bare else ''}"
        f"ionet genesis --chain {path}",
        soft_wrap=True,
    )


def _is_there(path: Path) -> bool:
    """Whether there is a file; raises UserError where none can be, as under one that is no folder."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UserError(f"{path} can't be written: {why(error)}") from error
    return True
