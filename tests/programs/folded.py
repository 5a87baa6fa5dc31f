"""Events alone make every account: what an indexer rebuilds is what the program has written."""

from __future__ import annotations

from keeper.audit.calls import calls_of
from keeper.audit.decoded import Decoded
from keeper.audit.history import Executed
from keeper.audit.totals import by_rules, right
from keeper.chain import Program
from keeper.clients.programs import PROGRAMS
from keeper.indexer.book import Book
from keeper.indexer.compare import differences
from keeper.indexer.folds import FOLDS
from tests.programs.world import DrivenChain, complete, finish


def folded(chain: DrivenChain, program: Program) -> Book:
    """A program's accounts by all of its events."""
    book = Book(program)
    for record in chain.transactions():
        for event in program.events(record):
            FOLDS[program.name][event.name](book, event.fields, record.time)
    return book


def assert_events_make_the_accounts(chain: DrivenChain, program: Program) -> None:
    """Every field of every account of the program follows from its events."""
    found = finish(chain.program_accounts(program.address))
    data = {address: account.data for address, account in found.items()}
    assert list(map(str, differences(folded(chain, program), data))) == []


def assert_events_follow_from_the_accounts(chain: DrivenChain) -> None:
    """What an audit says that each event must say, by the accounts before it, is what the programs said."""
    books = {name: Book(program) for name, program in PROGRAMS.items()}
    decoded = Decoded("sequences")
    records = [each for each in chain.transactions() if each.error is None]
    names = [each.signature for each in records]
    for record, signed in zip(records, complete(chain, lambda there: there.signed(names)), strict=True):
        assert signed is not None
        for happened in decoded.of(Executed(record, signed, tuple(calls_of(record, signed)))).events:
            program, event, *_ = happened
            if happened.call is not None:
                for name, value in {**right(happened, books), **by_rules(happened, books)}.items():
                    assert event.fields[name] == value, (program.name, event.name, name, record.slot)
            FOLDS[program.name][event.name](books[program.name], event.fields, record.time)
