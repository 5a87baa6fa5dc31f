"""The tables of the first version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "accounts",
        sa.Column("program", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("address", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("program", "address", name="pk_accounts"),
    )
    op.create_index("ix_accounts_program_kind", "accounts", ["program", "kind"])
    op.create_table(
        "attempts",
        sa.Column("signature", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("transaction", sa.LargeBinary(), nullable=False),
        sa.Column("last_valid_height", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("signature", name="pk_attempts"),
    )
    op.create_index("ix_attempts_job_created_at", "attempts", ["job", "created_at"])
    op.create_index("ix_attempts_state", "attempts", ["state"])
    op.create_table(
        "backlog",
        sa.Column("program", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("signature", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("program", "slot", "signature", name="pk_backlog"),
    )
    op.create_table(
        "chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("genesis_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chain"),
    )
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("accounts", sa.BigInteger(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comparisons"),
    )
    op.create_index("ix_comparisons_program_id", "comparisons", ["program", "id"])
    op.create_table(
        "event_layouts",
        sa.Column("table_name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", name="pk_event_layouts"),
    )
    op.create_table(
        "halts",
        sa.Column("program", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program", name="pk_halts"),
    )
    op.create_table(
        "intents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("instructions", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_intents"),
        sa.UniqueConstraint("key", name="uq_intents_key"),
    )
    op.create_index("ix_intents_state", "intents", ["state"])
    op.create_table(
        "leadership",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leadership"),
    )
    op.create_table(
        "signatures",
        sa.Column("program", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=True),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("program", "slot", "position", name="pk_signatures"),
        sa.UniqueConstraint("program", "signature", name="uq_signatures_program_signature"),
    )
    op.create_table(
        "watermarks",
        sa.Column("program", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("final_slot", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_slot", sa.BigInteger(), nullable=False),
        sa.Column("anchor", sa.Text(), nullable=True),
        sa.Column("anchor_slot", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.Text(), nullable=True),
        sa.Column("floor_slot", sa.BigInteger(), nullable=False),
        sa.Column("target_slot", sa.BigInteger(), nullable=True),
        sa.Column("target_complete", sa.Boolean(), nullable=False),
        sa.Column("folded_slot", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program", name="pk_watermarks"),
    )
    op.create_table(
        "attempt_intents",
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("intent", sa.Integer(), nullable=False),
        sa.Column("first_instruction", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["intent"], ["intents.id"], name="fk_attempt_intents_intent"),
        sa.ForeignKeyConstraint(["signature"], ["attempts.signature"], name="fk_attempt_intents_signature"),
        sa.PrimaryKeyConstraint("signature", "intent", name="pk_attempt_intents"),
    )
    op.create_index("ix_attempt_intents_intent", "attempt_intents", ["intent"])
