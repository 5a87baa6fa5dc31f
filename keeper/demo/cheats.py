"""Who cheats in the demo, how, and how long everybody takes: nothing of it depends on this machine."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.demo.fleet import Luck, Machine
from keeper.pow.codes import Code
from keeper.pow.hashing import first_u64


class Cheat(NamedTuple):
    """What a machine does, and the code that it has for it."""

    code: Code
    what: str


CHEATS = {
    68: Cheat(Code.NO_COMMIT, "answers pings, has no card"),
    88: Cheat(Code.LATE, "a slower card than its class"),
    102: Cheat(Code.NO_OPENING, "sees its picks and keeps quiet"),
    114: Cheat(Code.WORK_WRONG, "computes with half of the bits"),
    125: Cheat(Code.COMMIT_CONFLICT, "its key is on two machines"),
    178: Cheat(Code.PASS_SLOW, "a second device on one card"),
}
"""By the machine's number. The last is hired most of the time, with a hired device's deadline then."""
SPREAD = 50
"""A run takes up to so many thousandths more or less than the class's time."""
HOT, TWICE, WEAK = 1.6, 2.0, 2.6
"""So many times as long takes a hot card, one that serves another device first, and one of a lower class."""
LATENCY = 20, 120
"""Milliseconds from a device to an operator, at least and at most."""
OPERATOR_APART = 7
"""Milliseconds between two operators' clocks in all of this."""


def code_of(machine: Machine) -> Code | None:
    """The code that a machine's cheating has; None for an honest one."""
    found = CHEATS.get(machine.number)
    return found.code if found else None


def took_ms(machine: Machine, luck: Luck, T_ms: int, seed: bytes) -> int:
    """How long a machine computes in the wave with ``seed``, where its class takes ``T_ms``."""
    thousandths = 1_000 - SPREAD + _drawn(seed, machine.address) % (2 * SPREAD + 1)
    code, times = code_of(machine), 1.0
    if code is Code.LATE:
        times = WEAK
    elif code is Code.PASS_SLOW:
        times = TWICE
    elif luck.is_hot:
        times = HOT
    return int(T_ms * thousandths * times) // 1_000


def latency_ms(machine: Machine, operator: int) -> int:
    """How long a message takes to the operator with this number."""
    least, most = LATENCY
    return least + _drawn(bytes([operator]), machine.address) % (most - least) + OPERATOR_APART * operator


def commits(machine: Machine, luck: Luck) -> bool:
    """Whether a machine sends a commit at all."""
    return not (luck.is_down or code_of(machine) is Code.NO_COMMIT)


def expected_code(  # noqa: PLR0911 - a reason each
    machine: Machine, luck: Luck, resides: bool, is_hired: bool, is_drawn: bool
) -> Code:
    """The verdict that a machine must get in a wave that counts."""
    code = code_of(machine)
    if not commits(machine, luck) or (resides and luck.has_no_plot):
        return Code.NO_COMMIT
    if code is Code.COMMIT_CONFLICT:
        return code
    is_slow = luck.is_hot or code is Code.PASS_SLOW
    if code is Code.LATE or (is_slow and not is_hired):
        return Code.LATE
    if not is_drawn:
        return Code.PASS_SLOW if is_slow else Code.PASS_UNOPENED
    if code is Code.NO_OPENING:
        return code
    if not resides and (code is Code.WORK_WRONG or luck.errs):
        return Code.WORK_WRONG
    return Code.PASS_SLOW if is_slow else Code.PASS


def _drawn(seed: bytes, device: Pubkey) -> int:
    return first_u64(sha256(seed + bytes(device)).digest())
