"""Events of transactions, each decoded once, whoever looks at them how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.audit.calls import Call
from keeper.audit.findings import Code, Finding
from keeper.audit.history import Executed
from keeper.chain import Event, Program
from keeper.chain.program import Fields, UnexpectedData
from keeper.clients.programs import PROGRAMS


class Happened(NamedTuple):
    """An event, of which program, in which transaction, and the instruction that sent it."""

    program: Program
    event: Event
    executed: Executed
    call: Call | None
    """None where the transaction isn't known whole."""

    def asked(self) -> tuple[str, Fields, dict[str, Pubkey]] | None:
        """The instruction's name, arguments and accounts by their names; None where it isn't known.

        Raises UnexpectedData for data that isn't one's.
        """
        decoded = self.program.decode_instruction(self.call.data) if self.call else None
        if self.call is None or decoded is None:
            return None
        name, arguments = decoded
        slots = (each["name"] for each in self.program.instructions[name])
        return name, arguments, dict(zip(slots, self.call.accounts, strict=False))


@dataclass(frozen=True, slots=True)
class Events:
    """A transaction's events, in their order; ``stopped``: programs of which one can't be read, and why."""

    events: tuple[Happened, ...]
    findings: tuple[Finding, ...] = ()
    stopped: dict[str, str] = field(default_factory=dict)


class Decoded:
    """The events of each transaction that was asked for."""

    def __init__(self, part: str) -> None:
        """Have decoded nothing yet; findings are of ``part``."""
        self._part = part
        self._known: dict[int, tuple[Executed, Events]] = {}
        """By identity: a node that lies may show one transaction under two names."""

    def of(self, executed: Executed) -> Events:
        """A transaction's."""
        if id(executed) not in self._known:
            self._known[id(executed)] = executed, self._decode(executed)
        return self._known[id(executed)][1]

    def _decode(self, executed: Executed) -> Events:
        calls = {(each.outer, each.inner): each for each in executed.calls}
        found: list[tuple[int, int, Happened]] = []
        findings: list[Finding] = []
        stopped: dict[str, str] = {}
        for program in PROGRAMS.values():
            try:
                located = program.located_events(executed.record)
            except UnexpectedData as error:
                findings.append(
                    Finding(
                        self._part,
                        Code.EVENT_UNREADABLE,
                        executed.name,
                        program.name,
                        executed.record.slot,
                        "an event of its interface",
                        str(error),
                        None,
                    )
                )
                stopped[program.name] = f"an event in {executed.name} can't be read"
                continue
            for outer, inner, event in located:
                call = calls.get((outer, inner))
                caller = call.caller if call else None
                found.append((outer, inner, Happened(program, event, executed, caller)))
        events = tuple(each for _, _, each in sorted(found, key=lambda each: each[:2]))
        return Events(events, tuple(findings), stopped)
