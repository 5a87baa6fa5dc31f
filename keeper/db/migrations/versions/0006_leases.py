"""Leadership is a lease: who has it proves so by raising a number. Nobody has it right after the upgrade."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the claim, its beat, and when it was last renewed."""
    op.add_column("leadership", sa.Column("renewed_at", sa.BigInteger, nullable=True))
    op.add_column("leadership", sa.Column("claim", sa.Text, nullable=True))
    op.add_column("leadership", sa.Column("beat", sa.BigInteger, nullable=False, server_default="0"))
