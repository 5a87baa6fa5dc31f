"""How each substitution in orders' instructions must be refused."""

from __future__ import annotations

from collections.abc import Mapping

from tests.security.matrix import CHANGES
from tests.security.orders.substitution import MATRIX
from tests.security.refusals import (
    CANNOT_PAY,
    DERIVED,
    EXECUTABLE,
    IMPOSSIBLE,
    LARGEST,
    MINT,
    PASSED_ON,
    READ_ONLY,
    RECORDED,
    TOKENS,
    TWINS_OF_ALL,
    Errors,
    Expectations,
    ours,
    program_twins,
    who,
)

ANYBODY_PAYS: Errors = {
    **dict.fromkeys(("stranger", "copy", "blank"), None),
    "other kind": "MissingRequiredSignature",
    **CANNOT_PAY,
}
READ_ONLY_DEVICE: Errors = {"other kind": "AccountDataTooSmall", "absent": "UninitializedAccount"}
FEE_VAULT: Errors = {
    "stranger": "InvalidSeeds",
    "other kind": "InvalidAccountData",
    "copy": "InvalidSeeds",
    "foreign copy": "IllegalOwner",
    "blank": "UninitializedAccount",
    "absent": "IllegalOwner",
}

DEFAULTS: Mapping[str, Errors] = {
    "admin": who("NotAdmin"),
    "new_admin": who("NotPendingAdmin"),
    "new_guardian": who("NotPendingGuardian"),
    "guardian": who("NotGuardian"),
    "renter": who("NotRenter"),
    "worker": who("NotWorker"),
    "caller": who("NotParty"),
    "matcher": {**who("NotMatcher"), **CANNOT_PAY},
    "operator": who("NotOperator"),
    "payer": dict.fromkeys(CHANGES, "NotRentPayer"),
    "config": LARGEST,
    "order": ours("WrongOrder", copy="WrongOrder"),
    # A lease is smaller than an order and the config.
    "lease": {**ours("WrongOrder"), "other kind": "AccountDataTooSmall"},
    "fault": ours("WrongAccount"),
    "device": dict.fromkeys(CHANGES, "WrongDevice"),
    "class": {**ours("WrongClass"), "absent": "UninitializedAccount"},
    "staking_config": {**LARGEST, **READ_ONLY, "copy": "WrongAccount"},
    "staking_program": RECORDED,
    # Checked by staking.
    "staking_events": DERIVED,
    "lease_authority": DERIVED,
    "mint": {**MINT, "stranger": "WrongMint", "copy": "WrongMint"},
    "io_mint": {**MINT, "stranger": "WrongMint", "copy": "WrongMint"},
    # No vault of buyback's is of another mint, and IO isn't USDC.
    "usdc_mint": {**MINT, "stranger": "WrongMint"},
    "vault": RECORDED,
    "fees": RECORDED,
    "io_fees": FEE_VAULT,
    "usdc_fees": FEE_VAULT,
    "renter_tokens": {**TOKENS, "stranger": "NotAssociatedAccount"},
    # In whatever state: it holds up nobody else.
    "payout_tokens": dict.fromkeys(CHANGES, "NotAssociatedAccount"),
    "parked_vault": RECORDED,
    "destination": RECORDED,
    "record": ours("WrongAccount"),
    "program_data": dict.fromkeys(CHANGES, "NotUpgradeAuthority"),
    "event_authority": DERIVED,
    "token_program": EXECUTABLE,
    "system_program": EXECUTABLE,
    "program": dict.fromkeys(CHANGES, "MissingAccount"),
}
"""By the slot."""

READS_CONFIG = [
    name
    for name in MATRIX.calls
    if "config" in MATRIX.slots(name) and not MATRIX.is_flagged(name, "config", "writable")
]
EXCEPTIONS: Mapping[tuple[str, str], Errors] = {
    **{(name, "config"): READ_ONLY for name in READS_CONFIG},
    ("initialize", "admin"): {
        **dict.fromkeys(("stranger", "copy", "blank"), "NotUpgradeAuthority"),
        **CANNOT_PAY,
    },
    ("initialize", "staking_config"): {"copy": "InvalidSeeds"},
    # The order's address is derived from the renter.
    ("create_order", "renter"): who("InvalidSeeds"),
    ("create_order", "class"): {"stranger": "ClassesInvalid"},
    ("create_order", "renter_tokens"): PASSED_ON,
    ("extend_lease", "renter_tokens"): PASSED_ON,
    ("cancel_order", "order"): {"stranger": "NotRenter", "copy": None},
    **{(name, "order"): {"stranger": "WrongAccount"} for name in ("extend_lease", "settle", "park_pay")},
    # Smaller than an order and the config.
    ("extend_lease", "device"): {**ours("WrongDevice", copy="WrongDevice"), **READ_ONLY_DEVICE},
    # The lease's address is derived from order and device.
    ("match_device", "order"): {"stranger": "InvalidSeeds", "copy": "InvalidSeeds"},
    ("match_device", "device"): {
        **ours("InvalidSeeds", copy="InvalidSeeds"),
        "other kind": "AccountDataTooSmall",
    },
    # The class is in the call already: the stranger is a mint.
    ("match_device", "staking_config"): {"stranger": "IllegalOwner"},
    # It signs only when the supplier matches.
    ("match_device", "worker"): dict.fromkeys(CHANGES, "NotWorker"),
    ("park_pay", "payer"): ANYBODY_PAYS,
    ("park_fees", "payer"): ANYBODY_PAYS,
    # Another order's address is not what the vault's authority is derived from.
    **{
        (name, "order"): {"stranger": "WrongAccount", "copy": "PrivilegeEscalation"}
        for name in ("refund", "close_order", "park_fees")
    },
    ("close_order", "renter"): {"other kind": "NotRenter"},
    # The record's address is derived from it.
    ("park_pay", "destination"): DERIVED,
    ("park_fees", "destination"): DERIVED,
    # What is there is looked at before its address.
    **{
        (name, "record"): dict.fromkeys(("other kind", "copy", "foreign copy", "blank"), "ConstraintSpace")
        for name in ("park_pay", "park_fees")
    },
    ("accept_lease", "lease"): {"stranger": "NotWorker"},
    # Staking knows the lease that holds the device.
    ("end_lease", "lease"): {"copy": "WrongLease"},
    # The fault's address is derived from the lease.
    ("vote_fault", "lease"): {"copy": "InvalidSeeds"},
    ("vote_fault", "fault"): {
        **dict.fromkeys(("stranger", "copy", "absent"), "InvalidSeeds"),
        # What is there is looked at before its address.
        "other kind": "ConstraintSpace",
    },
    ("close_fault", "lease"): dict.fromkeys(CHANGES, "WrongAccount"),
}
"""By instruction and slot: what differs from the slot's default."""

TWINS: Mapping[str, str] = {
    "program_data": "NotUpgradeAuthority",
    "config": "IllegalOwner",
    "class": "IllegalOwner",
    "lease": "WrongAccount",
    "mint": "IllegalOwner",
    "io_mint": "IllegalOwner",
    "usdc_mint": "IllegalOwner",
    "io_fees": "IllegalOwner",
    "usdc_fees": "IllegalOwner",
    "payout_tokens": "NotAssociatedAccount",
    "destination": "InvalidSeeds",
    "device": "IllegalOwner",
    "worker": "NotWorker",
    "staking_config": "IllegalOwner",
    "staking_program": "WrongAccount",
    "staking_events": "InvalidSeeds",
    "lease_authority": "InvalidSeeds",
    **TWINS_OF_ALL,
}
TWIN_EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("io_mint", "usdc_mint"): "WrongMint",
    ("usdc_mint", "io_mint"): "WrongMint",
    ("io_fees", "usdc_fees"): "InvalidSeeds",
    ("usdc_fees", "io_fees"): "InvalidSeeds",
    **{
        pair: "InvalidAccountData"
        for mint in ("io_mint", "usdc_mint")
        for fees in ("io_fees", "usdc_fees")
        for pair in ((mint, fees), (fees, mint))
    },
    ("class", "staking_config"): "InvalidAccountData",
    # Smaller than a config, and the size is looked at first.
    ("staking_config", "class"): "AccountDataTooSmall",
    # Nothing has ever been at these addresses.
    **{
        (slot, nothing): "UninitializedAccount"
        for slot in ("config", "class", "staking_config", "device")
        for nothing in ("event_authority", "staking_events", "lease_authority", "worker")
    },
    **program_twins("staking_program"),
}

LEGITIMATE: Mapping[tuple[str, str, str], str] = {
    ("create_order", "renter_tokens", "copy"): "any token account of the renter's: the signature is for both",
    ("extend_lease", "renter_tokens", "copy"): "any token account of the renter's: the signature is for both",
    **{
        (name, "payer", change): "anybody may pay a record's rent, and gets it back"
        for name in ("park_pay", "park_fees")
        for change in ("stranger", "copy", "blank")
    },
    **{
        (name, slot, "copy"): IMPOSSIBLE
        for name in MATRIX.calls
        for slot in ("order", "lease", "fault", "class", "record")
        if slot in MATRIX.slots(name)
        and not MATRIX.is_created(name, slot)
        and {**DEFAULTS[slot], **EXCEPTIONS.get((name, slot), {})}["copy"] is None
    },
}
"""Every case that succeeds, and why that is right."""

EXPECTATIONS = Expectations(MATRIX, DEFAULTS, EXCEPTIONS, TWINS, TWIN_EXCEPTIONS, LEGITIMATE)
