"""
A token's page is a page's id and nothing else; what else it stands for is its data.

Servers of older versions must have ended: they do not look at the data, so they would take what
a page sends without waiting for its transform, and let any browser use a bookmark.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

WAITS = "\twaits"
"""What the page ended in, of tokens of pages whose messages wait."""


def upgrade() -> None:
    op.add_column("token", sa.Column("data", sa.Text))
    token = sa.table("token", *map(sa.column, ("kind", "page", "data")))
    of_bookmarks = token.c.kind == "seat"
    op.execute(sa.update(token).where(of_bookmarks).values(data=token.c.page, page=None))
    page = sa.func.substr(token.c.page, 1, sa.func.length(token.c.page) - len(WAITS))
    waiting = token.c.kind.in_(("ticket", "resume")), token.c.page.endswith(WAITS)
    op.execute(sa.update(token).where(*waiting).values(page=page, data='{"waits": true}'))
