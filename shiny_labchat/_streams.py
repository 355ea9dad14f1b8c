"""
The open streams of a live room: what each has said so far, and what a viewer has of it.

A viewer has no queue here either, but a position in each stream; what they are owed follows from
it. It is said at most once per `TICK`, for all streams of the room in one frame, which those who
stand at the same positions share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from shiny_labchat import _wire
from shiny_labchat._domain import Event, Part

__all__ = ["TICK", "OpenStream", "Position", "Streams"]

TICK = 0.04
"""Shortest time between two frames of chunks in a room, in seconds."""
PIECE_CHARS = 4_096
"""Longest piece of a stream, in characters; longer ones are cut."""
FRAME_CHARS = 16_384
"""Where a frame of chunks ends, in characters; the rest comes in the next one."""


class Position(NamedTuple):
    """
    How much of a stream a viewer has.

    Parameters
    ----------
    edition
        How often the stream had been emptied.
    pieces
        How many of its pieces since then.
    """

    edition: int
    pieces: int


_NOTHING = Position(0, 0)
_UNSURE = Position(-1, 0)


class OpenStream:
    """
    What a stream has said so far.

    Parameters
    ----------
    opening
        The message that it is.
    edition
        How often it had been emptied before.

    Attributes
    ----------
    shown
        Up to where viewers may be told; moves once per tick.
    stop
        Ends it early; None: it runs in another process.
    """

    def __init__(self, opening: Event, edition: int = 0) -> None:
        self.opening = opening
        self.stop: Callable[[], object] | None = None
        self.shown = Position(edition, 0)
        self._told = self.shown
        self._edition = edition
        self._pieces: list[Part] = []
        self._firsts: list[bool] = []
        self._deps: dict[int, Sequence[Mapping[str, Any]]] = {}

    @property
    def seq(self) -> int:
        """The stream's place in the room."""
        return self.opening.seq

    @property
    def end(self) -> Position:
        """Where it stands now."""
        return Position(self._edition, len(self._pieces))

    @property
    def parts(self) -> list[Part]:
        """All it has said, as the parts of a message."""
        return self.parts_after(Position(self._edition, 0))

    @property
    def deps(self) -> list[Mapping[str, Any]]:
        """What the UI in it needs of a page."""
        return self._deps_of(0, len(self._pieces))

    def add(self, parts: Iterable[Part], deps: Sequence[Mapping[str, Any]] = ()) -> None:
        """Say more. Text of the kind that came last, or of kind "", continues it."""
        if deps:
            self._deps[len(self._pieces)] = deps
        for kind, content in parts:
            if not isinstance(content, str):
                self._add(kind, content, is_first=True)
                continue
            if not kind and self._pieces:  # so drafts go on, see `drafts.Draft`
                kind = self._pieces[-1][0]
            is_first = not self._pieces or self._pieces[-1][0] != kind
            for start in range(0, len(content), PIECE_CHARS):
                self._add(kind, content[start : start + PIECE_CHARS], is_first)
                is_first = False

    def _add(self, kind: str, content: Any, is_first: bool) -> None:
        self._pieces.append((kind, content))
        self._firsts.append(is_first)

    def keep(self, pieces: int) -> None:
        """Forget all but the first pieces."""
        if pieces < len(self._pieces):
            del self._pieces[pieces:], self._firsts[pieces:]
            self._deps = {at: deps for at, deps in self._deps.items() if at < pieces}
            self._edition += 1
            self.shown = Position(self._edition, min(self.shown.pieces, pieces))

    def become(self, parts: Iterable[Part], deps: Sequence[Mapping[str, Any]]) -> None:
        """Say this and nothing else."""
        parts = list(parts)
        if parts != self.parts:
            self.keep(0)
            self.add(parts, deps)

    def show(self) -> bool:
        """Let viewers be told all of it; whether there is anything new."""
        is_new, self._told, self.shown = self._told != self.end, self.end, self.end
        return is_new

    def parts_after(self, position: Position, upto: int | None = None) -> list[Part]:
        """What came after a position, merged; a first kind of "" continues what was before."""
        start = position.pieces
        merged: list[tuple[str, Any]] = []
        texts: list[str] = []
        pieces = zip(self._pieces[start:upto], self._firsts[start:upto], strict=True)
        for (kind, content), is_first in pieces:
            if is_first or not merged:
                _join(merged, texts)
                merged.append((kind if is_first else "", content))
            if isinstance(content, str):
                texts.append(content)
        _join(merged, texts)
        return merged

    def after(self, position: Position, most: int) -> tuple[_wire.Chunk, Position]:
        """What a viewer is owed, as far as it fits into so many characters, and where it ends."""
        is_start = position.edition != self.shown.edition or not position.pieces
        begin = Position(self.shown.edition, 0) if is_start else position
        upto, left = begin.pieces, most
        while upto < self.shown.pieces and left > 0:
            left -= _size(self._pieces[upto][1])
            upto += 1
        parts = self.parts_after(begin, upto)
        deps = self._deps_of(begin.pieces, upto)
        return _wire.Chunk(self.seq, parts, is_start, deps), Position(begin.edition, upto)

    def _deps_of(self, start: int, end: int) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for at, deps in self._deps.items():
            if start <= at < end:
                found += [dep for dep in deps if dep not in found]
        return found


def _join(merged: list[Part], texts: list[str]) -> None:
    if texts:
        merged[-1] = (merged[-1][0], "".join(texts))
        texts.clear()


def _size(content: Any) -> int:
    return len(content) if isinstance(content, str) else len(str(content))


class Streams:
    """
    The streams of one live room.

    Parameters
    ----------
    tell
        Called, at most once per `TICK`, when there is something new to be shown.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self.open: dict[int, OpenStream] = {}
        self._ended: dict[int, OpenStream] = {}
        self._tell = tell
        self._frames: dict[tuple[Any, ...], tuple[str, dict[int, Position]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last = float("-inf")

    def begin(self, opening: Event) -> OpenStream:
        """The stream that a message opens."""
        return self.open.setdefault(opening.seq, OpenStream(opening))

    def finish(self, ending: Event) -> None:
        """A stream has ended; whoever lacks some of it is still owed that."""
        of = ending.data["of"]
        if self.denies(ending):
            return
        # Where that process was believed, the true end comes second: all is said anew then.
        stream = self.open.pop(of, None) or OpenStream(ending._replace(seq=of), edition=ending.seq)
        stream.stop = None
        stream.become(ending.data["parts"], ending.data.get("deps", ()))
        stream.show()
        self._frames.clear()
        self._ended = {at: each for at, each in self._ended.items() if each.seq != of}
        self._ended[ending.seq] = stream

    def denies(self, event: Event) -> bool:
        """Whether another process took a stream of this one for dead; it goes on, and ends."""
        if event.kind != "streamed" or event.data["is"] != "interrupted":
            return False
        stream = self.open.get(event.data["of"])
        return stream is not None and stream.stop is not None

    def unsure(self, cursor: int) -> dict[int, Position]:
        """
        What a viewer who comes back at a cursor has of the streams that they know of.

        They may have more than there is: a server that is killed takes what it had not kept.
        """
        return {stream.seq: _UNSURE for stream in self._of(cursor)}

    def forget(self, before: int) -> None:
        """Forget what ended up to a seq."""
        for seq in [seq for seq in self._ended if seq <= before]:
            del self._ended[seq]

    def changed(self) -> None:
        """Show soon what is new."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due = max(loop.time(), self._last + TICK)
            self._timer = loop.call_at(due, self._show)

    def _show(self) -> None:
        self._timer = None
        self._last = asyncio.get_running_loop().time()
        if any([stream.show() for stream in self.open.values()]):
            self._frames.clear()
            self._tell()

    def owed(
        self,
        has: Mapping[int, Position],
        cursor: int,
        may_see: Callable[[Event], bool],
    ) -> tuple[str | None, dict[int, Position]]:
        """
        The next frame of chunks for a viewer, and what they have of those streams then.

        Parameters
        ----------
        has
            What they have of each stream.
        cursor
            Up to where they have been shown the room: streams after it they do not know of, and
            streams that ended before it are whole.
        may_see
            Whether they may see a message.
        """
        lacking = [
            (stream, has.get(stream.seq, _NOTHING))
            for stream in self._of(cursor)
            if has.get(stream.seq, _NOTHING) != stream.shown and may_see(stream.opening)
        ]
        if not lacking:
            return None, {}
        key = tuple((stream.seq, position, stream.shown) for stream, position in lacking)
        if key not in self._frames:
            self._frames[key] = _frame(lacking)
        return self._frames[key]

    def _of(self, cursor: int) -> list[OpenStream]:
        ended = (stream for seq, stream in self._ended.items() if seq > cursor)
        return [s for s in (*self.open.values(), *ended) if s.seq <= cursor]


def _frame(
    lacking: Sequence[tuple[OpenStream, Position]],
) -> tuple[str, dict[int, Position]]:
    chunks: list[_wire.Chunk] = []
    reached: dict[int, Position] = {}
    for stream, position in lacking:
        chunk, reached[stream.seq] = stream.after(position, max(1, FRAME_CHARS // len(lacking)))
        chunks.append(chunk)
    return _wire.chunks(chunks), reached
