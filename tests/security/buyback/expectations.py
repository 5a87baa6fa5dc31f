"""How each substitution in buyback's instructions must be refused."""

from __future__ import annotations

from collections.abc import Mapping

from tests.security.buyback.substitution import MATRIX
from tests.security.matrix import CHANGES, PURSE, VERSION
from tests.security.refusals import (
    CANNOT_PAY,
    DERIVED,
    EXECUTABLE,
    IMPOSSIBLE,
    LARGEST,
    MINT,
    PASSED_ON,
    RECORDED,
    TWINS_OF_ALL,
    Errors,
    Expectations,
    ours,
    program_twins,
    who,
)

LOADED_VAULT: Errors = {
    "stranger": "WrongAccount",
    "other kind": "AccountDataTooSmall",
    "copy": "WrongAccount",
    "foreign copy": "IllegalOwner",
    "blank": "UninitializedAccount",
    "absent": "AccountDataTooSmall",
}

DEFAULTS: Mapping[str, Errors] = {
    "admin": who("NotAdmin"),
    "new_admin": who("NotPendingAdmin"),
    "new_guardian": who("NotPendingGuardian"),
    "guardian": who("NotGuardian"),
    "payer": {
        **dict.fromkeys(("stranger", "copy", "blank"), None),
        "other kind": "MissingRequiredSignature",
        **CANNOT_PAY,
    },
    "bidder": who("Token.OwnerMismatch"),
    "bidder_io": PASSED_ON,
    "bidder_usdc": {**PASSED_ON, "stranger": None},
    "config": LARGEST,
    "auction": {**ours("AuctionClosed"), "other kind": "IllegalOwner"},
    "tokenomics": dict.fromkeys(CHANGES, "WrongMint"),
    "io_mint": RECORDED,
    "usdc_mint": MINT,
    "io_vault": LOADED_VAULT,
    "usdc_vault": LOADED_VAULT,
    "program_data": dict.fromkeys(CHANGES, "NotUpgradeAuthority"),
    "event_authority": DERIVED,
    "program": dict.fromkeys(CHANGES, "MissingAccount"),
    "token_program": EXECUTABLE,
    "system_program": EXECUTABLE,
}
"""By the slot."""

EXCEPTIONS: Mapping[tuple[str, str], Errors] = {
    ("initialize", "admin"): {
        **dict.fromkeys(("stranger", "copy", "blank"), "NotUpgradeAuthority"),
        **CANNOT_PAY,
    },
    # Only recognised, by its mint's: nothing else of it is read.
    ("initialize", "tokenomics"): {VERSION: "WrongMint"},
    ("bid", "bidder"): {PURSE: None},
    # Its vault's address is derived from it, before its authority is looked at.
    ("initialize", "io_mint"): MINT,
    ("start_auction", "usdc_vault"): {"other kind": "InvalidAccountData", "absent": "IllegalOwner"},
}
"""By instruction and slot: what differs from the slot's default."""

TWINS: Mapping[str, str] = {
    "program_data": "NotUpgradeAuthority",
    "tokenomics": "WrongMint",
    "io_mint": "IllegalOwner",
    "usdc_mint": "IllegalOwner",
    "usdc_vault": "IllegalOwner",
    **TWINS_OF_ALL,
}
TWIN_EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("io_mint", "usdc_mint"): "InvalidSeeds",
    ("usdc_mint", "io_mint"): "InvalidSeeds",
    **program_twins(),
}

LEGITIMATE: Mapping[tuple[str, str, str], str] = {
    **{
        ("start_auction", "payer", change): "anybody may start an auction that is due"
        for change in ("stranger", "copy", "blank")
    },
    ("bid", "bidder", PURSE): "anybody may bid for themselves",
    ("bid", "bidder_io", "copy"): "any token account of the bidder's: the signature is for it",
    ("bid", "bidder_usdc", "stranger"): "a bidder may have the lot paid to anybody",
    ("bid", "bidder_usdc", "copy"): "a bidder may have the lot paid to anybody",
    ("bid", "auction", "copy"): IMPOSSIBLE,
    ("close_auction", "auction", "copy"): IMPOSSIBLE,
}
"""Every case that succeeds, and why that is right."""

EXPECTATIONS = Expectations(MATRIX, DEFAULTS, EXCEPTIONS, TWINS, TWIN_EXCEPTIONS, LEGITIMATE)
