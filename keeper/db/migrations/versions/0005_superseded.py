"""An action that somebody else did first is superseded; its state was called elsewhere."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Rename the state."""
    op.execute("UPDATE intents SET state = 'superseded' WHERE state = 'elsewhere'")
