"""The messages that the vectors have, as the keeper makes them."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.compute.bodies import (
    Beat,
    Body,
    Bye,
    Complaint,
    Endpoint,
    Joined,
    Key,
    Leaving,
    Probed,
    Sealed,
    Seen,
    Serving,
    Tickets,
    View,
    Wrong,
)
from keeper.compute.probe import answer
from keeper.compute.wire import Message, Network, Signed
from tests.keeper.compute import independent as given

NETWORK = Network(given.GENESIS, Pubkey(given.PROGRAM))
ORDER, DEVICE, OPERATOR = Pubkey(given.ORDER), Pubkey(given.DEVICE), Pubkey(given.OPERATOR)
WORKER = given.KEY
MS = 1_800_000_000_123
BODIES: list[Body] = [
    Key(given.PUBLIC, 7, given.RUNTIME, (Endpoint(given.HERE, 51_820),), 0),
    Tickets(given.MEMBERS, (Sealed(DEVICE, given.BOX),)),
    Joined(given.NODE, 16, 2, 64 << 30),
    Beat(OPERATOR, given.NONCE, Serving.ACTIVE, given.NODE, 7, 3_600, 1_000, 2_000, 3_000, 4_000),
    View((Seen(DEVICE, True, 100), Seen(OPERATOR, False, 200))),
    Complaint(DEVICE, 1_800_000_000, Wrong.UNREACHABLE),
    Bye(Leaving.STOPPED),
    Probed(OPERATOR, given.RUNTIME, answer(given.RUNTIME), 7),
]


def message(body: Body, epoch: int = 42, seq: int | None = None, ms: int = MS) -> Message:
    at = body.KIND + 10 if seq is None else seq
    return Message(NETWORK, ORDER, WORKER.pubkey(), epoch, at, ms, body)


def signed(body: Body, **changed: int) -> Signed:
    return message(body, **changed).sign(WORKER)
