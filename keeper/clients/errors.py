"""A refused transaction in words: which of our programs refused, and why."""

from __future__ import annotations

import re

from solders.pubkey import Pubkey

from keeper.chain import TransactionFailed, TransactionRecord
from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_PROGRAM
from keeper.clients.programs import BY_ADDRESS

FAILED = re.compile(r"Program (\w+) failed: ")
"""The runtime's own line; what a program logs begins differently."""
OTHERS: dict[Pubkey, dict[int, str]] = {
    SYSTEM_PROGRAM: {
        0: "an account that this would create is there already",
        1: "the key that pays has too few lamports: send it SOL",
    },
    TOKEN_PROGRAM: {1: "a token account holds too little", 17: "a token account is frozen"},
}
"""What errors of programs that aren't ours mean."""
ADVICE = {
    "orders": {
        "AskTooHigh": "Lower the ask (ionet device ask), or wait until the class's price rises.",
        "AskOutOfBounds": "Change the ask (ionet device ask): while a price is stale, a lease costs the ask.",
        "PriceTooHigh": "Open an order that pays more: ionet order create shows the prices before you sign.",
        "NotLet": "Set an ask for the order's currency: ionet device ask.",
        "NotPriced": "Nobody leases this class for the order's currency: use the other one.",
        "TermsTooYoung": "The device was changed after the order was opened: it can take later orders.",
        "ExclusiveTime": "Wait for an operator, or try again five minutes after the order's opening.",
        "OperatorsOnly": "Wait for an operator to match it.",
        "NotFunded": "Its money went back when a place was done with: the renter can open another order.",
        "GangOver": "Wait until the gang's leases have ended and are closed, then it can be matched again.",
        "AcceptanceOver": "The lease lapses and its place opens again, for other devices.",
        "ExtensionTooLong": "Add fewer hours now, and more later.",
        "PayeeBlocked": "Open the payout's token account, or have it thawed; what is owed is kept for it.",
        "FeesBlocked": "Keepers set the fees aside and close it then; all else has come back already.",
        "Paused": "A pause lapses by itself, after seven days at most; ending and taking back goes on.",
        "MatchingOver": "Open another order.",
    },
    "staking": {
        "ClassNotOpen": "A new class opens after its notice: ionet order create says when.",
        "DeviceBarred": "ionet device list shows for how long.",
        "OrderServed": "Another device can take the place, or this one another order.",
        "StakeInsufficient": "Stake what the device needs: ionet device list shows it.",
        "ClaimLimit": "Claim again in the next hour; for who signs with the wallet's key 1,000 IO are kept.",
        "Paused": "A pause lapses by itself, after seven days at most; taking stakes out goes on.",
    },
}
"""What to do next, by program and error; for what people meet when they sign something themselves."""


def explain(failure: TransactionFailed) -> str:
    """Name the program and its error; the chain's own words for any other refusal."""
    refuser = _refuser(failure.record)
    if failure.code is None or refuser is None:
        return str(failure)
    if failure.code in (words := OTHERS.get(refuser, {})):
        return words[failure.code]
    program = BY_ADDRESS.get(refuser)
    if program is None:
        return str(failure)
    error = program.error(failure.code)
    return f"{program.name}: {error.name}: {error.message}"


def advise(failure: TransactionFailed) -> str:
    """What to do about it, or nothing."""
    refuser = _refuser(failure.record)
    program = BY_ADDRESS.get(refuser) if refuser else None
    if failure.code is None or program is None:
        return ""
    return ADVICE.get(program.name, {}).get(program.error(failure.code).name, "")


def _refuser(record: TransactionRecord) -> Pubkey | None:
    """Whose error number it is: a program that another one called is the first to fail in the logs."""
    if record.failed_instruction is None:
        return None
    found = (FAILED.match(line) for line in record.logs)
    called = record.programs[record.failed_instruction]
    return next((Pubkey.from_string(each[1]) for each in found if each), called)
