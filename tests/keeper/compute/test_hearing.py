"""What a follower remembers: as much as honest boards have, whatever a rogue one gives."""

from __future__ import annotations

from dataclasses import replace

from solders.keypair import Keypair

from keeper.compute import hearing
from keeper.compute.board import KEPT
from keeper.compute.bodies import Body
from keeper.compute.hearing import Heard
from keeper.compute.wire import Equivocation, Message, Signed
from tests.keeper.compute.messages import BODIES, MS, NETWORK, ORDER, WORKER

KEY, _, JOINED, _, _, _, BYE, _ = BODIES
STRANGER = Keypair.from_seed(bytes([4]) * 32)


def made(body: Body = JOINED, seq: int = 1, by: Keypair = WORKER) -> Signed:
    return Message(NETWORK, ORDER, by.pubkey(), 42, seq, MS, body).sign(by)


def heard() -> Heard:
    return Heard(lambda message: message.sender != STRANGER.pubkey())


def test_each_message_is_new_once_in_whatever_order_boards_have_it() -> None:
    known = heard()
    said = [made(seq=seq) for seq in (5, 3, 9)] + [made(KEY, seq=5), made(BYE, seq=5)]
    assert [known.take(each) for each in said] == [True] * 5
    assert [known.take(each) for each in said] == [False] * 5


def test_of_a_sender_s_kind_as_many_are_remembered_as_a_board_keeps_and_older_ones_are_never_new() -> None:
    known = heard()
    said = [made(seq=seq) for seq in range(1, 2 * KEPT + 1)]
    assert all(known.take(each) for each in said)
    assert len(known) == KEPT
    assert not any(known.take(each) for each in said)
    assert known.take(made(KEY, seq=1)) is True


def test_strangers_are_passed_over_and_take_no_memory() -> None:
    known = heard()
    assert not any(known.take(made(seq=seq, by=STRANGER)) for seq in range(200))
    assert len(known) == 0


def test_who_says_two_things_is_accused_once() -> None:
    known, other = heard(), replace(JOINED, cpus=77)
    known.take(made())
    found = known.take(made(other))
    assert isinstance(found, Equivocation)
    assert {found.first.message.body, found.second.message.body} == {JOINED, other}
    assert known.take(made(replace(JOINED, cpus=78))) is False


def test_more_senders_than_a_network_has_push_out_the_longest_silent(monkeypatch) -> None:
    monkeypatch.setattr(hearing, "SENDERS", 3)
    known = heard()
    for number in range(10):
        assert known.take(made(by=Keypair.from_seed(bytes([20 + number]) * 32)))
    assert len(known) == 3
