"""Parameters change after a notice, pauses lapse by themselves, and neither stands in anybody's way out."""

from dataclasses import replace

from solders.pubkey import Pubkey

from keeper.clients import orders, staking
from keeper.economy import orders as economy
from tests.e2e.network import ORDERS, PURSE_IO, Network
from tests.model.orders.state import OrdersParams, Terms
from tests.programs.orders.calls import CLASSES, OPERATORS
from tests.programs.orders.world import ASK_IO, MINIMUM
from tests.programs.side_by_side import ADMIN, GUARDIAN, MALLORY

TERMS = Terms(ASK_IO, 10, 1, 4, (1,))
PAUSE = 30
"""Seconds."""


def propose(network: Network, params: OrdersParams, admin: bytes = ADMIN) -> str:
    return network.act(
        "propose_params",
        lambda: network.model.propose_params(admin, params),
        orders.propose_params(Pubkey(admin), orders.Params(**vars(params))),
        admin,
    )


def apply(network: Network) -> str:
    return network.act("apply_params", network.model.apply_params, orders.apply_params())


def change(network: Network, params: OrdersParams) -> None:
    """From proposal to effect."""
    assert propose(network, params) == "propose_params"
    assert apply(network) == "NoticeNotOver"
    config = network.model.config
    assert config is not None
    network.wait_until(config.pending_at)
    assert apply(network) == "apply_params"


def test_an_order_keeps_the_parameters_of_its_opening(network: Network) -> None:
    renter, supplier = network.join("early"), network.join("early supplier")
    device = network.let("early device", supplier, MINIMUM)
    early = network.open(renter, TERMS)
    assert propose(network, ORDERS, MALLORY) == "NotAdmin"
    change(network, replace(ORDERS, match_window=6, exclusive=3, renter_fee_bps=100))
    late = network.open(renter, replace(TERMS, devices=2))
    places = [economy.place(ASK_IO, 4, 10, bps) for bps in (25, 100)]
    assert network.money(renter) == PURSE_IO - places[0] - 2 * places[1]
    network.wait_until(network.model.orders[late].match_until)
    assert network.match(late, device) == "MatchingOver"
    # Anybody gives back what nobody wanted to serve.
    assert network.close(late) == "close_order"
    assert network.money(renter) == PURSE_IO - places[0]
    lease = network.run(early, device)
    assert lease.held == places[0]
    assert network.do_end(supplier, lease) == "end_lease"
    assert network.do_close_lease(lease.payer, lease) == "close_lease"
    charged = network.give_up(early)
    assert charged == economy.fee(ASK_IO * 4, 25)
    assert network.money(renter) == PURSE_IO - charged
    change(network, ORDERS)


def test_another_guardian_takes_over_after_the_notice(network: Network) -> None:
    model = network.model

    def propose_guardian(pending: bytes) -> str:
        return network.act(
            "propose_guardian",
            lambda: model.propose_guardian(ADMIN, pending),
            orders.propose_guardian(Pubkey(ADMIN), Pubkey(pending)),
            ADMIN,
        )

    def accept(successor: bytes) -> str:
        return network.act(
            "accept_guardian",
            lambda: model.accept_guardian(successor),
            orders.accept_guardian(Pubkey(successor)),
            successor,
        )

    for successor in (MALLORY, GUARDIAN):
        assert propose_guardian(successor) == "propose_guardian"
        assert accept(successor) == "GuardianNoticeNotOver"
        assert accept(OPERATORS[0]) == "NotPendingGuardian"
        config = model.config
        assert config is not None
        network.wait_until(config.guardian_at)
        assert accept(successor) == "accept_guardian"


def test_a_pause_of_orders_lapses_and_stops_no_exit(network: Network) -> None:
    renter, supplier = network.join("paused"), network.join("paused supplier")
    devices = [network.let(f"paused device {number}", supplier, MINIMUM, may_end=True) for number in range(2)]
    order = network.open(renter, replace(TERMS, devices=2))
    lease = network.run(order, devices[0])
    mask, until = orders.PAUSE_ORDERS | orders.PAUSE_MATCHING, network.now + PAUSE

    def pause(guardian: bytes) -> str:
        return network.act(
            "set_pause",
            lambda: network.model.set_pause(guardian, mask, until),
            orders.set_pause(Pubkey(guardian), mask, until),
            guardian,
        )

    assert pause(MALLORY) == "NotGuardian"
    assert pause(GUARDIAN) == "set_pause"
    assert network.do_create(renter, 9, TERMS) == "Paused"
    assert network.do_match(OPERATORS[0], order, devices[1]) == "Paused"
    assert network.do_end(supplier, lease) == "end_lease"
    assert network.cancel(order) == "cancel_order"
    assert network.do_close_lease(lease.payer, lease) == "close_lease"
    assert network.close(order) == "close_order"
    network.wait_until(until)
    again = network.open(renter, TERMS)
    second = network.run(again, devices[1])
    assert network.do_end(second.worker, second) == "end_lease"


def test_a_pause_of_staking_lapses_and_stops_no_exit(network: Network) -> None:
    supplier = network.join("paused staker")
    device = network.let("paused staker's device", supplier, MINIMUM)
    until = network.now + PAUSE
    outcome = network.act(
        "set_pause",
        lambda: network.staking.set_pause(GUARDIAN, 1, until),
        staking.set_pause(Pubkey(GUARDIAN), 1, until),
        GUARDIAN,
    )
    assert outcome == "set_pause"
    assert network.stake(device, 1) == "Paused"
    assert network.unstake(device) == "unstake"
    network.wait_until(network.device(device).own_until)
    assert network.withdraw(device) == "withdraw"
    assert network.money(supplier) == PURSE_IO
    network.wait_until(until)
    assert network.stake(device, 1) == "stake"


def test_a_class_changes_after_the_notice(network: Network) -> None:
    supplier = network.join("classy")
    row = replace(CLASSES[0], id=7, name=b"H100".ljust(24, b"\0"), multiplier=250)
    assert network.add_class(row) == "add_class"
    assert network.add_class(row) == "AccountInUse"
    device = network.let("classy device", supplier, MINIMUM)
    assert network.change_class(CLASSES[0].id, 126) == "change_class"
    pending_at = network.staking.classes[CLASSES[0].id].pending_at
    network.wait_until(pending_at)
    assert network.settle_device(device) == "settle_device"
    assert network.device(device).sufficient_since == 0, "it needs more now"
    assert network.stake(device, MINIMUM // 125) == "stake"
    assert network.device(device).sufficient_since > 0
    assert network.change_class(CLASSES[0].id, CLASSES[0].multiplier) == "change_class"
    network.wait_until(network.staking.classes[CLASSES[0].id].pending_at)
