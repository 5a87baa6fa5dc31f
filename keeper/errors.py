"""The root of every error that a user, a file, a disk, a node or a server can cause.

Whatever derives from it is told in its message's one or two lines and needs no trace. Any other exception
is a defect of ours and shows where it happened.
"""

from __future__ import annotations


class UserError(Exception):
    """Its message says what is wrong, and what to do: with the hint all that the command line shows of it."""

    @property
    def hint(self) -> str:
        """A second line for somebody at the command line, or nothing."""
        return ""


def why(error: OSError) -> str:
    """What the system says of a file or a socket, without the error's number."""
    return error.strerror or str(error)
