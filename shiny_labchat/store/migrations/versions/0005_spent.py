"""What bots' calls have cost, kept as they end; who answers by a function calls no model."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    spent = op.create_table(
        "spent",
        sa.Column("study", sa.Text, primary_key=True),
        sa.Column("bot", sa.Text, primary_key=True),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("tokens_in", sa.BigInteger, nullable=False),
        sa.Column("tokens_out", sa.BigInteger, nullable=False),
        sa.Column("cost", sa.Float, nullable=False),
        sa.Column("unpriced", sa.BigInteger, nullable=False),
    )
    known = sa.MetaData()
    room = sa.Table("room", known, sa.Column("key", sa.Integer), sa.Column("study", sa.Text))
    audit = sa.Table(
        "audit",
        known,
        sa.Column("room", sa.Integer),
        sa.Column("bot", sa.Text),
        sa.Column("is_call", sa.Boolean),
        sa.Column("is_fallback", sa.Boolean),
        sa.Column("provider", sa.Text),
        sa.Column("tokens_in", sa.BigInteger),
        sa.Column("tokens_out", sa.BigInteger),
        sa.Column("tokens_cached", sa.BigInteger),
        sa.Column("cost", sa.Float),
    )
    by_function = audit.c.provider == "respond"
    op.execute(sa.update(audit).where(by_function).values(is_call=sa.false()))
    total, or_none = sa.func.sum, sa.func.coalesce
    is_unpriced = sa.and_(audit.c.tokens_in.is_not(None), audit.c.cost.is_(None))
    sums = (
        sa.select(
            room.c.study,
            audit.c.bot,
            sa.func.count(),
            total(or_none(audit.c.tokens_in, 0) + or_none(audit.c.tokens_cached, 0)),
            total(or_none(audit.c.tokens_out, 0)),
            total(or_none(audit.c.cost, 0.0)),
            total(sa.case((is_unpriced, 1), else_=0)),
        )
        .select_from(audit.join(room, room.c.key == audit.c.room))
        .where(audit.c.is_call, sa.not_(audit.c.is_fallback))
        .group_by(room.c.study, audit.c.bot)
    )
    op.execute(sa.insert(spent).from_select([column.name for column in spent.c], sums))
