"""Whom a member lets into its network: by KEYs that are nobody else's, and exactly those that are wanted."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from keeper.compute.bodies import Key
from keeper.compute.members import RENTER, members
from keeper.compute.namespace import SandboxFailed
from keeper.compute.peers import Other, Peers, others
from tests.keeper.compute.leases import START, key, lease, order
from tests.keeper.compute.test_overlay import ONE, OTHER, overlay

ORDER = order()
FOUND = members(ORDER, [lease(ORDER, "a"), lease(ORDER, "b", start=START + 1)], START + 10)
HEAD, NODE = FOUND.nodes
FIVE, SIX, SEVEN = (bytes([each]) * 32 for each in (5, 6, 7))


def known(*rows: tuple[object, int, bytes]) -> dict:
    return {(sender, number): Key(public, number, bytes(32), (), 0) for sender, number, public in rows}


def test_a_member_has_the_others_and_the_renter_by_its_newest_key() -> None:
    renter, head, node = ORDER.renter, (HEAD.worker, HEAD.number, FIVE), (NODE.worker, NODE.number, SIX)
    keys = known(head, node, (renter, 0, SIX), (renter, 2, SEVEN), (renter, 1, FIVE))
    assert others(FOUND, keys, HEAD.worker, FIVE) == {
        NODE.worker: Other(SIX, NODE.address),
        renter: Other(SEVEN, RENTER),
    }
    assert list(others(FOUND, keys, renter, SEVEN)) == [HEAD.worker, NODE.worker]
    assert others(FOUND, known((key("stranger"), HEAD.number, FIVE)), NODE.worker, SIX) == {}
    # A copy of ours, and of who comes earlier, is none; an older KEY takes no place of the newest.
    copied = known(head, (NODE.worker, NODE.number, FIVE), (renter, 0, SEVEN), (renter, 1, FIVE))
    assert others(FOUND, copied, key("another"), SIX) == {HEAD.worker: Other(FIVE, HEAD.address)}
    assert others(FOUND, copied, HEAD.worker, FIVE) == {}


@pytest.mark.usefixtures("possible")
async def test_exactly_those_that_are_wanted_are_in_and_a_key_that_is_not_taken_is_told_once() -> None:
    here = IPv4Address("10.8.8.8")
    async with overlay(ONE) as made:
        peers = Peers(made, lambda member, datagram: None)
        wanted = {HEAD.worker: Other(FIVE, OTHER), NODE.worker: Other(FIVE, here)}
        refused = await peers.meet(wanted)
        assert refused == {NODE.worker: "the member at 10.8.8.8 is in the overlay already"}
        assert (peers.addresses, set(made.peers)) == ({OTHER}, {FIVE})
        assert await peers.meet(wanted) == {}
        # Who left is out before another one has its address.
        assert await peers.meet({NODE.worker: Other(SIX, OTHER)}) == {}
        assert (peers.addresses, set(made.peers), peers.carried) == ({OTHER}, {SIX}, (0, 0))
        await made._spaces.end()
        with pytest.raises(SandboxFailed):
            await peers.meet({NODE.worker: Other(SIX, OTHER), HEAD.worker: Other(SEVEN, here)})
