"""Our programs compute on a validator what they compute on the embedded chain: docs/compute_units.md holds.

The token program is not ours: a validator has its own version's, which may cost a few units more or less. Nor
are the limit and the price that a transaction names to land; on the embedded chain it names a limit alone.
"""

import re

import pytest
from solders.compute_budget import ID as COMPUTE_BUDGET

from keeper.chain import TransactionRecord
from keeper.chain.framework import TOKEN_PROGRAM
from keeper.economy.orders import TICK, turn_opens
from tests.e2e.conftest import embedded
from tests.e2e.network import Network
from tests.model.orders.state import USDC, Terms
from tests.programs.orders.calls import OPERATORS
from tests.programs.orders.world import ASK_USDC, MINIMUM

CONSUMED = re.compile(rf"Program {TOKEN_PROGRAM} consumed (\d+) of")
BUDGET_UNITS = 150
"""What each instruction of the compute budget's costs."""


def ours(record: TransactionRecord) -> int:
    """A transaction's compute units without those of the token program and of its budget."""
    calls = (CONSUMED.match(line) for line in record.logs)
    budget = BUDGET_UNITS * record.programs.count(COMPUTE_BUDGET)
    return record.compute_units - budget - sum(int(call[1]) for call in calls if call)


def bill(network: Network) -> dict[str, int]:
    """Compute units of an order's way in USDC and of a stake's, by instruction."""
    units: dict[str, int] = {}

    def did(name: str, outcome: str) -> None:
        assert outcome == name
        units[name] = ours(network.pair.last)

    renter, supplier = network.join("metered renter"), network.join("metered supplier")
    device = network.let("metered device", supplier)
    did("stake", network.stake(device, MINIMUM + 1))
    did("withdraw_overflow", network.withdraw_overflow(device, 1))
    order = network.open(renter, Terms(2 * ASK_USDC, 10, 1, 4, (1,), USDC))
    units["create_order"] = ours(network.pair.last)
    # In a tick that is the operator's own: to find its turn in another one may cost a unit more.
    tick = -(-(network.now // TICK + 1) // 3) * 3
    network.wait_until(turn_opens(tick, 0, 3))
    did("match_device", network.do_match(OPERATORS[0], order, device, tick=tick))
    lease = network.lease(order, device)
    did("accept_lease", network.do_accept(lease.worker, lease))
    did("extend_lease", network.extend(order, device, 2))
    did("refund", network.refund(order))
    did("vote_fault", network.do_vote(OPERATORS[0], lease, b"e" * 32, 0))
    did("end_lease", network.do_end(supplier, lease))
    did("close_lease", network.do_close_lease(lease.payer, lease))
    did("cancel_order", network.cancel(order))
    did("close_order", network.close(order))
    did("unstake", network.unstake(device))
    return units


@pytest.mark.validator
def test_compute_units_are_the_same_on_both_chains(network: Network) -> None:
    assert bill(network) == bill(Network(embedded()))
