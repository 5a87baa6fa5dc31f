"""How each substitution in tokenomics' instructions must be refused."""

from __future__ import annotations

from collections.abc import Mapping

from tests.security.matrix import CHANGES, PURSE
from tests.security.refusals import (
    CANNOT_PAY,
    CONFIG,
    DERIVED,
    EXECUTABLE,
    IMPOSSIBLE,
    LOADED_VAULT,
    MINT,
    PASSED_ON,
    READ_ONLY_CONFIG,
    TOKENS,
    TWINS_OF_ALL,
    Errors,
    Expectations,
    ours,
    program_twins,
    who,
)
from tests.security.tokenomics.substitution import MATRIX

PAYEE = {**TOKENS, "stranger": "NotAssociatedAccount"}
"""Whose it is, and whether it is the associated one, is one question."""
DEFAULTS: Mapping[str, Errors] = {
    "admin": who("NotAdmin"),
    "new_admin": who("NotPendingAdmin"),
    "new_guardian": who("NotPendingGuardian"),
    "guardian": who("NotGuardian"),
    "beneficiary": who("NotBeneficiary"),
    "new_beneficiary": who("NotPendingBeneficiary"),
    # Anybody may burn their own: a stranger just isn't the owner of these tokens.
    "owner": who("Token.OwnerMismatch"),
    "funder": dict.fromkeys(CHANGES, "WrongAccount"),
    "payer": dict.fromkeys(CHANGES, "NotRentPayer"),
    "wallet": dict.fromkeys(CHANGES, "NotAssociatedAccount"),
    "owner_tokens": PASSED_ON,
    "funder_tokens": PAYEE,
    "wallet_tokens": PAYEE,
    "beneficiary_tokens": PAYEE,
    "config": CONFIG,
    "allocation": ours("InvalidAccountData"),
    # A copy's address doesn't own the vault.
    "season": ours("WrongAccount", copy="PrivilegeEscalation"),
    "season_account": DERIVED,
    "claim_page": {
        **ours("WrongPage"),
        # The other accounts of the program are all smaller than a page.
        "other kind": "AccountDataTooSmall",
    },
    "mint": DERIVED,
    "genesis_vault": DERIVED,
    "reward_vault": DERIVED,
    "season_vault": LOADED_VAULT,
    "program_data": dict.fromkeys(CHANGES, "NotUpgradeAuthority"),
    "reward_authority": DERIVED,
    "event_authority": DERIVED,
    "program": dict.fromkeys(CHANGES, "MissingAccount"),
    "token_program": EXECUTABLE,
    "system_program": EXECUTABLE,
}
"""By the slot."""

# A wallet that pays rent is asked before anything else happens, and these can't pay: one of another
# program's, and one that has nothing.
EXCEPTIONS: Mapping[tuple[str, str], Errors] = {
    ("initialize", "admin"): {
        **dict.fromkeys(("stranger", "copy", "blank"), "NotUpgradeAuthority"),
        **CANNOT_PAY,
    },
    ("add_allocation", "admin"): CANNOT_PAY,
    ("open_season", "admin"): CANNOT_PAY,
    ("open_claim_page", "payer"): {
        **dict.fromkeys(("stranger", "copy", "blank"), None),
        "other kind": "MissingRequiredSignature",
        **CANNOT_PAY,
    },
    # Before launch the only other account of the program is an allocation, smaller than a config.
    ("add_allocation", "config"): {"stranger": "AccountDataTooSmall"},
    ("launch", "config"): {"stranger": "AccountDataTooSmall"},
    ("cancel_season", "config"): READ_ONLY_CONFIG,
    ("open_season", "config"): READ_ONLY_CONFIG,
    # The vault isn't there, and a season has no other record of itself.
    ("cancel_season", "season"): ours("ClaimsOpen"),
    ("release", "allocation"): {"stranger": "NotAssociatedAccount"},
    ("propose_beneficiary", "allocation"): {"stranger": "NotBeneficiary"},
    ("accept_beneficiary", "allocation"): {"stranger": "NotPendingBeneficiary"},
    ("open_season", "funder_tokens"): PASSED_ON,
    # The page's address is derived from the season's number.
    ("open_claim_page", "season"): ours("InvalidSeeds", absent="UninitializedAccount"),
    ("close_claim_page", "season"): ours("WrongPage", absent="UninitializedAccount"),
    # Not read, only compared with the season's record.
    ("claim_season", "season_vault"): dict.fromkeys(CHANGES, "WrongAccount"),
    # A leaf names its wallet.
    ("claim_season", "wallet"): {PURSE: "InvalidProof"},
    ("burn", "owner"): {PURSE: None},
    ("burn", "mint"): {**MINT, "absent": "AccountDataTooSmall"},
    ("open_season", "mint"): MINT,
    ("sync_burned", "mint"): MINT,
}
"""By instruction and slot: what differs from the slot's default."""

TWINS: Mapping[str, str] = {
    "config": "IllegalOwner",
    "season": "IllegalOwner",
    "mint": "IllegalOwner",
    "funder": "WrongAccount",
    "wallet": "NotAssociatedAccount",
    "program_data": "NotUpgradeAuthority",
    "reward_authority": "InvalidSeeds",
    **TWINS_OF_ALL,
}
TWIN_EXCEPTIONS: Mapping[tuple[str, str], str] = {
    # Nothing has ever been at the event authority's address.
    ("config", "event_authority"): "UninitializedAccount",
    ("season", "event_authority"): "UninitializedAccount",
    # The runtime makes a program that is called read-only.
    ("funder", "program"): "ConstraintMut",
    **program_twins(),
}

LEGITIMATE: Mapping[tuple[str, str, str], str] = {
    ("open_claim_page", "payer", "stranger"): "anybody may pay a page's rent",
    ("open_claim_page", "payer", "copy"): "anybody may pay a page's rent",
    ("open_claim_page", "payer", "blank"): "anybody may pay a page's rent",
    ("burn", "owner", PURSE): "anybody may burn their own",
    ("burn", "owner_tokens", "copy"): "any token account of the owner's: it is theirs to burn",
    ("open_season", "funder_tokens", "copy"): "any token account of the admin's: the signature is for both",
    ("release", "allocation", "copy"): IMPOSSIBLE,
    ("propose_beneficiary", "allocation", "copy"): IMPOSSIBLE,
    ("accept_beneficiary", "allocation", "copy"): IMPOSSIBLE,
    ("open_claim_page", "season", "copy"): IMPOSSIBLE,
    ("cancel_season", "season", "copy"): IMPOSSIBLE,
    ("close_claim_page", "season", "copy"): IMPOSSIBLE,
    ("claim_season", "claim_page", "copy"): IMPOSSIBLE,
    ("close_claim_page", "claim_page", "copy"): IMPOSSIBLE,
}
"""Every case that succeeds, and why that is right."""

EXPECTATIONS = Expectations(MATRIX, DEFAULTS, EXCEPTIONS, TWINS, TWIN_EXCEPTIONS, LEGITIMATE)
