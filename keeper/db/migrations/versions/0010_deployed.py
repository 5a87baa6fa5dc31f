"""Beside a program's accounts, its bytes are looked at, too."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Keep their hash."""
    op.add_column("comparisons", sa.Column("deployed_sha256", sa.Text, nullable=True))
