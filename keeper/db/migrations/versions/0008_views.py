"""What people and pages look up: filled from the events that are there when the accounts are made again."""

import sqlalchemy as sa
from alembic import op

from keeper.db.types import Wide

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables, and forget the accounts made from events: with them the views are made."""
    op.create_table(
        "mention",
        sa.Column("address", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outer", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("inner", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("address", "slot", "position", "outer", "inner", name="pk_mention"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tx",
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=True),
        sa.Column("fee", sa.BigInteger(), nullable=True),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("slot", "position", name="pk_tx"),
        sa.UniqueConstraint("signature", name="uq_tx_signature"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "day_total",
        sa.Column("program", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount", Wide(39), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program", "name", "day", name="pk_day_total"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hour_total",
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data_hash", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("start", "rule", "devices", "succeeded", "failed", "missed", "wallets")
        ),
        *(
            sa.Column(name, Wide(20), nullable=False)
            for name in ("emitted", "pot", "paid", "carried", "total")
        ),
        sa.PrimaryKeyConstraint("hour", name="pk_hour_total"),
    )
    op.create_table(
        "hour_device",
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("device", sa.Text(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("pool", "status", "reasons")),
        *(
            sa.Column(name, Wide(20), nullable=False)
            for name in ("score", "normalised", "reward", "supplier", "co_staker")
        ),
        sa.PrimaryKeyConstraint("hour", "device", name="pk_hour_device"),
        sqlite_with_rowid=False,
    )
    op.add_column("signatures", sa.Column("fee", sa.BigInteger(), nullable=True))
    op.add_column("comparisons", sa.Column("views", sa.JSON(), nullable=False, server_default="[]"))
    op.execute("UPDATE watermarks SET folded_slot = -1, version = version + 1")
    op.execute("DELETE FROM accounts")
