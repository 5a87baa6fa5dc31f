"""Knocks: an operator to another one's board once a minute, by the way that BEATs take.

A board that devices are silent at can be cut off, or the devices are off: who has most of them could make the
one look like the other. So it is other operators who show that a board was there to be reached.

A knock is ``0xff "ionet knock" | genesis 32 | program 32 | from 32 | to 32 | unix ms u64 | signature 64``,
integers little-endian, the keys those of operators. It counts within 30 seconds.
"""

from __future__ import annotations

import struct
from collections.abc import Collection

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.signer import Signer
from keeper.compute.refusals import Why, WireError
from keeper.compute.wire import CLOCK_MS, SIGNATURE, Network

MAGIC = b"\xffionet knock"
SAID = struct.Struct("<12s32s32s32s32sQ")
KNOCK = SAID.size + SIGNATURE
"""Bytes."""


def knock(network: Network, to: Pubkey, ms: int, signer: Signer) -> bytes:
    """An operator's knock at another one's board; raises SigningFailed."""
    keys = (network.genesis, bytes(network.program), bytes(signer.pubkey()), bytes(to))
    said = SAID.pack(MAGIC, *keys, ms)
    return said + bytes(signer.sign_message(said))


def who(data: bytes, network: Network, here: Pubkey, operators: Collection[Pubkey], now_ms: int) -> Pubkey:
    """Which of ``operators`` knocks at the board of ``here``; raises WireError for one that counts not."""
    if len(data) != KNOCK:
        raise WireError(Why.MALFORMED, f"a knock has {KNOCK} bytes, not {len(data)}")
    magic, genesis, program, sender, to, ms = SAID.unpack_from(data)
    if magic != MAGIC:
        raise WireError(Why.MALFORMED, "this is no knock")
    if (genesis, Pubkey(program)) != (network.genesis, network.program):
        raise WireError(Why.WRONG_NETWORK, "the message is for another chain or orders program")
    if Pubkey(to) != here:
        raise WireError(Why.NOT_A_PARTY, f"this is the board of {here}, and the knock is for {Pubkey(to)}")
    if Pubkey(sender) not in operators or sender == to:
        raise WireError(Why.NOT_A_PARTY, f"{Pubkey(sender)} is no other operator of this network")
    if abs(ms - now_ms) > CLOCK_MS:
        raise WireError(Why.WRONG_CLOCK, "the knock's time is more than 30 s from ours: set the clock")
    if not Signature.from_bytes(data[-SIGNATURE:]).verify(Pubkey(sender), data[:-SIGNATURE]):
        raise WireError(Why.BAD_SIGNATURE, f"{Pubkey(sender)} didn't sign this message")
    return Pubkey(sender)


class Reached:
    """Since when others have reached a board, without a pause: by at least half of all other operators."""

    def __init__(self, pause: int) -> None:
        """``pause``: seconds after which an operator that hasn't knocked again counts no more."""
        self._pause = pause
        self._knocked: dict[Pubkey, int] = {}
        self._since = self._last = 0

    def knocked(self, by: Pubkey, others: Collection[Pubkey], now: int) -> None:
        """An operator knocked at ``now`` (unix seconds); ``others`` are all but the board's own."""
        self._knocked[by] = now
        self._knocked = {each: at for each, at in self._knocked.items() if 0 <= now - at < self._pause}
        if 2 * len(self._knocked.keys() & set(others)) < len(others):
            return
        if not 0 <= now - self._last < self._pause:
            self._since = now
        self._last = now

    def since(self, at: int) -> int:
        """The second since which it was reached until ``at``, 0 where it wasn't."""
        return self._since if self._since <= at and at - self._last < self._pause else 0
