"""
The ledger of withdrawals: a file outside the database, so that no backup brings anybody back.

Each line is a JSON object. The first one has the key; each later one is a withdrawal: the keyed
hash of the study and the old id, the new id, and when. Lines are only appended. It has no old id.

A line "reapplied" says that people are withdrawn again who were so before. A line "cleaned" says
that nothing is left in the database's files of those whom the first lines, up to "upto", are
about. A line "refused" has the new id of a withdrawal that the database does not allow: there is
nothing to take away of it, unless another database allows it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

from shiny_labchat.errors import StoreError

__all__ = ["Ledger", "LedgerEntry", "Noted"]

FORMAT = 1


class LedgerEntry(NamedTuple):
    """
    A withdrawal, as the ledger has it.

    Parameters
    ----------
    hash
        The keyed hash of the study and the old id.
    new
        The id that came in its place.
    at
        When, in microseconds since 1970 (UTC).
    line
        How many lines come before it.
    """

    hash: str
    new: str
    at: int
    line: int


class Noted(NamedTuple):
    """
    What the ledger has of somebody at one moment.

    Parameters
    ----------
    size
        How many lines it has.
    new
        The new id of their last withdrawal; None: there is none.
    """

    size: int
    new: str | None


class Ledger:
    """
    The ledger beside a database.

    Parameters
    ----------
    path
        Its file. It is made with the first withdrawal, so that only its owner may read it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._refused_here: set[str] = set()

    @property
    def exists(self) -> bool:
        """Whether anybody has withdrawn."""
        return self.path.exists()

    def add(self, study: str, old: str, new: str, *, since: int | None = None) -> str:
        """
        Note a withdrawal; it is on disk when this returns.

        Parameters
        ----------
        study, old, new
            The study, the old id, and the one that comes in its place.
        since
            How many lines there were when it was not noted yet: if somebody has noted it since, it
            is not noted a second time.

        Returns
        -------
        str
            The new id by which it is noted.
        """
        hash = _hash(self._key() or self._make(), study, old)
        with self._held():
            entries = () if since is None else self.entries()
            for each in entries:
                if each.hash == hash and each.line >= (since or 0):
                    return each.new
            self._append({"hash": hash, "new": new, "at": time.time_ns() // 1000})
        return new

    def last(self, study: str, old: str) -> Noted:
        """Find the last withdrawal of somebody from a study."""
        size, key = self.size, self._key()  # what is noted meanwhile counts as later
        hash = None if key is None else _hash(key, study, old)
        news = [each.new for each in self.entries() if each.hash == hash and each.line < size]
        return Noted(size, news[-1] if news else None)

    @property
    def size(self) -> int:
        """How many lines it has."""
        return len(self._lines())

    def note_cleaned(self, upto: int) -> None:
        """Note that nothing is left in the database's files of whom the first lines are about."""
        self._append({"cleaned": time.time_ns() // 1000, "upto": upto})

    def note_reapplied(self) -> None:
        """Note that the database's files have again what was taken away from them."""
        self._append({"reapplied": time.time_ns() // 1000})

    @property
    def is_cleaned(self) -> bool:
        """Whether nothing is left in the database's files of any withdrawal."""
        lines = self._lines()
        cleaned = (
            line.get("upto", number)  # earlier versions wrote none
            for number, line in enumerate(lines)
            if "cleaned" in line
        )
        since = lines[max(cleaned, default=0) :]
        withdrawn = {line["new"] for line in since if "new" in line}
        return withdrawn <= self.refused and not any("reapplied" in line for line in since)

    @property
    def refused(self) -> set[str]:
        """The new ids of withdrawals that a database has not allowed."""
        return {line["refused"] for line in self._lines() if "refused" in line}

    def note_refused(self, new: str) -> bool:
        """Note that a database does not allow a withdrawal; whether this process learns it now."""
        if new not in self.refused:
            self._append({"refused": new, "at": time.time_ns() // 1000})
        is_news = new not in self._refused_here
        self._refused_here.add(new)
        return is_news

    def entries(self) -> list[LedgerEntry]:
        """All withdrawals, in their order."""
        return [
            LedgerEntry(line["hash"], line["new"], line["at"], number)
            for number, line in enumerate(self._lines())
            if "new" in line
        ]

    def known(self, people: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Of people, given as study and id, those who have withdrawn, with their new ids."""
        key, new = self._key(), {entry.hash: entry.new for entry in self.entries()}
        if key is None or not new:
            return {}
        hashed = ((each, _hash(key, *each)) for each in people)
        return {each: new[hash] for each, hash in hashed if hash in new}

    def _key(self) -> bytes | None:
        first = next(iter(self._lines()), None)
        if first is None:
            return None
        try:
            return bytes.fromhex(first["key"])
        except (KeyError, TypeError, ValueError) as exc:
            raise self._broken() from exc

    def _lines(self) -> list[Mapping[str, Any]]:
        """Its lines; one that was cut off when its process was killed is left out."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [found for line in text.splitlines() if (found := _loads(line)) is not None]

    def _make(self) -> bytes:
        """Make the file with a new key, unless another process makes it at the same time."""
        key = secrets.token_bytes(32)
        head = json.dumps({"format": FORMAT, "key": key.hex()}) + "\n"
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(head)
                file.flush()
                os.fsync(file.fileno())
            os.link(name, self.path)
        except FileExistsError:
            pass
        finally:
            os.unlink(name)
        made = self._key()
        if made is None:
            raise self._broken()
        return made

    def _broken(self) -> StoreError:
        return StoreError("store_broken", str(self.path), _NO_KEY)

    @contextmanager
    def _held(self) -> Generator[None]:
        """Let no other thread or process note a withdrawal meanwhile."""
        try:
            import fcntl
        except ImportError:  # on Windows two servers may both note one, which changes nothing else
            yield
            return
        number = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            yield
        finally:
            os.close(number)

    def _append(self, line: Mapping[str, Any]) -> None:
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND)
        try:
            size = os.fstat(handle).st_size
            os.lseek(handle, max(0, size - 1), os.SEEK_SET)
            is_cut = size > 0 and os.read(handle, 1) != b"\n"
            os.write(handle, (b"\n" * is_cut) + json.dumps(line).encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)


_NO_KEY = (
    "this ledger of withdrawals has lost its first line, which has the key; put that line back "
    "from a copy of the file. If there is none, rename the file: a new one is begun, but whoever "
    "has withdrawn before is not known when an older copy of the database is put back"
)


def _loads(line: str) -> Mapping[str, Any] | None:
    try:
        found: object = json.loads(line)
    except ValueError:
        return None
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else None


def _hash(key: bytes, study: str, id: str) -> str:
    return hmac.new(key, json.dumps([study, id]).encode(), hashlib.sha256).hexdigest()
