"""From an empty chain to a launched network: programs, then the genesis table, then the launch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountWithSeedParams, create_account_with_seed

from keeper.chain import Chain, ChainError, ChainReader, Signer, loader
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.fees import FeePolicy
from keeper.chain.framework import TOKEN_PROGRAM, associated_token_address
from keeper.chain.landing import land
from keeper.chain.packing import pack
from keeper.chain.token import MINT_SIZE, create_associated, initialize_mint, mint_to
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.economy.calendar import month_name
from keeper.economy.classes import ClassRow
from keeper.economy.genesis import Row
from keeper.errors import UserError, why
from keeper.resources import DEV_KEYS, binary

_TEST_USDC = "test USDC"


class DeployRefused(UserError):
    """A file or a table that nothing can be deployed or launched with."""


def read_keypair(path: Path) -> Keypair:
    """Read a program's keypair file as Solana's tools write it; raises DeployRefused naming the file.

    It gives a new program its address and is no secret: an upgrade needs the authority's.
    """
    try:
        return Keypair.from_bytes(bytes(json.loads(path.read_text())))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise DeployRefused(f"{path}: no keypair, a JSON list of 64 numbers ({why(error)})") from error


def read_beneficiaries(path: Path) -> dict[str, Pubkey]:
    """Read who owns each allocation, a JSON object of labels and addresses; raises DeployRefused."""
    try:
        return {label: Pubkey.from_string(text) for label, text in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DeployRefused(f"{path}: no JSON object of labels and addresses ({why(error)})") from error


def load_programs(chain: EmbeddedChain, authority: Pubkey) -> None:
    """Put the committed programs on an embedded chain, upgradeable by ``authority``."""
    for name, program in PROGRAMS.items():
        chain.load_program(program.address, binary(name), authority)


async def deploy_program(
    chain: Chain,
    name: str,
    authority: Signer,
    keys: Path,
    each: Callable[[int, int], None],
    fees: FeePolicy | None = None,
) -> bool:
    """Deploy a committed program under its keypair in ``keys``, or upgrade it; False when it is there.

    Raises DeployRefused when the keypair is not the one the program was built for.
    """
    program = read_keypair(keys / f"{name}.json")
    built_for = PROGRAMS[name].address
    if program.pubkey() != built_for:
        raise DeployRefused(
            f"{name} was built for {built_for}, the key in {keys} is {program.pubkey()}: "
            f"run toolchain/program_ids.py sync --keys {keys}, then make programs idl"
        )
    return await loader.deploy(chain, program, binary(name), authority, each=each, fees=fees)


def staking_program(keys: Path = DEV_KEYS) -> Pubkey:
    """The address that the staking program has, or will have: emission goes to an address it derives."""
    return read_keypair(keys / "staking.json").pubkey()


async def genesis(
    chain: Chain,
    admin: Signer,
    *,
    table: Sequence[Row],
    beneficiaries: Mapping[str, Pubkey],
    guardian: Pubkey,
    staking_program: Pubkey,
    start_month: int,
    fees: FeePolicy | None = None,
) -> None:
    """Initialise tokenomics, write the genesis table and launch.

    ``admin`` is the program's upgrade authority and pays; ``beneficiaries`` are by the rows' labels.
    What an earlier, interrupted call did is kept, not repeated. Raises ChainError when what is on chain
    contradicts the table, DeployRefused when a row has no beneficiary.
    """
    if missing := [row.label for row in table if row.label not in beneficiaries]:
        raise DeployRefused(f"the genesis table has rows without a beneficiary: {', '.join(missing)}")
    payer = admin.pubkey()
    config = await tokenomics.read_config(chain)
    if config is None:
        await land(chain, [tokenomics.initialize(payer, staking_program, guardian)], [admin], fees=fees)
    for done in await tokenomics.read_allocations(chain):
        row = table[done.id]
        if (done.schedule, done.beneficiary) != (row.schedule, beneficiaries[row.label]):
            raise ChainError(f"allocation {done.id} on chain ({done.label}) is not the genesis table's")
    for row in table[config.allocations if config else 0 :]:
        beneficiary = beneficiaries[row.label]
        instructions = [
            tokenomics.add_allocation(payer, row, beneficiary),
            create_associated(payer, beneficiary, tokenomics.MINT),
        ]
        await land(chain, instructions, [admin], fees=fees)
    if config is None or not config.launched:
        await land(chain, [tokenomics.launch(payer, start_month)], [admin], fees=fees)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a genesis is told; None is for what it isn't told."""

    guardian: Pubkey
    operators: tuple[Pubkey, ...]
    usdc_mint: Pubkey | None
    start_month: int | None


async def is_whole(chain: ChainReader) -> bool:
    """Whether a genesis has nothing left to set up: launched, and all four programs initialised."""
    supply = await tokenomics.read_config(chain)
    rest = [await each.read_config(chain) for each in (staking, buyback, orders)]
    return supply is not None and supply.launched and None not in rest


async def contradictions(chain: ChainReader, told: Answers) -> list[str]:
    """What an earlier genesis on this chain was told otherwise, in words; empty where it can go on.

    Where roles or operators have changed since, there is nothing left to write either.
    """
    supply, rewards = await tokenomics.read_config(chain), await staking.read_config(chain)
    sales, market = await buyback.read_config(chain), await orders.read_config(chain)
    begun = {"tokenomics": supply, "staking": rewards, "buyback": sales, "orders": market}
    found = [
        f"{name}'s guardian is {config.guardian}, not {told.guardian}"
        for name, config in begun.items()
        if config and config.guardian != told.guardian
    ]
    if supply and supply.launched and told.start_month not in (None, supply.start_month):
        found.append(f"emission begins in {month_name(supply.start_month)}")
    if rewards and rewards.params.operators != told.operators:
        found.append(f"the operators are {', '.join(map(str, rewards.params.operators))}")
    mints = {config.usdc_mint for config in (sales, market) if config}
    found += [f"USDC's mint is {each}" for each in mints if told.usdc_mint not in (None, each)]
    return found


async def staking_genesis(
    chain: Chain,
    admin: Signer,
    *,
    guardian: Pubkey,
    operators: Sequence[Pubkey],
    classes: Sequence[ClassRow],
    fees: FeePolicy | None = None,
) -> None:
    """Initialise staking with the protocol's own parameters and write the class table with its base prices.

    ``admin`` is the program's upgrade authority and pays; more than half of ``operators`` must agree
    on a block. The classes open after the notice. Goes on from where an interrupted call stopped. Raises
    ChainError when a class on chain is not the table's.
    """
    payer = admin.pubkey()
    if await staking.read_config(chain) is None:
        params = staking.Params(tuple(operators), threshold=len(operators) // 2 + 1)
        await land(chain, [staking.initialize(payer, guardian, params)], [admin], fees=fees)
    done = await staking.read_classes(chain)
    for row in classes:
        there = done.get(row.id)
        if there and (there.name, there.pool, there.kind) != (row.name, row.pool, row.kind):
            raise ChainError(f"class {row.id} on chain ({there.name}) is not the class table's ({row.name})")
    additions = [
        staking.add_class(payer, row.id, row.name, row.multiplier, row.pool, row.kind, row.prices)
        for row in classes
        if row.id not in done
    ]
    for run in pack([[each] for each in additions], payer):
        await land(chain, [additions[at] for at in run], [admin], fees=fees)


async def buyback_genesis(
    chain: Chain,
    admin: Signer,
    *,
    guardian: Pubkey,
    usdc_mint: Pubkey,
    params: buyback.Params | None = None,
    fees: FeePolicy | None = None,
) -> None:
    """Initialise buyback for a USDC mint, with the protocol's own parameters unless others are given.

    ``admin`` is the program's upgrade authority and pays. Does nothing when that is done. Raises
    ChainError when buyback on chain has another USDC mint.
    """
    config = await buyback.read_config(chain)
    if config is None:
        terms = params or buyback.Params()
        await land(
            chain, [buyback.initialize(admin.pubkey(), guardian, usdc_mint, terms)], [admin], fees=fees
        )
    elif config.usdc_mint != usdc_mint:
        raise ChainError(f"buyback on chain has the USDC mint {config.usdc_mint}, not {usdc_mint}")


async def orders_genesis(
    chain: Chain,
    admin: Signer,
    *,
    guardian: Pubkey,
    usdc_mint: Pubkey,
    params: orders.Params | None = None,
    fees: FeePolicy | None = None,
) -> None:
    """Initialise orders, with the protocol's own parameters unless others are given.

    Staking and buyback come first. ``admin`` is the program's upgrade authority and pays. Does nothing
    when that is done. Raises ChainError when orders on chain has another USDC mint.
    """
    config = await orders.read_config(chain)
    if config is None:
        terms = params or orders.Params()
        genesis = [
            orders.initialize(admin.pubkey(), guardian, usdc_mint, terms),
            *orders.create_parked_vaults(admin.pubkey(), usdc_mint),
        ]
        await land(chain, genesis, [admin], fees=fees)
    elif config.usdc_mint != usdc_mint:
        raise ChainError(f"orders on chain has the USDC mint {config.usdc_mint}, not {usdc_mint}")


async def make_test_usdc(
    chain: Chain, admin: Signer, amount: int, *, fees: FeePolicy | None = None
) -> Pubkey:
    """Make a mint with USDC's decimals for a network that has no USDC, and ``amount`` base units of it.

    They go to ``admin``, who alone can mint more and, as USDC's issuer can, freeze accounts. Returns the
    mint's address, which follows from the admin's: a later call only finds it.
    """
    payer = admin.pubkey()
    mint = Pubkey.create_with_seed(payer, _TEST_USDC, TOKEN_PROGRAM)
    (there,) = await chain.accounts([mint])
    if there is None:
        account = CreateAccountWithSeedParams(
            from_pubkey=payer,
            to_pubkey=mint,
            base=payer,
            seed=_TEST_USDC,
            lamports=await loader.minimum_balance(chain, MINT_SIZE),
            space=MINT_SIZE,
            owner=TOKEN_PROGRAM,
        )
        instructions = [
            create_account_with_seed(account),
            initialize_mint(mint, payer, buyback.USDC_DECIMALS, freezer=payer),
            create_associated(payer, payer, mint),
            mint_to(mint, associated_token_address(payer, mint), payer, amount),
        ]
        await land(chain, instructions, [admin], fees=fees)
    return mint
