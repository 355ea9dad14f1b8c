"""The folder of the app that calls, and the database that it has if its code names none."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from types import FrameType

__all__ = ["app_folder", "default_url"]


def default_url(folder: Path) -> str:
    """The database of an app in this folder whose code names none."""
    return os.environ.get("LABCHAT_URL") or f"sqlite:///{folder / 'labchat.db'}"


def app_folder() -> Path:
    """The folder of the calling app: of the first code outside installed packages."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_absolute() and path.is_file() and not _is_library(path):
            return path.parent
        frame = frame.f_back
    return Path.cwd()


def _is_library(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _LIBRARIES)


_LIBRARIES = tuple(
    {
        Path(__file__).parents[1],
        *(Path(sysconfig.get_path(p)) for p in ("stdlib", "purelib", "platlib", "scripts")),
    }
)
