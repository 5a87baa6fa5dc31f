"""Accounts as they were when an hour ended."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create their table, and how far it is."""
    op.create_table(
        "hour_accounts",
        sa.Column("program", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("address", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("program", "address", name="pk_hour_accounts"),
    )
    op.add_column("watermarks", sa.Column("hour_slot", sa.BigInteger(), nullable=False, server_default="-1"))
