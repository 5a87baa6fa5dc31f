"""What can be wrong with a message: stable names, which whoever sent it decides by."""

from __future__ import annotations

from enum import StrEnum

from keeper.errors import UserError


class Why(StrEnum):
    """Why a message isn't taken."""

    MALFORMED = "malformed"
    TOO_LONG = "too_long"
    WRONG_NETWORK = "wrong_network"
    WRONG_ORDER = "wrong_order"
    BAD_SIGNATURE = "bad_signature"
    WRONG_CLOCK = "wrong_clock"
    NOT_A_PARTY = "not_a_party"
    OLD_SEQ = "old_seq"
    EQUIVOCATION = "equivocation"
    WRONG_NONCE = "wrong_nonce"
    KEY_TAKEN = "key_taken"
    TOO_MANY = "too_many"
    NOT_SEALED_FOR_US = "not_sealed_for_us"


class WireError(UserError):
    """A message that isn't taken; ``why`` says which."""

    def __init__(self, why: Why, detail: str) -> None:
        """``detail`` is a sentence that says what to do, where something can be done."""
        super().__init__(detail)
        self.why = why
