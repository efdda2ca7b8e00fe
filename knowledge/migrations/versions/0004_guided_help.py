"""Cases, reminders, outcomes; a person's time zone and a longer step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables and add the column."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("telegram_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("marks", sa.JSON, nullable=False),
        sa.Column("blanks", sa.JSON, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("touched_at", moment, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_cases_telegram_id", "cases", ["telegram_id"])
    op.create_index("ix_cases_touched_at", "cases", ["touched_at"])
    op.create_table(
        "reminders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("telegram_id", sa.BigInteger, nullable=False),
        sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("taken_at", moment),
        sa.Column("created_at", moment, nullable=False),
        sqlite_autoincrement=True,
    )
    for column in ("telegram_id", "case_id", "state"):
        op.create_index(f"ix_reminders_{column}", "reminders", [column])
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("country", sa.String(2)),
        sa.Column("result", sa.String(12), nullable=False),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_index("ix_outcomes_subject", "outcomes", ["subject"])
    with op.batch_alter_table("people") as people:
        people.add_column(sa.Column("timezone", sa.String(40)))
        people.alter_column("step", type_=sa.String(80), existing_type=sa.String(40))
