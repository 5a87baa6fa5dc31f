"""The staking program: its addresses, its instructions, its accounts as typed records."""

from keeper.clients.staking.accounts import *  # noqa: F403
from keeper.clients.staking.instructions import *  # noqa: F403
from keeper.clients.staking.program import *  # noqa: F403
