"""Which devices were hired in an hour, from the leases at its start and what became of them in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Event
from keeper.chain.program import Fields
from keeper.clients.orders import PROGRAM
from keeper.economy.calendar import HOUR

FOLLOWED = {"LeaseMatched", "LeaseAccepted", "LeaseStarted", "Extend", "LeaseEnded", "LeaseClosed"}
NO_ORDER = Pubkey.default()


@dataclass(frozen=True, slots=True)
class Term:
    """What a lease says about when its device was hired; times in unix seconds, 0 for never.

    ``hours`` includes extensions, ``stop`` is until when it is paid, ``ended_at`` when it was ended. One of a
    gang is accepted before it starts: with the last that its order waits for.
    """

    device: Pubkey
    hours: int
    start: int = 0
    stop: int = 0
    ended_at: int = 0
    accepted_at: int = 0
    order: Pubkey = NO_ORDER

    @property
    def waits(self) -> bool:
        """Whether it was accepted, and its gang isn't filled as far as it knows."""
        return self.accepted_at > 0 and self.start == 0 and self.ended_at == 0

    def filled(self, filled_at: int) -> Term:
        """The same once its gang was filled."""
        start = max(self.accepted_at, filled_at)
        return replace(self, start=start, stop=start + self.hours * HOUR)

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


NO_TERM = Term(NO_ORDER, 0)


def hired(terms: Iterable[Term], start: int) -> set[Pubkey]:
    """The devices that were hired in the hour from ``start``."""
    return {term.device for term in terms if term.runs(start, start + HOUR)}


def terms_of(leases: Mapping[Pubkey, Fields], orders: Mapping[Pubkey, Fields]) -> dict[Pubkey, Term]:
    """The terms of leases by their accounts' fields, and those of their orders."""
    names = [field.name for field in fields(Term)]
    found = {}
    for address, lease in leases.items():
        term = Term(**{name: lease[name] for name in names})
        filled_at = orders[term.order]["filled_at"]
        found[address] = term.filled(filled_at) if term.waits and filled_at else term
    return found


def replay(events: Iterable[tuple[int, Event]], leases: Mapping[Pubkey, Term] | None = None) -> list[Term]:
    """The terms of ``leases`` and of all that came after them, including closed ones.

    Follows the program's ``events`` with their times, in order. Pass those from before an hour's end to
    learn what was known then.
    """
    now = dict(leases or {})
    waiting: defaultdict[Pubkey, list[Pubkey]] = defaultdict(list)
    for lease, term in now.items():
        if term.waits:
            waiting[term.order].append(lease)
    before: list[Term] = []
    for at, event in events:
        if event.name not in FOLLOWED:
            continue
        lease = event.fields["lease"]
        if event.name == "LeaseClosed":
            before.append(now.pop(lease))
            continue
        now[lease] = term = _after(event, at, now.get(lease, NO_TERM))
        if term.waits:
            waiting[term.order].append(lease)
        elif event.name == "LeaseAccepted":
            # Perhaps the last that its gang waited for: the others start with it.
            for each in waiting.pop(term.order, ()):
                if each in now and now[each].waits:
                    now[each] = now[each].filled(event.fields["filled_at"])
    return [*before, *now.values()]


def _after(event: Event, at: int, term: Term) -> Term:
    """A lease's term after an event of it; a new lease's begins with being matched."""
    values = event.fields
    match event.name:
        case "LeaseMatched":
            return Term(values["device"], values["hours"], order=values["order"])
        case "Extend":
            hours = term.hours + values["extended_minutes"] // 60
            return replace(term, hours=hours, stop=values["stop"])
        case "LeaseEnded":
            return replace(term, stop=values["stop"], ended_at=term.ended_at or at)
        case _:
            names = {"accepted_at", "start", "stop"} & values.keys()
            return replace(term, **{name: values[name] for name in names})


async def read_events(chain: ChainReader) -> list[tuple[int, Event]]:
    """Read every event of orders so far, with its time."""
    records = await chain.history(PROGRAM.address)
    return [(record.time, event) for record in records for event in PROGRAM.events(record)]
