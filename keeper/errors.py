"""What a user can cause, and can put right."""

from __future__ import annotations


class UserError(Exception):
    """Its message says what is wrong, and what to do: all that the command line shows of it."""
