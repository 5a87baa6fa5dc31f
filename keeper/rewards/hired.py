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
    """What a lease says about when its device was hired; times in unix seconds, 0 for never.

    ``hours`` includes extensions, ``stop`` is until when it is paid, ``ended_at`` when it was ended.
    """

    device: Pubkey
    hours: int
    start: int = 0
    stop: int = 0
    ended_at: int = 0

    def runs(self, since: int, until: int) -> bool:
        """Whether it ran at some time from ``since`` to before ``until``, as was known at ``until``.

        What happens later changes nothing. A lease that had earned nothing by its end doesn't count:
        one broken off in its first hour excuses nobody from the hour's proof of work.
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
    """The terms of ``leases`` and of all that came after them, including closed ones.

    Follows the program's ``events`` with their times, in order. Pass those from before an hour's end to
    learn what was known then.
    """
    now = dict(leases or {})
    before: list[Term] = []
    for at, event in events:
        if event.name not in FOLLOWED:
            continue
        values = event.fields
        lease = values["lease"]
        match event.name:
            case "LeaseMatched":
                now[lease] = Term(values["device"], values["hours"])
            case "LeaseAccepted":
                now[lease] = replace(now[lease], start=values["start"], stop=values["stop"])
            case "Extend":
                hours = now[lease].hours + values["extended_minutes"] // 60
                now[lease] = replace(now[lease], hours=hours, stop=values["stop"])
            case "LeaseEnded":
                ended_at = now[lease].ended_at or at
                now[lease] = replace(now[lease], stop=values["stop"], ended_at=ended_at)
            case "LeaseClosed":
                before.append(now.pop(lease))
    return [*before, *now.values()]


async def read_events(chain: ChainReader) -> list[tuple[int, Event]]:
    """Read every event of orders so far, with its time."""
    records = await chain.history(PROGRAM.address)
    return [(record.time, event) for record in records for event in PROGRAM.events(record)]
