"""What bots asked models and were answered, why they kept silent, and who is composing."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), nullable=False),
        sa.Column("bot", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("knew", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("is_call", sa.Boolean, nullable=False),
        sa.Column("is_fallback", sa.Boolean, nullable=False),
        sa.Column("prompt", sa.Text),
        sa.Column("provider", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("parameters", sa.Text),
        sa.Column("seed", sa.BigInteger),
        sa.Column("reply", sa.Text),
        sa.Column("tokens_in", sa.BigInteger),
        sa.Column("tokens_out", sa.BigInteger),
        sa.Column("tokens_cached", sa.BigInteger),
        sa.Column("cost", sa.Float),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("asked", sa.BigInteger),
        sa.Column("first", sa.BigInteger),
        sa.Column("done", sa.BigInteger),
        sa.Column("posted", sa.BigInteger),
        sa.Column("became", sa.BigInteger),
    )
    op.create_index("audit_room", "audit", ["room", "bot"])
    op.create_table(
        "composing",
        sa.Column("room", sa.Integer, sa.ForeignKey("room.key"), primary_key=True),
        sa.Column("bot", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
