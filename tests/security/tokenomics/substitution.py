"""The accounts that stand in the slots of tokenomics' matrix."""

from __future__ import annotations

from collections.abc import Mapping

from solders.pubkey import Pubkey

from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_PROGRAM, UPGRADEABLE_LOADER
from keeper.chain.loader import program_data_address
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import PROGRAM
from tests.security.matrix import Kind, Matrix
from tests.security.people import IMPOSTOR, OTHER_MINT, OTHER_TOKENS, address
from tests.security.tokenomics.calls import CALLS
from tests.security.tokenomics.stages import ENDED, RUNNING, WAITING, stage
from tests.security.tokens import TOKEN_2022


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
    "new_guardian": WALLET,
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

MATRIX = Matrix(PROGRAM, CALLS, stage, KINDS)
valid = MATRIX.valid
