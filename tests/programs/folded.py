"""Events alone make every account: what an indexer rebuilds is what the program has written."""

from __future__ import annotations

from keeper.chain import Program
from keeper.indexer.book import Book
from keeper.indexer.compare import differences
from keeper.indexer.folds import FOLDS
from tests.programs.world import DrivenChain, finish


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
