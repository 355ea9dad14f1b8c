"""
The open streams of a live room, and how much of each a viewer has.

A viewer has no queue here, but a position in each stream, from which follows what they are owed.
They are sent it in one frame for all streams of the room. Viewers with the same positions share
the frame. What is new is shown when it is stored (`streams/commits.py`, `streams/remote.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from shiny_labchat import protocol
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import is_retracted
from shiny_labchat.streams.content import Position, StreamContent

__all__ = ["ENDED_KEPT", "OpenStreams"]

FRAME_CHARS = 16_384
"""Length of a frame of chunks, in characters; the rest comes in the next one."""
ENDED_KEPT = 4
"""
Most ended streams that are kept for viewers who lack some of them, each with all of its pieces. Who
lacks some of another one reads it from the log.
"""


_NOTHING = Position(0, 0)
_UNSURE = Position(-1, 0)


class OpenStreams:
    """
    The streams of one live room.

    Parameters
    ----------
    tell
        Called when there is something new to be shown.
    seed
        Returns the room's seed.

    Attributes
    ----------
    forgotten
        Of the ended streams that are not kept any more, the newest seq at which one ended.
    """

    def __init__(self, tell: Callable[[], None], seed: Callable[[], str]) -> None:
        self.open: dict[int, StreamContent] = {}
        self._ended: dict[int, StreamContent] = {}
        self.forgotten = 0
        self._newest_end = 0
        self._tell = tell
        self._seed = seed
        self._frames: dict[tuple[Any, ...], tuple[str, dict[int, Position]]] = {}

    def begin(self, opening: Event) -> StreamContent:
        """The stream that a message opens; made if it is new."""
        return self.open.setdefault(opening.seq, StreamContent(opening))

    def finish(self, ending: Event) -> None:
        """End a stream; it is kept for viewers who lack some of it."""
        of = ending.data["of"]
        if self.denies(ending):
            return
        if (known := self.open.get(of)) is not None and known.stop is not None:
            known.stop()  # another than its own end: nothing more of it is wanted
        if is_retracted(ending):
            self.open.pop(of, None)
            self._frames.clear()
            return
        # Where the "interrupted" of another process came first, the true end comes second. Then
        # the whole stream is sent again.
        opening = ending._replace(seq=of, kind="message")
        stream = self.open.pop(of, None) or StreamContent(opening, edition=ending.seq << 32)
        stream.stop = None
        stream.pieces.clear()
        stream.become(ending.data["parts"], ending.data.get("deps", ()))
        stream.show()
        self._frames.clear()
        self._ended = {at: each for at, each in self._ended.items() if each.seq != of}
        self._ended[ending.seq] = stream
        self._newest_end = max(self._newest_end, ending.seq)
        self._keep_ended(ENDED_KEPT)

    def denies(self, event: Event) -> bool:
        """Whether an event wrongly ends a stream that still runs in this process."""
        if event.kind != "streamed" or event.data["is"] != "interrupted":
            return False
        stream = self.open.get(event.data["of"])
        return stream is not None and stream.stop is not None

    def unsure(self, cursor: int) -> dict[int, Position]:
        """
        The positions of a viewer who comes back at a cursor: unknown, for all their streams.

        They may have more than there is: the end of a stream whose server was killed has its last
        checkpoint, and a database may be put back as it was earlier.
        """
        return {stream.seq: _UNSURE for stream in self._of(cursor)}

    def known(self, has: Mapping[int, Position], cursor: int) -> dict[int, Position]:
        """The positions of a viewer in the streams that they may still be owed some of."""
        return {s.seq: has[s.seq] for s in self._of(cursor) if s.seq in has}

    def forget_ended(self) -> None:
        """Forget all streams that have ended: nobody is there who lacks some of them."""
        self._keep_ended(0)

    def _keep_ended(self, most: int) -> None:
        for seq in sorted(self._ended)[: max(0, len(self._ended) - most)]:
            del self._ended[seq]
            self.forgotten = max(self.forgotten, seq)

    def forget_changed(self, event: Event) -> None:
        """
        Forget ended streams whose content is another one since an event, or is shown no more.

        Somebody has withdrawn, or a message was retracted.
        """
        data = event.data
        is_any = "quotes" in data
        seqs = {data["of"]} if event.kind == "retracted" else set(data.get("messages", ()))
        for at in [at for at, each in self._ended.items() if is_any or each.seq in seqs]:
            del self._ended[at]
        self._frames.clear()

    def show(self, stored: Iterable[tuple[StreamContent, Position]]) -> None:
        """Show streams up to the positions up to which they are stored."""
        if any([stream.show(position) for stream, position in stored]):
            self._frames.clear()
            self._tell()

    def positions(self, cursor: int) -> dict[int, Position]:
        """The positions of a viewer at a cursor who has all that is shown of the open streams."""
        return {seq: stream.shown for seq, stream in self.open.items() if seq <= cursor}

    def may_owe(self, cursor: int) -> bool:
        """Whether there are streams of which a viewer at this cursor may lack some."""
        return bool(self.open) or self._newest_end > cursor

    def owed(
        self,
        has: Mapping[int, Position],
        cursor: int,
        may_see: Callable[[Event], bool],
    ) -> tuple[str | None, dict[int, Position]]:
        """
        The next frame of chunks for a viewer, and their positions in those streams after it.

        Parameters
        ----------
        has
            The viewer's position in each stream.
        cursor
            The newest seq that the viewer has. They do not know streams that began after it, and
            have all of the streams that ended before it.
        may_see
            Whether the viewer may see a message.
        """
        lacking = [
            (stream, has.get(stream.seq, _NOTHING))
            for stream in self._of(cursor)
            if has.get(stream.seq, _NOTHING) != stream.shown
            and stream.is_shown
            and may_see(stream.opening)
        ]
        if not lacking:
            return None, {}
        key = tuple((stream.seq, position, stream.shown) for stream, position in lacking)
        if key not in self._frames:
            self._frames[key] = _frame(lacking, self._seed())
        return self._frames[key]

    def _of(self, cursor: int) -> list[StreamContent]:
        ended = (stream for seq, stream in self._ended.items() if seq > cursor)
        return [s for s in (*self.open.values(), *ended) if s.seq <= cursor]


def _frame(
    lacking: Sequence[tuple[StreamContent, Position]], seed: str
) -> tuple[str, dict[int, Position]]:
    chunks: list[protocol.Chunk] = []
    reached: dict[int, Position] = {}
    for stream, position in lacking:
        chunk, reached[stream.seq] = stream.after(position, max(1, FRAME_CHARS // len(lacking)))
        chunks.append(chunk)
    return protocol.chunks(chunks, seed), reached
