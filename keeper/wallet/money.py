"""What a wallet holds, and what it is about to send or burn."""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from keeper.chain import ChainError, ChainReader
from keeper.chain.framework import associated_token_address
from keeper.chain.token import ACCOUNT_SIZE, balance, create_associated, transfer
from keeper.clients import orders, staking, tokenomics
from keeper.economy.orders import Currency
from keeper.economy.staking import CoStakeState
from keeper.wallet.plan import Movement, NamedAccount, NothingToDo, Opening, Plan


@dataclass(frozen=True, slots=True)
class Holdings:
    """All of a wallet's: lamports, base units; ``usdc`` is None on a network that has none yet."""

    wallet: Pubkey
    lamports: int
    io: int
    usdc: int | None
    staked: int
    cooling: int


async def mint_of(chain: ChainReader, currency: Currency) -> Pubkey:
    """A currency's mint; raises ChainError for USDC where orders was never set up."""
    if currency == Currency.IO:
        return tokenomics.MINT
    config = await orders.read_config(chain)
    if config is None:
        raise ChainError("this network has no USDC yet: ionet deploy, then ionet genesis")
    return config.usdc_mint


async def read_holdings(chain: ChainReader, wallet: Pubkey) -> Holdings:
    """Read all that a wallet has, its stakes of both kinds."""
    config = await orders.read_config(chain)
    places = [wallet, tokenomics.tokens_address(wallet)]
    if config:
        places.append(associated_token_address(wallet, config.usdc_mint))
    own, *tokens = await chain.accounts(places)
    staked = cooling = 0
    for device in (await staking.read_devices(chain)).values():
        if device.supplier == wallet:
            staked, cooling = staked + device.own, cooling + device.own_cooling
        for part in (device.co, device.leaving):
            if part.staker == wallet:
                cools = part.state == CoStakeState.COOLING
                staked, cooling = staked + (not cools) * part.amount, cooling + cools * part.amount
    io, *usdc = (balance(each) for each in tokens)
    return Holdings(wallet, own.lamports if own else 0, io, usdc[0] if usdc else None, staked, cooling)


def send(owner: Pubkey, to: Pubkey, amount: int, currency: Currency, mint: Pubkey) -> Plan:
    """Send base units to a wallet's associated account. Raises NothingToDo."""
    if not amount:
        raise NothingToDo("name an amount above 0")
    if to == owner:
        raise NothingToDo("that is the wallet that it comes from")
    source, place = (associated_token_address(each, mint) for each in (owner, to))
    movement = Movement(
        NamedAccount("your account", source),
        NamedAccount(f"the account of {to}", place),
        amount,
        currency,
        "can't be taken back",
    )
    # Who sends to a program's account by mistake, such as a vault, never sees it again.
    keyless = f"{to} has no key: it belongs to a program, such as a multisig. Only that program can spend it."
    name = currency.name
    opening = Opening(f"an account for {name}", place, ACCOUNT_SIZE, owner, f"to {to}, when it closes it")
    instructions = (create_associated(owner, to, mint), transfer(source, place, owner, amount))
    notes = () if to.is_on_curve() else (keyless,)
    return Plan(instructions, (movement,), notes, openings=(opening,))


def burn(owner: Pubkey, amount: int) -> Plan:
    """Burn base units of IO. Raises NothingToDo."""
    if not amount:
        raise NothingToDo("name an amount above 0")
    source = NamedAccount("your account", tokenomics.tokens_address(owner))
    gone = NamedAccount("nobody: it is burned", tokenomics.MINT)
    movement = Movement(source, gone, amount, Currency.IO, "can't be undone")
    return Plan((tokenomics.burn(owner, amount),), (movement,))
