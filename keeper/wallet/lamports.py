"""The SOL that a plan costs its signers, and what comes back: fee, rents, deposits."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.chain.landing import LAMPORTS_PER_SIGNATURE
from keeper.wallet.plan import Closing, Opening, Plan

RENT = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
_OVERHEAD = 128
"""Bytes that every account is charged for beside its data (Solana's ``ACCOUNT_STORAGE_OVERHEAD``)."""


@dataclass(frozen=True, slots=True)
class Payments:
    """Lamports that a plan's transaction takes and gives back, without a priority fee.

    ``rents`` are the accounts that are really made, with what each takes: of its rent only what nobody has
    sent there in advance; ``back`` those that are closed, with what each holds now.
    """

    payer: Pubkey
    fee: int
    rents: tuple[tuple[Opening, int], ...]
    back: tuple[tuple[Closing, int], ...]


async def payments_of(chain: ChainReader, plan: Plan, payer: Pubkey) -> Payments:
    """What a plan takes when everybody who must signs it now; the fee is ``payer``'s."""
    required = {meta.pubkey for each in plan.instructions for meta in each.accounts if meta.is_signer}
    opened, closed = ([each.address for each in kind] for kind in (plan.openings, plan.closings))
    addresses = [*opened, *closed]
    rent, *found = await chain.accounts([RENT, *addresses])
    assert rent is not None  # every chain has it
    per_byte_year, years = struct.unpack_from("<Qd", rent.data)
    there = dict(zip(addresses, found, strict=True))
    rents = []
    for each in plan.openings:
        account = there[each.address]
        if account is None or account.owner == SYSTEM_PROGRAM:
            whole = int((_OVERHEAD + each.size) * per_byte_year * years)
            rents.append((each, max(0, whole - (account.lamports if account else 0)) + each.deposit))
    back = tuple((each, account.lamports) for each in plan.closings if (account := there[each.address]))
    return Payments(payer, LAMPORTS_PER_SIGNATURE * len({payer, *required}), tuple(rents), back)
