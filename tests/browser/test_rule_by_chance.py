"""Hours of devices by chance, at every bound: the pages' rule gives the keeper's bytes."""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from keeper.economy import calendar, emission
from keeper.rewards import publishing
from keeper.rewards.rows import Hour
from tests.browser.conftest import WEB
from tests.keeper.rewards.golden import MONTH
from tests.keeper.rewards.seen import work_of
from tests.keeper.rewards.tables import another, classes, key, rows
from tests.model.rewards import Machine
from tests.model.schedule import DAY, HOUR, IO

pytestmark = pytest.mark.browser
SEEDS = 12
LARGEST = (1 << 62) - 1


def machine(draw: random.Random, number: int, start: int) -> Machine:
    """A device that may fail any criterion, by a second or a base unit."""
    around = [
        0,
        *(start - each for each in (2 * DAY, 12 * HOUR, 12 * HOUR + 1, 5 * HOUR, 5 * HOUR + 1, 0, -1)),
    ]
    mostly = [start - DAY] * 20 + around
    people = [bytes(32), *(key(f"w{person}") for person in range(20))]
    chosen = {
        "payout": draw.choice(people),
        "co_staker": draw.choice(people),
        "class_id": draw.choice([1, 2, 3, 4] * 4 + [5, 6, 65_535]),
        "processors": draw.choice([0] + [1, 4, 8] * 5),
        "tier": draw.randint(0, 4),
        "terminated": draw.random() < 0.03,
        "slash_pending": draw.random() < 0.03,
        "barred_until": draw.choice([0] * 20 + around),
        "sufficient_since": draw.choice(mostly),
        "own": draw.choice([16_000 * IO] * 6 + [0, 200 * IO - 1, 200 * IO, 100 * IO, LARGEST]),
        "co_amount": draw.choice([0, 100 * IO, 8_000 * IO]),
        "co_until": draw.choice(around),
        "co_state": draw.randint(0, 3),
        "co_reward_bps": draw.choice([0, 500, 3_333, 9_999, 10_000]),
        "up_since": draw.choice(mostly),
        "online": draw.random() < 0.95,
        "work": draw.choice([1] * 12 + [0, 2, 3, 4]),
        "vram_failures": draw.choice([0] * 9 + [3, 4, 255]),
        "vram_failed_at": draw.choice(around),
        "measured_tier": draw.randint(0, 4),
        "hired": draw.random() < 0.3,
        "processors_shown": draw.choice([0, 0, 0, 1, 2, 5, 255]),
    }
    return replace(another(number), device=sha256(b"%d" % number).digest(), **chosen)


def test_every_hour_is_the_keepers(tmp_path: Path, chromium: str) -> None:
    for seed in range(SEEDS):
        draw = random.Random(seed)
        for number in range(2):
            start = calendar.month_start(MONTH) + number * HOUR
            count = draw.choice([0, 1, 3, 200])
            table = rows(machine(draw, each, start) for each in range(count))
            work = replace(work_of(table, number, start), rule=draw.choice([3, 4, 5]))
            hour = Hour(number, start, emission.cumulative(MONTH, number + 1))
            publishing.publish(tmp_path / str(seed), hour, work, table, classes())
    done = subprocess.run(
        ["node", "test/run.mjs"],
        cwd=WEB,
        env={**os.environ, "IONET_HOURS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"{2 * SEEDS} hours of others hold" in done.stdout
