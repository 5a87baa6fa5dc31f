"""A year of reward hours of devices that come, go, fail, cheat and are hired, and what always holds of it.

Hour by hour as operators' keepers compute it: verdicts of the hour's waves and answers to pings make what was
seen of a device, that and its stake make its reward, and the rewards make the tree. Draws follow from a seed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from keeper.clients import staking, tokenomics
from keeper.economy.classes import read_classes
from keeper.economy.staking import CoStakeState
from keeper.pow.codes import SOFT, Code
from keeper.rewards import rule, tree
from keeper.rewards.observed import (
    MEASURED,
    OBSERVED_TABLE,
    VERDICT,
    WHOLE_ALPHA,
    HourSeen,
    WaveSeen,
    observations,
    observe,
)
from keeper.rewards.rows import CLASS, INPUT, Hour, Work
from keeper.tables import KEY, Rows
from tests.keeper.rewards.tables import machine, padded
from tests.model import observed as seen_model
from tests.model import rewards as reward_model
from tests.model.schedule import HOUR, IO, emitted
from tests.model.schedule import root as model_root
from tests.model.staking.blocks import leaf
from tests.programs.world import START, START_MONTH

YEAR = 365 * 24
THRESHOLD, OPERATORS, PINGS = 2, 3, 6
ALPHA = 32_768
"""Half of the openings are drawn."""
TRACKED = 5
"""Devices whose whole history the reference model goes through."""
CODES = (
    *((Code.PASS, 0.70), (Code.PASS_UNOPENED, 0.27), (Code.PASS_SLOW, 0.005), (Code.NO_COMMIT, 0.01)),
    *((Code.LATE, 0.005), (Code.NO_OPENING, 0.005), (Code.WORK_WRONG, 0.003), (Code.COMMIT_CONFLICT, 0.002)),
)
CHECKED_BY_MODEL = 24
"""Every so many hours the reference model computes every row and the tree, too."""


@dataclass
class Told:
    """What happened, counted."""

    counts: Counter[str] = field(default_factory=Counter)
    left_over: int = 0
    """What no wallet got: rounding, carried to the next hour. Base units."""


class Year:
    """``devices`` of as many processors as they like; a hundredth of them is another one each day."""

    def __init__(self, seed: int, devices: int) -> None:
        self.rng = np.random.default_rng(seed)
        table = [row for row in read_classes() if row.multiplier]
        self.classes = np.array([(row.id, row.multiplier, row.pool) for row in table], CLASS)
        self.rows = self._newcomers(devices)
        self.wallets = np.zeros(0, rule.WALLET)
        self.observed = np.zeros(0, OBSERVED_TABLE)
        self.told = Told()
        self.tracked: dict[bytes, list[seen_model.Past]] = {}

    def _newcomers(self, count: int) -> Rows:
        rng, rows = self.rng, np.zeros(count, INPUT)
        rows["device"] = np.frombuffer(rng.bytes(32 * count), KEY)
        people = np.frombuffer(rng.bytes(32 * max(1, count // 4)), KEY)
        rows["payout"] = people[rng.integers(0, len(people), count)]
        at = rng.integers(0, len(self.classes), count)
        rows["class"], rows["processors"] = self.classes["id"][at], rng.integers(1, 9, count)
        rows["tier"] = rng.integers(1, 5, count)
        unit = np.maximum(self.classes["multiplier"][at], 100).astype(np.uint64) * np.uint64(2 * IO)
        least = unit * rows["processors"].astype(np.uint64)
        shared = rng.random(count) < 0.2
        rows["co_amount"] = np.where(shared, least // np.uint64(2), 0)
        rows["co_state"] = np.where(shared, CoStakeState.ACTIVE, CoStakeState.NONE)
        rows["co_reward_bps"] = np.where(shared, rng.integers(0, 10_001, count), 0)
        rows["co_staker"] = np.where(shared, people[rng.integers(0, len(people), count)], b"")
        short = (rng.random(count) < 0.05).astype(np.uint64)
        rows["own"] = least - rows["co_amount"] - short
        rows["sufficient_since"] = np.where(short, 0, START - HOUR)
        return rows

    def _change(self, start: int) -> None:
        """Some leave and others come; some are hired, barred, slashed, or unstake."""
        rng, rows = self.rng, self.rows
        away = rng.choice(len(rows), max(1, len(rows) // 2_400), replace=False)
        coming = self._newcomers(len(away))
        coming["sufficient_since"] = np.where(coming["sufficient_since"] > 0, start - 1, 0)
        kept = np.ones(len(rows), bool)
        kept[away] = False
        self.rows = rows = np.concatenate([rows[kept], coming])
        count = len(rows)
        rows["hired"] = np.where(rng.random(count) < 0.1, rng.random(count) < 0.4, rows["hired"])
        rows["slash_pending"] = rng.random(count) < 0.001
        rows["terminated"] |= rng.random(count) < 0.000_05
        barred = rng.random(count) < 0.001
        rows["barred_until"][barred] = start + 2 * HOUR
        rows.sort(order="device")
        self.told.counts["devices that came"] += len(away)

    def _seen(self, start: int) -> HourSeen:
        """The hour's waves, answers and measurements."""
        rng, devices = self.rng, self.rows["device"].copy()
        waves = []
        for at in range(rng.choice([0, 1, 2], p=[0.02, 0.94, 0.04])):
            rows = np.zeros(len(devices), VERDICT)
            rows["device"] = devices
            codes, weights = zip(*CODES, strict=True)
            rows["code"] = rng.choice(codes, len(devices), p=weights)
            if rng.random() < 0.01:
                rows["code"] = Code.VOID
                self.told.counts["void waves"] += 1
            rows["residency"] = rng.random() < 1 / 6
            rows["shown"] = np.where(rng.random(len(devices)) < 0.02, 1, 0)
            late = np.isin(rows["code"], list(SOFT)) & (rng.random(len(devices)) < 0.5)
            waves.append(WaveSeen(start + 60 + 300 * at, rows, devices[late]))
            self.told.counts["waves"] += 1
        asleep = rng.random(len(devices)) < 0.01
        answers = [
            (rng.random((PINGS, len(devices))) < 0.97) & ~asleep
            for _ in range(rng.choice([OPERATORS, 1], p=[0.99, 0.01]))
        ]
        some = rng.random(len(devices)) < 0.05
        measured = np.zeros(int(some.sum()), MEASURED)
        measured["device"], measured["tier"] = devices[some], rng.integers(1, 5, int(some.sum()))
        return HourSeen(start, ALPHA, ALPHA, devices, devices, waves, answers, THRESHOLD, measured, True)

    def hour(self, number: int) -> None:
        """One hour, and all that holds of any."""
        start = START + number * HOUR
        self._change(start)
        hour = self._seen(start)
        self.observed = observe(hour, self.observed)
        seen = observations(self.observed)
        for name in set(seen.dtype.names or ()) - {"device"}:
            self.rows[name] = seen[name]
        assert (seen["device"] == self.rows["device"]).all()
        before, said = self.wallets, Hour(number, start, emitted(START_MONTH, number + 1))
        result = rule.reward(said, self.rows, self.classes, before)
        self.wallets = result.wallets
        self._holds(result, before)
        self._remember(number, hour, seen)
        self.told.left_over = result.pot - result.paid
        if number % CHECKED_BY_MODEL == 0:
            self._by_the_model(result, before)

    def _holds(self, result: rule.BlockResult, before: Rows) -> None:
        """Nobody is paid twice, from nothing, or for what it failed; what nobody got waits."""
        devices, wallets = result.devices, result.wallets
        lifetimes = _sum(wallets["lifetime"])
        assert result.pot == result.hour.emitted - _sum(before["lifetime"]) >= result.paid >= 0
        assert lifetimes == result.total == _sum(before["lifetime"]) + result.paid <= result.hour.emitted
        assert _sum(devices["reward"]) == result.paid == _sum(wallets["earned"])
        assert (devices["supplier"] + devices["co_staker"] == devices["reward"]).all()
        succeeded = devices["status"] == rule.DeviceStatus.SUCCEEDED
        assert not devices["reward"][~succeeded].any()
        if succeeded.any():
            # Rounding alone: less than a base unit for each who earned, and one for the pools' parts.
            assert result.pot - result.paid <= int(succeeded.sum()) + 1
        assert (wallets["wallet"][1:] > wallets["wallet"][:-1]).all()
        at = np.searchsorted(wallets["wallet"], before["wallet"])
        assert (wallets["wallet"][at] == before["wallet"]).all(), "a wallet's lifetime is kept for ever"
        assert (wallets["lifetime"][at] >= before["lifetime"]).all()
        out = (self.rows["work"] != Work.PASSED) | (self.rows["online"] == 0)
        assert not (succeeded & out).any()
        told = self.told.counts
        told["device hours"] += len(devices)
        told["device hours paid"] += int(succeeded.sum())
        told["device hours out for a failed proof"] += int((self.rows["work"] == Work.FAILED).sum())
        told["hours"] += 1

    def _by_the_model(self, result: rule.BlockResult, before: Rows) -> None:
        """Every row, every wallet and the root once more, in plain Python."""
        table = {int(row["id"]): (int(row["multiplier"]), int(row["pool"])) for row in self.classes}
        machines = [machine(row) for row in self.rows]
        lifetimes = dict(zip(padded(before["wallet"]), before["lifetime"].tolist(), strict=True))
        hour = result.hour
        rows, wallets = reward_model.reward(hour.start, hour.emitted, machines, table, lifetimes)
        for device, found in zip(padded(result.devices["device"]), result.devices, strict=True):
            wanted = rows[device]
            told = int(found["status"]), int(found["score"]), int(found["reward"]), int(found["co_staker"])
            assert told == (wanted.status, wanted.score, wanted.reward, wanted.co_part)
        found_wallets = dict(
            zip(padded(result.wallets["wallet"]), result.wallets["lifetime"].tolist(), strict=True)
        )
        assert found_wallets == wallets
        if wallets:
            ids = bytes(staking.PROGRAM.address), bytes(tokenomics.MINT)
            leaves = [leaf(*ids, owner, amount) for owner, amount in sorted(wallets.items())]
            assert tree.root(result.wallets) == model_root(leaves)
        self.told.counts["hours that the reference model computed, too"] += 1

    def _remember(self, number: int, hour: HourSeen, seen: Rows) -> None:
        """The history of some devices, which the model goes through from its start, at first and seldom."""
        if number == 0:
            chosen = self.rng.choice(len(seen), min(TRACKED, len(seen)), replace=False)
            self.tracked = {each: [] for each in padded(seen["device"][chosen])}
        places = dict(zip(padded(hour.devices), range(len(hour.devices)), strict=True))
        for device, past in list(self.tracked.items()):
            at = places.get(device)
            if at is None:
                del self.tracked[device]
                continue
            past.append(_past(hour, at))
            if number in {5, 30, 200, 720}:
                wanted = seen_model.seen(past, THRESHOLD)
                names = seen_model.Seen.__dataclass_fields__
                assert seen_model.Seen(*(int(seen[at][name]) for name in names)) == wanted, (number, device)
                self.told.counts["histories that the reference model went through"] += 1


def _past(hour: HourSeen, at: int) -> seen_model.Past:
    """What an hour was for the device at a place."""
    rows = [wave.verdicts[at] for wave in hour.waves]
    measured = dict(zip(padded(hour.measured["device"]), hour.measured["tier"].tolist(), strict=True))
    device = bytes(hour.devices[at]).ljust(32, b"\0")
    codes = [
        (wave.time, bool(row["residency"]), int(row["code"]))
        for wave, row in zip(hour.waves, rows, strict=True)
    ]
    took_place = any((wave.verdicts["code"] != Code.VOID).any() for wave in hour.waves)
    return seen_model.Past(
        hour.start,
        Fraction(hour.alpha, WHOLE_ALPHA),
        Fraction(hour.tested or 0, WHOLE_ALPHA),
        took_place,
        codes,
        [int(row["shown"]) for row in rows],
        [each[:, at].tolist() for each in hour.answers],
        len(hour.answers),
        PINGS,
        measured.get(device),
        [hour.devices[at] in wave.owing for wave in hour.waves],
        hour.shown_first,
    )


def _sum(column: NDArray[np.uint64]) -> int:
    return int(column.sum(dtype=object)) if len(column) else 0


def played(seed: int, devices: int, hours: int) -> Told:
    """So many hours from the first one of emission on."""
    year = Year(seed, devices)
    for number in range(hours):
        year.hour(number)
    return year.told
