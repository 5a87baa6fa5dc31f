"""What a wallet holds, and what it is about to send or burn."""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from keeper.chain import ChainError, ChainReader
from keeper.chain.framework import TOKEN_PROGRAM, associated_token_address
from keeper.chain.token import MINT_SIZE, balance, create_associated, read_mint, transfer_checked
from keeper.clients import orders, staking, tokenomics
from keeper.economy.money import DECIMALS, show
from keeper.economy.orders import Currency
from keeper.economy.staking import CoStakeState
from keeper.wallet.openings import tokens
from keeper.wallet.plan import Movement, NamedAccount, NothingToDo, Plan


@dataclass(frozen=True, slots=True)
class Holdings:
    """All of a wallet's: lamports, base units; ``usdc`` is None on a network that has none yet."""

    wallet: Pubkey
    lamports: int
    io: int
    usdc: int | None
    staked: int
    cooling: int


@dataclass(frozen=True, slots=True)
class Money:
    """A currency as a chain has it: its mint, and in words where that is known from."""

    currency: Currency
    mint: Pubkey
    source: str


async def read_money(chain: ChainReader, currency: Currency) -> Money:
    """A currency of this network; what is sent of it names its mint and its decimals.

    IO's mint follows from the program's address alone; USDC's is a node's word, and has to be a mint with
    USDC's decimals. Raises ChainError for USDC where orders was never set up, or for a mint that is none.
    """
    if currency == Currency.IO:
        return Money(currency, tokenomics.MINT, "follows from the address of tokenomics")
    config = await orders.read_config(chain)
    if config is None:
        raise ChainError("this network has no USDC yet: ionet deploy, then ionet genesis")
    mint = config.usdc_mint
    (account,) = await chain.accounts([mint])
    if account is None or account.owner != TOKEN_PROGRAM or len(account.data) != MINT_SIZE:
        raise ChainError(f"by this node USDC's mint is {mint}, which is none: ask a node that you trust")
    if read_mint(account.data).decimals != DECIMALS[currency]:
        raise ChainError(f"by this node USDC's mint is {mint}, which has other decimals than USDC")
    return Money(currency, mint, f"by orders' config {orders.CONFIG}")


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


def send(owner: Pubkey, to: Pubkey, amount: int, money: Money) -> Plan:
    """Send base units to a wallet's associated account. Raises NothingToDo."""
    if not amount:
        raise NothingToDo("name an amount above 0")
    if to == owner:
        raise NothingToDo("that is the wallet that it comes from")
    mint, name = money.mint, money.currency.name
    source, place = (associated_token_address(each, mint) for each in (owner, to))
    movement = Movement(
        NamedAccount("your account", source),
        NamedAccount("the receiver's account", place),
        amount,
        money.currency,
        "can't be taken back",
    )
    instructions = (
        create_associated(owner, to, mint),
        transfer_checked(source, mint, place, owner, amount, DECIMALS[money.currency]),
    )
    notes = (f"It goes to the wallet {to}.", f"{name}'s mint is {mint}, {money.source}.")
    return Plan(instructions, (movement,), notes, openings=(tokens(to, owner, money.currency, mint),))


def burn(owner: Pubkey, amount: int, held: int) -> Plan:
    """Burn base units of IO out of the ``held`` ones of its associated account. Raises NothingToDo."""
    if not amount:
        raise NothingToDo("name an amount above 0")
    source = NamedAccount("your account", tokenomics.tokens_address(owner))
    gone = NamedAccount("nobody: it is burned", tokenomics.MINT)
    movement = Movement(source, gone, amount, Currency.IO, "can't be undone")
    notes = (f"The account holds {show(held, Currency.IO)} IO before.",)
    return Plan((tokenomics.burn(owner, amount, expected=held),), (movement,), notes)
