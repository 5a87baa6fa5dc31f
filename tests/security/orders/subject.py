"""What the tests of every instruction know about orders."""

from __future__ import annotations

from keeper.clients import orders as client
from keeper.clients import staking
from tests.programs.world import World
from tests.security.orders import stages
from tests.security.orders.expectations import EXPECTATIONS
from tests.security.orders.stages import FREE, USDC_FEES, USDC_MINT, io
from tests.security.people import OPERATORS, address, do
from tests.security.subject import Purse, Subject

IN_USE, GONE = "System.AccountAlreadyInUse", "AccountDataTooSmall"
LAST_COUNTS = "the last proposal counts"
OPEN_ORDER = bytes(client.order_address(address("carol"), 1))


def begin() -> World:
    """Initialised, nothing proposed."""
    world = stages.empty()
    do(world, client.initialize(address("admin"), address("guardian"), USDC_MINT, client.Params()))
    return world


SUBJECT = Subject(
    client,
    EXPECTATIONS,
    stages.STAGES,
    begin=begin,
    # Money that comes in, and devices that are taken.
    stopped_by={
        "create_order": {"orders": client.PAUSE_ORDERS},
        "extend_lease": {"orders": client.PAUSE_ORDERS},
        "match_device": {"orders": client.PAUSE_MATCHING},
        "accept_lease": {"orders": client.PAUSE_MATCHING},
    },
    once={
        "initialize": IN_USE,
        "create_order": IN_USE,
        "match_device": IN_USE,
        "accept_admin": "NotPendingAdmin",
        "accept_guardian": "NotPendingGuardian",
        "apply_params": "NothingProposed",
        "cancel_params": "NothingProposed",
        "cancel_order": "OrderClosed",
        "accept_lease": "LeaseState",
        "extend_lease": "NotAsExpected",
        "end_lease": "LeaseState",
        "vote_fault": "FaultDecided",
        "hold_lease": "HoldInvalid",
        "refund": "NothingToRefund",
        "close_lease": GONE,
        "close_fault": GONE,
        "close_order": GONE,
        "park_pay": "NothingDue",
        "park_fees": "NothingDue",
        "pay_parked": GONE,
    },
    idle={
        "propose_params": LAST_COUNTS,
        "propose_admin": LAST_COUNTS,
        "propose_guardian": LAST_COUNTS,
        "settle": "nothing more is due in the same second",
    },
    again={
        "set_pause": "the guardian may renew a pause, and how long matching was stopped is remembered",
    },
    created={
        "initialize": {"config": (b"config",)},
        "create_order": {
            "order": (b"order", bytes(address("carol")), (7).to_bytes(8, "little")),
            "vault": (b"vault", bytes(client.order_address(address("carol"), 7))),
        },
        # A first vote makes its fault: see test_faults.py; the valid call is the second vote.
        "match_device": {"lease": (b"lease", OPEN_ORDER, bytes(staking.device_address(address(FREE))))},
        "park_pay": {"record": (b"parked", bytes(io("alice")))},
        "park_fees": {"record": (b"parked", bytes(USDC_FEES))},
    },
    paid={
        "settle": Purse("payout_tokens", "alice"),
        "refund": Purse("renter_tokens", "carol"),
        "close_order": Purse("renter_tokens", "carol"),
        "pay_parked": Purse("destination", "alice"),
    },
    misdirected={"pay_parked": "WrongAccount"},
    blocked={"settle": "PayeeBlocked", "pay_parked": "PayeeBlocked"},
    spent={
        "create_order": Purse("renter_tokens", "carol"),
        "extend_lease": Purse("renter_tokens", "carol"),
    },
    shared={
        # The lease's supplier; its worker only where that lets it.
        ("end_lease", "caller"): {"alice": None},
        # Each of the operators: the device's supplier can't with a tick.
        ("match_device", "matcher"): dict.fromkeys(OPERATORS[1:]),
        ("vote_fault", "operator"): {OPERATORS[0]: "AlreadyVoted", OPERATORS[2]: None},
    },
    gifts={"close_order": "an account with tokens can't be closed: the gift is the renter's"},
    params=client.Params(renter_fee_bps=50),
)
