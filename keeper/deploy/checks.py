"""What must hold before a genesis writes anything: all of it is checked first, in the words of who asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from keeper.chain import ChainError, ChainReader
from keeper.chain.framework import TOKEN_PROGRAM, UPGRADEABLE_LOADER
from keeper.chain.token import MINT_SIZE, read_mint
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.deploy.files import DeployRefused
from keeper.deploy.programs import upgrade_authority
from keeper.economy.calendar import month_name, month_of, month_start
from keeper.economy.classes import ClassRow
from keeper.economy.genesis import Row
from keeper.economy.money import show
from keeper.economy.orders import Currency

_MAX_AHEAD: int = tokenomics.PROGRAM.constants["MAX_LAUNCH_AHEAD"]
"""Seconds from the launch to the first month of emission at most."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a genesis is told; None is for what it isn't told.

    ``usdc_mint`` is a mint's address, there already or, with ``makes_usdc``, one that genesis makes.
    """

    guardian: Pubkey
    operators: tuple[Pubkey, ...]
    usdc_mint: Pubkey
    start_month: int | None
    makes_usdc: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """What a chain has of a network: each program's root account, None where it isn't initialised."""

    tokenomics: tokenomics.Config | None
    staking: staking.Config | None
    buyback: buyback.Config | None
    orders: orders.Config | None

    @property
    def is_whole(self) -> bool:
        """Whether a genesis has nothing left to set up: launched, and all four programs initialised."""
        rest = (self.staking, self.buyback, self.orders)
        return self.tokenomics is not None and self.tokenomics.launched and None not in rest

    @property
    def waiting(self) -> list[str]:
        """The programs that aren't initialised."""
        return [name for name in PROGRAMS if getattr(self, name) is None]


async def read_begun(chain: ChainReader) -> Begun:
    """Read what a chain has of a network."""
    return Begun(
        await tokenomics.read_config(chain),
        await staking.read_config(chain),
        await buyback.read_config(chain),
        await orders.read_config(chain),
    )


def contradictions(begun: Begun, told: Answers) -> list[str]:
    """What an earlier genesis on this chain was told otherwise, in words; empty where it can go on.

    Where roles or operators have changed since, there is nothing left to write either.
    """
    found = [
        f"{name}'s guardian is {config.guardian}, not {told.guardian}"
        for name in PROGRAMS
        if (config := getattr(begun, name)) and config.guardian != told.guardian
    ]
    supply, rewards = begun.tokenomics, begun.staking
    if supply and supply.launched and told.start_month not in (None, supply.start_month):
        found.append(f"emission begins in {month_name(supply.start_month)}")
    if rewards and rewards.params.operators != told.operators:
        found.append(f"the operators are {', '.join(map(str, rewards.params.operators))}")
    mints = {config.usdc_mint for config in (begun.buyback, begun.orders) if config}
    found += [f"USDC's mint is {each}" for each in mints if told.usdc_mint != each]
    return found


async def require_foundable(
    chain: ChainReader, begun: Begun, told: Answers, admin: Pubkey, month: int
) -> None:
    """Refuse what a program would refuse halfway; raises DeployRefused with what to do.

    ``admin`` signs, ``month`` is the first of emission.
    """
    _require_operators(told.operators)
    if begun.tokenomics is None or not begun.tokenomics.launched:
        _require_month(month, (await chain.clock()).unix_timestamp)
    await _require_programs(chain, begun, admin)
    if not told.makes_usdc and None in (begun.buyback, begun.orders):
        await _require_usdc(chain, told.usdc_mint)


def require_table(
    found: Sequence[tokenomics.Allocation], table: Sequence[Row], beneficiaries: Mapping[str, Pubkey]
) -> None:
    """Refuse beneficiaries that lack a row, and a chain whose allocations are others.

    Raises DeployRefused and ChainError.
    """
    if missing := [row.label for row in table if row.label not in beneficiaries]:
        raise DeployRefused(f"the genesis table has rows without a beneficiary: {', '.join(missing)}")
    for done in found:
        row = table[done.id]
        if done.schedule != row.schedule:
            raise ChainError(f"allocation {done.id} on chain ({done.label}) is not the genesis table's")
        if done.beneficiary != beneficiaries[row.label]:
            raise ChainError(
                f"this chain has a network that began otherwise: {row.label} is {done.beneficiary}'s, not "
                f"{beneficiaries[row.label]}'s. Nothing was written: name its owners as they are to go on"
            )


async def require_test_usdc(chain: ChainReader, mint: Pubkey, amount: int) -> None:
    """Refuse another amount of test USDC than there is; raises DeployRefused."""
    (account,) = await chain.accounts([mint])
    if account is None or account.owner != TOKEN_PROGRAM:
        return
    there = read_mint(account.data).supply
    if there != amount:
        typed = show(there, Currency.USDC).replace(",", "")
        raise DeployRefused(
            f"this chain has a network that began otherwise: there are {typed} test USDC, and genesis makes "
            f"no more. Nothing was written: give --test-usdc {typed} to go on"
        )


def require_classes(done: Mapping[int, staking.Class], rows: Sequence[ClassRow]) -> None:
    """Refuse a chain whose classes are others; raises ChainError."""
    for row in rows:
        there = done.get(row.id)
        if there and (there.name, there.pool, there.kind) != (row.name, row.pool, row.kind):
            raise ChainError(f"class {row.id} on chain ({there.name}) is not the class table's ({row.name})")


def _require_operators(operators: Sequence[Pubkey]) -> None:
    if len(set(operators)) < len(operators):
        raise DeployRefused("an operator is named twice: --operator takes each address once")
    if len(operators) > staking.MAX_OPERATORS:
        raise DeployRefused(
            f"a network has {staking.MAX_OPERATORS} operators at most, not {len(operators)}: leave some out"
        )


def _require_month(month: int, now: int) -> None:
    start = month_start(month)
    if not now <= start <= now + _MAX_AHEAD:
        first, last = month_of(now - 1) + 1, month_of(now + _MAX_AHEAD)
        raise DeployRefused(
            f"emission can't begin in {month_name(month)}: by the chain's clock --start takes "
            f"{month_name(first)} to {month_name(last)}"
        )


async def _require_programs(chain: ChainReader, begun: Begun, admin: Pubkey) -> None:
    programs = [PROGRAMS[name] for name in begun.waiting]
    found = await chain.accounts([each.address for each in programs])
    # Anybody can have sent SOL to where there is no program yet.
    made = [account is not None and account.owner == UPGRADEABLE_LOADER for account in found]
    missing = [each.name for each, there in zip(programs, made, strict=True) if not there]
    if missing:
        raise DeployRefused(f"not on this chain yet: {', '.join(missing)}. Run ionet deploy first")
    for each in programs:
        authority = await upgrade_authority(chain, each.address)
        if authority != admin:
            whose = f"{authority} alone does" if authority else "nobody can any more, as it is final"
            raise DeployRefused(
                f"only the upgrade authority of {each.name} sets it up, and {whose}: your key is {admin}"
            )


async def _require_usdc(chain: ChainReader, mint: Pubkey) -> None:
    (account,) = await chain.accounts([mint])
    if account is None:
        raise DeployRefused(
            f"nothing is at {mint} on this chain: --usdc-mint names USDC's mint; on a network without USDC, "
            "--test-usdc AMOUNT makes one"
        )
    if account.owner != TOKEN_PROGRAM or len(account.data) != MINT_SIZE:
        raise DeployRefused(f"{mint} is no mint of the token program: --usdc-mint names USDC's")
    decimals = read_mint(account.data).decimals
    if decimals != buyback.USDC_DECIMALS:
        raise DeployRefused(f"{mint} has {decimals} decimals, and USDC has {buyback.USDC_DECIMALS}")
