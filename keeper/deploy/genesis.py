"""A network's beginning: the genesis table and the launch, then staking, buyback and orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from solders.pubkey import Pubkey
from solders.system_program import AllocateWithSeedParams, TransferParams, allocate_with_seed
from solders.system_program import transfer as send_lamports

from keeper.chain import Chain, ChainError, Signer, loader
from keeper.chain.fees import FeePolicy
from keeper.chain.framework import TOKEN_PROGRAM, associated_token_address
from keeper.chain.landing import land
from keeper.chain.packing import pack
from keeper.chain.token import MINT_SIZE, create_associated, initialize_mint, mint_to
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.deploy.checks import require_classes, require_table
from keeper.economy.classes import ClassRow
from keeper.economy.genesis import Row

_TEST_USDC = "test USDC"


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
    require_table(await tokenomics.read_allocations(chain), table, beneficiaries)
    payer = admin.pubkey()
    config = await tokenomics.read_config(chain)
    if config is None:
        await land(chain, [tokenomics.initialize(payer, staking_program, guardian)], [admin], fees=fees)
    for row in table[config.allocations if config else 0 :]:
        beneficiary = beneficiaries[row.label]
        instructions = [
            tokenomics.add_allocation(payer, row, beneficiary),
            create_associated(payer, beneficiary, tokenomics.MINT),
        ]
        await land(chain, instructions, [admin], fees=fees)
    if config is None or not config.launched:
        await land(chain, [tokenomics.launch(payer, start_month)], [admin], fees=fees)


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
    require_classes(done, classes)
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


def address_of_test_usdc(admin: Pubkey) -> Pubkey:
    """Where :func:`make_test_usdc` makes ``admin``'s mint."""
    return Pubkey.create_with_seed(admin, _TEST_USDC, TOKEN_PROGRAM)


async def make_test_usdc(
    chain: Chain, admin: Signer, amount: int, *, fees: FeePolicy | None = None
) -> Pubkey:
    """Make a mint with USDC's decimals for a network that has no USDC, and ``amount`` base units of it.

    They go to ``admin``, who alone can mint more and, as USDC's issuer can, freeze accounts. Returns the
    mint's address, which follows from the admin's: a later call only finds it.
    """
    payer = admin.pubkey()
    mint = address_of_test_usdc(payer)
    (there,) = await chain.accounts([mint])
    if there is None or there.owner != TOKEN_PROGRAM:
        # In steps, as making it at once is refused where somebody has sent SOL before.
        rent = await loader.minimum_balance(chain, MINT_SIZE)
        lacks = max(0, rent - (there.lamports if there else 0))
        room = AllocateWithSeedParams(
            address=mint, base=payer, seed=_TEST_USDC, space=MINT_SIZE, owner=TOKEN_PROGRAM
        )
        instructions = [
            send_lamports(TransferParams(from_pubkey=payer, to_pubkey=mint, lamports=lacks)),
            allocate_with_seed(room),
            initialize_mint(mint, payer, buyback.USDC_DECIMALS, freezer=payer),
            create_associated(payer, payer, mint),
            mint_to(mint, associated_token_address(payer, mint), payer, amount),
        ]
        await land(chain, instructions, [admin], fees=fees)
    return mint
