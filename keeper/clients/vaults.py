"""What the protocol's vaults owe by the programs' own accounts, against the tokens that are in them.

The programs keep this themselves. Who doesn't believe them, or what a node says of an account, sees here
whether all that is recorded as somebody's is there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.chain.token import balance
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.economy.orders import Currency

LOOKS = 3
"""A vault is short when it was so in each of them: between two reads money may have moved rightly."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What a vault owes at least; anybody may have sent it more."""

    vault: Pubkey
    name: str
    currency: Currency
    amount: int
    """Base units."""
    of_order: bool = False
    """Whether it is an order's own."""


@dataclass(frozen=True, slots=True)
class Vault:
    """What a vault owes, and what is in it, base units."""

    owed: Owed
    held: int

    @property
    def missing(self) -> int:
        """Base units that aren't there."""
        return max(0, self.owed.amount - self.held)


async def read_vaults(chain: ChainReader) -> list[Vault]:
    """Read all vaults that owe something, program by program, each program's own before those of orders.

    Where one is short all is read again: of a vault that was short once, the look in which least was missing
    counts.
    """
    best: dict[Pubkey, Vault] = {}
    for _ in range(LOOKS):
        found = await _look(chain)
        seen = {each.owed.vault: each for each in found}
        for at, each in seen.items():
            if at not in best or each.missing < best[at].missing:
                best[at] = each
        # Those that were closed meanwhile had paid all out.
        best = {at: each for at, each in best.items() if at in seen}
        if not any(each.missing for each in best.values()):
            break
    return list(best.values())


async def _look(chain: ChainReader) -> list[Vault]:
    owed = [*await _of_tokenomics(chain), *await _of_buyback(chain), *await _of_orders(chain)]
    accounts = await chain.accounts([each.vault for each in owed])
    return [Vault(each, balance(account)) for each, account in zip(owed, accounts, strict=True)]


async def _of_tokenomics(chain: ChainReader) -> list[Owed]:
    """Vesting, seasons and rewards, and stakes, as rewards are what staking has not paid of the emission."""
    config = await tokenomics.read_config(chain)
    if config is None:
        return []
    locked = sum(each.schedule.amount - each.released for each in await tokenomics.read_allocations(chain))
    found = []
    if config.launched:
        found.append(Owed(tokenomics.GENESIS_VAULT, "vesting", Currency.IO, locked))
    stakes = await staking.read_config(chain)
    claimed = stakes.claimed if stakes else 0
    found.append(Owed(tokenomics.REWARD_VAULT, "rewards", Currency.IO, config.emitted - claimed))
    if stakes:
        devices = (await staking.read_devices(chain)).values()
        staked = sum(each.own + each.own_cooling + each.co.amount + each.leaving.amount for each in devices)
        found.append(Owed(staking.STAKE_VAULT, "stakes", Currency.IO, staked))
    found += [
        Owed(each.vault, f"airdrop season {each.season}", Currency.IO, each.total - each.claimed)
        for each in await tokenomics.read_seasons(chain)
        if not each.is_paid_back
    ]
    return found


async def _of_buyback(chain: ChainReader) -> list[Owed]:
    """USDC fees that are counted and not sold; IO fees are burned as they come."""
    config = await buyback.read_config(chain)
    if config is None:
        return []
    return [Owed(config.usdc_vault, "fees in USDC", Currency.USDC, config.fees_usdc - config.usdc_sold)]


async def _of_orders(chain: ChainReader) -> list[Owed]:
    """Each order's own vault, and what waits for somebody who can't be paid."""
    config = await orders.read_config(chain)
    if config is None:
        return []
    waiting: Counter[Pubkey] = Counter()
    for each in await orders.read_parked(chain):
        waiting[each.mint] += each.amount
    parked = [
        Owed(config.parked(currency), f"parked {currency.name}", currency, waiting[config.mint(currency)])
        for currency in Currency
        if waiting[config.mint(currency)]
    ]
    return parked + [
        Owed(
            order.vault,
            f"order {at}",
            Currency(order.terms.currency),
            order.deposit - order.paid - order.fees - order.refunded + order.fees_due,
            of_order=True,
        )
        for at, order in sorted((await orders.read_orders(chain)).items(), key=lambda each: bytes(each[0]))
    ]
