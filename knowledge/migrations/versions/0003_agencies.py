"""Agencies, their documents, roles, gaps, hand-overs; what came of a turn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables, widen and add columns."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "agencies",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("countries", sa.JSON, nullable=False),
        sa.Column("languages", sa.JSON, nullable=False),
        sa.Column("contact", sa.String(200), nullable=False),
        sa.Column("url", sa.String(300), nullable=False),
        sa.Column("group_chat_id", sa.BigInteger, unique=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("closed_at", moment),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("telegram_id", sa.BigInteger, nullable=False),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("agency_id", sa.String(32), sa.ForeignKey("agencies.id")),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("revoked_at", moment),
    )
    op.create_index("ix_members_telegram_id", "members", ["telegram_id"])
    op.create_table(
        "invitations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("agency_id", sa.String(32), sa.ForeignKey("agencies.id")),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("created_by", sa.BigInteger, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("used_by", sa.BigInteger),
        sa.Column("used_at", moment),
        sa.Column("revoked_at", moment),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.String(24), nullable=False),
        sa.Column("agency_id", sa.String(32)),
        sa.Column("action", sa.String(24), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
    )
    op.create_table(
        "library",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("agency_id", sa.String(32), sa.ForeignKey("agencies.id"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("document_id", sa.String(48), sa.ForeignKey("library.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("original", sa.String(80), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("notes", sa.JSON, nullable=False),
        sa.Column("flagged", sa.JSON, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by", sa.String(24), nullable=False),
        sa.Column("published_at", moment),
        sa.Column("ended_at", moment),
        sa.Column("told_at", moment),
        sa.UniqueConstraint("document_id", "number", name="uq_versions_document_id"),
    )
    op.create_index("ix_versions_state", "versions", ["state"])
    op.create_table(
        "intake",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("telegram_id", sa.BigInteger, nullable=False),
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        sa.Column("agency_id", sa.String(32), sa.ForeignKey("agencies.id")),
        sa.Column("file_id", sa.String(200)),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("replaces", sa.String(48)),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_table(
        "uses",
        sa.Column("document_id", sa.String(48), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "gaps",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("question", sa.String(300), nullable=False),
        sa.Column("reason", sa.String(12), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("country", sa.String(2)),
        sa.Column("document", sa.String(48)),
        sa.Column("day", sa.Date, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_gaps_day", "gaps", ["day"])
    op.create_table(
        "handovers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("telegram_id", sa.BigInteger, nullable=False),
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        sa.Column("agency_id", sa.String(32), sa.ForeignKey("agencies.id"), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("country", sa.String(2)),
        sa.Column("product", sa.String(120)),
        sa.Column("group_chat_id", sa.BigInteger),
        sa.Column("topic_id", sa.BigInteger),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("sent_at", moment),
        sa.Column("waiting_since", moment),
        sa.Column("reminded_at", moment),
        sa.Column("escalated_at", moment),
        sa.Column("closed_at", moment),
        sqlite_autoincrement=True,  # a number in a button never comes to mean another hand-over
    )
    op.create_index("ix_handovers_telegram_id", "handovers", ["telegram_id"])
    op.create_index("ix_handovers_state", "handovers", ["state"])
    op.create_table(
        "handover_messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("handover_id", sa.Integer, sa.ForeignKey("handovers.id", ondelete="CASCADE"), nullable=False),
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("author", sa.String(8), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.UniqueConstraint("chat_id", "message_id", name="uq_handover_messages_chat_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_handover_messages_handover_id", "handover_messages", ["handover_id"])
    op.add_column("turns", sa.Column("message_id", sa.BigInteger))
    op.add_column("turns", sa.Column("outcome", sa.String(12)))
    op.add_column("turns", sa.Column("language", sa.String(2)))
    op.add_column("turns", sa.Column("gap", sa.String(8)))
    with op.batch_alter_table("people") as people:
        people.alter_column("step", type_=sa.String(40), existing_type=sa.String(16))


def downgrade() -> None:
    """Drop the tables and columns; `people.step` stays as wide as it is."""
    op.drop_column("turns", "gap")
    op.drop_column("turns", "language")
    op.drop_column("turns", "outcome")
    op.drop_column("turns", "message_id")
    for table in (
        "handover_messages",
        "handovers",
        "gaps",
        "uses",
        "intake",
        "versions",
        "library",
        "audit",
        "invitations",
        "members",
        "agencies",
    ):
        op.drop_table(table)
