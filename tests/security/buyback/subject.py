"""What the tests of every instruction know about buyback."""

from __future__ import annotations

from keeper.clients import buyback as client
from keeper.clients import tokenomics
from tests.programs.world import DAY
from tests.security.buyback import stages
from tests.security.buyback.expectations import EXPECTATIONS
from tests.security.subject import Purse, Subject

IN_USE = "System.AccountAlreadyInUse"
LAST_COUNTS = "the last proposal counts"

SUBJECT = Subject(
    client,
    EXPECTATIONS,
    stages.STAGES,
    begin=stages.initialized,
    stopped_by={
        "start_auction": {"buyback": client.PAUSE_START | client.PAUSE_BID},
        "bid": {"buyback": client.PAUSE_BID},
    },
    once={
        "initialize": IN_USE,
        "start_auction": IN_USE,
        "accept_admin": "NotPendingAdmin",
        "accept_guardian": "NotPendingGuardian",
        "apply_params": "NothingProposed",
        "cancel_params": "NothingProposed",
        "cancel_first_price": "NothingProposed",
        "bid": "AuctionClosed",
        "close_auction": "AuctionClosed",
        "burn_fees": "NothingToBurn",
    },
    idle={
        "propose_params": LAST_COUNTS,
        "propose_first_price": LAST_COUNTS,
        "propose_admin": LAST_COUNTS,
        "propose_guardian": LAST_COUNTS,
        "set_pause": "the guardian may renew a pause",
    },
    again={},
    created={
        "initialize": {
            "config": (b"config",),
            "io_vault": (b"fee_vault", bytes(tokenomics.MINT)),
            "usdc_vault": (b"fee_vault", bytes(stages.USDC_MINT)),
        },
        "start_auction": {"auction": (b"auction", (stages.OPEN).to_bytes(4, "little"))},
    },
    spent={"bid": Purse("bidder_io", "alice")},
    received={"bid": Purse("bidder_usdc", "alice")},
    gifts={
        "burn_fees": "whatever is in the vault for IO is burned",
        "start_auction": "whatever is in the vault for USDC is sold",
        "bid": "what came into the vault beside the lot is counted as fees; the bid is the same",
    },
    params=client.Params(duration=2 * DAY),
)
