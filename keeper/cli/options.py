"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keeper.settings import Settings

ChainOption = Annotated[
    str | None,
    typer.Option("--chain", help="RPC node's URL or a saved chain's file [default: IONET_CHAIN]"),
]
KeypairOption = Annotated[
    Path | None, typer.Option("--keypair", help="key file of whoever pays [default: IONET_KEYPAIR]")
]


def settings(chain: str | None = None, keypair: Path | None = None) -> Settings:
    """The settings, but for what the command line says: a key file goes before any other key."""
    said: dict[str, object] = {}
    if chain is not None:
        said["chain"] = chain
    if keypair is not None:
        said |= {"keypair": keypair, "key": None, "signer_command": None, "signer_address": None}
    return Settings(**said)  # type: ignore[arg-type]  # each is its field's type
