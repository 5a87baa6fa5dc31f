"""Options that several commands take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from solders.pubkey import Pubkey

from keeper.economy.calendar import DAY, HOUR
from keeper.errors import UserError, why
from keeper.settings import Settings, read_settings

U32_MAX = 2**32 - 1
"""The largest number that the programs have for an hour, a tick or a season."""
UNITS = {"s": 1, "m": 60, "h": HOUR, "d": DAY}
ChainOption = Annotated[
    str | None,
    typer.Option("--chain", help="RPC node's URL or a saved chain's file", show_default="IONET_CHAIN"),
]
KeypairOption = Annotated[
    Path | None,
    typer.Option(
        "--keypair",
        help="key file of whoever signs and pays",
        show_default="the key of the settings",
    ),
]


def settings(chain: str | None = None, keypair: Path | None = None) -> Settings:
    """The settings, overridden by the command line: a key file takes precedence over any other key.

    Raises SettingsRefused.
    """
    given: dict[str, object] = {}
    if chain is not None:
        given["chain"] = chain
    if keypair is not None:
        given |= {"keypair": keypair, "key": None, "signer_command": None, "signer_address": None}
    return read_settings(**given)


def require_folders(*folders: Path) -> None:
    """Refuse what is typed as a folder and is none, as there is nothing wrong in it. Raises UserError."""
    for each in folders:
        if not each.is_dir():
            raise UserError(f"{each} is no folder: name one that is there")


def make_folder(folder: Path) -> None:
    """Make what ``--folder`` names where it isn't there. Raises UserError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} can't be written: {why(error)}; name another by --folder") from error


def seconds(text: str, what: str) -> int:
    """Read a time such as 90s or 2h; raises UserError saying that it is no ``what``."""
    found = re.fullmatch(r"([0-9]{1,10})([smhd]?)", text)
    if found is None:
        raise UserError(f"{text!r} is no {what}: write 90s, 45m, 2h or 7d")
    return int(found[1]) * UNITS[found[2] or "s"]


def address(text: str) -> Pubkey:
    """Read an address; raises UserError naming what isn't one."""
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise UserError(f"{text!r} is no address: it takes 32 to 44 letters and digits") from error
