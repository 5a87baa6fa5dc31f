"""By which relays datagrams go: the one that the other was heard by, few by all, the rest by turns."""

from __future__ import annotations

import structlog
from solders.pubkey import Pubkey

from keeper.compute import ways
from keeper.compute.ways import EVERYWHERE, SILENT_SECONDS, Ways
from tests.programs.world import key

OTHER, SILENT = key("two").pubkey(), key("three").pubkey()
INITIATION, RESPONSE = b"\x01".ljust(148, b"\0"), b"\x02".ljust(92, b"\0")
DATAGRAM = b"\x04" + bytes(1_199)


class Line:
    """A carrier that counts what it is given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_bound = True

    def reaches(self, other: Pubkey) -> bool:
        return self.is_bound

    def send(self, other: Pubkey, datagram: bytes) -> None:
        self.sent.append(datagram)


class Member:
    """Ways by three relays, on a clock of a test's."""

    def __init__(self) -> None:
        self.now, self.lines = 0.0, [Line() for _ in range(3)]
        self.ways = Ways(
            [], OTHER, key("one"), lambda sender, data: None, structlog.get_logger(), lambda: self.now
        )
        self.ways._carriers = self.lines  # type: ignore[assignment]

    def counts(self) -> list[int]:
        found = [len(each.sent) for each in self.lines]
        for each in self.lines:
            each.sent.clear()
        return found


def test_who_was_heard_is_answered_by_the_same_relay() -> None:
    member = Member()
    member.ways._from(1)(OTHER, DATAGRAM)
    for _ in range(500):
        member.ways.send(OTHER, DATAGRAM)
    assert member.counts() == [0, 500, 0]
    member.now += SILENT_SECONDS
    member.ways.send(OTHER, DATAGRAM)
    assert member.counts() == [1, 1, 1], "what one relay loses comes by another"


def test_a_flood_to_who_is_silent_costs_the_line_once() -> None:
    member = Member()
    for _ in range(1_000):
        member.ways.send(SILENT, DATAGRAM)
    everywhere = int(EVERYWHERE.burst // (3 * len(DATAGRAM)))
    found = member.counts()
    assert sum(found) == 1_000 + 2 * everywhere
    assert max(found) - min(found) <= 1, "and each relay has its part"
    member.ways._from(0)(OTHER, DATAGRAM)
    member.ways.send(OTHER, DATAGRAM)
    assert member.counts() == [1, 0, 0], "who is heard is none of them"


def test_a_relay_that_makes_up_a_member_and_drops_what_goes_to_it_is_left_soon() -> None:
    """Relay 2 lies twice a second; the member is really heard by relay 0, and shakes hands after 15 s."""
    member = Member()
    began: list[float] = []
    lost = sent = 0
    member.ways.send(OTHER, INITIATION)
    answered = shaken = 0.0
    while member.now < 3_600:
        member.counts()
        member.ways._from(0)(OTHER, DATAGRAM)
        member.ways._from(2)(OTHER, b"made up")
        member.ways.send(OTHER, DATAGRAM)
        found = member.counts()
        assert sum(found) == 1 or found == [1, 1, 1]
        sent += 1
        if found[2] == sum(found):
            lost += 1
        else:
            answered = member.now
        if member.now - answered >= 15 or member.now - shaken >= 120:  # As WireGuard does.
            began.append(member.now)
            member.ways.send(OTHER, INITIATION)
            assert member.counts() == [1, 1, 1], "a handshake goes by all ways"
            answered = shaken = member.now
        member.now += 0.5
    # Stalls of 15 s at most, each half as often as the one before.
    assert lost / sent < 0.04
    assert len(began) < 3_600 / 120 + 8


def test_an_ordinary_handshake_changes_nothing() -> None:
    member = Member()
    for _ in range(100):
        member.ways._from(1)(OTHER, DATAGRAM)
        member.ways.send(OTHER, RESPONSE)
        member.ways.send(OTHER, INITIATION)  # Both begin at once.
        assert member.counts() == [2, 2, 2]
        member.ways.send(OTHER, DATAGRAM)
        assert member.counts() == [0, 1, 0]
        member.now += 120
        assert not member.ways._doubts


def test_no_doubt_shuts_out_the_only_way() -> None:
    member = Member()
    member.lines[0].is_bound = member.lines[1].is_bound = False
    for number in range(1_000):
        member.ways._from(2)(OTHER, DATAGRAM)
        member.ways.send(OTHER, INITIATION)
        member.ways.send(OTHER, DATAGRAM)
        assert member.counts()[2] == 2, number
        member.now += 20
    assert member.ways._doubts[OTHER, 2][1] == ways.MOST_DOUBT_SECONDS
    member.ways.want({})
    assert not member.ways._doubts and not member.ways._shaken


def test_what_a_stranger_sends_doubts_no_relay() -> None:
    """Only what WireGuard itself says counts: it answers a handshake that is the member's, and no other."""
    member = Member()
    for _ in range(100):
        member.ways._from(1)(OTHER, INITIATION)
        member.ways.send(OTHER, DATAGRAM)
        member.now += 5
    assert member.counts() == [0, 100, 0]


def test_handshakes_to_many_silent_members_go_by_all_ways_on_and_on() -> None:
    member = Member()
    for _ in range(720):
        for number in range(3):
            member.ways.send(key(f"silent {number}").pubkey(), bytes(148))
        member.now += 5
    assert member.counts() == [720 * 3] * 3


def test_by_turns_a_relay_that_is_gone_is_left_out() -> None:
    member = Member()
    member.lines[2].is_bound = False
    for _ in range(1_000):
        member.ways.send(SILENT, DATAGRAM)
    everywhere = int(EVERYWHERE.burst // (3 * len(DATAGRAM)))
    assert member.counts()[2] == everywhere
    assert ways.MOST_MEMBERS >= 1_024, "as many as an order's devices"
