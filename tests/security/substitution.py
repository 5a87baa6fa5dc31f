"""Every way to put another account into a slot of a call, generated from the IDL.

What the attacker puts there is of two sorts: what anybody can make on a real chain (wallets, token
accounts, programs, an account of zeros that belongs to any program, a copy that belongs to the
attacker's program), and a ``copy`` of the right account at another address. For this program's own
accounts nobody but the program could write one, so that it is planted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain import Account
from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_PROGRAM, UPGRADEABLE_LOADER
from keeper.chain.loader import program_data_address
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import PROGRAM
from tests.programs.world import World, key
from tests.security.calls import CALLS
from tests.security.stages import (
    ENDED,
    IMPOSTOR,
    KEYS,
    OTHER_MINT,
    OTHER_TOKENS,
    RUNNING,
    WAITING,
    address,
    stage,
)
from tests.security.tokens import TOKEN_2022

ELSEWHERE = key("elsewhere").pubkey()
"""An address that the attacker has the key of; nothing is there but what a case plants."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What stands in a slot: others of its kind, and accounts of its owner that are of another kind.

    Of both, a case takes the first that exists and isn't in the call already.
    """

    owner: Pubkey
    strangers: tuple[Pubkey, ...]
    others: tuple[Pubkey, ...]


def _tokens(name: str) -> Pubkey:
    return client.tokens_address(address(name))


def _derived(seed: bytes, program: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([seed], program)[0]


_OURS = PROGRAM.address
_SPARE = (OTHER_TOKENS.pubkey(),)
_ALLOCATIONS = (client.allocation_address(2), client.allocation_address(4))
_SEASONS = tuple(client.season_address(number) for number in (RUNNING, ENDED, WAITING))
_SEASON_VAULTS = tuple(client.season_vault_address(number) for number in (RUNNING, ENDED, WAITING))
_PAGES = tuple(client.claim_page_address(number, 0) for number in (RUNNING, ENDED))

WALLET = Kind(SYSTEM_PROGRAM, (address("mallory"),), (OTHER_MINT.pubkey(),))
TOKENS = Kind(TOKEN_PROGRAM, (_tokens("mallory"),), (OTHER_MINT.pubkey(),))
CONFIG = Kind(_OURS, (*_PAGES, _ALLOCATIONS[0], OTHER_MINT.pubkey()), (OTHER_MINT.pubkey(), *_SPARE))
SEASON = Kind(_OURS, _SEASONS, (client.CONFIG, *_PAGES))
PROGRAM_KIND = Kind(UPGRADEABLE_LOADER, (TOKEN_2022, TOKEN_PROGRAM), (OTHER_MINT.pubkey(),))

KINDS: Mapping[str, Kind] = {
    "admin": WALLET,
    "new_admin": WALLET,
    "guardian": WALLET,
    "owner": WALLET,
    "payer": WALLET,
    "wallet": WALLET,
    "funder": WALLET,
    "beneficiary": WALLET,
    "new_beneficiary": WALLET,
    "owner_tokens": TOKENS,
    "funder_tokens": TOKENS,
    "wallet_tokens": TOKENS,
    "beneficiary_tokens": TOKENS,
    # There is but one config: the program's largest account stands for another.
    "config": CONFIG,
    "allocation": Kind(_OURS, _ALLOCATIONS, (client.CONFIG, *_PAGES)),
    "season": SEASON,
    "season_account": SEASON,
    "claim_page": Kind(_OURS, _PAGES, (client.CONFIG, *_SEASONS)),
    "mint": Kind(TOKEN_PROGRAM, (OTHER_MINT.pubkey(),), _SPARE),
    "genesis_vault": Kind(TOKEN_PROGRAM, (client.REWARD_VAULT, *_SPARE), (OTHER_MINT.pubkey(),)),
    "reward_vault": Kind(TOKEN_PROGRAM, (client.GENESIS_VAULT, *_SPARE), (OTHER_MINT.pubkey(),)),
    "season_vault": Kind(TOKEN_PROGRAM, _SEASON_VAULTS, (OTHER_MINT.pubkey(),)),
    "program_data": Kind(UPGRADEABLE_LOADER, (program_data_address(IMPOSTOR),), (IMPOSTOR,)),
    "reward_authority": Kind(
        SYSTEM_PROGRAM, (_derived(b"reward_authority", IMPOSTOR),), (OTHER_MINT.pubkey(),)
    ),
    "token_program": PROGRAM_KIND,
    "system_program": PROGRAM_KIND,
    "event_authority": Kind(
        SYSTEM_PROGRAM, (_derived(b"__event_authority", IMPOSTOR),), (OTHER_MINT.pubkey(),)
    ),
    "program": Kind(UPGRADEABLE_LOADER, (IMPOSTOR,), (OTHER_MINT.pubkey(),)),
}
"""By the slot's name in the IDL."""

CHANGES = ("stranger", "other kind", "copy", "foreign copy", "blank", "absent")
"""What each slot is given: see :func:`replacement` and :func:`planted`."""
SAME = "= "
"""Before the name of another slot whose account a case puts there."""


@dataclass(frozen=True, slots=True)
class Case:
    """One slot of one instruction, changed in one way."""

    instruction: str
    slot: str
    change: str

    @property
    def twin(self) -> str | None:
        """The other slot whose account is given twice."""
        return self.change.removeprefix(SAME) if self.change.startswith(SAME) else None


def slots(instruction: str) -> list[str]:
    """The names of an instruction's slots, as the IDL lists them."""
    return [each["name"] for each in PROGRAM.instructions[instruction]]


def is_flagged(instruction: str, slot: str, flag: str) -> bool:
    """Whether the IDL says that a slot is ``writable`` or a ``signer``."""
    return any(each.get(flag, False) for each in PROGRAM.instructions[instruction] if each["name"] == slot)


def cases(instruction: str, slot: str) -> list[Case]:
    """Every case of a slot."""
    changes = list(CHANGES)
    changes += ["unsigned"] if is_flagged(instruction, slot, "signer") else []
    changes += ["readonly"] if is_flagged(instruction, slot, "writable") else []
    changes += [SAME + other for other in slots(instruction) if other != slot]
    return [Case(instruction, slot, change) for change in changes]


@cache
def valid(instruction: str) -> Instruction:
    """The call that succeeds."""
    call = CALLS[instruction]
    return call.build(stage(call.stage))


def account_of(instruction: str, slot: str) -> Pubkey:
    """The right account of a slot."""
    return valid(instruction).accounts[slots(instruction).index(slot)].pubkey


def replacement(case: Case, world: World) -> Pubkey:
    """The address that a case puts into its slot."""
    kind = KINDS[case.slot]
    if case.twin:
        return account_of(case.instruction, case.twin)
    if case.change not in ("stranger", "other kind"):
        return ELSEWHERE
    choice = kind.strangers if case.change == "stranger" else kind.others
    taken = {meta.pubkey for meta in valid(case.instruction).accounts}
    free = [each for each in choice if each not in taken]
    # Addresses of programs need no account: nothing is at them.
    return next((each for each in free if world.chain.get(each)), free[0])


def planted(case: Case, world: World) -> Account | None:
    """What a case puts at ELSEWHERE."""
    kind = KINDS[case.slot]
    # What doesn't exist yet is forged after another of its kind.
    models = (account_of(case.instruction, case.slot), *kind.strangers)
    model = next((found for each in models if (found := world.chain.get(each))), None)
    model = model or Account(1_000_000, b"", kind.owner)
    if case.change == "copy":
        return Account(model.lamports, model.data, model.owner)
    if case.change == "foreign copy":
        return Account(model.lamports, model.data, IMPOSTOR)
    if case.change == "blank":
        return Account(model.lamports, bytes(len(model.data)), model.owner)
    return None


def changed(case: Case, world: World) -> Instruction:
    """The call with the case's slot changed."""
    call = valid(case.instruction)
    position = slots(case.instruction).index(case.slot)
    metas = list(call.accounts)
    old = metas[position]
    if case.change == "unsigned":
        metas[position] = AccountMeta(old.pubkey, False, old.is_writable)
    elif case.change == "readonly":
        metas[position] = AccountMeta(old.pubkey, old.is_signer, False)
    else:
        put = replacement(case, world)
        # Nobody can sign for a program's address.
        metas[position] = AccountMeta(put, old.is_signer and put in KEYS, old.is_writable)
    return Instruction(call.program_id, call.data, metas)
