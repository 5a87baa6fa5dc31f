"""The demo compares every figure that it claims; a difference ends it."""

from __future__ import annotations

from keeper.errors import UserError


class DemoFailed(UserError):
    """A figure on chain is not the one that follows from the rules."""


class Checks:
    """Counts comparisons."""

    def __init__(self) -> None:
        """Start at zero."""
        self.passed = 0

    def count(self, passed: int) -> None:
        """Add comparisons that were made in another process."""
        self.passed += passed

    def equal(self, what: str, on_chain: object, expected: object) -> None:
        """Compare a figure on chain with what it must be; raises DemoFailed when it isn't."""
        if on_chain != expected:
            raise DemoFailed(f"{what}: on chain {on_chain}, expected {expected}")
        self.passed += 1

    def holds(self, what: str, condition: bool) -> None:
        """Require a condition; raises DemoFailed when it doesn't hold."""
        if not condition:
            raise DemoFailed(what)
        self.passed += 1
