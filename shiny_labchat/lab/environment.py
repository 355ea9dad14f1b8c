"""
What a program runs with: the versions of packages, and the SHA-256 of the app's own files.

Files are not kept, only their hashes: they show later which files a study was run with.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["MOST_BYTES", "MOST_FILES", "PACKAGES", "environment_of"]

PACKAGES = ("shiny_labchat", "shiny", "shinychat", "chatlas", "SQLAlchemy")
"""The packages whose versions are noted."""
SUFFIXES = frozenset(
    ".css .csv .html .js .json .md .py .qmd .r .toml .txt .yaml .yml".split()
)  # fmt: skip
"""The kinds of files whose hashes are noted."""
MOST_FILES = 200
"""Most files of an app whose hashes are noted."""
MOST_BYTES = 256 * 1024
"""A larger file is left out, in bytes: it is data, or a library of others."""
MOST_LOOKED_AT = 5_000
"""Most names of files and folders that are looked at: a folder may be somebody's home."""
DEEPEST = 4
"""How many folders deep files are looked for."""

_SECRET = re.compile(
    r"secret|credential|passw|token|(?<![a-z])keys?(?![a-z])|\.env$", re.IGNORECASE
)
_NOT_THE_APP = frozenset({"node_modules", "__pycache__", "site-packages"})
_MARKS = ("pyvenv.cfg", "labchat-export.json", "dataset_description.json")
"""Files in folders that are not the app's: environments of Python, and exports."""


@functools.lru_cache(maxsize=8)
def environment_of(folder: Path) -> dict[str, Any]:
    """
    The versions of Python and of packages, and the hashes of the files in an app's folder.

    Read once in each process. It reads files: call it in a thread.

    Returns
    -------
    dict
        `python`; `packages`, by name (None: not installed); `files`, by their path in the folder;
        and `complete`, False if there were more files than are noted.
    """
    files: dict[str, str] = {}
    complete = True
    for path in _files_in(folder):
        if path is None or len(files) == MOST_FILES:
            complete = False
            break
        hashed = _hash_of(path)
        if hashed is not None:
            files[path.relative_to(folder).as_posix()] = hashed
    packages = {name: _version_of(name) for name in PACKAGES}
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {"python": python, "packages": packages, "files": files, "complete": complete}


def _version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _files_in(folder: Path) -> Iterator[Path | None]:
    """The app's files, those in the folder itself first; None: there are too many names."""
    seen = 0
    level = [folder]
    for _ in range(DEEPEST):
        below: list[Path] = []
        for each in level:
            names = _names_in(each)
            seen += len(names)
            if seen > MOST_LOOKED_AT:
                yield None
                return
            if each != folder and not names.keys().isdisjoint(_MARKS):
                continue
            yield from (Path(entry.path) for entry in names.values() if _is_noted(entry))
            below += [Path(entry.path) for entry in names.values() if _is_folder(entry)]
        level = below


def _names_in(folder: Path) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry for entry in sorted(entries, key=lambda each: each.name)}
    except OSError:
        return {}


def _is_noted(entry: os.DirEntry[str]) -> bool:
    """Whether a file is one of the app's; no links, hidden files or names of secrets."""
    suffix = Path(entry.name).suffix.lower()
    if suffix not in SUFFIXES or entry.name.startswith(".") or _is_secret(entry.name, suffix):
        return False
    return entry.is_file(follow_symlinks=False)


def _is_secret(name: str, suffix: str) -> bool:
    return suffix != ".py" and _SECRET.search(name) is not None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or entry.name in _NOT_THE_APP:
        return False
    return entry.is_dir(follow_symlinks=False)


def _hash_of(path: Path) -> str | None:
    """The SHA-256 of a file; None: it is too large, or cannot be read."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
