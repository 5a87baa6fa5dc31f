"""From a chain's transactions to typed rows of events, without a gap, and from those to accounts."""

from keeper.indexer.guard import guard
from keeper.indexer.program import OvertakenError, ProgramIndexer

__all__ = ["OvertakenError", "ProgramIndexer", "guard"]
