"""The reference model of an hour's rewards: row by row, in Python's own integers.

Written from the protocol and the network's published rules, apart from keeper.rewards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.model.schedule import HOUR, IO
from tests.model.state import Address

ENTERPRISE, COMMUNITY = 0, 1
MISSED, FAILED, SUCCEEDED = range(3)


@dataclass(frozen=True)
class Machine:
    """A device at an hour's end, and what was seen of it; names as on chain."""

    device: Address
    payout: Address
    co_staker: Address
    class_id: int
    processors: int
    tier: int
    terminated: bool
    slash_pending: bool
    barred_until: int
    sufficient_since: int
    own: int
    co_amount: int
    co_until: int
    co_state: int
    co_reward_bps: int
    up_since: int
    online: bool
    work: int
    vram_failures: int
    vram_failed_at: int
    measured_tier: int
    hired: bool
    processors_shown: int = 0


@dataclass(frozen=True)
class Row:
    """What an hour was for a machine."""

    status: int
    reasons: frozenset[str]
    score: int
    reward: int
    co_part: int


def reasons(machine: Machine, multiplier: int, start: int) -> frozenset[str]:
    """Every criterion that a machine failed."""
    active, waiting = 1, 2
    counts = machine.co_state == active or (machine.co_state == waiting and start < machine.co_until)
    stake = machine.own + (machine.co_amount if counts else 0)
    minimum = 2 * IO * max(100, multiplier) * machine.processors
    since = machine.sufficient_since
    failed = {
        "NOT_REWARDED": multiplier == 0,
        "TERMINATED": machine.terminated,
        "SLASH_PENDING": machine.slash_pending,
        "INSUFFICIENT_STAKE": not 0 < since <= start or stake < minimum,
        "UPTIME": machine.up_since == 0 or start - machine.up_since <= 5 * HOUR,
        "VRAM": machine.vram_failures >= 4 and start - machine.vram_failed_at <= 12 * HOUR,
        "WORK_MISSING": machine.work == 0,
        "WORK_FAILED": machine.work == 2,
        "WORK_SLOW": machine.work == 3,
        "WORK_UNSHOWN": machine.work == 4,
        "OFFLINE": not machine.online,
        "BARRED": machine.barred_until > start,
    }
    return frozenset(name for name, is_so in failed.items() if is_so)


def reward(
    start: int,
    emitted: int,
    machines: Sequence[Machine],
    classes: Mapping[int, tuple[int, int]],
    before: Mapping[Address, int],
) -> tuple[dict[Address, Row], dict[Address, int]]:
    """Every device's row, and what every wallet has earned in its life.

    ``classes`` gives a class's multiplier (hundredths) and pool, ``before`` the wallets an hour ago.
    """
    found: dict[Address, tuple[int, int, frozenset[str]]] = {}
    sums: dict[int, int] = defaultdict(int)
    for each in machines:
        multiplier, pool = classes.get(each.class_id, (0, ENTERPRISE))
        # A device that was never measured counts as one of the lowest tier.
        tier = min(each.tier, each.measured_tier or 1)
        processors = min(each.processors, each.processors_shown or each.processors)
        score = 50 * tier + 200 * multiplier * processors + 5 * each.hired
        failed = reasons(each, multiplier, start)
        found[each.device] = pool, score, failed
        if not failed:
            sums[pool] += score
    pot = emitted - sum(before.values())
    parts = dict.fromkeys(sums, pot)
    if len(sums) == 2:
        parts = {ENTERPRISE: pot * 95 // 100, COMMUNITY: pot - pot * 95 // 100}
    rows, wallets = {}, dict(before)
    for each in machines:
        pool, score, failed = found[each.device]
        earned = score * parts[pool] // sums[pool] if not failed else 0
        co_part = earned * each.co_reward_bps // 10_000 if each.co_state == 1 else 0
        in_hour = {"WORK_MISSING", "WORK_FAILED", "WORK_SLOW", "OFFLINE"}
        status = SUCCEEDED if not failed else FAILED if failed <= in_hour else MISSED
        rows[each.device] = Row(status, failed, score, earned, co_part)
        for wallet, amount in ((each.payout, earned - co_part), (each.co_staker, co_part)):
            if amount:
                wallets[wallet] = wallets.get(wallet, 0) + amount
    return rows, wallets
