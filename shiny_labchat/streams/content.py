"""The content of an open stream, in pieces, so that each viewer is sent only what they lack."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from shiny_labchat import protocol
from shiny_labchat.domain.commands import Piece
from shiny_labchat.domain.events import Event, Part

__all__ = ["Position", "StreamContent", "UnmergedText"]

PIECE_CHARS = 4_096
"""Longest piece of a stream, in characters; longer text is cut into several."""


class Position(NamedTuple):
    """
    How much of a stream a viewer has.

    Parameters
    ----------
    edition
        The edition of the stream that the viewer has; each taking back makes a new one.
    pieces
        How many pieces of that edition the viewer has.
    """

    edition: int
    pieces: int


class UnmergedText(str):
    """Text that is a part of its own: later text does not continue it."""


class StreamContent:
    """
    The content of a stream so far.

    Parameters
    ----------
    opening
        The event that opened the stream.
    edition
        The first edition: two streams under one seq must not share an edition.

    Attributes
    ----------
    shown
        The position up to which viewers may be sent the stream: what is after it is not stored yet.
    stop
        Ends the stream early; None: it runs in another process.
    pieces
        The pieces that were shown, as in `EndStream.pieces`.
    """

    def __init__(self, opening: Event, edition: int = 0) -> None:
        self.opening = opening
        self.stop: Callable[[], object] | None = None
        self.shown = Position(edition, 0)
        self.pieces: list[Piece] = []
        self._oldest = self._edition = edition
        self._pieces: list[Part] = []
        self._begins: list[bool] = []
        self._ends: list[int] = []
        self._whole: set[int] = set()
        self._deps: dict[int, list[Mapping[str, Any]]] = {}
        self._cuts: list[Position] = []
        self._merged: list[Part] = []
        self._merged_upto = 0
        self._had_shown = 0
        self._taken_back = ""

    @property
    def seq(self) -> int:
        """The seq of the stream's message."""
        return self.opening.seq

    @property
    def end(self) -> Position:
        """The position at the end of all content."""
        return Position(self._edition, len(self._pieces))

    @property
    def is_shown(self) -> bool:
        """Whether viewers may be sent it now; not between a taking back and the next tick."""
        return self.shown.edition == self._edition

    @property
    def parts(self) -> list[Part]:
        """The whole content, as the parts of a message."""
        merged = self._merged
        for kind, content in self._merge(self._merged_upto, len(self._pieces)):
            if kind:
                merged.append((kind, content))
            else:
                merged[-1] = merged[-1][0], merged[-1][1] + content
        self._merged_upto = len(self._pieces)
        return merged.copy()

    @property
    def deps(self) -> list[Mapping[str, Any]]:
        """The HTML dependencies of the UI in it."""
        return self._deps_of(0, len(self._pieces) + 1)

    # ── adding ──

    def append(self, parts: Iterable[Part], deps: Sequence[Mapping[str, Any]] = ()) -> None:
        """Add a chunk; text of the last part's kind continues that part, unless `UnmergedText`."""
        parts = [*parts]
        if not parts:
            self.add((), deps)
        for kind, content in parts:
            last = len(self._pieces) - 1
            continues = last >= 0 and self._pieces[last][0] == kind and last not in self._whole
            is_whole = isinstance(content, UnmergedText)
            goes_on = continues and isinstance(content, str) and not is_whole
            self.add([("" if goes_on else kind, content)], deps)
            deps = ()
            if is_whole:
                self._whole.add(len(self._pieces) - 1)

    def add(self, parts: Iterable[Part], deps: Sequence[Mapping[str, Any]] = ()) -> None:
        """Add parts: a kind begins a new part, and "" continues the last one."""
        parts = [*parts]
        if deps:
            self._deps.setdefault(len(self._pieces), []).extend(deps)
            if not parts and self._pieces:  # viewers are sent dependencies only with pieces
                parts = [("", "")]
        for kind, content in parts:
            if not isinstance(content, str):
                self._append(kind, content, begins=True)
                continue
            begins = bool(kind) or not self._is_text_last
            kind = kind or ("markdown" if begins else self._pieces[-1][0])
            for start in range(0, len(content) or 1, PIECE_CHARS):
                self._append(kind, content[start : start + PIECE_CHARS], begins)
                begins = False

    @property
    def _is_text_last(self) -> bool:
        return bool(self._pieces) and isinstance(self._pieces[-1][1], str)

    def _append(self, kind: str, content: Any, begins: bool) -> None:
        before = self._ends[-1] if self._ends else 0
        if not begins and len(self._pieces) - 1 in self._whole:
            self._whole.add(len(self._pieces))
        self._pieces.append((kind, content))
        self._begins.append(begins)
        self._ends.append(before + _units(content))

    # ── taking back ──

    def truncate(self, pieces: int) -> None:
        """Take back all but the first pieces."""
        if pieces < len(self._pieces):
            self._forget(pieces)

    def truncate_units(self, units: int) -> None:
        """Take back all but the first units (of UTF-16), see `protocol.Chunk`."""
        pieces = bisect_right(self._ends, units)
        if pieces == len(self._pieces):
            return
        inside = units - (self._ends[pieces - 1] if pieces else 0)
        if inside:
            kind, text = self._pieces[pieces]
            self._pieces[pieces] = kind, _first(text, inside)
            if pieces < self._had_shown:
                self._note_taken_back(text[len(self._pieces[pieces][1]) :])
            self._ends[pieces] = units
            pieces += 1
        self._forget(pieces)

    def become(self, parts: Sequence[Part], deps: Sequence[Mapping[str, Any]]) -> None:
        """Replace the content; what is the same at the beginning is not sent again."""
        parts = [(kind, content) for kind, content in parts]  # the log's are lists
        had, same = self.parts, 0
        while same < min(len(had), len(parts)) and had[same] == parts[same]:
            same += 1
        units, rest = sum(_units(content) for _, content in parts[:same]), [*parts[same:]]
        if rest and same < len(had) and rest[0][0] == had[same][0]:
            shared = _shared(had[same][1], rest[0][1])
            if shared:
                units += _units(rest[0][1][:shared])
                more = rest[0][1][shared:]
                rest[:1] = [("", more)] if more else []
        self.truncate_units(units)
        known = self.deps
        self.add(rest, [dep for dep in deps if dep not in known])

    def _forget(self, pieces: int) -> None:
        gone = self._pieces[pieces : self._had_shown]
        self._note_taken_back("".join(text for _, text in gone if isinstance(text, str)))
        self._had_shown = min(pieces, self._had_shown)
        del self._pieces[pieces:], self._begins[pieces:], self._ends[pieces:]
        self._whole = {at for at in self._whole if at < pieces}
        self._deps = {at: deps for at, deps in self._deps.items() if at < pieces}
        self._merged, self._merged_upto = [], 0
        self._edition += 1
        while self._cuts and self._cuts[-1].pieces >= pieces:
            self._cuts.pop()
        self._cuts.append(Position(self._edition, pieces))

    def _note_taken_back(self, text: str) -> None:
        if self.stop is not None:  # only the process that runs it has it stored
            self._taken_back += text

    # ── sending ──

    def show(self, upto: Position | None = None) -> bool:
        """
        Let viewers be sent it up to a position; return whether there is anything new.

        Parameters
        ----------
        upto
            A position that it had at some time; None: all of it. What is shown is not taken back.
        """
        before, self.shown = self.shown, max(self.shown, upto or self.end)
        if self.is_shown:
            self._had_shown = max(self._had_shown, self.shown.pieces)
        return self.shown != before

    def piece(self, at: int, parts: Sequence[Part]) -> Piece:
        """
        What `note` is to be given when these parts are shown next.

        Parameters
        ----------
        at
            When, in microseconds since 1970 (UTC).
        parts
            As `since` gives them.
        """
        after, units = max(0, at - self.opening.at) // 1000, sum(_units(each) for _, each in parts)
        return (after, units, self._taken_back) if self._taken_back else (after, units)

    def note(self, piece: Piece) -> None:
        """Note a piece that is shown now."""
        self.pieces.append(piece)
        self._taken_back = self._taken_back[len(piece[2]) if len(piece) > 2 else 0 :]

    def after(self, position: Position, most: int) -> tuple[protocol.Chunk, Position]:
        """A chunk of what a viewer lacks, of about `most` characters, and the position after it."""
        upto, _ = self._had_at(position)
        while upto < self.shown.pieces and most > 0:
            most -= _size(self._pieces[upto][1])
            upto += 1
        return self.since(position, upto), Position(self._edition, upto)

    def since(self, position: Position, upto: int | None = None) -> protocol.Chunk:
        """The changes since a position, up to the piece `upto`; None: all."""
        begin, truncate = self._had_at(position)
        end = len(self._pieces) if upto is None else upto
        return protocol.Chunk(
            self.seq, self._merge(begin, end), truncate, self._deps_of(begin, end)
        )

    def _had_at(self, position: Position) -> tuple[int, int | None]:
        """How many of a viewer's pieces are still valid, and the units to keep; None: all."""
        edition, pieces = position
        if not pieces or not self._oldest <= edition <= self._edition:
            return 0, 0
        if edition == self._edition:
            return pieces, None
        # Each cut left more pieces than the cut before it: the first since then left the least.
        left = self._cuts[
            bisect_right(self._cuts, edition, key=lambda truncate_units: truncate_units.edition)
        ].pieces
        if pieces < left:
            return pieces, None
        return left, self._ends[left - 1] if left else 0

    def _merge(self, begin: int, end: int) -> list[Part]:
        merged: list[Part] = []
        texts: list[str] = []
        pieces = zip(self._pieces[begin:end], self._begins[begin:end], strict=True)
        for (kind, content), begins in pieces:
            if begins or not merged:
                _join(merged, texts)
                merged.append((kind if begins else "", content))
            if isinstance(content, str):
                texts.append(content)
        _join(merged, texts)
        return merged

    def _deps_of(self, begin: int, end: int) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for at, deps in self._deps.items():
            if begin <= at < end:
                found += [dep for dep in deps if dep not in found]
        return found


def _join(merged: list[Part], texts: list[str]) -> None:
    if texts:
        merged[-1] = (merged[-1][0], "".join(texts))
        texts.clear()


def _size(content: Any) -> int:
    return len(content) if isinstance(content, str) else len(str(content))


def _units(content: Any) -> int:
    if not isinstance(content, str):
        return 1
    return len(content) if content.isascii() else len(content.encode("utf-16-le")) // 2


def _first(text: str, units: int) -> str:
    if text.isascii():
        return text[:units]
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le")


def _shared(one: Any, other: Any) -> int:
    """The length of the common beginning of two texts, in characters."""
    if not isinstance(one, str) or not isinstance(other, str):
        return 0
    least, most = 0, min(len(one), len(other))
    if one.startswith(other) or other.startswith(one):
        return most
    while least < most:
        middle = (least + most + 1) // 2
        if one.startswith(other[least:middle], least):
            least = middle
        else:
            most = middle - 1
    return least
