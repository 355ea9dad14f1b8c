"""Rooms, their logs, and the tokens that browsers hold."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "room",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("study", "id", name="room_study_id"),
    )
    op.create_table(
        "event",
        sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("member", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("cid", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "event_cid",
        "event",
        ["room", "author", "cid"],
        unique=True,
        sqlite_where=sa.text("cid IS NOT NULL"),
        postgresql_where=sa.text("cid IS NOT NULL"),
    )
    op.create_table(
        "token",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("study", sa.Text),
        sa.Column("room", sa.Text),
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("role", sa.Text),
        sa.Column("page", sa.Text),
        sa.Column("expires", sa.BigInteger),
        sa.Column("used", sa.BigInteger),
    )
    op.create_index("token_expires", "token", ["expires"])
