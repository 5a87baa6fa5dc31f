"""What alembic runs a migration in: the connection that keeper.db.database hands over."""

from alembic import context

from keeper.db import views  # noqa: F401 - its tables are METADATA's, too
from keeper.db.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
