"""Sentences that are planted in a database, and the search for them in the bytes of files."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable
from pathlib import Path

__all__ = ["SENTENCES", "files_of", "forms_of", "found_in"]

_ODD = ("Grüße aus Köln", 'sie sagte "nein"', "C:\\Temp\\ÖÄÜ", "sehr schön 🙂🎉", "a < b & c > d's")
SENTENCES = [
    f"Satz {n:02d} von mir: {_ODD[n % 5]} und noch etwas Eigenes {n:02d}" for n in range(50)
]
"""Fifty sentences with umlauts, quotation marks, backslashes, emoji and markup."""


def forms_of(sentence: str) -> list[bytes]:
    """A sentence as UTF-8, UTF-16, in JSON, in HTML, and in base64 wherever it begins there."""
    utf8 = sentence.encode()
    texts = [
        json.dumps(sentence)[1:-1],
        json.dumps(sentence, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(sentence, ensure_ascii=False)[1:-1], ensure_ascii=False)[1:-1],
        html.escape(sentence),
        html.escape(sentence, quote=False),
    ]
    in_base64 = [base64.b64encode(b"\0" * shift + utf8)[4:-4] for shift in range(3)]
    in_utf16 = [sentence.encode("utf-16-le"), sentence.encode("utf-16-be")]
    return [utf8, *in_utf16, *(text.encode() for text in texts), *in_base64]


def files_of(database: Path) -> list[Path]:
    """The files of a database that are there."""
    paths = (database.with_name(database.name + mark) for mark in ("", "-wal", "-shm"))
    return [path for path in paths if path.exists()]


def found_in(paths: Iterable[Path], sentences: Iterable[str] = SENTENCES) -> set[str]:
    """The sentences of which any form is in the bytes of the files."""
    read = [path.read_bytes() for path in paths]
    return {
        each for each in sentences if any(form in data for form in forms_of(each) for data in read)
    }
