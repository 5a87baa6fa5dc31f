"""What was made of final events, in memory, is made anew when one of them comes to light late."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Count how often that happened."""
    op.add_column("watermarks", sa.Column("late", sa.BigInteger, nullable=False, server_default="0"))
