"""The accounts that stand in the slots of buyback's matrix."""

from __future__ import annotations

from collections.abc import Mapping

from solders.pubkey import Pubkey

from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_PROGRAM, UPGRADEABLE_LOADER
from keeper.chain.loader import program_data_address
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from keeper.clients.buyback import PROGRAM
from tests.programs.buyback.world import USDC_MINT, USDC_VAULT
from tests.security.buyback.calls import CALLS
from tests.security.buyback.stages import OPEN, SOLD, UNSOLD, stage, usdc
from tests.security.matrix import Kind, Matrix
from tests.security.people import IMPOSTOR, OTHER_MINT, OTHER_TOKENS, address
from tests.security.tokens import TOKEN_2022


def _derived(seed: bytes, program: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([seed], program)[0]


_OURS = PROGRAM.address
_AUCTIONS = tuple(map(client.auction_address, (UNSOLD, SOLD, OPEN)))
_MINT = OTHER_MINT.pubkey()

PERSON = Kind(SYSTEM_PROGRAM, (address("mallory"), address("bob")), (_MINT,))
VAULT = Kind(TOKEN_PROGRAM, (tokenomics.GENESIS_VAULT, OTHER_TOKENS.pubkey()), (_MINT,))
EXECUTABLE = Kind(UPGRADEABLE_LOADER, (TOKEN_2022, TOKEN_PROGRAM), (_MINT,))

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("admin", "new_admin", "guardian", "new_guardian", "payer", "bidder"), PERSON),
    # There is but one config: an auction stands for another.
    "config": Kind(_OURS, (*_AUCTIONS, _MINT), (_MINT, OTHER_TOKENS.pubkey())),
    # The config is in every call already: a token account stands for another kind.
    "auction": Kind(_OURS, _AUCTIONS, (OTHER_TOKENS.pubkey(),)),
    "io_mint": Kind(TOKEN_PROGRAM, (USDC_MINT, _MINT), (OTHER_TOKENS.pubkey(),)),
    "usdc_mint": Kind(TOKEN_PROGRAM, (_MINT,), (OTHER_TOKENS.pubkey(),)),
    "tokenomics": Kind(
        tokenomics.PROGRAM.address, (tokenomics.allocation_address(0),), (tokenomics.allocation_address(1),)
    ),
    "io_vault": Kind(TOKEN_PROGRAM, (USDC_VAULT, *VAULT.strangers), (_MINT,)),
    "usdc_vault": Kind(TOKEN_PROGRAM, (client.IO_VAULT, *VAULT.strangers), (_MINT,)),
    "bidder_io": Kind(TOKEN_PROGRAM, (tokenomics.tokens_address(address("mallory")),), (_MINT,)),
    "bidder_usdc": Kind(TOKEN_PROGRAM, (usdc("mallory"),), (_MINT,)),
    "program_data": Kind(
        UPGRADEABLE_LOADER, (program_data_address(IMPOSTOR), tokenomics.PROGRAM.address), (IMPOSTOR,)
    ),
    "event_authority": Kind(SYSTEM_PROGRAM, (_derived(b"__event_authority", IMPOSTOR),), (_MINT,)),
    "token_program": EXECUTABLE,
    "system_program": EXECUTABLE,
    "program": Kind(UPGRADEABLE_LOADER, (IMPOSTOR,), (_MINT,)),
}
"""By the slot's name in the IDL."""

MATRIX = Matrix(PROGRAM, CALLS, stage, KINDS)
