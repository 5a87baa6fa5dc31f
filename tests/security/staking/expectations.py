"""How each substitution in staking's instructions must be refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.security.matrix import CHANGES, PURSE, SAME, VERSION
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
from tests.security.staking.substitution import MATRIX

DEVICE = ours("NotSupplier")
ANYBODY_PAYS: Errors = {
    **dict.fromkeys(("stranger", "copy", "blank"), None),
    "other kind": "MissingRequiredSignature",
    **CANNOT_PAY,
}
PERHAPS_NEW: Errors = {
    "other kind": "ConstraintSpace",
    "foreign copy": "IllegalOwner",
    "blank": "InvalidAccountData",
}
"""An account that a call makes unless it is there: what is there is looked at first."""
UNREAD = ours(None)  # type: ignore[arg-type]
"""A class that shares its slot with instructions that read it."""

DEFAULTS: Mapping[str, Errors] = {
    "admin": who("NotAdmin"),
    "new_admin": who("NotPendingAdmin"),
    "new_guardian": who("NotPendingGuardian"),
    "guardian": who("NotGuardian"),
    "operator": {**who("NotOperator"), **CANNOT_PAY},
    "supplier": who("NotSupplier"),
    "staker": who("NotCoStaker"),
    "lease_authority": who("NotOrders"),
    # The device's address is derived from it.
    "worker": who("InvalidSeeds"),
    "payer": dict.fromkeys(CHANGES, "NotRentPayer"),
    "owner": dict.fromkeys(CHANGES, "InvalidAccountData"),
    "supplier_tokens": PASSED_ON,
    "staker_tokens": PASSED_ON,
    "owner_tokens": TOKENS,
    # Only looked at where another of the owner's accounts is to be paid.
    "associated": dict.fromkeys(CHANGES, None),
    "wallet_tokens": {**TOKENS, "stranger": "NotAssociatedAccount"},
    "config": LARGEST,
    "class": {**ours("WrongClass"), "absent": "UninitializedAccount"},
    "device": DEVICE,
    "slash": ours("WrongAccount"),
    "block": {
        **ours("NotAgreed"),
        # Devices are smaller than a block.
        "other kind": "AccountDataTooSmall",
    },
    "prices": ours("PriceWindow", absent="UninitializedAccount"),
    "counter": DERIVED,
    "wallet": ours("WrongAccount"),
    # Whoever's: the supplier says who is paid.
    "payout": {**UNREAD, "absent": "UninitializedAccount"},
    "tokenomics": RECORDED,
    "tokenomics_program": RECORDED,
    "tokenomics_events": DERIVED,
    "mint": RECORDED,
    "reward_vault": RECORDED,
    "stake_vault": DERIVED,
    "program_data": dict.fromkeys(CHANGES, "NotUpgradeAuthority"),
    "reward_authority": DERIVED,
    "event_authority": DERIVED,
    "program": dict.fromkeys(CHANGES, "MissingAccount"),
    "token_program": EXECUTABLE,
    "system_program": EXECUTABLE,
}
"""By the slot."""

WAYS_OUT = ("withdraw", "withdraw_co_stake", "withdraw_overflow")
READS_CONFIG = [
    name
    for name in MATRIX.calls
    if "config" in MATRIX.slots(name) and not MATRIX.is_flagged(name, "config", "writable")
]
OTHER_CLASS = (
    *("change_device", "terminate_device", "close_offer", "withdraw", "withdraw_co_stake"),
    *("register_device", "change_class", "change_bounds"),
)
"""What takes a class and either doesn't read it, or takes any."""
EXCEPTIONS: Mapping[tuple[str, str], Errors] = {
    **{(name, "program"): dict.fromkeys(CHANGES, None) for name in WAYS_OUT},
    **{(name, "config"): READ_ONLY for name in READS_CONFIG},
    # No block exists yet: the stranger is a mint.
    **{
        (name, "config"): {**READ_ONLY, "stranger": "IllegalOwner"}
        for name in (
            *("open_offer", "lease_device", "free_device", "settle_device", "record_lease"),
            "cancel_price",
        )
    },
    # Derived from the orders program, and no signer.
    ("initialize", "lease_authority"): DERIVED,
    ("initialize", "admin"): {
        **dict.fromkeys(("stranger", "copy", "blank"), "NotUpgradeAuthority"),
        **CANNOT_PAY,
    },
    ("add_class", "admin"): CANNOT_PAY,
    ("open_wallet", "payer"): ANYBODY_PAYS,
    ("register_device", "supplier"): ANYBODY_PAYS,
    ("close_device", "supplier"): {"other kind": "NotSupplier"},
    ("take_offer", "staker"): {change: "WrongAccount" for change in CHANGES if change != "other kind"},
    ("initialize", "mint"): {**MINT, "stranger": "InvalidAccountData", "copy": "InvalidAccountData"},
    ("initialize", "reward_vault"): {
        "stranger": "InvalidAccountData",
        "other kind": "InvalidAccountData",
        "foreign copy": "IllegalOwner",
        "blank": "UninitializedAccount",
        "absent": "IllegalOwner",
    },
    **{(name, "class"): {"stranger": None} for name in OTHER_CLASS},
    ("change_class", "class"): {"stranger": None, "absent": "AccountDataTooSmall"},
    ("change_bounds", "class"): {"stranger": None, "absent": "AccountDataTooSmall"},
    ("cancel_class", "class"): {"stranger": "NothingProposed", "absent": "AccountDataTooSmall"},
    # No device exists yet.
    ("cancel_price", "class"): {
        "stranger": "NothingProposed",
        **dict.fromkeys(("other kind", "absent"), "AccountDataTooSmall"),
    },
    ("apply_price", "class"): {"stranger": "InvalidProof", "absent": "AccountDataTooSmall"},
    # Its hour isn't over yet.
    ("close_prices", "prices"): {"stranger": "PricesStillOpen", "absent": "AccountDataTooSmall"},
    # Its counter's address is derived from it.
    ("post", "operator"): {change: "InvalidSeeds" for change in CHANGES if change != "other kind"},
    ("pause_device", "worker"): who("NotWorker"),
    ("pause_device", "device"): {"stranger": "NotWorker"},
    ("claim", "owner"): RECORDED,
    ("register_device", "class"): {
        "stranger": None,
        **dict.fromkeys(("other kind", "foreign copy", "blank", "absent", VERSION), "UnknownClass"),
    },
    # Its purse fits the stranger, and the stake is somebody else's.
    **{(name, "owner"): {PURSE: "WrongAccount"} for name in WAYS_OUT},
    # Whose stake it is is another slot's.
    ("withdraw_overflow", "supplier"): {PURSE: "InvalidAccountData"},
    # What isn't known of tokenomics isn't launched, and mints into no vault.
    **{(name, "tokenomics"): {VERSION: "NotLaunched"} for name in ("attest", "finalise")},
    ("initialize", "tokenomics"): {VERSION: "WrongAccount"},
    # Accounts of other devices: whoever signs may not own them, or nothing is due there.
    ("settle_device", "device"): {"stranger": None, "other kind": "AccountDataTooSmall"},
    ("withdraw", "device"): {"stranger": "NothingToWithdraw"},
    ("withdraw_co_stake", "device"): {"stranger": "NothingToWithdraw"},
    ("close_offer", "device"): {"stranger": "NoOffer"},
    ("take_offer", "device"): {"stranger": "NoOffer", "other kind": "AccountDataTooSmall"},
    ("open_offer", "device"): {"other kind": "AccountDataTooSmall"},
    ("withdraw_overflow", "device"): {"other kind": "AccountDataTooSmall"},
    ("leave_co_stake", "device"): {"stranger": "NotCoStaker"},
    ("lease_device", "device"): {"stranger": "StakeInsufficient", "other kind": "AccountDataTooSmall"},
    ("free_device", "device"): {"stranger": "WrongLease", "other kind": "AccountDataTooSmall"},
    ("record_lease", "device"): {"stranger": None, "other kind": "AccountDataTooSmall"},
    ("vote_slash", "device"): {"stranger": "InvalidSeeds", "copy": "InvalidSeeds"},
    ("veto_slash", "device"): {"stranger": "WrongAccount", "copy": "WrongAccount"},
    ("execute_slash", "device"): {"stranger": "WrongAccount", "copy": "WrongAccount"},
    ("appeal_slash", "device"): {"copy": "WrongAccount", "absent": "UninitializedAccount"},
    ("vote_slash", "slash"): PERHAPS_NEW,
    ("attest", "block"): PERHAPS_NEW,
    ("vote_prices", "prices"): PERHAPS_NEW,
    ("post", "counter"): PERHAPS_NEW,
    # A final block.
    ("veto_block", "block"): {"stranger": "ChallengeOver"},
    ("close_block", "block"): {"stranger": "BlockStillKept"},
    ("claim", "block"): {"stranger": "InvalidProof", "absent": "UninitializedAccount"},
}
"""By instruction and slot: what differs from the slot's default."""

TWINS: Errors = {
    "associated": None,
    "program_data": "NotUpgradeAuthority",
    "mint": "IllegalOwner",
    "reward_vault": "IllegalOwner",
    "tokenomics": "WrongAccount",
    "tokenomics_program": "WrongAccount",
    "tokenomics_events": "InvalidSeeds",
    "reward_authority": "InvalidSeeds",
    "lease_authority": "InvalidSeeds",
    **TWINS_OF_ALL,
    "config": "IllegalOwner",
    "class": "IllegalOwner",
    "payout": "IllegalOwner",
    "block": "IllegalOwner",
    "prices": "IllegalOwner",
    "device": "IllegalOwner",
    "owner": "InvalidAccountData",
}
TWIN_EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("mint", "reward_vault"): "InvalidAccountData",
    ("reward_vault", "mint"): "InvalidAccountData",
    ("class", "config"): "InvalidAccountData",
    ("payout", "class"): "InvalidAccountData",
    ("payout", "config"): "InvalidAccountData",
    # Smaller than what is expected there, and the size is looked at first.
    ("config", "class"): "AccountDataTooSmall",
    ("config", "payout"): "AccountDataTooSmall",
    # Nothing has ever been at these addresses.
    **{
        (slot, nothing): "UninitializedAccount"
        for slot in ("config", "class", "payout", "block", "prices", "device")
        for nothing in ("event_authority", "reward_authority", "lease_authority", "worker")
    },
    **program_twins("tokenomics_program", "associated"),
}
CALL_TWINS: Mapping[tuple[str, str], str | None] = {
    **{(name, "program"): None for name in WAYS_OUT},
    ("register_device", "class"): "UnknownClass",
    ("claim", "owner"): "WrongAccount",
}

UNSAID = {
    "associated": "the owner's associated account is paid, and nothing else looked at",
    # The framework's word for none. Events are sent to the program's own id, whatever stands in the slot.
    "program": "the program is in the call, as the account that is left out",
}
"""Slots of the ways out of a stake that are not looked at, and why that is right."""


def _unread(name: str, slot: str) -> Iterator[str]:
    """What can stand in a slot that isn't looked at: everything but what is written elsewhere in the call."""
    yield from CHANGES
    for other in MATRIX.slots(name):
        if other != slot and not MATRIX.is_flagged(name, other, "writable"):
            yield SAME + other


LEGITIMATE: Mapping[tuple[str, str, str], str] = {
    **{
        ("open_wallet", "payer", change): "anybody may pay a wallet account's rent"
        for change in ("stranger", "copy", "blank")
    },
    **{
        ("register_device", "supplier", change): "whoever the worker signs for may supply it"
        for change in ("stranger", "copy", "blank")
    },
    ("stake", "supplier_tokens", "copy"): "any token account of the supplier's: the signature is for both",
    ("take_offer", "staker_tokens", "copy"): "any token account of the staker's: the signature is for both",
    ("register_device", "payout", "stranger"): "a supplier may name any wallet to be paid",
    ("set_payout", "payout", "stranger"): "a supplier may name any wallet to be paid",
    ("register_device", "class", "stranger"): "another class is another registration",
    ("change_class", "class", "stranger"): "another class is another change",
    ("change_bounds", "class", "stranger"): "another class is another change",
    ("settle_device", "device", "stranger"): "anybody may settle any device",
    ("record_lease", "device", "stranger"): "of another device than the lease's nothing is counted",
    **{(name, "class", "stranger"): "not read here" for name in OTHER_CLASS[:5]},
    **{
        (name, slot, change): UNSAID[slot]
        for name in WAYS_OUT
        for slot in UNSAID
        for change in _unread(name, slot)
    },
    ("withdraw_overflow", "supplier", "= owner"): "they are the same",
    ("withdraw_overflow", "owner", "= supplier"): "they are the same",
    **{
        (name, slot, "copy"): IMPOSSIBLE
        for name in MATRIX.calls
        for slot in ("class", "device", "slash", "block", "wallet", "payout", "prices")
        if slot in MATRIX.slots(name)
        and not MATRIX.is_created(name, slot)
        and {**DEFAULTS[slot], **EXCEPTIONS.get((name, slot), {})}["copy"] is None
    },
}
"""Every case that succeeds, and why that is right."""

EXPECTATIONS = Expectations(
    MATRIX, DEFAULTS, EXCEPTIONS, TWINS, TWIN_EXCEPTIONS, LEGITIMATE, call_twins=CALL_TWINS
)
