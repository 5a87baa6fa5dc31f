"""The reference model of the orders program: every instruction in plain Python.

No chain and none of the keeper's code. A method refuses with :class:`~tests.model.state.Refused` and
changes nothing, or changes the state and returns its events, staking's after orders' own; refusals come in
the program's order.
"""

from __future__ import annotations

from tests.model.orders.book import Book
from tests.model.orders.ends import Ends
from tests.model.orders.matching import Matching
from tests.model.orders.roles import Roles
from tests.model.orders.service import Service


class Orders(Roles, Book, Matching, Service, Ends):
    """All of it."""
