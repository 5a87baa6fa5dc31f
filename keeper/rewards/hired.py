"""Which devices were hired in an hour, from the leases at its start and what became of them in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Event
from keeper.chain.program import Fields
from keeper.clients.orders import PROGRAM
from keeper.economy.calendar import HOUR

FOLLOWED = {"LeaseMatched", "LeaseAccepted", "Extend", "LeaseEnded", "LeaseClosed"}


@dataclass(frozen=True, slots=True)
class Term:
    """A lease as far as it says when its device was hired; unix seconds, 0 for never.

    ``hours`` with extensions, ``stop`` up to when it is paid, ``ended_at`` when it was ended.
    """

    device: Pubkey
    hours: int
    start: int = 0
    stop: int = 0
    ended_at: int = 0

    def runs(self, since: int, until: int) -> bool:
        """Whether it ran at some time from ``since`` to before ``until``, as was known at ``until``.

        What happens later changes nothing. A lease that had earned nothing by its end was none: one
        broken off in its first hour excuses nobody from the hour's proof of work.
        """
        ended = 0 < self.ended_at < until
        if not 0 < self.start < until or (ended and self.stop == self.start):
            return False
        over = self.start + self.hours * HOUR
        return (min(over, self.ended_at) if ended else over) > since


def hired(terms: Iterable[Term], start: int) -> set[Pubkey]:
    """The devices that were hired in the hour from ``start``."""
    return {term.device for term in terms if term.runs(start, start + HOUR)}


def terms_of(leases: Mapping[Pubkey, Fields]) -> dict[Pubkey, Term]:
    """The terms of leases by their accounts' fields."""
    names = [field.name for field in fields(Term)]
    return {address: Term(**{name: lease[name] for name in names}) for address, lease in leases.items()}


def replay(events: Iterable[tuple[int, Event]], leases: Mapping[Pubkey, Term] | None = None) -> list[Term]:
    """The terms of ``leases`` and of all that came after them, closed ones, too.

    From the program's events and their times, in their order. Give what happened before an hour's end
    to know what was known then.
    """
    now = dict(leases or {})
    before: list[Term] = []
    for at, event in events:
        if event.name not in FOLLOWED:
            continue
        said = event.fields
        lease = said["lease"]
        match event.name:
            case "LeaseMatched":
                now[lease] = Term(said["device"], said["hours"])
            case "LeaseAccepted":
                now[lease] = replace(now[lease], start=said["start"], stop=said["stop"])
            case "Extend":
                hours = now[lease].hours + said["extended_minutes"] // 60
                now[lease] = replace(now[lease], hours=hours, stop=said["stop"])
            case "LeaseEnded":
                ended_at = now[lease].ended_at or at
                now[lease] = replace(now[lease], stop=said["stop"], ended_at=ended_at)
            case "LeaseClosed":
                before.append(now.pop(lease))
    return [*before, *now.values()]


async def read_events(chain: ChainReader) -> list[tuple[int, Event]]:
    """Read everything that ever happened to orders, with its times."""
    records = await chain.history(PROGRAM.address)
    return [(record.time, event) for record in records for event in PROGRAM.events(record)]
