"""Where the chain was found: for people, who can't tell chains by their genesis hashes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add it; unknown until the next keeper starts."""
    op.add_column("chain", sa.Column("place", sa.Text, nullable=True))
