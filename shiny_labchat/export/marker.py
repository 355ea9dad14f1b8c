"""The files of an export by which programs know it, and know that it is unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import orjson

from shiny_labchat.errors import ExportError
from shiny_labchat.export.folder import MARKER, SUMS

__all__ = [
    "FORMAT",
    "Difference",
    "Marker",
    "differences",
    "read_marker",
]

FORMAT = 1
"""The format of exports that this version writes, and the newest one that it reads."""


@dataclass(frozen=True, slots=True)
class Marker:
    """
    What an export says of itself.

    Parameters
    ----------
    tables
        For each table its files by format, as paths in the export's folder with slashes.
    studies
        The studies that are in it.
    since
        The time from which on it has messages, in ISO 8601; None: from the beginning.
    rooms
        The ids of the rooms to which it is limited; None: it has all.
    anonymised, public
        Whether ids were drawn anew; whether who did not agree to "share" is blanked.
    excel_safe
        Whether its CSV files are guarded against formulas, so that texts in them are changed.
    """

    tables: Mapping[str, Mapping[str, str]]
    studies: tuple[str, ...] = ()
    since: str | None = None
    rooms: tuple[str, ...] | None = None
    anonymised: bool = False
    public: bool = False
    excel_safe: bool = False
    formats: tuple[str, ...] = field(default=())


def read_marker(folder: Path) -> Marker:
    """
    What the export in a folder says of itself.

    Raises
    ------
    ExportError
        The folder has no export, or one that this version cannot read.
    """
    try:
        data: object = orjson.loads((folder / MARKER).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        what = "has no export" if folder.is_dir() else "there is no such folder"
        reason = f"{what}: there is no {MARKER} in it. Name the folder that was exported to"
        raise ExportError(folder, reason) from None
    except (OSError, orjson.JSONDecodeError) as exc:
        raise ExportError(folder, f"its {MARKER} cannot be read ({exc}); export again") from exc
    version = cast("dict[str, Any]", data).get("format") if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise ExportError(folder, f"its {MARKER} does not say of which format it is; export again")
    if version > FORMAT:
        reason = (
            f"it has format {version}, and this version reads up to {FORMAT}; install a newer "
            "shiny_labchat: pip install -U shiny-labchat"
        )
        raise ExportError(folder, reason)
    return _marker_of(folder, cast("dict[str, Any]", data))


def _marker_of(folder: Path, data: Mapping[str, Any]) -> Marker:
    tables = data.get("tables")
    if not isinstance(tables, Mapping):
        raise ExportError(folder, f"its {MARKER} names no tables; export again")
    return Marker(
        tables=cast("Mapping[str, Mapping[str, str]]", tables),
        studies=tuple(data.get("studies") or ()),
        since=data.get("since"),
        rooms=None if data.get("rooms") is None else tuple(data["rooms"]),
        anonymised=bool(data.get("anonymised")),
        public=bool(data.get("public")),
        excel_safe=bool(data.get("excel_safe")),
        formats=tuple(data.get("formats") or ()),
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """
    A file of a folder that is not as its list of hashes says.

    Parameters
    ----------
    path
        Its path in the folder, with slashes.
    what
        What is the matter with it: "changed", "missing", "new", or "unlisted" if the list itself
        is not there or cannot be read.
    """

    path: str
    what: str


def differences(folder: Path) -> Iterator[Difference]:
    """The files of an export that were changed, are missing, or have come to it."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        yield Difference(SUMS, "unlisted")
        return
    listed: set[str] = set()
    for line in lines:
        digest, _, path = line.partition("  ")
        listed.add(path)
        found = folder / path
        if not found.is_file():
            yield Difference(path, "missing")
        elif _sha256_of(found) != digest:
            yield Difference(path, "changed")
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in listed and name != SUMS:
            yield Difference(name, "new")


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
