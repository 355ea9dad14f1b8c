"""What tests download or compile once, outside the tree."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cached"]


def cached(name: str) -> Path:
    """The path of this file or folder, whether or not it is there yet."""
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(home or Path.home() / ".cache") / "shiny-labchat-tests" / name
