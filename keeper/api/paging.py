"""Pages of a list: where the next begins is said by the last row's key, never by a count.

A list that grows meanwhile repeats no row and leaves none out.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from keeper.errors import UserError

MOST = 200
MAX_CURSOR = 512
Key = Sequence[int | str]
"""What a list is ordered by, the last part of it unique."""


Hour = Annotated[int, Path(ge=0, lt=2**32, description="hours since the first of emission")]


class BadCursor(UserError):
    """An ``after`` that is none of ours."""


class Page(BaseModel):
    """The parameters of every list; a path's own filters are added to them."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=MOST, description="rows of a page")
    after: str | None = Field(
        default=None,
        max_length=MAX_CURSOR,
        description="the page after that one: its `next`, as it was given",
    )
    order: Literal["asc", "desc"] = Field(
        default="desc", description="by time or number: newest first, or last"
    )
    format: Literal["json", "csv"] = Field(
        default="json", description="csv: the same rows; the next page is in the Link header"
    )

    @property
    def newest_first(self) -> bool:
        """Whether rows come in falling order."""
        return self.order == "desc"

    def key(self, *kinds: type[int | str]) -> tuple[Any, ...] | None:
        """The key to go on after, with parts of these kinds; None to begin. Raises BadCursor."""
        return None if self.after is None else decode(self.after, *kinds)


def encode(key: Key) -> str:
    """A row's key as text for a URL."""
    return (
        base64.urlsafe_b64encode(json.dumps(list(key), separators=(",", ":")).encode()).decode().rstrip("=")
    )


def decode(text: str, *kinds: type[int | str]) -> tuple[Any, ...]:
    """The key that :func:`encode` wrote. Raises BadCursor for anything else."""
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    fits = isinstance(found, list) and len(found) == len(kinds)
    if not fits or any(type(each) is not kind for each, kind in zip(found, kinds, strict=True)):
        raise BadCursor("after is no place in this list: take it from an answer's `next`, or leave it out")
    if any(isinstance(each, str) and not (each.isascii() and each.isprintable()) for each in found):
        raise BadCursor("after is no place in this list: it has text that no address has")
    if any(isinstance(each, int) and not -(2**63) <= each < 2**63 for each in found):
        raise BadCursor("after is no place in this list: it has a number that is too large")
    return tuple(found)
