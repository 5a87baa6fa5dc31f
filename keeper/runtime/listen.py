"""A socket to serve from."""

from __future__ import annotations

import os
import socket

from keeper.errors import UserError, why


class ListenRefused(UserError):
    """An address or a port that can't be listened on."""


def listen(host: str, port: int, otherwise: str) -> socket.socket:
    """Listen on a TCP port (0 asks for any) of one of this machine's addresses.

    Raises ListenRefused, which ends with what to do ``otherwise``.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        raise ListenRefused(f"can't listen on {host}:{port} ({_reason(error)}): {otherwise}") from error


def _reason(error: OSError | UnicodeError) -> str:
    """The system's own words, where create_server has added to them; a name that isn't found has none."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number and number > 0 else why(error)
