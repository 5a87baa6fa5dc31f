"""By which rules a tick is decided, in one hash: all figures that its matches, or its rows, follow from.

Whoever computes a tick again by other figures finds something else, and would blame an operator that did
nothing wrong. So a tick's manifest names them.
"""

from __future__ import annotations

import json
from hashlib import sha256

from keeper.economy import orders
from keeper.market import assignment, holding, reputation, sequence, snapshot, work

WEIGHTS = ("MILLI", "FADED", "PRIOR_GOOD", "PRIOR_BAD", "FAIL", "MOST", "ONE_IN", "LEAST_WEIGHT")
"""The figures of reputation."""


def figures() -> dict[str, object]:
    """All of them, by name."""
    return {
        "rule": assignment.VERSION,
        "tick": orders.TICK,
        "first": orders.FIRST,
        "listed": snapshot.LISTED,
        "bonus": [sequence.BONUS[each] for each in orders.Urgency],
        "hold_age": holding.HOLD_AGE,
        "limits": assignment.LIMITS._asdict(),
        "a_look": work.A_LOOK,
        "reputation": {each.lower(): getattr(reputation, each) for each in WEIGHTS},
    }


def digest() -> str:
    """SHA-256 of the figures as canonical JSON (RFC 8785), in hex."""
    return sha256(json.dumps(figures(), sort_keys=True, separators=(",", ":")).encode()).hexdigest()
