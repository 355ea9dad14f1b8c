"""
A bot's prompt goes on from an earlier one; those that are there stand alone, as they are.

And what a bot looks up before each message is found at once, however long its record is.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for name in ("base", "kept", "within"):
        op.add_column("audit", sa.Column(name, sa.BigInteger))
    op.drop_index("audit_room", "audit")
    op.create_index("audit_about", "audit", ["room", "bot", "seq"])
    op.create_index("audit_outcome", "audit", ["room", "bot", "outcome", "knew"])
