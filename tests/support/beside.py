"""Where tests keep what belongs to a database."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["beside"]


def beside(url: str, name: str) -> Path:
    """A place for a file or folder of tests that belongs to a database."""
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).with_name(name)
    database = url.rpartition("/")[2].partition("?")[0]
    return Path(os.environ["LABCHAT_LEDGER"]) / f"{database}-{name}"
