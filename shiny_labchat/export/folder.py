"""The folder of an export: written beside the old one, and put in its place when it is whole."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from shiny_labchat.errors import LabChatError

__all__ = ["MARKER", "SUMS", "NotAnExport", "check_folder", "new_folder", "put_in_place", "sums_of"]

MARKER = "labchat-export.json"
"""The file by which a folder is known as an export."""
SUMS = "SHA256SUMS"
"""The file with the hash of each other file."""
_NEW, _OLD = "new", "old"
_NAMED = 5
"""How many files a refusal names."""
_OF_SYSTEMS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave in each folder that somebody looks at."""
_EXCHANGE = 2
_AT_CWD = -100


class NotAnExport(LabChatError, FileExistsError):
    """A folder has files that are of no export: it is not replaced."""


def check_folder(folder: Path) -> None:
    """
    Check that an export may be put into a folder.

    Raises
    ------
    NotAnExport
        It has files that no export has written, or is one.
    FileNotFoundError
        The folder that it is to be in is not there.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise NotAnExport(f"{folder} is no folder; name one that is empty, or not there")
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {folder.parent} to write {folder.name} into")
    if not folder.is_dir():
        return
    if (folder / MARKER).is_file():
        _check_own(folder)
    elif any(folder.iterdir()):
        raise NotAnExport(
            f"{folder} has files that are no export of this package, and is left as it is; name "
            "another folder, or empty this one"
        )


def _check_own(folder: Path) -> None:
    """Check that an export's folder has nothing else: it is deleted once there is a new one."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    own = {MARKER, SUMS, *(line.partition("  ")[2] for line in lines)}
    files = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = {path.relative_to(folder).as_posix() for path in files if path.name not in _OF_SYSTEMS}
    if others := sorted(names - own):
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        raise NotAnExport(
            f"{folder} has files that the export in it did not write, and is left as it is: "
            f"{', '.join(others[:_NAMED])}{more}; move them elsewhere, or name another folder"
        )


@contextmanager
def new_folder(folder: Path) -> Generator[Path]:
    """A temporary folder beside an export's; it is gone afterwards, unless it was put in place."""
    _clean_up(folder)
    outer = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
    with _held(outer):
        try:
            made = outer / _NEW
            made.mkdir()  # unlike the outer one, it has the rights that all new folders have
            yield made
        finally:
            shutil.rmtree(outer, ignore_errors=True)


def put_in_place(made: Path, folder: Path) -> None:
    """
    Put a whole export in the place of the old one, which is deleted with the temporary folder.

    Where the system can, both are exchanged in one step, so that one of them is always there.
    """
    if not folder.exists():
        made.rename(folder)
    elif not _exchange(made, folder):
        old = made.parent / _OLD
        folder.rename(old)
        try:
            made.rename(folder)
        except OSError:
            old.rename(folder)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; whether the system could."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    return rename(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _EXCHANGE) == 0


# ── what a process that was killed has left ──


def _prefix(folder: Path) -> str:
    return f".{folder.name}.labchat-"


def _clean_up(folder: Path) -> None:
    """Delete what exports that were killed have left; those that run hold theirs."""
    prefix = _prefix(folder)
    for left in [each for each in folder.parent.iterdir() if each.name.startswith(prefix)]:
        if not left.is_dir():
            continue
        with _held(left) as is_ours:
            if is_ours and (left / _OLD).exists() and not folder.exists():
                (left / _OLD).rename(folder)  # it was killed before the new one was in place
            if is_ours:
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Generator[bool]:
    """Hold a temporary folder, so that no other export deletes it; whether nobody else does."""
    try:
        import fcntl
    except ImportError:  # on Windows what was left stays
        yield False
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(number)


# ── hashes ──


def sums_of(folder: Path, files: Iterable[Path]) -> str:
    """The lines of ``SHA256SUMS``, as the command sha256sum writes and checks them."""
    lines: list[str] = []
    for path in sorted(files):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    return "".join(lines)
