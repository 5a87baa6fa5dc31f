"""What attackers and bystanders do on the token programs themselves."""

from __future__ import annotations

from dataclasses import replace

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from spl.token import instructions as spl
from spl.token import models

from keeper.chain import Account
from keeper.chain.framework import TOKEN_PROGRAM
from keeper.chain.loader import minimum_balance
from keeper.chain.token import TokenAccount, read_token_account
from keeper.economy.supply import IO_DECIMALS
from tests.programs.world import World, finish
from tests.security.people import KEYS

TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
MINT_SIZE = 82
ACCOUNT_SIZE = 165
INITIALIZED, FROZEN, STATE = b"\1", b"\2", 108
"""A token account's states, and where they are."""
OWNER, AMOUNT = 32, slice(64, 72)
"""Where a token account's owner is, and its amount."""


def create_mint(
    world: World,
    mint: Keypair,
    authority: Pubkey,
    *,
    program: Pubkey = TOKEN_PROGRAM,
    decimals: int = IO_DECIMALS,
) -> None:
    """A mint that looks like IO's but for its address; its authority can freeze, too."""
    terms = models.InitializeMint2Params(
        decimals=decimals,
        program_id=program,
        mint=mint.pubkey(),
        mint_authority=authority,
        freeze_authority=authority,
    )
    world.do(
        new_account(world, mint.pubkey(), MINT_SIZE, program), spl.initialize_mint2(terms), signers=[mint]
    )


def create_tokens(
    world: World, account: Keypair, mint: Pubkey, owner: Pubkey, *, program: Pubkey = TOKEN_PROGRAM
) -> None:
    """A token account at any address: only associated ones have a fixed one."""
    terms = models.InitializeAccount3Params(
        program_id=program, account=account.pubkey(), mint=mint, owner=owner
    )
    create = new_account(world, account.pubkey(), ACCOUNT_SIZE, program)
    world.do(create, spl.initialize_account3(terms), signers=[account])


def new_account(world: World, address: Pubkey, space: int, owner: Pubkey) -> Instruction:
    """What anybody can make at an address they have the key of: an account of zeros, of any program's."""
    return create_account(
        CreateAccountParams(
            from_pubkey=world.payer.pubkey(),
            to_pubkey=address,
            lamports=finish(minimum_balance(world.chain, space)),
            space=space,
            owner=owner,
        )
    )


def mint_to(
    mint: Pubkey, to: Pubkey, authority: Pubkey, amount: int, *, program: Pubkey = TOKEN_PROGRAM
) -> Instruction:
    """New tokens of a mint whose authority signs."""
    return spl.mint_to(
        models.MintToParams(program_id=program, mint=mint, dest=to, mint_authority=authority, amount=amount)
    )


def set_owner(account: Pubkey, owner: Pubkey, new_owner: Pubkey) -> Instruction:
    """A token account handed to somebody else; its address stays."""
    return _set_authority(account, owner, models.AuthorityType.ACCOUNT_OWNER, new_owner)


def approve(account: Pubkey, owner: Pubkey, delegate: Pubkey, amount: int) -> Instruction:
    """Somebody else may take so much out of it."""
    terms = models.ApproveParams(
        program_id=TOKEN_PROGRAM, source=account, delegate=delegate, owner=owner, amount=amount
    )
    return spl.approve(terms)


def set_close_authority(account: Pubkey, owner: Pubkey, new: Pubkey) -> Instruction:
    """Somebody beside the owner who may close a token account."""
    return _set_authority(account, owner, models.AuthorityType.CLOSE_ACCOUNT, new)


def set_mint_authority(mint: Pubkey, current: Pubkey, new: Pubkey) -> Instruction:
    """Somebody else who may mint."""
    return _set_authority(mint, current, models.AuthorityType.MINT_TOKENS, new)


def freeze(account: Pubkey, mint: Pubkey, authority: Pubkey) -> Instruction:
    """Stop a token account."""
    return spl.freeze_account(
        models.FreezeAccountParams(program_id=TOKEN_PROGRAM, account=account, mint=mint, authority=authority)
    )


def freeze_anyway(world: World, account: Pubkey, *, let_go: bool = False) -> None:
    """A token account in the state of a frozen one, though its mint can't freeze; or not any more."""
    found = world.account(account)
    frozen = found.data[:STATE] + (INITIALIZED if let_go else FROZEN) + found.data[STATE + 1 :]
    world.chain.set_account(account, Account(found.lamports, frozen, found.owner))


def thaw(account: Pubkey, mint: Pubkey, authority: Pubkey) -> Instruction:
    """Let a token account go on."""
    return spl.thaw_account(
        models.ThawAccountParams(program_id=TOKEN_PROGRAM, account=account, mint=mint, authority=authority)
    )


def close(account: Pubkey, to: Pubkey, owner: Pubkey) -> Instruction:
    """Close an empty token account."""
    return spl.close_account(
        models.CloseAccountParams(program_id=TOKEN_PROGRAM, account=account, dest=to, owner=owner)
    )


def token_accounts(world: World) -> dict[Pubkey, TokenAccount]:
    """Every account of the token program's, by its address."""
    found = finish(world.chain.program_accounts(TOKEN_PROGRAM, size=ACCOUNT_SIZE))
    return {each: read_token_account(account.data) for each, account in found.items()}


def vaults(world: World) -> dict[Pubkey, TokenAccount]:
    """Every token account that is no person's: a program signs for its owner."""
    return {each: held for each, held in token_accounts(world).items() if held.owner not in KEYS}


def without_tokens(account: Account, amount: int) -> Account:
    """A token account of which some were taken behind its owner's back."""
    data = bytearray(account.data)
    data[AMOUNT] = (read_token_account(account.data).amount - amount).to_bytes(8, "little")
    return replace(account, data=bytes(data))


def is_frozen(world: World, account: Pubkey) -> bool:
    """Whether nothing can come into it or go out of it."""
    return world.account(account).data[STATE : STATE + 1] == FROZEN


def _set_authority(account: Pubkey, current: Pubkey, kind: models.AuthorityType, new: Pubkey) -> Instruction:
    return spl.set_authority(
        models.SetAuthorityParams(
            program_id=TOKEN_PROGRAM,
            account=account,
            authority=kind,
            current_authority=current,
            new_authority=new,
        )
    )
