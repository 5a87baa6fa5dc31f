"""A cluster's messages: what is signed to the byte, and all that isn't taken."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import replace

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from nacl.public import PrivateKey
from solders.keypair import Keypair
from solders.message import Message as LegacyMessage
from solders.message import from_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.compute import bodies, wire
from keeper.compute.bodies import Bye, Key, Leaving, Sealed, Tickets
from keeper.compute.refusals import Why, WireError
from keeper.compute.seal import Ticket, seal, unseal
from keeper.compute.wire import CLOCK_MS, HEADER, MAX_MESSAGE, Equivocation, decode, require_fresh
from tests.keeper.compute import independent
from tests.keeper.compute.messages import BODIES, DEVICE, MS, NETWORK, ORDER, WORKER, message, signed

GOLDEN = json.loads(independent.VECTORS.read_text())
PRIVATE = PrivateKey(bytes(range(32)))
TICKET = Ticket(bytes(32), ipaddress.IPv4Address("10.1.2.3"), 6379, 8265, 42, bytes(32), bytes(range(32)))


def refused(why: Why):
    return pytest.raises(WireError, check=lambda error: error.why is why)


def test_the_vectors_are_those_of_the_second_reading() -> None:
    assert independent.vectors() == GOLDEN


@pytest.mark.parametrize("body", BODIES, ids=lambda each: each.KIND.name)
def test_every_kind_is_what_the_vectors_say_and_comes_back(body: bodies.Body) -> None:
    made = signed(body)
    data = made.encode()
    assert data.hex() == GOLDEN["messages"][str(int(body.KIND))]
    back = decode(data, NETWORK, ORDER)
    back.verify()
    assert back == made


def test_the_vectors_have_every_kind() -> None:
    assert {each.KIND for each in BODIES} == set(bodies.Kind) == {int(each) for each in GOLDEN["messages"]}


@drawn(st.sampled_from(BODIES), st.data())
def test_no_flipped_bit_is_taken(body: bodies.Body, data: st.DataObject) -> None:
    whole = bytearray(signed(body).encode())
    at = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[at // 8] ^= 1 << at % 8
    with pytest.raises(WireError):
        decode(bytes(whole), NETWORK, ORDER).verify()


@drawn(st.sampled_from(BODIES), st.data())
def test_no_piece_and_no_more_is_taken(body: bodies.Body, data: st.DataObject) -> None:
    whole = signed(body).encode()
    cut = data.draw(st.integers(0, len(whole) - 1))
    for wrong in (whole[:cut], whole + bytes(1)):
        with refused(Why.MALFORMED):
            decode(wrong, NETWORK, ORDER)


@drawn(st.binary(max_size=5_000))
def test_noise_is_refused_by_name(noise: bytes) -> None:
    with pytest.raises(WireError):
        decode(noise, NETWORK)


def test_another_chain_program_or_order_is_refused() -> None:
    data = signed(Bye(Leaving.STOPPED)).encode()
    with refused(Why.WRONG_NETWORK):
        decode(data, replace(NETWORK, genesis=bytes(32)), ORDER)
    with refused(Why.WRONG_NETWORK):
        decode(data, replace(NETWORK, program=DEVICE), ORDER)
    with refused(Why.WRONG_ORDER):
        decode(data, NETWORK, DEVICE)
    assert decode(data, NETWORK).message.order == ORDER


def test_who_did_not_sign_is_no_sender() -> None:
    other = Keypair.from_seed(bytes(32))
    with refused(Why.BAD_SIGNATURE):
        message(BODIES[0]).sign(other)
    forged = replace(signed(BODIES[0]), signature=other.sign_message(message(BODIES[0]).pack()))
    with refused(Why.BAD_SIGNATURE):
        decode(forged.encode(), NETWORK, ORDER).verify()


@pytest.mark.parametrize("off", [-CLOCK_MS, 0, CLOCK_MS])
def test_a_clock_within_30_seconds_is_taken(off: int) -> None:
    require_fresh(message(BODIES[0]), MS + off)


@pytest.mark.parametrize(("off", "said"), [(-CLOCK_MS - 1, "ahead of"), (CLOCK_MS + 1, "behind")])
def test_another_clock_is_refused_and_says_which_way(off: int, said: str) -> None:
    with pytest.raises(WireError, match=f"30.0 s {said} ours") as caught:
        require_fresh(message(BODIES[0]), MS + off)
    assert caught.value.why is Why.WRONG_CLOCK


def test_the_fullest_messages_fit() -> None:
    tickets = Tickets(bytes(32), (Sealed(DEVICE, bytes(bodies.SEALED)),) * bodies.MAX_TICKETS)
    view = bodies.View((bodies.Seen(DEVICE, True, 2**64 - 1),) * bodies.MAX_ROWS)
    key = replace(BODIES[0], endpoints=BODIES[0].endpoints * bodies.MAX_ENDPOINTS)
    lengths = [len(signed(each).encode()) for each in (tickets, view, key)]
    assert lengths == [4_025, 3_513, 381]
    assert max(lengths) <= MAX_MESSAGE == 4_096
    with refused(Why.TOO_LONG):
        decode(bytes(MAX_MESSAGE + 1), NETWORK)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(BODIES[0], public=bytes(31)),
        replace(BODIES[0], number=-1),
        replace(BODIES[0], number=2**64),
        replace(BODIES[0], endpoints=BODIES[0].endpoints * 5),
        replace(BODIES[0], runtime="runtime"),
        Tickets(bytes(32), (Sealed(DEVICE, bytes(1)),)),
        bodies.View((bodies.Seen(DEVICE, True, 0),) * 81),
    ],
)
def test_what_does_not_fit_is_not_signed(wrong: bodies.Body) -> None:
    with refused(Why.MALFORMED):
        message(wrong).pack()


@pytest.mark.parametrize("changed", [{"epoch": 2**32}, {"seq": -1}, {"ms": 2**64}])
def test_numbers_of_the_header_that_do_not_fit_are_not_signed(changed: dict[str, int]) -> None:
    with refused(Why.MALFORMED):
        message(BODIES[0], **changed).pack()


@pytest.mark.parametrize("value", [0, 4, 255])
def test_a_reason_that_is_none_is_refused(value: int) -> None:
    with refused(Why.MALFORMED):
        Bye.decode(bytes([value]))


def test_too_many_rows_are_refused_by_who_reads() -> None:
    row = bytes(independent.DEVICE) + b"\x01" + bytes(8)
    with refused(Why.MALFORMED):
        bodies.View.decode(bytes([81]) + row * 81)
    with refused(Why.MALFORMED):  # Alive is a 0 or a 1: there is one way to write it.
        bodies.View.decode(b"\x01" + bytes(independent.DEVICE) + b"\x02" + bytes(8))


@pytest.mark.parametrize("body", BODIES, ids=lambda each: each.KIND.name)
def test_what_is_signed_is_no_transaction(body: bodies.Body) -> None:
    data = message(body).pack()
    assert data[0] == 0xFF and not data.startswith(b"\xffsolana offchain")
    for read in (from_bytes_versioned, LegacyMessage.from_bytes, VersionedTransaction.from_bytes):
        with pytest.raises(ValueError):
            read(data)


# -- saying two things -----------------------------------------------------------------------------


def test_two_messages_for_one_slot_are_proof_whoever_finds_them() -> None:
    one, other = signed(BODIES[0]), signed(replace(BODIES[0], public=bytes(32)))
    found = Equivocation.of(one, other)
    assert found is not None and found == Equivocation.of(other, one)
    assert Equivocation.decode(found.encode(), NETWORK) == found
    assert len(found.hash()) == 32


def test_the_same_twice_another_number_or_kind_is_no_proof() -> None:
    one = signed(BODIES[0])
    assert Equivocation.of(one, one) is None
    assert Equivocation.of(one, signed(BODIES[0], seq=99)) is None
    assert Equivocation.of(one, signed(BODIES[6], seq=one.message.seq)) is None


def test_beats_to_two_operators_are_no_proof() -> None:
    to_one, to_other = signed(BODIES[3]), signed(replace(BODIES[3], operator=DEVICE))
    assert Equivocation.of(to_one, to_other) is None
    assert Equivocation.of(to_one, signed(replace(BODIES[3], uptime=1))) is not None


def test_a_forged_second_message_is_no_proof() -> None:
    one, other = signed(BODIES[0]), signed(replace(BODIES[0], public=bytes(32)))
    assert Equivocation.of(one, replace(other, signature=one.signature)) is None


def test_what_proves_nothing_is_not_read_as_proof() -> None:
    one, other = signed(BODIES[0]), signed(replace(BODIES[0], public=bytes(32)))
    found = Equivocation.of(one, other)
    assert found is not None
    swapped = Equivocation(found.second, found.first).encode()
    for wrong in (swapped, Equivocation(one, one).encode()):
        with refused(Why.EQUIVOCATION):
            Equivocation.decode(wrong, NETWORK)
    for wrong in (b"", b"\xff", found.encode()[:-1]):
        with pytest.raises(WireError):
            Equivocation.decode(wrong, NETWORK)


# -- what only one member reads --------------------------------------------------------------------


def test_a_ticket_is_read_by_its_member_alone() -> None:
    box = seal(TICKET, bytes(PRIVATE.public_key))
    assert len(box) == bodies.SEALED
    assert unseal(box, PRIVATE) == TICKET
    with refused(Why.NOT_SEALED_FOR_US):
        unseal(box, PrivateKey(bytes(32)))
    assert TICKET.members not in box


@drawn(st.integers(0, 8 * bodies.SEALED - 1))
def test_a_changed_box_is_not_opened(at: int) -> None:
    box = bytearray(seal(TICKET, bytes(PRIVATE.public_key)))
    box[at // 8] ^= 1 << at % 8
    with refused(Why.NOT_SEALED_FOR_US):
        unseal(bytes(box), PRIVATE)


@pytest.mark.parametrize("public", [bytes(32), b"\x01" + bytes(31), bytes(31), bytes(33)])
def test_nothing_is_sealed_to_a_key_that_opens_for_everybody(public: bytes) -> None:
    with refused(Why.MALFORMED):
        seal(TICKET, public)


@pytest.mark.parametrize("box", [b"", bytes(10), bytes(bodies.SEALED)])
def test_what_is_no_box_is_not_opened(box: bytes) -> None:
    with refused(Why.NOT_SEALED_FOR_US):
        unseal(box, PRIVATE)


def test_sizes() -> None:
    assert (HEADER.size, wire.SIGNATURE) == (168, 64)
    assert isinstance(BODIES[0], Key) and WORKER.pubkey() != Pubkey.default()
