"""What a board takes of whom, and what it keeps."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.budgets import Rate
from keeper.compute import admission
from keeper.compute.board import KEPT, PAGE_BYTES, Board, BoardUnusable, Heard, Parties, parties
from keeper.compute.bodies import Body, Kind
from keeper.compute.refusals import Why, WireError
from keeper.compute.wire import CLOCK_MS, Equivocation, Message, Signed, decode
from keeper.economy.orders import LeaseStatus
from tests.keeper.compute.leases import START, lease, order
from tests.keeper.compute.messages import BODIES, DEVICE, MS, NETWORK, OPERATOR, ORDER, WORKER

RENTER, HEAD, WAITS, STRANGER = (Keypair.from_seed(bytes([each]) * 32) for each in range(1, 5))
PARTIES = Parties(
    RENTER.pubkey(),
    {WORKER.pubkey(): 7, HEAD.pubkey(): 3, WAITS.pubkey(): 9},
    {WORKER.pubkey(): DEVICE, HEAD.pubkey(): OPERATOR},
    HEAD.pubkey(),
)
KEY, TICKET, JOINED, BEAT, VIEW, COMPLAINT, BYE, PROBED = BODIES
ROOT = Path(__file__).parents[3]


def opened(path: Path | str = ":memory:", found: Parties | None = PARTIES) -> Board:
    return Board(path, NETWORK, OPERATOR, lambda at: found if at == ORDER else None)


@pytest.fixture
def board() -> Board:
    return opened()


def made(body: Body, by: Keypair = WORKER, seq: int = 1, ms: int = MS, of: Pubkey = ORDER) -> Signed:
    return Message(NETWORK, of, by.pubkey(), 42, seq, ms, body).sign(by)


def post(board: Board, signed: Signed, address: str = "192.0.2.1", now: int = MS, monotonic: float = 0.0):
    return board.post(signed.encode(), address, now, monotonic)


def refused(why: Why):
    return pytest.raises(WireError, check=lambda error: error.why is why)


def beat(board: Board, **changed) -> Body:
    return replace(BEAT, nonce=board.nonce(ORDER, WORKER.pubkey()), **changed)


def test_what_was_taken_is_given_in_its_order_and_after_a_restart(tmp_path: Path) -> None:
    board = opened(tmp_path / "board.db")
    sent = [made(KEY), made(JOINED), made(BYE), made(replace(KEY, number=0), RENTER)]
    numbers = [post(board, each).number for each in sent]
    assert numbers == [1, 2, 3, 4]
    board.close()
    again = opened(tmp_path / "board.db")
    assert again.after(ORDER) == [(n, each.encode()) for n, each in zip(numbers, sent, strict=True)]
    assert again.after(ORDER, 3) == [(4, sent[3].encode())] and again.after(DEVICE) == []
    assert post(again, sent[1]).number == 2 and len(again.after(ORDER)) == 4


MAY = {
    Kind.KEY: {"renter", "worker", "head", "waits"},
    Kind.TICKET: {"head"},
    Kind.JOINED: {"worker", "head"},
    Kind.BEAT: {"worker", "head"},
    Kind.VIEW: {"renter", "head"},
    Kind.COMPLAINT: {"renter"},
    Kind.BYE: {"worker", "head"},
    Kind.PROBED: {"worker", "head"},
}
PEOPLE = {"renter": RENTER, "worker": WORKER, "head": HEAD, "waits": WAITS, "stranger": STRANGER}


@pytest.mark.parametrize("body", BODIES, ids=lambda each: each.KIND.name)
@pytest.mark.parametrize("name", PEOPLE)
def test_who_may_say_what(board: Board, body: Body, name: str) -> None:
    by = PEOPLE[name]
    if body.KIND in (Kind.KEY, Kind.BEAT, Kind.PROBED):
        body = replace(body, number=PARTIES.hired.get(by.pubkey(), 0))
    if body.KIND is Kind.BEAT and by.pubkey() in PARTIES.running:
        body = replace(body, nonce=board.nonce(ORDER, by.pubkey()))
    if name in MAY[body.KIND]:
        post(board, made(body, by))
    else:
        with refused(Why.NOT_A_PARTY):
            post(board, made(body, by))
        assert board.after(ORDER) == []


def test_a_key_or_beat_of_another_lease_and_a_complaint_of_no_member_are_refused(board: Board) -> None:
    wrong = [
        made(replace(KEY, number=8)),
        made(beat(board, number=8)),
        made(replace(COMPLAINT, device=RENTER.pubkey()), RENTER),
    ]
    for each in wrong:
        with refused(Why.NOT_A_PARTY):
            post(board, each)


def test_an_order_that_is_not_there_a_forgery_and_another_clock_are_refused(board: Board) -> None:
    with refused(Why.WRONG_ORDER):
        post(board, made(KEY, of=DEVICE))
    with refused(Why.BAD_SIGNATURE):
        post(board, replace(made(KEY), signature=made(BYE).signature))
    for off in (-CLOCK_MS - 1, CLOCK_MS + 1):
        with refused(Why.WRONG_CLOCK):
            post(board, made(KEY), now=MS + off)
    with refused(Why.TOO_LONG):
        board.post(bytes(4_097), "192.0.2.1", MS, 0)
    assert board.after(ORDER) == []


def test_the_first_key_of_a_lease_counts(board: Board) -> None:
    post(board, made(KEY))
    with refused(Why.KEY_TAKEN):
        post(board, made(replace(KEY, public=bytes(32)), seq=2))
    assert len(board.after(ORDER)) == 1


def test_a_renter_who_lost_a_key_posts_the_next(board: Board) -> None:
    for number in (0, 1):
        post(board, made(replace(KEY, number=number), RENTER, seq=number))
    with refused(Why.KEY_TAKEN):
        post(board, made(replace(KEY, number=1), RENTER, seq=2))
    assert len(board.after(ORDER)) == 2


def test_numbers_rise_within_a_kind(board: Board) -> None:
    post(board, made(JOINED, seq=5))
    post(board, made(BYE, seq=1))
    with refused(Why.OLD_SEQ):
        post(board, made(JOINED, seq=4))
    post(board, made(JOINED, seq=2**64 - 1))


def test_two_things_under_one_number_are_kept_as_proof_and_the_first_stays(board: Board) -> None:
    first = made(JOINED)
    post(board, first)
    with refused(Why.EQUIVOCATION):
        post(board, made(replace(JOINED, cpus=99)))
    assert board.after(ORDER) == [(1, first.encode())]
    (proof,) = board.proofs(ORDER)
    assert Equivocation.decode(proof, NETWORK).first.message.sender == WORKER.pubkey()
    with refused(Why.EQUIVOCATION):
        post(board, made(replace(JOINED, cpus=97)))
    forged = replace(made(replace(JOINED, cpus=98)), signature=first.signature)
    with refused(Why.BAD_SIGNATURE):
        post(board, forged)
    assert board.proofs(ORDER) == [proof]


def test_a_beat_repeats_what_was_asked_last_and_the_last_one_is_kept(board: Board) -> None:
    with refused(Why.WRONG_NONCE):
        post(board, made(BEAT))
    one = made(beat(board))
    asked = post(board, one)
    assert len(asked.nonce) == 16 and asked.nonce == board.nonce(ORDER, WORKER.pubkey())
    assert post(board, one) == asked  # Its answer was lost.
    with refused(Why.WRONG_NONCE):
        post(board, made(replace(BEAT, nonce=one.message.body.nonce), seq=2))
    with refused(Why.WRONG_NONCE):
        post(board, made(beat(board, operator=DEVICE), seq=2))
    two = made(beat(board), seq=2)
    post(board, two)
    with refused(Why.OLD_SEQ):
        post(board, made(beat(board), seq=1))
    assert board.beats(ORDER) == [two.encode()] and board.after(ORDER) == []
    assert decode(two.encode(), NETWORK).message.seq == 2


def test_who_does_not_serve_is_asked_for_nothing(board: Board) -> None:
    for who, of in ((WAITS, ORDER), (RENTER, ORDER), (WORKER, DEVICE)):
        with refused(Why.NOT_A_PARTY):
            board.nonce(of, who.pubkey())


def test_200_messages_an_hour_of_a_sender_and_nobody_else_can_use_them_up(board: Board) -> None:
    forged = made(BYE).signature
    for seq in range(1, 300):
        with refused(Why.BAD_SIGNATURE):
            post(board, replace(made(JOINED, seq=seq), signature=forged), address="192.0.2.9")
    for seq in range(1, 201):
        post(board, made(JOINED, seq=seq))
    with refused(Why.TOO_MANY):
        post(board, made(JOINED, seq=201))
    post(board, made(JOINED, HEAD))
    post(board, made(JOINED, seq=201), monotonic=18.1)
    with refused(Why.TOO_MANY):
        post(board, made(JOINED, seq=202), monotonic=18.1)


def test_an_address_has_600_tries_at_once_and_another_one_its_own(board: Board) -> None:
    for _ in range(600):
        with refused(Why.MALFORMED):
            board.post(b"", "2001:db8::1", MS, 0)
    for address in ("2001:db8::1", "2001:db8::2"):  # One network of one owner.
        with refused(Why.TOO_MANY):
            post(board, made(KEY), address)
    post(board, made(KEY), "2001:db8:0:1::1")


def test_strangers_share_a_budget_that_costs_a_known_member_nothing_also_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "STRANGERS", Rate(3, 1e-9))
    board, forged = opened(tmp_path / "board.db"), made(BYE).signature

    def flooded(board: Board) -> None:
        for number in range(10):
            with pytest.raises(WireError):
                post(board, replace(made(JOINED, seq=9), signature=forged), address=f"192.0.2.{number + 9}")
        with refused(Why.TOO_MANY):
            post(board, made(JOINED, HEAD))

    post(board, made(KEY), "2001:db8::1")
    flooded(board)
    post(board, made(JOINED), "2001:db8::2")
    with refused(Why.TOO_MANY):  # Where it isn't known it is a stranger.
        post(board, made(JOINED, seq=2), "192.0.2.1")
    board.close()
    again = opened(tmp_path / "board.db")
    flooded(again)
    post(again, made(JOINED, seq=2), "2001:db8::3")
    again.forget(ORDER)
    with refused(Why.TOO_MANY):
        post(again, made(JOINED, seq=3), "2001:db8::3")


def test_a_board_that_is_full_keeps_room_for_orders_that_run_and_always_takes_beats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(made(VIEW, RENTER).encode())
    monkeypatch.setattr(admission, "ROOM", 3 * size)
    waiting = replace(PARTIES, running={})
    board = opened(tmp_path / "board.db", waiting)
    for seq in range(1, 4):
        post(board, made(VIEW, RENTER, seq=seq))
    assert board.room.total == 3 * size
    with refused(Why.TOO_MANY):
        post(board, made(VIEW, RENTER, seq=4))
    board.close()
    runs = opened(tmp_path / "board.db")
    for seq in range(4, 7):
        post(runs, made(VIEW, RENTER, seq=seq))
    with refused(Why.TOO_MANY):
        post(runs, made(VIEW, RENTER, seq=7))
    post(runs, made(beat(runs)))
    assert [len(found) for _, found in runs.after(ORDER)] == [size] * 6
    runs.forget(ORDER)
    assert runs.room.total == 0
    post(runs, made(VIEW, RENTER, seq=7))


def test_pages(board: Board) -> None:
    for seq in range(1, 51):
        post(board, made(JOINED, seq=seq))
        post(board, made(BYE, seq=seq))
    first = board.after(ORDER)
    assert len(first) == 64 and len(board.after(ORDER, first[-1][0])) == 36


def test_a_page_ends_with_the_message_that_fills_it(board: Board) -> None:
    long = replace(VIEW, seen=VIEW.seen[:1] * 80)
    for seq in range(1, 31):
        post(board, made(long, RENTER, seq=seq))
    sizes = [len(data) for _, data in board.after(ORDER)]
    assert sum(sizes[:-1]) < PAGE_BYTES <= sum(sizes) and len(board.after(ORDER, len(sizes))) == 11


def test_of_a_kind_the_newest_are_kept_and_numbers_rise_as_before(board: Board) -> None:
    sent = [made(JOINED, seq=seq) for seq in range(1, KEPT + 11)]
    post(board, made(KEY))
    for each in sent:
        post(board, each)
    everything = board.after(ORDER) + board.after(ORDER, board.after(ORDER)[-1][0])
    assert [data for _, data in everything] == [made(KEY).encode(), *(each.encode() for each in sent[-KEPT:])]
    with refused(Why.OLD_SEQ):
        post(board, sent[0])


def test_a_proof_that_others_found_is_kept_if_it_is_about_a_party(board: Board) -> None:
    def proof(by: Keypair, of: Pubkey = ORDER) -> bytes:
        found = Equivocation.of(made(JOINED, by, of=of), made(replace(JOINED, cpus=99), by, of=of))
        assert found is not None
        return found.encode()

    board.accuse(proof(WAITS), "192.0.2.1", 0)
    board.accuse(proof(WORKER), "192.0.2.1", 0)
    assert sorted(board.proofs(ORDER)) == sorted([proof(WAITS), proof(WORKER)])
    for data, why in (
        (proof(STRANGER), Why.NOT_A_PARTY),
        (proof(WORKER, DEVICE), Why.WRONG_ORDER),
        (proof(WORKER)[:-1], Why.MALFORMED),
    ):
        with refused(why):
            board.accuse(data, "192.0.2.1", 0)
    assert len(board.proofs(ORDER)) == 2


def test_when_a_worker_was_heard_outlives_the_process(tmp_path: Path) -> None:
    board = opened(tmp_path / "board.db")
    assert board.heard() == {} and board.orders() == set()
    sent = made(beat(board))
    post(board, sent)
    at = {(ORDER, WORKER.pubkey()): Heard(MS, 7, sent.encode())}
    assert board.heard() == at and board.orders() == {ORDER}
    board.close()
    again = opened(tmp_path / "board.db")
    assert again.heard() == at
    again.forget(ORDER)
    assert again.heard() == {} and again.orders() == set()


def test_an_order_is_forgotten_as_a_whole(board: Board) -> None:
    post(board, made(JOINED))
    post(board, made(beat(board)))
    with refused(Why.EQUIVOCATION):
        post(board, made(replace(JOINED, cpus=99)))
    board.forget(ORDER)
    assert (board.after(ORDER), board.beats(ORDER), board.proofs(ORDER)) == ([], [], [])
    assert post(board, made(JOINED)).number == 2  # No number is ever used again: who reads on misses nothing.


def test_a_disk_that_does_not_serve_is_said(tmp_path: Path) -> None:
    with pytest.raises(BoardUnusable, match="see to its disk"):
        opened(tmp_path / "missing" / "board.db")


def test_who_may_speak_by_the_chain() -> None:
    of = order()
    runs = lease(of, "runs", number=7)
    waits = lease(of, "waits", status=LeaseStatus.MATCHED, start=0, stop=0, number=2)
    ended = lease(of, "ended", status=LeaseStatus.ENDED)
    other = replace(lease(of, "other"), order=DEVICE)
    found = parties(of, [runs, waits, ended, other], START + 60)
    assert found.renter == of.renter and found.head == runs.worker
    assert found.hired == {runs.worker: 7, waits.worker: 2} and found.running == {runs.worker: runs.device}
    assert parties(of, [], START).head is None


POSTING = """
import sys
from tests.keeper.compute.test_board import JOINED, made, opened, post
board = opened(sys.argv[1])
for seq in range(1, 1_000):
    print(post(board, made(JOINED, seq=seq), monotonic=18.0 * seq).number, flush=True)
"""


def test_a_killed_board_has_all_that_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "board.db"
    process = subprocess.Popen(
        [sys.executable, "-c", POSTING, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(40)]
    process.kill()
    told += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    process.wait()
    process.stdout.close()
    again = opened(path)
    kept = [number for number, _ in again.after(ORDER)]
    # The newest of its kind are kept, all that were told among them; one more may be there that wasn't told.
    assert told == list(range(1, len(told) + 1)) and kept[-1] - told[-1] in (0, 1)
    assert kept == list(range(max(1, kept[-1] - KEPT + 1), kept[-1] + 1))
