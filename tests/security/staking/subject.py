"""What the tests of every instruction know about staking."""

from __future__ import annotations

from dataclasses import replace

from keeper.clients import staking as client
from keeper.clients import tokenomics
from tests.programs.world import HOUR
from tests.security.people import HEIR, OPERATORS, address
from tests.security.staking import stages
from tests.security.staking.calls import PARAMS
from tests.security.staking.expectations import EXPECTATIONS
from tests.security.subject import Purse, Subject

STAKING, REWARDS = client.PROGRAM.constants["PAUSE_STAKING"], client.PROGRAM.constants["PAUSE_REWARDS"]
IN_USE, GONE = "System.AccountAlreadyInUse", "AccountDataTooSmall"
LAST_COUNTS = "the last proposal counts"

WORKERS_DEVICE = bytes(client.device_address(address("worker")))

SUBJECT = Subject(
    client,
    EXPECTATIONS,
    stages.STAGES,
    begin=stages.initialized,
    # Money that comes in, and new roots.
    stopped_by={
        "register_device": {"staking": STAKING},
        "stake": {"staking": STAKING},
        "take_offer": {"staking": STAKING},
        # The block here needs emission that nobody minted yet.
        "finalise": {"staking": REWARDS, "tokenomics": tokenomics.PAUSE_EMISSION},
    },
    once={
        "initialize": IN_USE,
        "add_class": IN_USE,
        "cancel_class": "NothingProposed",
        "apply_price": "StepApplied",
        "cancel_price": "NothingProposed",
        "close_prices": GONE,
        "open_wallet": IN_USE,
        "register_device": IN_USE,
        "accept_admin": "NotPendingAdmin",
        "accept_guardian": "NotPendingGuardian",
        "apply_params": "NothingProposed",
        "cancel_params": "NothingProposed",
        "terminate_device": "DeviceTerminated",
        "close_device": GONE,
        "stake": "NotAsExpected",
        "withdraw_overflow": "NotAsExpected",
        "unstake": "NothingStaked",
        "withdraw": "NothingToWithdraw",
        "open_offer": "OfferOpen",
        "close_offer": "NoOffer",
        "take_offer": "NoOffer",
        "leave_co_stake": "NotCoStaker",
        "withdraw_co_stake": "NothingToWithdraw",
        "veto_block": "NotAgreed",
        "finalise": "NotAgreed",
        "close_block": GONE,
        "claim": "NothingToClaim",
        "vote_slash": "AlreadyVoted",
        "veto_slash": "SlashState",
        "execute_slash": "SlashState",
        "lease_device": "DeviceLeased",
        "free_device": "WrongLease",
        # The one lease that was done has failed then.
        "record_lease": "InvariantViolated",
    },
    idle={
        "propose_params": LAST_COUNTS,
        "propose_admin": LAST_COUNTS,
        "propose_guardian": LAST_COUNTS,
        "set_pause": "the guardian may renew a pause",
        "change_class": "the last change counts",
        "change_bounds": "the last change counts",
        "vote_prices": "one key counts once",
        "pause_device": "its asks are 0 then",
        "change_device": "the last change counts",
        "set_payout": "the last change counts",
        "settle_device": "it writes down what follows from time alone",
        "attest": "one key counts once",
        "appeal_slash": "the last statement counts",
    },
    again={
        "post": "each posting is one more, up to the hour's limit",
    },
    created={
        "initialize": {"config": (b"config",), "stake_vault": (b"stake_vault",)},
        "add_class": {"class": (b"class", (9).to_bytes(2, "little"))},
        "open_wallet": {"wallet": (b"wallet", bytes(address(HEIR)))},
        "register_device": {"device": (b"device", bytes(address("new worker")))},
        "attest": {"block": (b"block", (52).to_bytes(4, "little"))},
        "vote_slash": {"slash": (b"slash", WORKERS_DEVICE, stages.NEW_EVIDENCE)},
        "vote_prices": {"prices": (b"prices", (stages.END // HOUR - 1).to_bytes(4, "little"))},
        "post": {"counter": (b"post", bytes(address(OPERATORS[0])))},
    },
    deposits={"device": client.PROGRAM.constants["DEVICE_DEPOSIT"]},
    paid={
        "claim": Purse("wallet_tokens", "alice"),
        "withdraw": Purse("owner_tokens", "bob"),
        "withdraw_overflow": Purse("owner_tokens", "alice"),
        "withdraw_co_stake": Purse("owner_tokens", "carol"),
    },
    spent={
        "stake": Purse("supplier_tokens", "alice"),
        "take_offer": Purse("staker_tokens", "carol"),
    },
    handed={"claim": "InvalidAccountData"},
    shared={
        # Each of the operators.
        ("attest", "operator"): dict.fromkeys(OPERATORS[1:]),
        ("vote_slash", "operator"): dict.fromkeys(OPERATORS[:2]),
        ("vote_prices", "operator"): dict.fromkeys(OPERATORS[1:]),
    },
    params=replace(PARAMS, threshold=3),
)
