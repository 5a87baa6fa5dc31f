"""Whether a keeper is alive, and whether it does its work: the reasons why not, in words."""

from __future__ import annotations

import time
from typing import Any

from keeper.jobs.names import ATTEST, BLOCKS, EMISSION
from keeper.runtime.keeper import STILL_SECONDS, Keeper
from keeper.sender.intents import IntentState

STUCK_SECONDS = 900
"""A job that has run for this long hangs."""
FAILURES = 3
"""Failed runs in a row that make a keeper unready: one or two are a node that was slow."""
SILENT_LOOKS = 10
"""Looks that are missed before a keeper counts as dead."""
SILENT_SECONDS = 120
"""And at least this long."""


def is_alive(keeper: Keeper, every: float) -> bool:
    """Whether it still looks around, every ``every`` seconds or so."""
    return time.monotonic() - keeper.looked_at < max(SILENT_SECONDS, SILENT_LOOKS * every)


def reasons(keeper: Keeper) -> dict[str, str]:
    """What keeps a keeper from doing its work, by a stable name; empty when it is ready.

    One that waits beside a leader is ready, too: it would take over. Where the network is behind, only
    the work of this keeper's own jobs counts.
    """
    found: dict[str, str] = {}
    if keeper.database_error:
        found["database"] = keeper.database_error
    elif not keeper.leads and keeper.leader.other is None:
        found["leader"] = "no keeper leads"
    if reason := keeper.chain_error or _stands_still(keeper):
        found["chain"] = reason
    limits = keeper.limits
    behind = {program: lag for program, lag in keeper.index_lag().items() if lag > limits.lag_slots}
    if behind:
        slots = ", ".join(f"{program} by {lag}" for program, lag in behind.items())
        found["index"] = f"the index is behind by more than {limits.lag_slots} slots: {slots}"
    if keeper.known and keeper.known.halts:
        found["mismatch"] = "; ".join(f"{name}: {why}" for name, why in keeper.known.halts.items())
    if keeper.seen and keeper.seen.balance < keeper.guard.stop:
        found["balance"] = keeper.guard.advice(keeper.seen.balance)
    hours = {job: lag for job, lag in _hours_behind(keeper).items() if lag > limits.lag_hours}
    if lag := hours.get(EMISSION):
        found["emission"] = f"{lag} ended hours are not minted"
    if lag := hours.get(BLOCKS):
        found["blocks"] = f"{lag} hours could be final and are not"
    if lag := hours.get(ATTEST):
        found["attest"] = f"{lag} ended hours are not attested by this keeper"
    if keeper.known and (parked := keeper.known.intents.get(IntentState.PARKED)):
        found["parked"] = f"actions that were refused too often: {parked}; see ionet keeper status"
    failing = [name for name, health in keeper.health.items() if health.failures >= FAILURES]
    if failing:
        found["jobs"] = f"fail again and again: {', '.join(failing)}"
    now = time.monotonic()
    hanging = [
        name
        for name, health in keeper.health.items()
        if health.running_since is not None and now - health.running_since > STUCK_SECONDS
    ]
    if hanging:
        found["hanging"] = f"running for more than {STUCK_SECONDS} seconds: {', '.join(hanging)}"
    return found


def _stands_still(keeper: Keeper) -> str | None:
    still = time.monotonic() - keeper.moved_at
    if keeper.seen is None or still < STILL_SECONDS:
        return None
    return f"the node has been at slot {keeper.seen.slot} for {still:.0f} seconds"


def _hours_behind(keeper: Keeper) -> dict[str, int]:
    """Hours that wait for this keeper's jobs, by job; those that wait for others' jobs are not in it."""
    if (seen := keeper.seen) is None:
        return {}
    lags = {EMISSION: seen.unminted}
    if blocks := seen.blocks:
        lags |= {BLOCKS: blocks.waiting, ATTEST: blocks.ended - blocks.attested}
    return {job: lag for job, lag in lags.items() if job in keeper.jobs}


def report(keeper: Keeper) -> dict[str, Any]:
    """What ``/ready`` answers: the reasons, and what they come from."""
    why = reasons(keeper)
    seen = keeper.seen
    return {
        "ready": not why,
        "reasons": why,
        "name": keeper.name,
        "address": str(keeper.sender.payer),
        "leads": keeper.leads,
        "leader": keeper.leader.holder if keeper.leads else keeper.leader.other,
        "slot": seen.slot if seen else None,
        "balance_lamports": seen.balance if seen else None,
        "index_lag_slots": keeper.index_lag(),
        "jobs": {
            name: {"failures_in_a_row": each.failures, "reason": each.reason}
            for name, each in keeper.health.items()
        },
    }
