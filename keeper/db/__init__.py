"""The keeper's database: SQLite in a file for one keeper, PostgreSQL for several."""

from keeper.db.database import Database, DatabaseError, DatabaseUnusable
from keeper.db.leader import Leader, NotLeader

__all__ = ["Database", "DatabaseError", "DatabaseUnusable", "Leader", "NotLeader"]
