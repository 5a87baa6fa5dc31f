"""The operator's line: whose connection is measured when, and what came of it.

One device in 168 is drawn by the hour's wave, and sends and receives once in the hour: not while a wave's
commits are taken, as transfers would cost others milliseconds, and never so many at a time that the line is
what is measured.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import base58
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.operator.desk import Desk
from keeper.operator.refusals import Refusal, Why
from keeper.operator.waves import Held, State
from keeper.pow.connectivity import SECOND, SECONDS, TRANSFER, Direction, Transfer, is_drawn
from keeper.pow.messages import Signed, TransferRequest

CARRIES = 1_250_000_000
"""Bytes a second of a line of 10 Gbit/s."""
AT_ONCE = 64
"""Transfers at a time."""
GAP = 0.25
"""Seconds from the start of a transfer to that of the next: so its rate is known by then."""
SHARE = 2
"""A transfer begins while the others use at most one in so many of the line's bytes."""
SCHEME = "ionet "
"""In front of the signature, in the header ``authorization``."""
NOISE = secrets.token_bytes(1 << 18)
"""What is sent: nothing on the way makes it smaller."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A transfer that may begin."""

    held: Held
    device: bytes
    direction: Direction


class Line:
    """Admits transfers and keeps what was measured."""

    def __init__(
        self,
        desk: Desk,
        carries: int = CARRIES,
        size: int = TRANSFER,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        """``carries`` bytes a second go over the line; ``size`` bytes are transferred; ``clock`` measures."""
        self.carries, self.size, self.clock = carries, size, clock
        self._desk = desk
        self._running: set[tuple[bytes, bytes, Direction]] = set()
        self._begun = float("-inf")
        self._recent: deque[tuple[float, int]] = deque()

    def admit(  # noqa: PLR0911 - a reason each
        self, slot: int, device: bytes, direction: Direction, signature: str, address: str
    ) -> Turn | Refusal:
        """Whether a device may transfer now, by the wave at ``slot``; from cheap checks to dear ones."""
        desk, intake = self._desk, self._desk.intake
        held = next((each for each in intake.waves.values() if each.wave.slot == slot), None)
        if held is None or held.wave.spot or held.state is State.VOID:
            return Refusal(Why.UNKNOWN_WAVE, "This slot has no wave of an hour here.", 5)
        if desk.book.hour(held.wave.hour) is not None:
            return Refusal(Why.TOO_LATE, "What was measured in this hour is written down.")
        entry = intake.roster.find(device)
        if isinstance(entry, Refusal):
            return entry
        if not is_drawn(held.wave.seed, entry.address):
            return Refusal(Why.NOT_DRAWN, "The device's connection isn't measured in this hour.")
        if held.state not in (State.DRAWN, State.COLLECTED):
            return Refusal(Why.TOO_EARLY, "The wave isn't over.", 5)
        turn = Turn(held, device, direction)
        if _name(turn) in self._running or desk.book.transfer(held.wave.seed, device, direction):
            return Refusal(Why.ALREADY_MEASURED, "This was measured in this hour.")
        now = desk.monotonic()
        if wait := intake.gate.admit(address, device, now):
            return Refusal(Why.TOO_MANY, "Too many messages from here: wait.", max(1, round(wait)))
        request = TransferRequest(desk.operator, held.wave.seed, entry.address, direction)
        if not _is_signed(request, signature, entry.worker):
            return Refusal(Why.BAD_SIGNATURE, "The device's worker key didn't sign this request to me.")
        intake.gate.proved(address, device, now)
        if self._is_busy():
            return Refusal(Why.BUSY, "The line is in use: come again.", 2)
        return turn

    @contextmanager
    def running(self, turn: Turn) -> Any:
        """A turn's transfer: no other of its kind begins meanwhile."""
        self._running.add(_name(turn))
        self._begun = self.clock()
        try:
            yield
        finally:
            self._running.discard(_name(turn))

    def is_stopped(self) -> bool:
        """Whether transfers have to end at once: a wave's commits are taken."""
        return any(each.is_taking for each in self._desk.intake.waves.values())

    def passed(self, size: int) -> None:
        """So many bytes went over the line."""
        self._recent.append((self.clock(), size))

    def keep(self, turn: Turn, size: int, seconds: float) -> None:
        """Note a transfer of ``size`` bytes. One that the device ended early counts for the whole time.

        Else one that reads nothing would have the rate at which the system's buffers take a first megabyte.
        """
        took = min(seconds, SECONDS) if size >= self.size else SECONDS
        took_us = max(1, round(took * SECOND))
        seed, hour = turn.held.wave.seed, turn.held.wave.hour
        self._desk.book.put_transfer(seed, hour, turn.device, turn.direction, size, took_us)
        self._desk.took(f"transfer_{turn.direction.name.lower()}")
        self._desk.log.info(
            "pow.transferred",
            device=str(Pubkey(turn.device)),
            direction=turn.direction.name.lower(),
            bytes=size,
            ms=took_us // 1000,
        )

    def _is_busy(self) -> bool:
        now = self.clock()
        while self._recent and self._recent[0][0] < now - 1:
            self._recent.popleft()
        used = sum(size for _, size in self._recent)
        unknown = bool(self._running) and now - self._begun < GAP
        crowded = unknown or len(self._running) >= AT_ONCE
        return crowded or SHARE * used > self.carries or self.is_stopped()


def transfers(desk: Desk, hour: int) -> dict[Pubkey, Transfer]:
    """What was measured in an hour, by its wave that is in the final chain."""
    waves = [each for each in desk.intake.waves.values() if each.wave.hour == hour]
    seeds = {each.wave.seed for each in waves if each.state is not State.VOID and not each.wave.spot}
    found: dict[Pubkey, dict[int, tuple[int, int]]] = {}
    for seed, device, direction, size, took_us in desk.book.transfers(hour):
        if seed in seeds:
            found.setdefault(Pubkey(device), {})[direction] = size, took_us
    none = 0, 0
    return {
        device: Transfer(*each.get(Direction.DOWN, none), *each.get(Direction.UP, none))
        for device, each in found.items()
    }


def _name(turn: Turn) -> tuple[bytes, bytes, Direction]:
    return turn.held.wave.seed, turn.device, turn.direction


def _is_signed(request: TransferRequest, header: str, worker: Pubkey) -> bool:
    """Whether ``header`` is a signature of a request by a key."""
    if not header.startswith(SCHEME) or len(header) > len(SCHEME) + 88:
        return False
    try:
        signature = Signature.from_bytes(base58.b58decode(header[len(SCHEME) :]))
    except ValueError:
        return False
    return Signed(request, signature).is_by(worker)
