"""By which relays datagrams go: the one that the other was heard by, few by all, the rest by turns."""

from __future__ import annotations

import structlog
from solders.pubkey import Pubkey

from keeper.compute import ways
from keeper.compute.ways import EVERYWHERE, SILENT_SECONDS, Ways
from tests.programs.world import key

OTHER, SILENT = key("two").pubkey(), key("three").pubkey()
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
