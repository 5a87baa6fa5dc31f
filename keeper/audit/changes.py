"""Who changed keys, parameters, classes and stops, when, and from what to what: in the order of the chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from keeper.audit.decoded import Happened
from keeper.audit.findings import Change, Value
from keeper.audit.ledger import said

_BEGUN = "Initialized"
_ROLES = {
    "AdminProposed": ("next admin", "admin", "pending"),
    "AdminChanged": ("admin", "from", "to"),
    "GuardianProposed": ("next guardian", "guardian", "pending"),
    "GuardianChanged": ("guardian", "from", "to"),
    "BeneficiaryChanged": ("beneficiary", "from", "to"),
    "ClassChanged": ("class multiplier", "from", "to"),
}
"""Events that name a value before and after, or who has it and who is next."""
_TOLD = {
    "PauseSet": ("stopped operations, until", ("mask", "until")),
    "FirstPriceProposed": ("first price", ("price",)),
    "FirstPriceCancelled": ("first price vetoed", ("price",)),
    "BoundsChanged": ("bounds of class", ("id",)),
    "ClassCancelled": ("class changes vetoed", ("id",)),
    "SeasonCancelled": ("season vetoed", ("season",)),
    "SlashVetoed": ("slash vetoed", ("device",)),
    "BlockVetoed": ("reward block vetoed", ("hour",)),
    "PriceCancelled": ("price step vetoed", ("class",)),
    "ParamsCancelled": ("parameters vetoed", ("revision",)),
}
"""Events of roles that say a new value alone."""


class Changes:
    """Follows events."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._params: dict[str, dict[str, Any]] = {}
        self._pending: dict[str, dict[str, Any]] = {}

    def follow(self, events: Iterable[Happened]) -> Iterator[Change]:
        """All changes by events."""
        for each in events:
            name, fields, program = each.event.name, each.event.fields, each.program.name
            if name == _BEGUN:
                self._params[program] = dict(fields.get("params", {}))
                for role in ("admin", "guardian"):
                    yield _change(each, role, None, fields[role])
            elif name == "ParamsProposed":
                self._pending[program] = dict(fields["params"])
                yield from self._differing(each, "proposed ")
            elif name == "ParamsApplied":
                yield from self._differing(each, "")
                self._params[program] = self._pending.get(program, {})
            elif name in _ROLES:
                what, before, after = _ROLES[name]
                yield _change(each, what, fields[before], fields[after])
            elif name in _TOLD:
                what, values = _TOLD[name]
                yield _change(each, what, None, ", ".join(str(said(fields[value])) for value in values))

    def _differing(self, each: Happened, how: str) -> Iterator[Change]:
        program = each.program.name
        before, after = self._params.get(program, {}), self._pending.get(program, {})
        for name, value in after.items():
            if before.get(name) != value:
                yield _change(each, f"{how}{name}", before.get(name), value)


def _change(each: Happened, what: str, before: Any, after: Any) -> Change:
    record = each.executed.record
    return Change(
        record.slot,
        record.time,
        each.executed.signers,
        f"{each.program.name} {what}",
        _plain(before),
        _plain(after),
        each.executed.name,
    )


def _plain(value: Any) -> Value:
    return None if value is None else said(value)
