"""A database that version 0.1 has written, and what that version read from it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = ["KNOWN", "as_json", "copied", "tokens_as_written"]

_FIXTURES = Path(__file__).parents[1] / "contract" / "fixtures"
KNOWN: dict[str, Any] = json.loads((_FIXTURES / "version_0_1.json").read_text(encoding="utf-8"))
"""What version 0.1 read; ``fixtures/README.md`` says what is what."""


def copied(folder: Path) -> str:
    """The URL of a copy of the database, which may be written."""
    shutil.copy(_FIXTURES / "version_0_1.db", folder / "lab.db")
    return f"sqlite:///{folder / 'lab.db'}"


def tokens_as_written() -> dict[str, str | None]:
    """What that version wrote as the page of each token, by the token's hash."""
    file = f"{(_FIXTURES / 'version_0_1.db').as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(file, uri=True)) as conn:
        return dict(conn.execute("SELECT hash, page FROM token"))


def as_json(value: object) -> Any:
    """A value as it is compared with what is known."""
    return json.loads(json.dumps(value, default=datetime.isoformat))
