"""Budgets: a flood uses up the flooders', and nobody else's."""

from __future__ import annotations

import random

from keeper.budgets import Buckets, Rate, network_of
from keeper.operator.limits import HOME_SECONDS, HOMES, Gate, Limits

DEVICES = [bytes([number]) * 32 for number in range(50)]


def test_a_budget_is_used_up_and_comes_back() -> None:
    buckets = Buckets(Rate(3, 0.5), 10)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 2.0]
    assert buckets.take("b", 0.0) == 0
    assert buckets.take("a", 1.0) == 1.0
    assert buckets.take("a", 2.0) == 0
    assert buckets.take("a", 1_000.0, cost=3) == 0
    assert buckets.take("a", 1_000.0) == 2.0


def test_a_clock_that_goes_backwards_fills_nothing() -> None:
    buckets = Buckets(Rate(1, 1.0), 10)
    assert buckets.take("a", 10.0) == 0
    assert buckets.take("a", 5.0) == 1.0
    assert buckets.take("a", 5.5) == 0.5


def test_names_are_forgotten_the_longest_unused_first() -> None:
    buckets = Buckets(Rate(1, 0.001), 3)
    for name in "abcad":
        buckets.take(name, 0.0)
    assert len(buckets) == 3
    assert buckets.take("a", 0.0) > 0
    assert buckets.take("b", 0.0) == 0


def test_a_v6_network_is_one_sender() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("no:address") == "no:address"


def test_a_flood_at_four_times_the_limit_leaves_known_devices_on_time() -> None:
    """All addresses that there are send garbage in other devices' names; no honest message waits."""
    limits = Limits()
    gate, draw = Gate(limits), random.Random(5)
    for number, device in enumerate(DEVICES):
        gate.proved(f"198.51.100.{number}", device, 0.0)
    each_second = int(4 * limits.strangers.each_second)
    admitted = refused = 0
    for second in range(5):
        for number in range(each_second):
            now = second + number / each_second
            source = f"10.{draw.randrange(256)}.{draw.randrange(256)}.1"
            wait = gate.admit(source, draw.choice(DEVICES), now)
            admitted, refused = admitted + (not wait), refused + bool(wait)
        for number, device in enumerate(DEVICES):
            assert gate.admit(f"198.51.100.{number}", device, second + 1.0) == 0
    # A quarter of the flood, and what could be saved up before it.
    assert admitted <= limits.strangers.burst + 5 * limits.strangers.each_second
    assert refused >= each_second * 5 - admitted


def test_one_flooding_address_leaves_other_strangers_their_share() -> None:
    limits = Limits()
    gate = Gate(limits)
    taken = sum(gate.admit("10.0.0.1", DEVICES[0], number / 10_000) == 0 for number in range(40_000))
    assert taken <= limits.stranger.burst + 4 * limits.stranger.each_second + 1
    assert gate.admit("10.0.0.2", DEVICES[0], 4.0) == 0


def test_a_known_device_has_a_bound_too() -> None:
    gate = Gate(Limits())
    gate.proved("192.0.2.1", DEVICES[0], 0.0)
    gate.proved("192.0.2.1", DEVICES[1], 0.0)
    answers = [gate.admit("192.0.2.1", DEVICES[0], 0.0) for _ in range(1_000)]
    assert answers.count(0) == Limits().device.burst
    # The neighbour behind the same address has its own.
    assert gate.admit("192.0.2.1", DEVICES[1], 0.0) == 0


def test_a_device_is_known_at_few_places_and_forgotten_with_its_account() -> None:
    gate = Gate(Limits())
    for number in range(HOMES):
        gate.proved(f"192.0.2.{number}", DEVICES[0], float(number))
    # Its messages, handed on from elsewhere by who got them: it stays known where it is.
    for number in range(HOMES, 20):
        gate.proved(f"192.0.2.{number}", DEVICES[0], HOME_SECONDS - 1)
        assert gate.share(f"192.0.2.{number}") == 1
    assert gate.is_home("192.0.2.0", DEVICES[0])
    gate.proved("192.0.2.9", DEVICES[0], HOME_SECONDS)
    assert not gate.is_home("192.0.2.0", DEVICES[0])
    assert gate.is_home("192.0.2.9", DEVICES[0])
    assert gate.share("192.0.2.0") == 1
    assert gate.is_home("192.0.2.1", DEVICES[0])
    assert gate.share("192.0.2.1") == 2
    gate.proved("192.0.2.1", DEVICES[1], 0.0)
    gate.keep_only({DEVICES[1]})
    assert not gate.is_home("192.0.2.1", DEVICES[0])
    assert gate.share("192.0.2.1") == 2


def test_what_changes_is_told_once_and_recalled_in_its_order() -> None:
    gate = Gate(Limits())
    for number in range(HOMES + 1):
        gate.proved(f"192.0.2.{number}", DEVICES[0], number * HOME_SECONDS)
    gate.proved("192.0.2.9", DEVICES[1], 0.0)
    last = [f"192.0.2.{number}" for number in range(1, HOMES + 1)]
    found = gate.changes()
    assert found == {DEVICES[0]: last, DEVICES[1]: ["192.0.2.9"]}
    assert gate.changes() == {}
    again = Gate(Limits())
    homes = ((device, address) for device, places in found.items() for address in places)
    again.recall(homes, 7.0)
    assert again.changes() == {}
    assert [again.share(each) for each in last] == [2] * HOMES
    again.proved("192.0.2.77", DEVICES[0], HOME_SECONDS)
    assert again.is_home(last[0], DEVICES[0]), "it was heard from there at the restart at the earliest"
    again.proved("192.0.2.77", DEVICES[0], 7.0 + HOME_SECONDS)
    assert not again.is_home(last[0], DEVICES[0])
    again.keep_only({DEVICES[0]})
    assert again.changes() == {DEVICES[0]: [*last[1:], "192.0.2.77"], DEVICES[1]: []}


def test_an_address_of_many_devices_may_read_more() -> None:
    gate = Gate(Limits(reader=Rate(10, 0.001)))
    for device in DEVICES[:9]:
        gate.proved("192.0.2.1", device, 0.0)
    reads = [gate.read("192.0.2.1", 0.0) for _ in range(200)]
    assert reads.count(0) in (99, 100)  # Tenths don't add up exactly.
    assert [gate.read("192.0.2.2", 0.0) for _ in range(20)].count(0) == 10
