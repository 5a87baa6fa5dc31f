"""Members, head, addresses and epoch from the chain's accounts alone."""

from __future__ import annotations

import random
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.clients import orders
from keeper.compute import members as rule
from keeper.compute.members import RENTER, members
from keeper.economy.calendar import HOUR
from keeper.economy.orders import LeaseStatus
from tests.keeper.compute.leases import START, key, lease, order
from tests.programs.orders.world import TERMS, OrdersWorld
from tests.programs.world import key as key_of

ORDER = order()
NOW = START + HOUR
TEN = [lease(ORDER, f"d{each}", START + each) for each in range(10)]


def test_the_head_is_the_one_that_began_first_and_the_lowest_of_those_that_began_together() -> None:
    found = members(ORDER, reversed(TEN), NOW)
    assert [each.device for each in found.nodes] == [each.device for each in TEN]
    assert found.head == found.nodes[0] and found.of(TEN[3].worker) == found.nodes[3]
    together = [lease(ORDER, f"d{each}") for each in range(10)]
    assert members(ORDER, together, NOW).nodes[0].device == min((each.device for each in together), key=bytes)
    assert members(ORDER, [], NOW).head is None and members(ORDER, [], NOW).of(TEN[0].worker) is None


@given(st.permutations(TEN))
def test_no_order_of_reading_changes_anything(read: list) -> None:
    assert members(ORDER, read, NOW) == members(ORDER, TEN, NOW)
    assert members(ORDER, read, NOW).hash() == members(ORDER, TEN, NOW).hash()


@pytest.mark.parametrize(
    "other",
    [
        lease(ORDER, "x", status=LeaseStatus.MATCHED, start=0, stop=0),
        lease(ORDER, "x", status=LeaseStatus.ENDED, ended_at=NOW - 1),
        lease(ORDER, "x", stop=NOW),
        lease(ORDER, "x", start=NOW + 1),
        replace(lease(ORDER, "x"), order=key("another order")),
    ],
    ids=["matched", "ended", "its hours are over", "not begun", "another order's"],
)
def test_who_does_not_serve_now_is_no_member(other) -> None:
    assert members(ORDER, [*TEN, other], NOW) == members(ORDER, TEN, NOW)


def test_the_last_second_is_served() -> None:
    last = lease(ORDER, "x", stop=NOW + 1)
    assert [each.device for each in members(ORDER, [last], NOW).nodes] == [last.device]
    assert members(ORDER, [last], NOW + 1).nodes == ()


def test_a_gang_runs_once_it_is_filled_though_nobody_wrote_it_down() -> None:
    waiting = [
        replace(each, status=LeaseStatus.ACCEPTED, start=0, stop=0, accepted_at=START + number)
        for number, each in enumerate(TEN)
    ]
    gang = order(gang=10, filled_at=0)
    assert members(gang, waiting, NOW).nodes == ()
    filled = members(order(gang=10, filled_at=START + 9), waiting, NOW)
    assert {each.start for each in filled.nodes} == {START + 9} and len(filled.nodes) == 10


def test_the_epoch_changes_with_the_head_alone() -> None:
    whole = members(ORDER, TEN, NOW)
    assert members(ORDER, TEN[:-3], NOW).epoch == whole.epoch
    assert members(ORDER, [*TEN, lease(ORDER, "late", START + 99)], NOW).epoch == whole.epoch
    headless = members(ORDER, TEN[1:], NOW)
    assert headless.epoch != whole.epoch and headless.head.device == TEN[1].device
    assert members(ORDER, [], NOW).epoch == 0
    again = members(ORDER, [replace(TEN[0], number=2), *TEN[1:]], NOW)
    assert again.epoch != whole.epoch  # The same device, leased again.
    epochs = {members(ORDER, [each], NOW).epoch for each in TEN}
    assert len(epochs) == 10 and min(epochs) > 0 and max(epochs) < 2**32


def test_a_member_s_coming_and_going_moves_nobody_else_s_address() -> None:
    whole = {each.device: each.address for each in members(ORDER, TEN, NOW).nodes}
    assert len(set(whole.values())) == 10
    for gone in range(10):
        left = members(ORDER, TEN[:gone] + TEN[gone + 1 :], NOW).nodes
        assert all(whole[each.device] == each.address for each in left)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_addresses_are_different_in_the_overlay_and_never_the_renter_s(seed: int) -> None:
    some = random.Random(seed).sample(range(10**9), 300)
    found = [each.address for each in members(ORDER, [lease(ORDER, str(each)) for each in some], NOW).nodes]
    assert len(set(found)) == 300
    assert all(each in IPv4Network("10.0.0.0/8") and int(each) & 0xFFFFFF for each in found)
    assert RENTER not in found and IPv4Address("10.255.255.255") not in found


def test_two_leases_with_one_address_have_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "_COUNT", 3)
    three = TEN[:3]
    found = members(ORDER, three, NOW).nodes
    assert sorted(map(str, (each.address for each in found))) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert members(ORDER, three[:1], NOW).nodes[0].address == found[0].address


def test_the_hash_is_of_everything() -> None:
    whole = members(ORDER, TEN, NOW)
    node = whole.nodes[3]
    changes = [
        replace(node, worker=key("x")),
        replace(node, device=key("x")),
        replace(node, number=9),
        replace(node, registered_at=9),
        replace(node, start=9),
        replace(node, address=RENTER),
    ]
    others = [replace(whole, nodes=(*whole.nodes[:3], each, *whole.nodes[4:])) for each in changes]
    others += [replace(whole, renter=key("x")), replace(whole, epoch=9), replace(whole, order=key("x"))]
    hashes = {each.hash() for each in others}
    assert len(hashes) == 9 and whole.hash() not in hashes


def test_on_the_chain_from_its_accounts_until_they_are_closed() -> None:
    world = OrdersWorld.with_two_devices()
    renter = key_of("renter")
    made = world.order(renter, terms=TERMS)

    def now(*names: str):
        found = world.read_order(renter)
        return members(found, [world.lease(found, name) for name in names], world.chain.now())

    assert now().order == made.address and now().renter == renter.pubkey()
    world.match(made, "one")
    assert now("one").nodes == ()
    world.accept(made, "one")
    alone = now("one")
    assert [each.worker for each in alone.nodes] == [key_of("one").pubkey()]
    world.chain.advance(1)
    world.run(made, "two")
    both = now("one", "two")
    assert (both.epoch, both.head) == (alone.epoch, alone.head) and len(both.nodes) == 2
    assert world.end(made, "one", renter).error is None
    left = now("one", "two")
    assert left.nodes == both.nodes[1:] and left.epoch not in (0, both.epoch)
    world.chain.advance(3 * HOUR)
    assert world.settle(made, "one").error is None
    ended = world.lease(made, "one")
    assert world.send(orders.close_lease(ended)).error is None
    assert world.chain.now() > ended.stop and now("two") == left
