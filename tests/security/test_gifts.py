"""Lamports and tokens that somebody gives to a program's accounts change nothing in it."""

from solders.pubkey import Pubkey

from keeper.chain import Account, token
from keeper.chain.framework import associated_token_address
from keeper.clients.programs import BY_ADDRESS
from tests.programs.world import World
from tests.security.every import SUBJECTS, named, on_every_instruction, on_every_program
from tests.security.outcomes import accounts, undone
from tests.security.people import address, do
from tests.security.tokens import is_frozen, token_accounts, vaults

MALLORY = address("mallory")
LAMPORTS, TOKENS = 10**9, 7
BEFORE_LAUNCH = (("tokenomics", "initialize"), ("tokenomics", "add_allocation"), ("tokenomics", "launch"))


def written(world: World) -> dict[Pubkey, tuple[Pubkey, bytes]]:
    """Whose every account is and what is in it, whatever lamports it has; nothing of empty wallets."""
    return {each: (account.owner, account.data) for each, account in accounts(world).items() if account.data}


@on_every_instruction()
def test_lamports_given_to_an_account_change_nothing(program: str, instruction: str) -> None:
    """To every account of the call at once, also to those that it makes or closes."""
    world, call = SUBJECTS[program].scene(instruction)
    with undone(world):
        do(world, call)
        plain = written(world)
    with undone(world):
        for meta in call.accounts:
            found = world.chain.get(meta.pubkey)
            if found is None or not found.executable:
                world.chain.airdrop(meta.pubkey, LAMPORTS)
        do(world, call)
        assert written(world) == plain


def state(world: World) -> dict[Pubkey, Account]:
    """The programs' own accounts."""
    return {each: account for each, account in accounts(world).items() if account.owner in BY_ADDRESS}


def shows(program: str, instruction: str) -> bool:
    """Whether a gift of tokens to every vault has changed what a call does.

    Without a change each vault holds the gift beside what it would hold, and nobody else has any of it.
    """
    world, call = SUBJECTS[program].scene(instruction)
    with undone(world):
        do(world, call)
        plain, amounts = state(world), {each: held.amount for each, held in token_accounts(world).items()}
    with undone(world):
        given = {each: held for each, held in vaults(world).items() if not is_frozen(world, each)}
        for vault, held in given.items():
            source = associated_token_address(MALLORY, held.mint)
            do(world, token.transfer(source, vault, MALLORY, TOKENS))
            amounts[source] -= TOKENS
            if vault in amounts:
                amounts[vault] += TOKENS
        do(world, call)
        found = {each: held.amount for each, held in token_accounts(world).items()}
        return (state(world), found) != (plain, amounts)


@on_every_instruction(
    {
        "no token exists before the launch": named(*BEFORE_LAUNCH),
        "it does something with the gift: see the test below": lambda its, name: name in its.gifts,
    }
)
def test_tokens_given_to_the_vaults_change_nothing(program: str, instruction: str) -> None:
    assert not shows(program, instruction)


@on_every_instruction({"a gift changes nothing": lambda its, name: name not in its.gifts})
def test_where_a_gift_shows(program: str, instruction: str) -> None:
    """Otherwise it must not be excused any more."""
    assert shows(program, instruction)


def test_there_is_nothing_to_give_before_the_launch() -> None:
    for program, instruction in BEFORE_LAUNCH:
        world, _ = SUBJECTS[program].scene(instruction)
        assert not any(held.amount for held in token_accounts(world).values())


@on_every_program
def test_every_gift_that_shows_is_of_an_instruction(program: str) -> None:
    its = SUBJECTS[program]
    assert its.gifts.keys() <= its.program.instructions.keys()
