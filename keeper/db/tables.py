"""The tables that every keeper's database has; those of events are made from the IDLs (events.py).

Signatures and addresses are base58, other bytes hex; times unix seconds, those of the keeper's own
acts by this machine's clock. A migration in ``migrations/versions`` follows every change here.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def text(name: str, *, null: bool = False) -> sa.Column[str]:
    """A column of text."""
    return sa.Column(name, sa.Text, nullable=null)


def number(name: str, *, null: bool = False) -> sa.Column[int]:
    """A column of whole numbers below 2^63: slots, times, counts."""
    return sa.Column(name, sa.BigInteger, nullable=null)


def key(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    """A column of the primary key that the keeper itself fills."""
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


CHAIN = sa.Table("chain", METADATA, key("id", sa.Integer()), text("genesis_hash"), text("place", null=True))
"""The one chain that everything here is about, and where it was last found; one row."""

EVENT_LAYOUTS = sa.Table(
    "event_layouts", METADATA, key("table_name", sa.Text()), text("program"), text("layout")
)
"""What each event's table was made from: the event's fields in the IDL."""

WATERMARKS = sa.Table(
    "watermarks",
    METADATA,
    key("program", sa.Text()),
    text("address"),
    # Raised by every write: a writer that read an older one fails.
    number("version"),
    # Up to the first all is indexed, and final; up to the second what was confirmed is indexed, too.
    number("final_slot"),
    number("confirmed_slot"),
    # The newest final transaction, which every list must reach, and the newest in a slot before its
    # own, where lists end: so that the anchor's whole slot is listed again.
    text("anchor", null=True),
    number("anchor_slot"),
    text("floor", null=True),
    number("floor_slot"),
    # While catching up: the final slot that the backlog leads to, and whether it reaches the anchor.
    number("target_slot", null=True),
    # The chain's own time at the slots of the same names: its clock isn't any machine's. Where only part of
    # a backlog is indexed, that of the last transaction there.
    number("target_time", null=True),
    sa.Column("final_time", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("folded_time", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("target_complete", sa.Boolean, nullable=False),
    # The accounts table is as of this slot, the hour_accounts table as of the other.
    number("folded_slot"),
    sa.Column("hour_slot", sa.BigInteger, nullable=False, server_default="-1"),
    # How often something was indexed that came to light below the final slot: whatever was made of the
    # events up to there before is made anew.
    sa.Column("late", sa.BigInteger, nullable=False, server_default="0"),
    # By this machine's clock.
    number("updated_at"),
)
"""How far each program is indexed."""

BACKLOG = sa.Table(
    "backlog",
    METADATA,
    key("program", sa.Text()),
    key("slot", sa.BigInteger()),
    key("signature", sa.Text()),
    sa.Column("position", sa.Integer),
    sa.Column("failed", sa.Boolean, nullable=False),
)
"""Listed on the way down to the anchor, not indexed yet."""

SIGNATURES = sa.Table(
    "signatures",
    METADATA,
    key("program", sa.Text()),
    key("slot", sa.BigInteger()),
    key("position", sa.Integer()),
    text("signature"),
    # Only of those that succeeded: the others are never read. Lamports; unknown where it was indexed by a
    # version before 0008.
    number("time", null=True),
    sa.Column("failed", sa.Boolean, nullable=False),
    number("fee", null=True),
)
"""Indexed transactions: final up to their program's final_slot, provisional above.

One is known by where it was executed. The chain has a signature once, and an index of a million unordered
texts took a third of the time to index: who asks by signature asks ``tx`` (:mod:`keeper.db.views`).
"""

ACCOUNTS = sa.Table(
    "accounts",
    METADATA,
    key("program", sa.Text()),
    key("address", sa.Text()),
    text("kind"),
    sa.Column("fields", sa.JSON, nullable=False),
    sa.Index(None, "program", "kind"),
)
"""Accounts as the final events alone make them, as of their program's folded_slot."""

HOUR_ACCOUNTS = sa.Table(
    "hour_accounts",
    METADATA,
    key("program", sa.Text()),
    key("address", sa.Text()),
    text("kind"),
    sa.Column("fields", sa.JSON, nullable=False),
)
"""The same as of hour_slot: when the last hour ended whose rewards were computed."""

COMPARISONS = sa.Table(
    "comparisons",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    text("program"),
    number("slot"),
    number("at"),
    number("accounts"),
    sa.Column("differences", sa.JSON, nullable=False),
    # SHA-256 of the program's bytes on the chain then, without the zeros that fill its room; null where they
    # couldn't be read.
    text("deployed_sha256", null=True),
    # Of the views from the same accounts: money doesn't depend on them.
    sa.Column("views", sa.JSON, nullable=False, server_default="[]"),
    sa.Index(None, "program", "id"),
)
"""Accounts made from events, compared with the chain's own at a slot."""

HALTS = sa.Table("halts", METADATA, key("program", sa.Text()), text("reason"), number("since"))
"""While there is a row, jobs that move money send nothing."""

LEADERSHIP = sa.Table(
    "leadership",
    METADATA,
    key("id", sa.Integer()),
    number("epoch"),
    # For people, as is when its lease began and was last renewed: the last one, also when nobody leads.
    text("holder"),
    number("since"),
    number("renewed_at", null=True),
    # Made anew by each takeover, so that no two are ever the same; none while nobody leads.
    text("claim", null=True),
    # Raised by each renewal.
    sa.Column("beat", sa.BigInteger, nullable=False, server_default="0"),
)
"""Who acts: one row, its epoch raised by every keeper that takes over; see :mod:`keeper.db.leader`."""

INTENTS = sa.Table(
    "intents",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    text("job"),
    text("payer"),
    sa.Column("instructions", sa.JSON, nullable=False),
    text("state"),
    number("epoch"),
    sa.Column("tries", sa.Integer, nullable=False),
    number("not_before"),
    text("reason", null=True),
    number("created_at"),
    number("updated_at"),
    sa.Index(None, "state"),
)
"""What the keeper means to do, written before anything is signed."""

ATTEMPTS = sa.Table(
    "attempts",
    METADATA,
    key("signature", sa.Text()),
    text("job"),
    sa.Column("transaction", sa.LargeBinary, nullable=False),
    number("last_valid_height"),
    text("state"),
    sa.Column("units", sa.Integer, nullable=False),
    # Micro-lamports per compute unit; lamports, estimated until it has landed.
    number("price"),
    number("fee"),
    number("slot", null=True),
    text("reason", null=True),
    number("created_at"),
    sa.Index(None, "state"),
    sa.Index(None, "job", "created_at"),
)
"""Signed transactions, written before they are sent."""

ATTEMPT_INTENTS = sa.Table(
    "attempt_intents",
    METADATA,
    sa.Column("signature", sa.ForeignKey("attempts.signature"), primary_key=True),
    sa.Column("intent", sa.ForeignKey("intents.id"), primary_key=True),
    sa.Column("first_instruction", sa.Integer, nullable=False),
    sa.Index(None, "intent"),
)
"""Which intents a transaction carries, and from which of its instructions on."""
