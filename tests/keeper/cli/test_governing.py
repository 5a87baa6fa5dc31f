"""``ionet network``, ``guardian``, ``admin`` and an operator's votes: what each may do, on a saved chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keeper.clients import buyback, orders, staking
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.classes import step_leaf
from keeper.economy.orders import Currency, LeaseStatus
from tests.keeper.cli.saved import CHAIN, FUTURE, Typed, later
from tests.programs.orders.world import OrdersWorld
from tests.programs.staking.world import GPU_CLASS, reward_tree
from tests.programs.world import finish, key

DEVICE = staking.device_address(key("one").pubkey())
EVIDENCE = bytes(range(32)).hex()
NEXT = key("next").pubkey()


@pytest.fixture
def world(tmp_path: Path) -> OrdersWorld:
    """A network with a device, a renter's running lease of it, and the keys of those who govern."""
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.warp_to(FUTURE)
    world.let("one", world.supplier("supplier"))
    order = world.order(world.renter("renter"), devices=1)
    world.match(order, "one")
    world.accept(order, "one")
    world.person("next")
    for name in ("admin", "guardian", "next", "renter"):
        (tmp_path / f"{name}.json").write_text(json.dumps(list(bytes(key(name)))))
    for number, operator in enumerate(world.operators):
        (tmp_path / f"operator {number}.json").write_text(json.dumps(list(bytes(operator))))
    world.chain.save(tmp_path / CHAIN)
    return world


def network(by: Typed, program: str) -> dict[str, object]:
    found: dict[str, dict[str, object]] = json.loads(by("next", "network", "--json"))
    return found[program]


@pytest.mark.parametrize(
    ("program", "operation"),
    [("tokenomics", "emission"), ("staking", "staking"), ("orders", "matching"), ("buyback", "bid")],
)
def test_a_pause_stops_lapses_and_is_lifted(
    world: OrdersWorld, by: Typed, program: str, operation: str
) -> None:
    assert "only the guardian" in by("admin", "guardian", "pause", program, operation, "--yes", ends=1)
    said = by("guardian", "guardian", "pause", program, operation, "--hours", 2, "--yes")
    assert f"{operation} of {program}: stopped until 2090-01-01 0" in said
    assert network(by, program)["paused"] == [operation]
    by("guardian", "guardian", "lift", program, "--yes")
    assert network(by, program)["paused"] == []
    assert "nothing" in by("guardian", "guardian", "lift", program, "--yes", ends=1)
    by("guardian", "guardian", "pause", program, operation, "--hours", 1, "--yes")
    later(world, HOUR)
    assert network(by, program)["paused"] == []


def test_one_pause_takes_the_place_of_another(by: Typed) -> None:
    by("guardian", "guardian", "pause", "orders", "orders", "--yes")
    said = by("guardian", "guardian", "pause", "orders", "matching", "--yes")
    assert "orders: not stopped any more" in said
    said = by("guardian", "guardian", "pause", "orders", "trading", "--yes", ends=1)
    assert "'trading' is nothing that orders can stop; there are orders, matching" in said


def test_parameters_wait_for_their_notice(world: OrdersWorld, by: Typed) -> None:
    said = by("admin", "admin", "propose", "orders", "accept_window=900", "renter_fee_bps=30", "--yes")
    assert (
        "accept_window 600 -> 900, renter_fee_bps 25 -> 30: can be applied by anybody from 2090-01-0" in said
    )
    assert network(by, "orders")["proposed"] == {"accept_window": "900", "renter_fee_bps": "30"}
    assert "00:15:00 (900 s)" in by("next", "network")
    assert "the notice is over at" in by("next", "admin", "apply", "orders", "--yes", ends=1)
    by("guardian", "guardian", "cancel-params", "orders", "--yes")
    assert network(by, "orders")["proposed"] == {}
    assert "no parameters of orders wait" in by("guardian", "guardian", "cancel-params", "orders", ends=1)
    by("admin", "admin", "propose", "orders", "accept_window=900", "--yes")
    later(world, 7 * DAY)
    by("next", "admin", "apply", "orders", "--yes")
    assert world.orders_config().params.accept_window == 900
    assert "these are the values in force" in by(
        "admin", "admin", "propose", "orders", "accept_window=900", ends=1
    )
    for assignment, said in (
        ("window=1", "orders has no parameter 'window'; it has accept_window"),
        ("notice=soon", "notice takes a whole number"),
        ("notice", "'notice' is no NAME=VALUE"),
    ):
        assert said in by("admin", "admin", "propose", "orders", assignment, ends=1)
    assert "only the admin" in by("guardian", "admin", "propose", "orders", "notice=1", ends=1)
    assert "tokenomics has no parameters" in by("admin", "admin", "propose", "tokenomics", "notice=1", ends=1)


def test_another_operator_is_a_change_of_parameters(world: OrdersWorld, by: Typed) -> None:
    keep = [str(each.pubkey()) for each in world.operators[:2]]
    by("admin", "admin", "propose", "staking", f"operators={','.join([*keep, str(NEXT)])}", "--yes")
    later(world, 7 * DAY)
    by("next", "admin", "apply", "staking", "--yes")
    assert world.staking_config().params.operators[2] == NEXT
    assert "operators takes addresses" in by("admin", "admin", "propose", "staking", "operators=me", ends=1)


def test_roles_change_hands_in_two_steps(world: OrdersWorld, by: Typed) -> None:
    said = by("next", "admin", "accept", "buyback", ends=1)
    assert "the admin's role of buyback is offered to nobody" in said
    by("admin", "admin", "offer", "buyback", NEXT, "--yes")
    assert network(by, "buyback")["pending_admin"] == str(NEXT)
    by("next", "admin", "accept", "buyback", "--yes")
    by("next", "admin", "propose-guardian", "buyback", NEXT, "--yes")
    assert "the notice is over at 2090-01-0" in by("next", "guardian", "accept", "buyback", ends=1)
    later(world, 7 * DAY)
    by("next", "guardian", "accept", "buyback", "--yes")
    config = finish(buyback.read_config(world.chain))
    assert config is not None
    assert (config.admin, config.guardian) == (NEXT, NEXT)
    assert "nobody is named as the next guardian" in by("next", "guardian", "accept", "orders", ends=1)


def test_classes_change_after_their_notice(world: OrdersWorld, by: Typed) -> None:
    by("admin", "admin", "change-class", "rtx 4090", "--multiplier", "2.5", "--yes")
    assert "multiplier 2.5, stake 500.00 IO from 2090-01-0" in by("next", "class", "list")
    said = by("guardian", "guardian", "cancel-class", "rtx 4090", "--yes")
    assert "RTX 4090: multiplier 2.5, stake 500.00 IO from 2090-01-0" in said and said.count("dropped") == 1
    assert "multiplier 2.5" not in by("next", "class", "list")
    by("admin", "admin", "change-class", "rtx 4090", "--multiplier", "2.5", "--yes")
    said = by("admin", "admin", "change-bounds", "rtx 4090", "--high-io", "9", "--yes")
    assert (
        "a processor and hour in IO: 0.00000001 to 1,000.00000000 -> 0.00000001 to 9.00000000 after" in said
    )
    assert "in USDC" not in said
    later(world, 7 * DAY)
    classes = finish(staking.read_classes(world.chain))
    assert classes[GPU_CLASS].multiplier_at(world.chain.now()) == 250
    (found,) = (
        each
        for each in json.loads(by("next", "class", "list", "--json"))["classes"]
        if each["id"] == GPU_CLASS
    )
    assert (found["multiplier"], found["minimum"]) == (250, str(500 * 10**8))
    said = by("admin", "admin", "change-class", "rtx 4090", "--multiplier", "1.234", ends=1)
    assert "'1.234' is no multiplier" in said
    assert "at most 500" in by("admin", "admin", "change-class", "rtx 4090", "--multiplier", "501", ends=1)


def test_a_class_is_added_and_opens_after_its_notice(world: OrdersWorld, by: Typed) -> None:
    new = ("admin", "add-class", "RTX 5090", "--pool", "community", "--kind", "gpu", "--multiplier", "2.5")
    assert "only the admin of staking" in by("next", *new, ends=1)
    said = by("admin", *new, "--price-io", "1.5", "--yes")
    assert (
        "A processor and hour costs 1.50000000 IO at first, and then between 0.15000000 and 15.00000000"
        in said
    )
    assert "It isn't for lease in USDC." in said
    assert "opens 2090-01-0" in by("next", "class", "list")
    assert "there is a class RTX 5090 already" in by("admin", *new, ends=1)
    later(world, 7 * DAY)
    (found,) = (
        each for each in finish(staking.read_classes(world.chain)).values() if each.name == "RTX 5090"
    )
    now = world.chain.now()
    assert (found.is_open(now), found.multiplier_at(now)) == (True, 250)
    assert found.price(Currency.IO, now).amount == 15 * 10**7


def test_operators_vote_and_the_guardian_vetoes(world: OrdersWorld, by: Typed) -> None:
    vote = ("operator", "vote-slash", DEVICE, "--evidence", EVIDENCE, "--bps", 1_000, "--yes")
    assert "is no operator of this network" in by("next", *vote, ends=1)
    said = by("operator 0", *vote)
    assert "2 of 3 operators with the same vote have 10 % of all that is staked on it burned" in said
    by("operator 1", *vote)
    assert world.read_device("one").slash_pending
    by("guardian", "guardian", "veto-slash", DEVICE, EVIDENCE, "--yes")
    assert not world.read_device("one").slash_pending
    assert "is no SHA-256" in by("guardian", "guardian", "veto-slash", DEVICE, "abc", ends=1)


def test_a_hold_and_a_fault(world: OrdersWorld, by: Typed) -> None:
    (at,) = finish(orders.read_leases(world.chain))
    later(world, 3 * HOUR)
    by("guardian", "guardian", "hold", at, "--hours", 5, "--yes")
    assert finish(orders.read_leases(world.chain))[at].hold_until == world.chain.now() + 5 * HOUR
    by("guardian", "guardian", "hold", at, "--hours", 0, "--yes")
    vote = ("operator", "vote-fault", at, "--evidence", EVIDENCE, "--good-hours", 2, "--yes")
    assert "its supplier keeps 2 hours at most" in by("operator 0", *vote)
    by("operator 2", *vote)
    assert finish(orders.read_leases(world.chain))[at].status == LeaseStatus.ENDED
    assert "there is no lease" in by("guardian", "guardian", "hold", NEXT, "--hours", 1, ends=1)
    assert "is no lease" in by("guardian", "guardian", "hold", orders.CONFIG, "--hours", 1, ends=1)


def test_an_announced_price_is_dropped(world: OrdersWorld, by: Typed) -> None:
    hour = world.chain.now() // HOUR - 1
    for operator in world.operators[:2]:
        root = step_leaf(hour, GPU_CLASS, 500, -500)
        world.do(staking.vote_prices(operator.pubkey(), hour, root), signers=[operator])
    world.do(staking.apply_price(GPU_CLASS, hour, 500, -500, b""))
    world.chain.save(CHAIN)
    by("guardian", "guardian", "cancel-price", "rtx 4090", "--yes")
    of_class = finish(staking.read_classes(world.chain))[GPU_CLASS]
    assert (of_class.next_io, of_class.next_usdc) == (0, 0)


def test_the_first_auctions_price_is_announced_and_dropped(world: OrdersWorld, by: Typed) -> None:
    by("admin", "buyback", "first-price", "4.25", "--yes")
    by("guardian", "guardian", "cancel-first-price", "--yes")
    config = finish(buyback.read_config(world.chain))
    assert config is not None and config.first_price == 0


def test_an_hours_block_is_vetoed(world: OrdersWorld, by: Typed) -> None:
    tree = reward_tree({NEXT: 5})
    for record in world.attest(0, staking.Attestation(tree.root, 5, 1, bytes(32))):
        assert record.error is None
    world.chain.save(CHAIN)
    assert "attest it anew" in by("guardian", "guardian", "veto-block", 0, "--yes")
    assert finish(staking.read_hours(world.chain, [0]))[0].vetoes == 1
