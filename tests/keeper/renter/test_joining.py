"""What counts of what is said in an order: nobody else's ticket, key or name makes a renter's network."""

from __future__ import annotations

from nacl.public import PrivateKey
from solders.pubkey import Pubkey

from keeper.compute.bodies import EGRESS, Body, Key, Sealed, Tickets
from keeper.compute.members import Members, members
from keeper.compute.seal import Ticket, seal
from keeper.compute.wire import Message
from keeper.renter import joining
from tests.keeper.compute.leases import START, key, lease, order
from tests.keeper.compute.messages import NETWORK

ORDER = order()
RENTER, MINE = key("renter"), PrivateKey(bytes([1]) * 32)
PUBLIC = bytes(MINE.public_key)
FOUND = members(ORDER, [lease(ORDER, "a"), lease(ORDER, "b", start=START + 1)], START + 10)
HEAD, NODE = FOUND.nodes


def said(body: Body, by: Pubkey, ms: int = 1, epoch: int = FOUND.epoch) -> Message:
    return Message(NETWORK, ORDER.address, by, epoch, ms, ms, body)


def tickets(found: Members = FOUND, to: bytes = PUBLIC, token: int = 7, **changed: object) -> Tickets:
    fields = {"epoch": found.epoch, "members": found.hash(), "head": HEAD.address, **changed}
    made = Ticket(bytes([token]) * 32, gcs_port=6_379, jobs_port=8_265, runtime=bytes(32), **fields)
    return Tickets(found.hash(), (Sealed(NODE.worker, bytes(156)), Sealed(RENTER, seal(made, to))))


def token(*messages: Message) -> int | None:
    found = joining.ticket(FOUND, messages, RENTER, MINE)
    return found.token[0] if found else None


def test_the_newest_of_the_heads_tickets_holds() -> None:
    one, other = said(tickets(), HEAD.worker), said(tickets(token=8), HEAD.worker, ms=2)
    assert token(one, other) == token(other, one) == 8
    # A newest one that we can't open, as it is sealed to a key that was lost, makes the last one no worse.
    lost = said(tickets(to=bytes(PrivateKey.generate().public_key)), HEAD.worker, ms=3)
    assert token(one, other, lost) == 8


def test_a_ticket_of_somebody_else_or_for_another_list_is_none() -> None:
    smaller = members(ORDER, [lease(ORDER, "a")], START + 10)
    for wrong in (
        said(tickets(), NODE.worker),
        said(tickets(), HEAD.worker, epoch=FOUND.epoch + 1),
        said(tickets(epoch=FOUND.epoch + 1), HEAD.worker),
        said(tickets(smaller), HEAD.worker),
        said(tickets(head=NODE.address), HEAD.worker),
        said(tickets(to=bytes(PrivateKey.generate().public_key)), HEAD.worker),
        said(Tickets(FOUND.hash(), (Sealed(RENTER, bytes(156)),)), HEAD.worker),
    ):
        assert token(wrong) is None, wrong
    assert joining.ticket(members(ORDER, [], START), [said(tickets(), HEAD.worker)], RENTER, MINE) is None


def to_post(*messages: Message, public: bytes = PUBLIC, egress: bool | None = None) -> Key | None:
    return joining.key_to_post(joining.key_of(messages, RENTER), public, bytes(32), egress)


def test_a_key_is_posted_once_and_again_when_it_is_another() -> None:
    first = to_post()
    assert first is not None and (first.public, first.number) == (PUBLIC, 0)
    there = said(first, RENTER)
    assert to_post(there) is None
    second = to_post(there, public=bytes([2]) * 32)
    assert second is not None and second.number == 1
    # Somebody else's KEY says nothing of ours; of ours the highest number counts, whenever it was said.
    later = said(Key(PUBLIC, 9, bytes(32), (), 0), NODE.worker)
    assert to_post(later) == first
    assert to_post(said(second, RENTER, ms=1), there).number == 2


def test_a_copy_of_the_renters_key_is_seen_where_it_shuts_out() -> None:
    theirs = Key(bytes([9]) * 32, NODE.number, bytes(32), (), 0)
    copy = Key(PUBLIC, NODE.number, bytes(32), (), 0)
    honest, thief = said(theirs, NODE.worker), said(copy, NODE.worker, ms=2)
    assert joining.is_copied(FOUND, [thief], PUBLIC)
    # By a lease's KEY that counts, the first: neither a later one, nor a stranger's, nor our own.
    assert not joining.is_copied(FOUND, [thief, honest], PUBLIC)
    elsewhere = Key(PUBLIC, NODE.number + 1, bytes(32), (), 0)
    for other in (said(copy, key("stranger")), said(elsewhere, NODE.worker), said(copy, RENTER)):
        assert not joining.is_copied(FOUND, [other], PUBLIC)


def test_a_way_out_is_asked_for_by_the_next_key_and_stays_so() -> None:
    first = to_post(egress=True)
    assert (first.number, first.capabilities) == (0, EGRESS)
    there = said(first, RENTER)
    assert to_post(there) is None and to_post(there, egress=True) is None
    # Who lost its own key asks for what it asked for before; nobody else's KEY says anything.
    other = said(Key(PUBLIC, 9, bytes(32), (), 0), NODE.worker)
    assert to_post(there, other, public=bytes([2]) * 32).capabilities == EGRESS
    none = to_post(there, egress=False)
    assert (none.public, none.number, none.capabilities) == (PUBLIC, 1, 0)
    assert to_post(there, said(none, RENTER)) is None
    assert to_post(egress=None).capabilities == to_post(egress=False).capabilities == 0


def keys(*messages: Message) -> dict[Pubkey, bytes]:
    found = joining.peers(FOUND, messages, PUBLIC)
    addresses = {each.worker: each.address for each in FOUND.nodes}
    assert all(other.address == addresses[worker] for worker, other in found.items())
    return {worker: other.public for worker, other in found.items()}


def test_a_member_has_the_first_key_of_its_own_lease_that_nobody_else_has() -> None:
    def of(node, public: int, ms: int = 1, number: int | None = None) -> Message:
        fields = bytes([public]) * 32, node.number if number is None else number, bytes(32), (), 0
        return said(Key(*fields), node.worker, ms)

    assert keys(of(HEAD, 5), of(NODE, 6, ms=9)) == {
        HEAD.worker: bytes([5]) * 32,
        NODE.worker: bytes([6]) * 32,
    }
    assert keys(of(NODE, 7, ms=4), of(NODE, 6, ms=3)) == {NODE.worker: bytes([6]) * 32}
    assert keys(of(NODE, 7, number=NODE.number + 1)) == {}
    assert keys(of(HEAD, 5), of(NODE, 5)) == {HEAD.worker: bytes([5]) * 32}
    own = said(Key(PUBLIC, NODE.number, bytes(32), (), 0), NODE.worker)
    assert keys(own) == {}
    assert keys(said(Key(bytes([5]) * 32, HEAD.number, bytes(32), (), 0), RENTER)) == {}
