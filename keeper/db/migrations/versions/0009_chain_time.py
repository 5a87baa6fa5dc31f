"""What is shown is as of the chain's time, which isn't this machine's."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Keep it; until the next poll it is that of the last transaction that is final."""
    op.add_column("watermarks", sa.Column("target_time", sa.BigInteger, nullable=True))
    for name in ("final_time", "folded_time"):
        op.add_column("watermarks", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    for slot, time in (("final_slot", "final_time"), ("folded_slot", "folded_time")):
        op.execute(
            f"UPDATE watermarks SET {time} = COALESCE((SELECT max(s.time) FROM signatures AS s "
            f"WHERE s.program = watermarks.program AND s.slot <= watermarks.{slot}), 0)"
        )
