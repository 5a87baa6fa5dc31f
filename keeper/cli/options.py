"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ChainOption = Annotated[
    str | None,
    typer.Option("--chain", help="RPC node's URL or a saved chain's file [default: IONET_CHAIN]"),
]
KeypairOption = Annotated[
    Path | None, typer.Option("--keypair", help="key file of whoever pays [default: IONET_KEYPAIR]")
]
