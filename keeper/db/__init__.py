"""The keeper's database: SQLite in a file for one keeper, PostgreSQL for several."""

from keeper.db.database import Database, DatabaseError
from keeper.db.leader import Leader, NotLeader

__all__ = ["Database", "DatabaseError", "Leader", "NotLeader"]
