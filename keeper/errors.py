"""The root of every error that a user, a file, a disk, a node or a server can cause.

Whatever derives from it is shown as its message, in one or two lines without a trace. Any other exception
is a defect of ours and shows where it happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PLAIN = {
    "missing": "it is missing",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "it should be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "it should be a number"),
}
"""What pydantic says at more length, by its errors' types."""


class UserError(Exception):
    """Its message says what is wrong and what to do; the command line shows it and the hint, nothing else."""

    @property
    def hint(self) -> str:
        """A second line for the user at the command line, or nothing."""
        return ""


def why(error: Exception) -> str:
    """The text of an error that isn't ours, in one line; a system error's without its number and file."""
    text = (isinstance(error, OSError) and error.strerror) or " ".join(str(error).split())
    return text or type(error).__name__


def unfit(found: Mapping[str, Any]) -> str:
    """What is wrong with a value, in our words: one of pydantic's errors, as ``it should be less than 3``."""
    said: str = found["msg"].removeprefix("Value error, ")
    return PLAIN.get(found["type"]) or re.sub(r"^\w+ should", "it should", said)


def unfit_there(found: Mapping[str, Any]) -> str:
    """The same with where it stands in a document, as ``files.0.size: it should be a whole number``."""
    return ": ".join([".".join(map(str, found["loc"])), unfit(found)]).removeprefix(": ")
