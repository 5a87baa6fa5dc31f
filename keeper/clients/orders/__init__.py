"""The orders program: its addresses, its instructions, its accounts as typed records."""

from keeper.clients.orders.accounts import *  # noqa: F403
from keeper.clients.orders.instructions import *  # noqa: F403
from keeper.clients.orders.program import *  # noqa: F403
