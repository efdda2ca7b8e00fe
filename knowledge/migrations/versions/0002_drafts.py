"""Questions about figures: the draft that a turn left behind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("turns", sa.Column("draft", sa.String(120)))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("turns", "draft")
