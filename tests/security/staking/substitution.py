"""The accounts that stand in the slots of staking's matrix."""

from __future__ import annotations

from collections.abc import Mapping

from solders.pubkey import Pubkey

from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_PROGRAM, UPGRADEABLE_LOADER
from keeper.chain.loader import program_data_address
from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.clients.staking import PROGRAM
from tests.programs.world import HOUR
from tests.security.matrix import Kind, Matrix
from tests.security.people import IMPOSTOR, OTHER_MINT, OTHER_TOKENS, address
from tests.security.staking.calls import CALLS, OLD_PRICES, PRICED
from tests.security.staking.stages import (
    APPLE,
    CHALLENGED,
    DUE,
    END,
    EVIDENCE,
    FINAL_HOURS,
    GPU,
    LATE_EVIDENCE,
    stage,
)
from tests.security.tokens import TOKEN_2022


def _tokens(name: str) -> Pubkey:
    return tokenomics.tokens_address(address(name))


def _device(worker: str) -> Pubkey:
    return client.device_address(address(worker))


def _derived(seed: bytes, program: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([seed], program)[0]


_OURS = PROGRAM.address
_WALLETS = tuple(client.wallet_address(address(name)) for name in ("mallory", "bob"))
_DEVICES = tuple(map(_device, ("bob's worker", "leaving worker", "worker")))
_BLOCKS = tuple(map(client.block_address, (FINAL_HOURS - 2, CHALLENGED, DUE)))
_SLASHES = (
    client.slash_address(_device("worker"), LATE_EVIDENCE),
    client.slash_address(_device("slashed worker"), EVIDENCE),
)
_PRICES = tuple(map(client.prices_address, (PRICED, OLD_PRICES, END // HOUR - 2)))
_COUNTERS = (client.post_address(address("operator 1")),)
_CLASSES = tuple(map(client.class_address, (APPLE, GPU)))
_MINT = OTHER_MINT.pubkey()

PERSON = Kind(SYSTEM_PROGRAM, (address("mallory"),), (_MINT,))
TOKENS = Kind(TOKEN_PROGRAM, (_tokens("mallory"),), (_MINT,))
VAULT = Kind(TOKEN_PROGRAM, (tokenomics.GENESIS_VAULT, OTHER_TOKENS.pubkey()), (_MINT,))
EXECUTABLE = Kind(UPGRADEABLE_LOADER, (TOKEN_2022, TOKEN_PROGRAM), (_MINT,))
EARNER = Kind(_OURS, _WALLETS, (client.CONFIG, *_DEVICES))

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "admin",
            "new_admin",
            "guardian",
            "new_guardian",
            "supplier",
            "operator",
            "payer",
            "staker",
            "worker",
            "owner",
        ),
        PERSON,
    ),
    **dict.fromkeys(
        ("wallet_tokens", "owner_tokens", "associated", "supplier_tokens", "staker_tokens"), TOKENS
    ),
    # There is but one config: another large account stands for another.
    "config": Kind(_OURS, (_BLOCKS[0], _MINT), (_MINT, OTHER_TOKENS.pubkey())),
    "class": Kind(_OURS, _CLASSES, (client.CONFIG, *_DEVICES)),
    "device": Kind(_OURS, _DEVICES, (client.CONFIG, *_BLOCKS)),
    "slash": Kind(_OURS, _SLASHES, (client.CONFIG, *_DEVICES)),
    "prices": Kind(_OURS, _PRICES, (client.CONFIG, *_DEVICES)),
    "counter": Kind(_OURS, _COUNTERS, (client.CONFIG, *_DEVICES)),
    "block": Kind(_OURS, _BLOCKS, (client.CONFIG, *_DEVICES)),
    "wallet": EARNER,
    "payout": EARNER,
    "tokenomics": Kind(
        tokenomics.PROGRAM.address, (tokenomics.allocation_address(0),), (tokenomics.allocation_address(1),)
    ),
    "tokenomics_program": Kind(UPGRADEABLE_LOADER, (IMPOSTOR,), (_MINT,)),
    "tokenomics_events": Kind(SYSTEM_PROGRAM, (_derived(b"__event_authority", IMPOSTOR),), (_MINT,)),
    "mint": Kind(TOKEN_PROGRAM, (_MINT,), (OTHER_TOKENS.pubkey(),)),
    "stake_vault": VAULT,
    "reward_vault": VAULT,
    "program_data": Kind(
        UPGRADEABLE_LOADER, (program_data_address(IMPOSTOR), tokenomics.PROGRAM.address), (IMPOSTOR,)
    ),
    # Of the program: there it only signs.
    "lease_authority": Kind(SYSTEM_PROGRAM, (address("mallory"),), (_derived(b"lease_authority", IMPOSTOR),)),
    "reward_authority": Kind(SYSTEM_PROGRAM, (_derived(b"reward_authority", IMPOSTOR),), (_MINT,)),
    "event_authority": Kind(SYSTEM_PROGRAM, (_derived(b"__event_authority", IMPOSTOR),), (_MINT,)),
    "token_program": EXECUTABLE,
    "system_program": EXECUTABLE,
    "program": Kind(UPGRADEABLE_LOADER, (IMPOSTOR,), (_MINT,)),
}
"""By the slot's name in the IDL."""

MATRIX = Matrix(PROGRAM, CALLS, stage, KINDS)
