"""An audit's report, for people and for programs."""

from __future__ import annotations

import re
from typing import NamedTuple

from rich.table import Table

from keeper.audit.findings import Change, Code, Exit, Finding, Part, Report, Share, Value
from keeper.economy import money
from keeper.economy.calendar import moment
from keeper.economy.orders import Currency
from keeper.terminal.answers import auditing
from keeper.terminal.tables import console, plain, show

SHOWN_OF_A_KIND = 3
"""Of findings that say the same of other places, so many are shown; ``--all`` shows each."""
ADDRESS = 32
"""Letters and digits of an address, at least."""
ENDS = {
    Exit.CLEAN: "nothing is wrong",
    Exit.FOUND: "something is wrong",
    Exit.UNCHECKED: "nothing that was looked at is wrong; not everything could be looked at",
}


def as_json(report: Report) -> auditing.Audit:
    """The report for programs."""
    return {
        "source": report.source,
        "slot": report.slot,
        "exit": int(report.exit),
        "parts": [_part_json(each) for each in report.parts],
    }


def tell(report: Report, *, each: bool = False) -> None:
    """Print the report; ``each`` finding in full, or else of those of a kind the first few, and how many."""
    where = f"{report.source}, slot {report.slot:,}" if report.slot is not None else report.source
    console.print(f"Audit of {where}", soft_wrap=True, highlight=False, markup=False)
    show(summary(report))
    for part in report.parts:
        if part.changes:
            show(changes(part))
        if part.shares:
            show(shares(part))
        if part.findings:
            show(findings(part, None if each else SHOWN_OF_A_KIND))
        gaps = [f"{gap.what} couldn't be checked: {gap.why}" for gap in part.unchecked]
        for line in (*part.told, *gaps):
            console.print(f"{part.name}: {line}", highlight=False, markup=False)
    console.print(ENDS[report.exit])


def summary(report: Report) -> Table:
    """A line for each part."""
    table = plain("", "part", "looked at", "wrong", "not checked")
    table.title = None
    table.columns[1].justify = "left"
    for part in report.parts:
        looked = ", ".join(f"{count:,} {what}" for what, count in part.checked.items())
        table.add_row(part.name, looked, f"{len(part.findings):,}", f"{len(part.unchecked):,}")
    return table


def findings(part: Part, most: int | None = SHOWN_OF_A_KIND) -> Table:
    """A part's findings, a block of lines each: of a kind no more than ``most``, None for all."""
    table = plain(f"Wrong in {part.name}", "", "where", "row", "slot", "expected", "found", "signed by")
    for column in table.columns:
        column.justify = "left"
    kinds: dict[_Kind, list[Finding]] = {}
    for each in part.findings:
        kinds.setdefault(_Kind.of(each), []).append(each)
    shown = [each for found in kinds.values() for each in found[:most]]
    for each in shown:
        slot = "" if each.slot is None else str(each.slot)
        signer = each.signer or "nobody"
        cells = (each.where, each.row, slot, _said(each.expected), _said(each.found), signer)
        table.add_row(f"{each.code.label}: {each.code.value}", *cells)
    more = [kind.rest(len(found) - most) for kind, found in kinds.items() if most and len(found) > most]
    if more:
        table.caption = "\n".join([*more, "--all shows each"])
    return table


class _Kind(NamedTuple):
    """What findings have in common that are shown as one: the rule that is broken, by whom, in what field.

    Of a row the field is what is left of its name without numbers and addresses.
    """

    code: Code
    signer: str | None
    field: tuple[str, ...]

    @classmethod
    def of(cls, each: Finding) -> _Kind:
        """A finding's."""
        words = re.findall(r"[\w]+", each.row)
        named = (word for word in words if word.replace("_", "").isalpha() and len(word) < ADDRESS)
        return cls(each.code, each.signer, tuple(named))

    def rest(self, count: int) -> str:
        """How many more there are, in a line."""
        field = f" ({' '.join(self.field)})" if self.field else ""
        return f"and {count:,} more {self.code.label}{field}, signed by {self.signer or 'nobody'}"


def changes(part: Part) -> Table:
    """What people with a role changed."""
    table = plain(f"Changes, {part.name}", "when", "slot", "what", "who", "before", "after")
    for column in table.columns[2:]:
        column.justify = "left"
    for each in part.changes:
        after = _said(each.after)
        table.add_row(moment(each.time), f"{each.slot:,}", each.what, each.who, _said(each.before), after)
    return table


def shares(part: Part) -> Table:
    """What each party of an order put in, and got."""
    table = plain("Whose the money is", "", "who", "put in", "got", "")
    table.columns[1].justify = "left"
    for each in part.shares:
        unit = Currency[each.currency]
        table.add_row(
            each.role, each.who, *(money.show(amount, unit) for amount in (each.put_in, each.got)), unit.name
        )
    return table


def _said(value: Value) -> str:
    return "nothing" if value is None else str(value)


def _part_json(part: Part) -> auditing.AuditPart:
    return {
        "part": part.name,
        "checked": dict(part.checked),
        "unchecked": [{"what": each.what, "why": each.why} for each in part.unchecked],
        "findings": [_finding_json(each) for each in part.findings],
        "changes": [_change_json(each) for each in part.changes],
        "told": list(part.told),
        "shares": [_share_json(each) for each in part.shares],
    }


def _share_json(each: Share) -> auditing.AuditShare:
    return {
        "role": each.role,
        "who": each.who,
        "currency": each.currency,
        "put_in": str(each.put_in),
        "got": str(each.got),
    }


def _finding_json(each: Finding) -> auditing.AuditFinding:
    return {
        "code": each.code.label,
        "says": each.code.value,
        "where": each.where,
        "row": each.row,
        "slot": each.slot,
        "expected": _text(each.expected),
        "found": _text(each.found),
        "signer": each.signer,
    }


def _change_json(each: Change) -> auditing.AuditChange:
    return {
        "slot": each.slot,
        "time": each.time,
        "who": each.who,
        "what": each.what,
        "before": _text(each.before),
        "after": _text(each.after),
        "signature": each.signature,
    }


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
