"""Where callbacks stand in their rooms."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "callback",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("since", sa.Integer, nullable=False),
    )
    op.create_table(
        "callback_room",
        sa.Column("callback", sa.Text, primary_key=True),
        sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), primary_key=True),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("begun", sa.BigInteger),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("until", sa.BigInteger),
        sqlite_with_rowid=False,
    )
