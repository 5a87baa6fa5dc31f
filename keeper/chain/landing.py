"""The one way to land a transaction: simulate, offer a fee, sign, send until its fate is certain.

The compute limit follows from a simulation, the priority fee from what others paid for the same accounts.
The same bytes are sent again until they are on chain, or certain never to get there: the finalized block
height is past the last one they are valid in, and a node that has come that far doesn't know the
signature. Only then may anything be signed anew. The keeper's sender writes each step down in between, see
:mod:`keeper.sender.sender`; whoever signs by hand, or on a device, uses :func:`land` as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain.errors import ChainUnreachable, NodeRefused, TransactionExpired, TransactionFailed
from keeper.chain.fees import FeePolicy, priority_fee
from keeper.chain.framework import MAX_COMPUTE_UNITS
from keeper.chain.protocol import Chain, ChainReader
from keeper.chain.records import Commitment, TransactionRecord
from keeper.chain.signer import Signer, sign_aside

POLL_SECONDS = 2.0
"""How often a transaction under way is asked about, and sent again."""
MARGIN_PER_CENT = 110
SPARE_UNITS = 300
"""The compute limit: this many hundredths of what the simulation used, plus this many units."""
LAMPORTS_PER_SIGNATURE = 5_000
PATIENCE_BLOCKS = 150
"""How long after a transaction's last block a node may take to tell all about it: as long as one is valid."""
LOST_ANSWERS = 5
"""How often in a row a node may fail to answer, or refuse to, while a transaction is under way."""
LOST = (ChainUnreachable, NodeRefused)
SIGNINGS = 4
"""How often a transaction is signed before TransactionExpired is raised."""


class Signed(NamedTuple):
    """A transaction that may be sent, and what it offers: ``fee`` lamports at most, ``price`` for a unit."""

    transaction: VersionedTransaction
    last_valid_height: int
    units: int
    price: int
    fee: int

    @property
    def signature(self) -> Signature:
        """The first signature, by which the chain knows it."""
        return self.transaction.signatures[0]


class Fate(NamedTuple):
    """What became of a transaction: on chain, and whether for good; without a record it expired."""

    record: TransactionRecord | None
    final: bool


async def prepare(
    chain: Chain,
    instructions: Sequence[Instruction],
    signers: Sequence[Signer],
    fees: FeePolicy,
    *,
    expired: int = 0,
    spent: int = 0,
) -> Signed:
    """Simulate and sign; the first signer pays. Nothing is sent.

    ``expired`` counts earlier signings that expired, ``spent`` lamports of the day's budget: see
    :meth:`FeePolicy.price`. Raises TransactionFailed, with the simulation's record, when it is refused, and
    SigningFailed.
    """
    trial = await chain.simulate(instructions, signers)
    if trial.error is not None:
        raise TransactionFailed(trial)
    units = min(MAX_COMPUTE_UNITS, trial.compute_units * MARGIN_PER_CENT // 100 + SPARE_UNITS)
    recent = await chain.recent_fees(_writable(instructions))
    price = fees.price(recent, units, expired=expired, spent=spent)
    blockhash = await chain.blockhash()
    # After the instructions, which refusals name by their indexes.
    budget = [set_compute_unit_limit(units), set_compute_unit_price(price)]
    payer = signers[0].pubkey()
    message = MessageV0.try_compile(payer, [*instructions, *budget], [], blockhash.hash)
    transaction = await sign_aside(message, signers)
    fee = LAMPORTS_PER_SIGNATURE * len(transaction.signatures) + priority_fee(price, units)
    return Signed(transaction, blockhash.last_valid_height, units, price, fee)


async def follow(
    chain: Chain,
    transaction: VersionedTransaction,
    last_valid_height: int,
    *,
    may_send: Callable[[], Awaitable[None]] | None = None,
    poll_seconds: float = POLL_SECONDS,
) -> Fate:
    """Send a transaction's bytes until it is at least confirmed, or has expired.

    ``may_send`` is called before each sending, and raises to stop. Raises ChainUnreachable or NodeRefused
    once LOST_ANSWERS in a row were lost: what was sent may still land.
    """
    lost = 0
    while True:
        if may_send:
            await may_send()
        try:
            await chain.broadcast(transaction)
            fate = await look(chain, transaction.signatures[0], last_valid_height)
        except LOST:
            lost += 1
            if lost == LOST_ANSWERS:
                raise
        else:
            if fate is not None:
                return fate
            lost = 0
        await asyncio.sleep(poll_seconds)


async def look(chain: ChainReader, signature: Signature, last_valid_height: int) -> Fate | None:
    """What became of a transaction; None while it may still land or is less than confirmed.

    Raises ChainUnreachable when the node knows of it, and still can't tell more when that is long over.
    """
    # The tip first, and then a node that has come that far: between an unknown signature and a
    # height asked for later it could land.
    tip = await chain.tip()
    (status,) = await chain.statuses([signature], min_slot=tip.slot)
    if status is None:
        return Fate(None, final=True) if tip.height > last_valid_height else None
    (record,) = await chain.records([signature]) if status.commitment else [None]
    if record is not None:
        return Fate(record, final=status.commitment is Commitment.FINALIZED)
    if tip.height > last_valid_height + PATIENCE_BLOCKS:
        raise ChainUnreachable(
            f"{signature} is on chain, but the node doesn't have it, or not for sure: ask one with a longer "
            "history"
        )
    return None


async def land(
    chain: Chain,
    instructions: Sequence[Instruction],
    signers: Sequence[Signer],
    *,
    fees: FeePolicy | None = None,
    sending: Callable[[Signature], None] | None = None,
    poll_seconds: float = POLL_SECONDS,
) -> TransactionRecord:
    """Execute one transaction and wait until it is confirmed; the first signer pays.

    ``sending`` is told each signature before anything is sent under it.

    Raises TransactionFailed when it is refused, TransactionExpired when it expired several times in a row
    (it never landed), SigningFailed, and ChainUnreachable; its message says whether anything was sent.
    """
    for expired in range(SIGNINGS):
        signed = await prepare(chain, instructions, signers, fees or FeePolicy(), expired=expired)
        if sending:
            sending(signed.signature)
        fate = await _follow_through(chain, signed, poll_seconds)
        if fate.record is not None:
            if fate.record.error is not None:
                raise TransactionFailed(fate.record)
            return fate.record
    raise TransactionExpired(
        f"{SIGNINGS} transactions expired one after another: nothing was done. The network is busy, or its "
        "node is behind: try again, or name another node by --chain"
    )


async def _follow_through(chain: Chain, signed: Signed, poll_seconds: float) -> Fate:
    """Follow a transaction through answers that are lost; raises ChainUnreachable after several."""
    try:
        return await follow(chain, signed.transaction, signed.last_valid_height, poll_seconds=poll_seconds)
    except LOST as error:
        raise ChainUnreachable(
            f"{error}; the transaction {signed.signature} may have been sent and may still land: "
            "see what became of it before you do the same again"
        ) from error


def _writable(instructions: Sequence[Instruction]) -> list[Pubkey]:
    """The accounts that instructions lock, each once."""
    metas = (meta for each in instructions for meta in each.accounts if meta.is_writable)
    return list(dict.fromkeys(meta.pubkey for meta in metas))
