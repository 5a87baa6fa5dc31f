"""How far a service has come with what it was asked last, for ``/ready``: waves, pings, hours."""

from __future__ import annotations

from typing import Any

from keeper.operator.claims import is_drawn
from keeper.operator.desk import Desk
from keeper.operator.waves import Held, State

HOURS_BACK = 1
"""Hours before this one that are told of."""
MISSED, ATTENDED = "missed", "attended"
"""Of hours of which nothing is written yet: whether the service was there when they began."""


def lacking(desk: Desk, held: Held) -> int | None:
    """How many openings of a wave haven't come yet, by the roots that are known; None before it is drawn."""
    if held.opening is None or not held.prepared:
        return None
    seed, hour = held.wave.seed, held.wave.hour
    here = {(each.device, each.root) for each in desk.book.openings(hour) if each.seed == seed}
    # Roots of another operator's file may be learned on a thread meanwhile: these are counted the next time.
    return sum(
        (device, root) not in here
        for device, roots in list(held.roots.items())
        for root, commit in list(roots.items())
        if is_drawn(held, device, commit.kind)
    )


def is_complete(desk: Desk, held: Held) -> bool:
    """Whether nothing more of a wave can come that its hour's evidence would have.

    That is so when its time is over; and before, for an operator whose own file counts, once all that the
    known roots owe has come.
    """
    if held.state is State.DRAWN:
        return held.anchored and lacking(desk, held) == 0
    return held.state in (State.COLLECTED, State.VOID)


def progress(desk: Desk) -> dict[str, Any]:
    """As ``/ready`` has it: by slot the waves and pings of this hour and the one before, and these hours."""
    if desk.hour is None:
        return {"read": None, "hours": {}, "waves": {}, "pings": {}}
    hours = range(max(0, desk.hour - HOURS_BACK), desk.hour + 1)
    waves = sorted(desk.intake.waves.values(), key=lambda each: each.wave.slot)
    pings = sorted(desk.intake.pings.values(), key=lambda each: each.ping.slot)
    return {
        "read": desk.read,
        "hours": {str(each): _hour(desk, each) for each in hours},
        "waves": {
            str(each.wave.slot): {
                "state": each.state,
                "commits": len(each.taken) or len(each.roots),
                "lacking": lacking(desk, each),
            }
            for each in waves
            if each.wave.hour in hours
        },
        "pings": {str(each.ping.slot): len(each.answered) for each in pings if each.ping.hour in hours},
    }


def _hour(desk: Desk, hour: int) -> str:
    found = desk.book.hour(hour)
    if found is not None:
        return found[0]
    return ATTENDED if desk.attended(hour) else MISSED
