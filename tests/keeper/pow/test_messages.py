"""Messages: exact bytes, signatures that hold for one of them alone, and hostile bytes."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.message import from_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import SanitizeError, VersionedTransaction

from keeper.pow.clock import WaveKind
from keeper.pow.connectivity import Direction
from keeper.pow.hashing import PREFIX, tagged
from keeper.pow.messages import (
    SIGNED,
    Commit,
    Message,
    MessageError,
    Opening,
    Pong,
    Receipt,
    Signed,
    TransferRequest,
    decode,
    size,
)

WORKER, OTHER = (Keypair.from_seed(bytes([number]) * 32) for number in (1, 2))
SEED, DEVICE, ROOT = b"\x0a" * 32, Pubkey(b"\x0b" * 32), b"\x0c" * 32
COMMIT = Commit(SEED, DEVICE, WaveKind.RESIDENCY, 8, 515, 7_654_321, ROOT)
MESSAGES: list[Message] = [
    COMMIT,
    Receipt(OTHER.pubkey(), COMMIT.hash(), 8_123),
    Pong(SEED, DEVICE),
    TransferRequest(OTHER.pubkey(), SEED, DEVICE, Direction.UP),
]

hashes = st.binary(min_size=32, max_size=32)
addresses = hashes.map(Pubkey)
u32 = st.integers(0, 2**32 - 1)
messages = st.one_of(
    st.builds(
        Commit,
        hashes,
        addresses,
        st.sampled_from(WaveKind),
        st.integers(1, 255),
        st.integers(0, 65_535),
        u32,
        hashes,
    ),
    st.builds(Receipt, addresses, hashes, u32),
    st.builds(Pong, hashes, addresses),
    st.builds(TransferRequest, addresses, hashes, addresses, st.sampled_from(Direction)),
)


def test_bodies_byte_by_byte() -> None:
    """Little-endian, in the order of the specification, without padding."""
    numbers = bytes.fromhex("01 08 0302 b1cb7400")
    assert COMMIT.body() == SEED + bytes(DEVICE) + numbers + ROOT
    assert COMMIT.hash() == sha256(COMMIT.body()).digest()
    assert MESSAGES[1].body() == bytes(OTHER.pubkey()) + COMMIT.hash() + bytes.fromhex("bb1f0000")
    assert MESSAGES[2].body() == SEED + bytes(DEVICE)
    assert MESSAGES[3].body() == bytes(OTHER.pubkey()) + SEED + bytes(DEVICE) + b"\1"
    assert [size(kind) for kind in SIGNED] == [168, 132, 128, 161]
    assert {type(each) for each in MESSAGES} == set(SIGNED)


def test_what_is_signed() -> None:
    assert COMMIT.signed_bytes() == b"\x12ionet/pow/1/commit" + COMMIT.body()
    signed = COMMIT.sign(WORKER)
    assert signed.encode() == COMMIT.body() + bytes(WORKER.sign_message(COMMIT.signed_bytes()))
    assert signed.is_by(WORKER.pubkey())
    assert not signed.is_by(OTHER.pubkey())
    assert not signed.is_by(Pubkey(b"\xff" * 32))  # no point of the curve


@given(messages)
def test_round_trip(message: Message) -> None:
    signed = message.sign(WORKER)
    again = decode(type(message), signed.encode())
    assert again == signed
    assert again.is_by(WORKER.pubkey())


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: each.NAME)
def test_any_bit_breaks_the_signature(message: Message) -> None:
    data = message.sign(WORKER).encode()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << (at % 8)
        with suppress(MessageError):
            assert not decode(type(message), bytes(changed)).is_by(WORKER.pubkey())


def test_a_signature_is_of_one_kind_of_message_alone() -> None:
    """A ping's body is any 64 bytes, so a commit's could begin with one: the names keep them apart."""
    signatures = {kind: WORKER.sign_message(tagged(kind.NAME) + b"x" * 64) for kind in SIGNED}
    assert len(set(signatures.values())) == len(SIGNED)
    pong = Pong(b"x" * 32, Pubkey(b"x" * 32))
    right = [kind for kind, each in signatures.items() if Signed(pong, each).is_by(WORKER.pubkey())]
    assert right == [Pong]


@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, b"\x01" + bytes(63)])
def test_signatures_that_are_none(signature: bytes) -> None:
    """Of keys of small order, too, for which a lax verifier takes zeros for any message."""
    for key in (WORKER.pubkey(), Pubkey(bytes(32)), Pubkey(b"\x01" + bytes(31))):
        assert not Signed(COMMIT, Signature.from_bytes(signature)).is_by(key)


@given(st.sampled_from(SIGNED), st.binary(max_size=200))
def test_hostile_bytes(kind: type[Message], data: bytes) -> None:
    try:
        found = decode(kind, data)
    except MessageError:
        return
    assert found.encode() == data
    assert not found.is_by(WORKER.pubkey())


@given(st.sampled_from(SIGNED), st.data())
def test_hostile_bytes_of_the_right_length(kind: type[Message], data: st.DataObject) -> None:
    raw = data.draw(st.binary(min_size=size(kind), max_size=size(kind)))
    try:
        assert decode(kind, raw).encode() == raw
    except MessageError as refusal:
        commit = kind is Commit and (raw[64] > 1 or raw[65] == 0)
        assert commit or (kind is TransferRequest and raw[96] > 1), refusal


def test_bad_commits_say_why() -> None:
    data = COMMIT.sign(WORKER).encode()
    with pytest.raises(MessageError, match="a commit has 168 bytes, not 167"):
        decode(Commit, data[:-1])
    with pytest.raises(MessageError, match="work of kind 2"):
        decode(Commit, data[:64] + b"\x02" + data[65:])
    with pytest.raises(MessageError, match="without processors"):
        decode(Commit, data[:65] + b"\x00" + data[66:])


def test_openings() -> None:
    opening = Opening(SEED, DEVICE, ROOT, b"blob")
    assert opening.encode() == SEED + bytes(DEVICE) + ROOT + b"blob"
    assert Opening.decode(opening.encode()) == opening
    for length in (0, 95, 96):
        with pytest.raises(MessageError, match="more than 96 bytes"):
            Opening.decode(bytes(length))


@pytest.mark.parametrize("kind", SIGNED, ids=lambda each: each.NAME)
def test_nothing_that_is_signed_is_a_transaction(kind: type[Message]) -> None:
    """Whatever body somebody has signed: its header contradicts itself, which every runtime looks for."""
    tag = tagged(kind.NAME)
    assert tag[0] == len(PREFIX + kind.NAME.encode()) < 0x80  # a version would begin there
    assert tag[1] >= tag[0]  # read-only signers; the runtime wants fewer of them than signers
    keys = b"".join(bytes([number]) * 32 for number in range(1, tag[3] + 1))
    parsed = [
        from_bytes_versioned(head + keys + bytes(32 + 1)) for head in (tag[:4], bytes([2, 1, 0]) + tag[3:4])
    ]
    for message, is_sane in zip(parsed, (False, True), strict=True):
        signatures = [Signature.default()] * message.header.num_required_signatures
        transaction = VersionedTransaction.populate(message, signatures)
        if is_sane:
            transaction.sanitize()
        else:
            with pytest.raises(SanitizeError):
                transaction.sanitize()
