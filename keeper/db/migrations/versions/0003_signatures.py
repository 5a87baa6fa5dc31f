"""Signatures without an index of their own: a transaction is known by where it was executed."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("signatures") as table:
        table.drop_constraint("uq_signatures_program_signature", type_="unique")
