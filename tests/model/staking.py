"""The reference model of the staking program: every instruction in plain Python.

No chain and none of the keeper's code. A method refuses with :class:`~tests.model.state.Refused` and
changes nothing, or changes the state and returns its event; refusals come in the program's order.
"""

from __future__ import annotations

from tests.model.staking_blocks import Blocks
from tests.model.staking_devices import Devices
from tests.model.staking_leases import Leases
from tests.model.staking_roles import Roles


class Staking(Roles, Devices, Leases, Blocks):
    """All of it."""
