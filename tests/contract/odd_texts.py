"""A log of texts that programs read wrongly, and its exports."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiny_labchat import Lab, Room, Rules

__all__ = ["ALL_FORMATS", "NAMED", "Exported", "export_texts"]

NAMED = (
    *"NA null None n/a nan NaN 007 1e5 TRUE true =1+1 - # x xNA".split(),
    *("", " ", "  x ", '"', '""', "'", '"a","b"', 'a""b', ",", ",,", "a,\n,b", "\t", "\ta\tb"),
    *("\n", "\n\n", "a\nb", "\n\na\n", "\r", "a\r\nb", "\\", "\\n", "\\N", "\x01", "\x01r", "\x7f"),
    *("שלום, עולם", "\u202eabc\u202c", "مرحبا", "😀", "𝔘𝔫𝔦", "👩\u200d👧", "e\u0301", "é"),
    *("\u2028", "\ufeff", "\x85", "<b>x</b>", "@SUM(A1)", "+1", "2026-11-30", "1,5", "'007", "␀"),
)  # fmt: skip
"""Texts by name; none holds a NUL or a lone surrogate, which no message may."""
MADE = 1_000
ALL_FORMATS = ("csv", "jsonl", "parquet", "psych-ds", "convokit", "text")
AT_ONCE = 100

_ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_ODD = st.sampled_from("\",'\n\r\t ax=N\\\x01\u2028é😀א0;|")
_TEXTS = st.text(_ANY, max_size=40) | st.text(_ODD, max_size=12)


@dataclass(frozen=True)
class Exported:
    """
    What was said, and the folders it was exported to.

    Attributes
    ----------
    texts
        The texts of all messages, in the order of the rooms and their seq, as the log has them.
    csv, all
        An export with CSV alone, and one in all formats, as a Psych-DS data set.
    """

    texts: list[str]
    csv: Path
    all: Path


def export_texts(folder: Path) -> Exported:
    """A log with a thousand made texts and the named ones, and its exports."""
    return asyncio.run(_export_texts(folder))


async def _export_texts(folder: Path) -> Exported:
    lab = Lab(f"sqlite:///{folder / 'lab.db'}")
    try:
        rooms = [
            await lab.create_room(id, study="pilot", rules=Rules(rate=None))
            for id in ("room 1", "Zimmer/ä")
        ]
        for room in rooms:
            for member in ("007", "NA"):
                await room.add_member(member)
        await _say(rooms[0], [*NAMED, *_made()])
        await _say(rooms[1], NAMED)
        await rooms[0].record("odd", {str(n): text for n, text in enumerate(NAMED)}, member="NA")
        texts = [each.content for room in rooms for each in await room.messages()]
        await lab.export(str(folder / "csv"), study="pilot")
        await lab.export(str(folder / "all"), study="pilot", formats=ALL_FORMATS)
        return Exported(texts, folder / "csv", folder / "all")
    finally:
        lab.log.close()


async def _say(room: Room, texts: list[str] | tuple[str, ...]) -> None:
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        await asyncio.gather(*(room.post(text, author="NA") for text in some))


def _made() -> list[str]:
    made: list[str] = []

    @settings(max_examples=MADE, database=None, derandomize=True, deadline=None,
              suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
    @given(_TEXTS)
    def make(text: str) -> None:
        made.append(text)

    make()
    return made
