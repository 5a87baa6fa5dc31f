"""The reference model of the staking program: every instruction in plain Python.

No chain and none of the keeper's code. A method refuses with :class:`~tests.model.state.Refused` and
changes nothing, or changes the state and returns its event; refusals come in the program's order.
"""

from __future__ import annotations

from tests.model.staking.blocks import Blocks
from tests.model.staking.devices import Devices
from tests.model.staking.leases import Leases
from tests.model.staking.posts import Postings
from tests.model.staking.prices import Classes
from tests.model.staking.roles import Roles
from tests.model.staking.slashes import Slashes


class Staking(Roles, Classes, Devices, Leases, Blocks, Slashes, Postings):
    """All of it."""
