"""A page being asked for: the index as of one state, what its layout shows of it, and its headers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.answers import HTML, Now, On, Reading, require_accepted, unknown_parameter
from keeper.api.index import Index, State
from keeper.web.rendering import render
from keeper.web.style import STYLE_PATH

LATE = 120
"""Seconds from which on a page says first how old it is: a keeper that works looks every few seconds."""
MINUTE = 60


class Visit:
    """A page's question: ``asked`` and ``on`` are what the API's own paths are answered with."""

    def __init__(self, request: Request, asked: Reading, on: AsyncConnection) -> None:
        """Answer ``request``."""
        self.request, self.asked, self.on = request, asked, on

    @property
    def index(self) -> Index:
        """What is read."""
        return self.asked.index

    @property
    def now(self) -> int:
        """The chain's time, unix seconds, at which what is shown was so."""
        return self.asked.state.time

    def page(self, template: str, **values: Any) -> str:
        """A page with the layout around it."""
        state = self.asked.state
        return render(
            template,
            as_of=state,
            late=late(state),
            path=self.request.url.path,
            style_path=STYLE_PATH,
            node=self.request.app.state.node,
            explorer=self.request.app.state.explorer,
            **values,
        )

    def listed(self, template: str, found: Any, asking: Any, **values: Any) -> object:
        """A page of a list as the API answers it; its own answer where CSV is asked for."""
        if asking.format == "csv":
            return found
        further = self.further(found.next)
        return self.page(template, rows=found.data, further=further, csv=self.csv, asking=asking, **values)

    def further(self, next_: str | None) -> str | None:
        """Where the list that is asked for goes on; None at its end."""
        return None if next_ is None else str(self.request.url.include_query_params(after=next_).query)

    @property
    def csv(self) -> str:
        """The API's address of the list that is asked for, as CSV."""
        return self.csv_without()

    def csv_without(self, *names: str) -> str:
        """The same without what the page alone can be asked."""
        left = self.request.url.remove_query_params(["after", *names])
        return f"/api/v1{left.path}?{left.include_query_params(format='csv').query}"


def late(state: State) -> int | None:
    """How many minutes late the index is; None when that is nothing to speak of."""
    return state.lag // MINUTE if state.lag >= LATE else None


async def _visit(request: Request, response: Response, state: Now, on: On) -> AsyncIterator[Visit]:
    if name := unknown_parameter(request):
        raise HTTPException(400, f"this page has no parameter {name}")
    require_accepted(request, HTML)
    index: Index = request.app.state.index
    # A page says how late the index is, which changes while nothing happens.
    shown = f"#{late(state) or 0}"
    yield Visit(request, Reading(request, response, index, state, shown), on)


Visiting = Annotated[Visit, Depends(_visit, scope="function")]
"""The page that is asked for."""
