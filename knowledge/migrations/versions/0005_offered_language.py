"""The language that a person was offered to switch to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("people") as people:
        people.add_column(sa.Column("offered", sa.String(2)))


def downgrade() -> None:
    """Remove it."""
    with op.batch_alter_table("people") as people:
        people.drop_column("offered")
