"""Jobs are tested on a keeper's SQLite database, as keepers are."""

from tests.keeper.runtime.conftest import database

__all__ = ["database"]
