"""What the tests of every instruction know about tokenomics."""

from __future__ import annotations

from keeper.clients import tokenomics as client
from tests.security.subject import Purse, Subject
from tests.security.tokenomics import stages
from tests.security.tokenomics.calls import LAST_ROW, NEW_SEASON
from tests.security.tokenomics.expectations import EXPECTATIONS

IN_USE = "System.AccountAlreadyInUse"
"""The system program refuses to create what is there, whatever the arguments."""
GONE = "AccountDataTooSmall"
LAST_COUNTS = "the last proposal counts"


def number(value: int) -> bytes:
    """A number of a season or a page in an address's seeds."""
    return value.to_bytes(4, "little")


SUBJECT = Subject(
    client,
    EXPECTATIONS,
    stages.STAGES,
    begin=stages.launched,
    stopped_by={
        "emit": {"tokenomics": client.PAUSE_EMISSION},
        "open_season": {"tokenomics": client.PROGRAM.constants["PAUSE_SEASONS"]},
    },
    once={
        "initialize": IN_USE,
        "add_allocation": IN_USE,
        "open_season": IN_USE,
        "open_claim_page": IN_USE,
        "launch": "AlreadyLaunched",
        "release": "NothingDue",
        "claim_season": "AlreadyClaimed",
        "cancel_season": "SeasonNotOpen",
        "close_season": GONE,
        "close_claim_page": GONE,
        "emit": "NothingDue",
        "burn": "NotAsExpected",
        "sync_burned": "NothingDue",
        "accept_admin": "NotPendingAdmin",
        "accept_beneficiary": "NotPendingBeneficiary",
        "accept_guardian": "NotPendingGuardian",
    },
    idle={
        "set_pause": "the guardian may renew a pause",
        "propose_admin": LAST_COUNTS,
        "propose_beneficiary": LAST_COUNTS,
        "propose_guardian": LAST_COUNTS,
    },
    again={},
    created={
        "initialize": {
            "config": (b"config",),
            "mint": (b"mint",),
            "genesis_vault": (b"genesis_vault",),
            "reward_vault": (b"reward_vault",),
        },
        "add_allocation": {"allocation": (b"allocation", bytes([LAST_ROW.id]))},
        "open_season": {
            "season_account": (b"season", number(NEW_SEASON)),
            "season_vault": (b"season_vault", number(NEW_SEASON)),
        },
        "open_claim_page": {"claim_page": (b"claim_page", number(stages.WAITING), number(0))},
    },
    paid={
        "release": Purse("beneficiary_tokens", "ecosystem"),
        "claim_season": Purse("wallet_tokens", "alice"),
        "close_season": Purse("funder_tokens", "admin"),
    },
    spent={
        "burn": Purse("owner_tokens", "alice"),
        "open_season": Purse("funder_tokens", "admin"),
    },
    gifts={
        "close_season": "an account with tokens can't be closed: the gift goes to the funder with the rest",
    },
)
