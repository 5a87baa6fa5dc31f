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


def why(error: Exception) -> str:
    """What an error from elsewhere says, in one line; of the system's own neither number nor file."""
    said = (isinstance(error, OSError) and error.strerror) or " ".join(str(error).split())
    return said or type(error).__name__
