"""Token accounts: another's, another mint's, handed over, frozen, closed; other token programs; donations."""

from collections.abc import Callable

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from keeper.chain import Account, token
from keeper.chain.framework import TOKEN_PROGRAM, associated_token_address
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import MINT
from keeper.economy.supply import GENESIS_SUPPLY, IO
from tests.programs.world import finish, key
from tests.security.outcomes import refused
from tests.security.people import IMPOSTOR, OTHER_MINT, SPARE_TOKENS, address, do
from tests.security.tokenomics import stages
from tests.security.tokenomics.calls import CALLS
from tests.security.tokenomics.stages import ENDED, RUNNING, WAITING, stage
from tests.security.tokenomics.substitution import slots, valid
from tests.security.tokens import (
    ACCOUNT_SIZE,
    TOKEN_2022,
    close,
    create_mint,
    create_tokens,
    freeze,
    mint_to,
    set_close_authority,
    set_mint_authority,
    set_owner,
)

ADMIN, ALICE, BOB, MALLORY = (address(name) for name in ("admin", "alice", "bob", "mallory"))

PAYOUTS = {
    "release": ("beneficiary_tokens", "ecosystem"),
    "claim_season": ("wallet_tokens", "alice"),
    "close_season": ("funder_tokens", "admin"),
    "cancel_season": ("funder_tokens", "admin"),
}
"""Every instruction that pays somebody: the slot that is paid, and who."""
TOKEN_CALLS = [name for name in CALLS if "token_program" in slots(name)]


def put(name: str, **accounts: Pubkey) -> Instruction:
    """The valid call with other accounts in some slots."""
    call, metas = valid(name), list(valid(name).accounts)
    for slot, each in accounts.items():
        position = slots(name).index(slot)
        metas[position] = AccountMeta(each, metas[position].is_signer, metas[position].is_writable)
    return Instruction(call.program_id, call.data, metas)


def paid_to(name: str, account: Pubkey) -> Instruction:
    return put(name, **{PAYOUTS[name][0]: account})


@pytest.mark.parametrize("name", PAYOUTS)
def test_only_the_associated_account_is_paid(name: str) -> None:
    """Another account of the same owner for IO: right owner, right mint, yet nobody would look there."""
    world = stages.STAGES[CALLS[name].stage]()
    owner = address(PAYOUTS[name][1])
    create_tokens(world, key("spare"), MINT, owner)
    assert refused(world, paid_to(name, key("spare").pubkey())) == "NotAssociatedAccount"
    do(world, valid(name))


@pytest.mark.parametrize("name", PAYOUTS)
def test_the_owners_account_of_another_mint(name: str) -> None:
    world = stages.running()
    owner = address(PAYOUTS[name][1])
    create_tokens(world, key("spare"), OTHER_MINT.pubkey(), owner)
    world.do(token.create_associated(world.payer.pubkey(), owner, OTHER_MINT.pubkey()))
    associated = associated_token_address(owner, OTHER_MINT.pubkey())
    for account in (key("spare").pubkey(), associated):
        assert refused(world, paid_to(name, account)) == "NotAssociatedAccount"


@pytest.mark.parametrize("name", PAYOUTS)
def test_an_associated_account_handed_to_a_stranger_is_not_paid(name: str) -> None:
    """Its address is right for ever, its owner isn't: the money stays until there is a way to its owner."""
    world = stages.running()
    owner = address(PAYOUTS[name][1])
    do(world, set_owner(client.tokens_address(owner), owner, MALLORY))
    assert refused(world, valid(name)) == "InvalidAccountData"


@pytest.mark.parametrize("name", PAYOUTS)
def test_a_closed_account_is_not_paid_and_anybody_opens_it_again(name: str) -> None:
    world = stages.running()
    owner = address(PAYOUTS[name][1])
    tokens = client.tokens_address(owner)
    held = world.tokens(tokens)
    if held:
        do(world, token.transfer(tokens, client.tokens_address(MALLORY), owner, held))
    do(world, close(tokens, owner, owner))
    assert refused(world, valid(name)) == "AccountDataTooSmall"
    do(world, token.create_associated(MALLORY, owner, MINT), valid(name))
    assert world.tokens(tokens) > 0


@pytest.mark.parametrize("name", PAYOUTS)
def test_nobody_can_freeze_a_payee(name: str) -> None:
    """IO has no freeze authority; were an account frozen all the same, others go on."""
    world = stages.running()
    tokens = client.tokens_address(address(PAYOUTS[name][1]))
    for who in (ADMIN, address("guardian"), MALLORY):
        assert refused(world, freeze(tokens, MINT, who)) == "Token.MintCannotFreeze"
    found = world.account(tokens)
    state = 108
    frozen = found.data[:state] + b"\2" + found.data[state + 1 :]
    world.chain.set_account(tokens, Account(found.lamports, frozen, found.owner))
    assert refused(world, valid(name)) == "Token.AccountFrozen"
    do(world, CALLS["emit"].build(world), client.release(5, address("launchpool")))


@pytest.mark.parametrize("name", TOKEN_CALLS)
@pytest.mark.parametrize("program", [IMPOSTOR, TOKEN_2022], ids=["a fake program", "Token-2022"])
def test_another_token_program(name: str, program: Pubkey) -> None:
    """A program that would say yes to everything without moving a token."""
    call = put(name, token_program=program)
    assert refused(stage(CALLS[name].stage), call) == "IncorrectProgramId"


@pytest.mark.parametrize("name", ["release", "claim_season", "close_season", "cancel_season", "burn"])
def test_a_token_2022_account(name: str) -> None:
    """Same bytes, same owner, another token program's."""
    world = stages.running()
    mint = key("mint of Token-2022")
    slot, who = {**PAYOUTS, "burn": ("owner_tokens", "alice")}[name]
    create_mint(world, mint, MALLORY, program=TOKEN_2022)
    create_tokens(world, key("spare"), mint.pubkey(), address(who), program=TOKEN_2022)
    do(world, mint_to(mint.pubkey(), key("spare").pubkey(), MALLORY, 10 * IO, program=TOKEN_2022))
    # To burn, the token program looks itself, and finds the other mint first.
    error = "Token.MintMismatch" if name == "burn" else "IllegalOwner"
    assert refused(world, put(name, **{slot: key("spare").pubkey()})) == error


WRONG_MINT: dict[str, Callable[[], Instruction]] = {
    "burning another token": lambda: put("burn", owner_tokens=key("spare").pubkey()),
    "a season funded with another token": lambda: put("open_season", funder_tokens=key("spare").pubkey()),
}


@pytest.mark.parametrize("name", WRONG_MINT)
def test_another_mints_tokens_count_for_nothing(name: str) -> None:
    """The owner signs, has plenty, and it is somebody else's coin."""
    world = stages.running()
    owner = ALICE if name == "burning another token" else ADMIN
    create_tokens(world, key("spare"), OTHER_MINT.pubkey(), owner)
    do(world, mint_to(OTHER_MINT.pubkey(), key("spare").pubkey(), MALLORY, GENESIS_SUPPLY))
    assert refused(world, WRONG_MINT[name]()) == "Token.MintMismatch"


def test_any_account_of_ones_own_may_be_burned_from_or_fund() -> None:
    world = stages.running()
    do(world, put("burn", owner_tokens=SPARE_TOKENS["alice"].pubkey()))
    do(world, put("open_season", funder_tokens=SPARE_TOKENS["admin"].pubkey()))


# -- vaults and mint on the token program ----------------------------------------------------

VAULTS = {
    "genesis": client.GENESIS_VAULT,
    "reward": client.REWARD_VAULT,
    "season": client.season_vault_address(RUNNING),
}


@pytest.mark.parametrize("vault", VAULTS)
@pytest.mark.parametrize("who", ["admin", "guardian", "mallory"])
def test_no_person_owns_a_vault(vault: str, who: str) -> None:
    """Neither admin nor guardian can move, hand over, close or mint into one by the token program."""
    world, each, person = stages.running(), VAULTS[vault], address(who)
    do(world, client.emit())
    assert world.tokens(each) > 0
    attacks = [
        token.transfer(each, client.tokens_address(MALLORY), person, 1),
        set_owner(each, person, person),
        set_close_authority(each, person, person),
        token.burn(each, MINT, person, 1),
        mint_to(MINT, each, person, 1),
        set_mint_authority(MINT, person, person),
    ]
    for attack in attacks:
        assert refused(world, attack) == "Token.OwnerMismatch"
    assert refused(world, close(each, person, person)) == "Token.NonNativeHasBalance"


def test_tokens_given_to_vaults_change_no_figure() -> None:
    """Donations to the genesis, reward and season vaults: same releases, same claims, same emission."""
    plain, given = stages.running(), stages.running()
    source = client.tokens_address(MALLORY)
    for vault in VAULTS.values():
        do(given, token.transfer(source, vault, MALLORY, 100 * IO))
    for world in (plain, given):
        do(world, valid("release"), valid("emit"), valid("claim_season"), valid("close_season"))
    for wallet in (ADMIN, ALICE, address("ecosystem")):
        assert plain.balance(wallet) == given.balance(wallet)
    assert plain.config() == given.config()
    for vault in VAULTS.values():
        assert given.tokens(vault) == plain.tokens(vault) + 100 * IO


@pytest.mark.parametrize(("number", "call"), [(ENDED, "close_season"), (WAITING, "cancel_season")])
def test_a_gift_to_a_season_does_not_keep_it_open(number: int, call: str) -> None:
    """An account with tokens can't be closed: the gift goes to the funder with the rest."""
    world = stages.running()
    vault = client.season_vault_address(number)
    do(world, token.transfer(client.tokens_address(MALLORY), vault, MALLORY, 7))
    do(world, transfer(TransferParams(from_pubkey=MALLORY, to_pubkey=vault, lamports=3)))
    held, before, lamports = world.tokens(vault), world.balance(ADMIN), world.account(ADMIN).lamports
    rent = world.account(vault).lamports
    do(world, valid(call))
    assert world.balance(ADMIN) - before == held == sum(stages.season_amounts(number).values()) + 7
    assert world.account(ADMIN).lamports - lamports == rent
    assert world.chain.get(vault) is None
    season = client.parse_season(world.account(client.season_address(number)).data)
    assert season.returned == held - 7, "the record knows the pools, not the gift"


@pytest.mark.parametrize("what", ["config", "mint", "season", "page", "allocation"])
def test_lamports_given_to_an_account_change_nothing(what: str) -> None:
    world = stages.running()
    where = {
        "config": client.CONFIG,
        "mint": MINT,
        "season": client.season_address(RUNNING),
        "page": client.claim_page_address(RUNNING, 0),
        "allocation": client.allocation_address(3),
    }[what]
    gift = 10**9
    do(world, transfer(TransferParams(from_pubkey=MALLORY, to_pubkey=where, lamports=gift)))
    do(world, valid("release"), valid("emit"), valid("claim_season"))
    do(world, valid("burn"), valid("set_pause"))
    assert world.account(where).lamports > gift


def test_the_page_rent_goes_to_its_payer_gift_and_all() -> None:
    world = stages.running()
    page = client.claim_page_address(stages.CLOSED, 0)
    do(world, transfer(TransferParams(from_pubkey=MALLORY, to_pubkey=page, lamports=5)))
    before, rent = world.account(ALICE).lamports, world.account(page).lamports
    do(world, valid("close_claim_page"))
    assert world.account(ALICE).lamports - before == rent


def test_the_token_program_alone_holds_the_supply() -> None:
    """The sum over all token accounts of IO is the supply, however it moved."""
    world = stages.running()
    do(world, valid("release"), valid("emit"), valid("claim_season"), valid("burn"))
    total = 0
    for account in finish(world.chain.program_accounts(TOKEN_PROGRAM, size=ACCOUNT_SIZE)).values():
        found = token.read_token_account(account.data)
        total += found.amount if found.mint == MINT else 0
    assert total == world.supply()
