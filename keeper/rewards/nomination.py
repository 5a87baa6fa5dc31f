"""What a device needs to be nominated for an hour's rewards (R7, R8): each condition, with what to do.

A pure function of a device's account, its class and, where somebody has them, its row of the last published
hour: what operators see of a device (up since, work, memory, line) isn't on chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keeper.clients import staking
from keeper.clients.staking import Class, Device
from keeper.economy import staking as economy
from keeper.economy.calendar import HOUR, duration, emission_hour, moment
from keeper.economy.classes import Pool
from keeper.economy.supply import io
from keeper.rewards.rows import Work
from keeper.rewards.rule import UPTIME, VRAM_FAILURES, VRAM_PAUSE


class State(StrEnum):
    """Whether a condition holds."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One condition: whether it holds, the figure, and what to do where it doesn't hold or isn't known."""

    name: str
    state: State
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A device's row of a published hour, which begins at ``start`` (unix seconds)."""

    hour: int
    start: int
    up_since: int
    online: bool
    work: Work
    vram_failures: int
    vram_failed_at: int
    measured_tier: int

    @property
    def when(self) -> str:
        """Of which hour it is, in words."""
        return emission_hour(self.hour, self.start)


UNSEEN = "ionet rewards fetch gets the published hours; --dir names their folder"
"""What to do where the chain alone doesn't say it."""


def checklist(device: Device, of_class: Class, now: int, seen: Seen | None) -> list[Line]:
    """The nine conditions, in the order in which a supplier can see to them."""
    return [
        _rewarded(of_class, now),
        _line("it isn't terminated", not device.terminated, *_terminated(device)),
        _slash(device, now),
        _stake(device, of_class, now),
        _tier(device, seen),
        _up(seen, now),
        _work(seen),
        _memory(seen, now),
        _bar(device, now),
    ]


def _line(name: str, holds: bool, found: str, todo: str) -> Line:
    return Line(name, State.PASS, found) if holds else Line(name, State.FAIL, found, todo)


def _rewarded(of_class: Class, now: int) -> Line:
    multiplier, pool = of_class.multiplier_at(now), Pool(of_class.pool).name.lower()
    words = f"{of_class.name}: multiplier {multiplier / economy.MULTIPLIER_UNIT:g}, {pool} pool"
    if not of_class.is_open(now):
        words += f", opens {moment(of_class.opens_at)}"
        return Line("its class is rewarded", State.FAIL, words, "wait until then; nobody is paid before")
    if now < of_class.pending_at:
        later = of_class.pending_multiplier / economy.MULTIPLIER_UNIT
        words += f"; {later:g} from {moment(of_class.pending_at)}"
    todo = "nothing: devices of it are leased, and earn no block rewards"
    return _line("its class is rewarded", multiplier > 0, words, todo)


def _terminated(device: Device) -> tuple[str, str]:
    if device.terminated:
        return "terminated", "take the stakes out (ionet stake unstake), then ionet device close"
    return f"registered {moment(device.registered_at)}", ""


def _slash(device: Device, now: int) -> Line:
    found = "pending" if device.slash_pending else "none"
    if not device.slash_pending and now < device.frozen_until:
        found = f"none; its stakes stay until {moment(device.frozen_until)}"
    todo = "ionet slash show says for what; ionet device appeal objects"
    return _line("no slash is pending", not device.slash_pending, found, todo)


def _stake(device: Device, of_class: Class, now: int) -> Line:
    counted, least = economy.counted(device.own, device.co, now), device.minimum(of_class, now)
    missing = least - counted
    found = f"{io(counted)} of {io(least)} IO"
    if missing <= 0:
        since = device.sufficient_since
        return Line("enough is staked", State.PASS, found + (f", since {moment(since)}" if since else ""))
    if device.own_cooling:
        todo = f"from {moment(device.own_until)} on: ionet stake withdraw, then ionet stake add"
    else:
        at = staking.device_address(device.worker)
        todo = f"ionet stake add {at} {io(missing).replace(',', '')}"
    return Line("enough is staked", State.FAIL, f"{found}: {io(missing)} IO missing", todo)


def _tier(device: Device, seen: Seen | None) -> Line:
    name, stated = "its line is as stated", f"tier {device.tier} stated"
    if seen is None:
        return Line(name, State.UNKNOWN, stated, UNSEEN)
    if not seen.measured_tier:
        return Line(
            name, State.UNKNOWN, f"{stated}, never measured: counts as 1", "operators measure it daily"
        )
    found = f"{stated}, measured {seen.measured_tier}"
    todo = "a better line; it earns and counts by the lower of the two"
    return _line(name, seen.measured_tier >= device.tier, found, todo)


def _up(seen: Seen | None, now: int) -> Line:
    name = f"up for more than {UPTIME // HOUR} hours"
    if seen is None:
        return Line(name, State.UNKNOWN, "not on chain", UNSEEN)
    if not seen.up_since:
        return Line(
            name, State.FAIL, f"not up at the end of {seen.when}", "ionet worker doctor, on the device"
        )
    begins = seen.up_since + UPTIME
    found = f"since {moment(seen.up_since)}"
    return _line(name, begins < now, found, f"keep it up: enough from {moment(begins)} on")


def _work(seen: Seen | None) -> Line:
    name = "it proved its work"
    if seen is None:
        return Line(name, State.UNKNOWN, "not on chain", UNSEEN)
    found = f"{seen.work.name.lower()} in {seen.when}" + (
        "" if seen.online else ", and not online throughout"
    )
    todo = "ionet worker status and ionet worker doctor, on the device"
    if seen.work == Work.UNSHOWN and seen.online:
        todo = "go on: it is paid once a product of it is drawn, opened and right"
    return _line(name, seen.work == Work.PASSED and seen.online, found, todo)


def _memory(seen: Seen | None, now: int) -> Line:
    name = f"fewer than {VRAM_FAILURES} memory failures"
    if seen is None:
        return Line(name, State.UNKNOWN, "not on chain", UNSEEN)
    if not seen.vram_failures:
        return Line(name, State.PASS, "none")
    free = seen.vram_failed_at + VRAM_PAUSE
    found = f"{seen.vram_failures}, the last {moment(seen.vram_failed_at)}"
    holds = seen.vram_failures < VRAM_FAILURES or free < now
    return _line(name, holds, found, f"free its memory for the test; counts again from {moment(free)} on")


def _bar(device: Device, now: int) -> Line:
    strikes = f"{device.strikes} strike{'' if device.strikes == 1 else 's'}"
    if now >= device.barred_until:
        return Line("it isn't barred", State.PASS, strikes)
    left = duration(device.barred_until - now)
    found = f"until {moment(device.barred_until)} ({left}), {strikes}: a lease not accepted, or broken off"
    return Line("it isn't barred", State.FAIL, found, "wait; accept what is matched, and serve it")
