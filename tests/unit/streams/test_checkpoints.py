"""What is stored of open streams is what a follower, or who ends one, reads of it later."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.store import checkpoints
from shiny_labchat.store.checkpoints import Checkpoint, row_of
from shiny_labchat.store.queries import insert_events, insert_room
from shiny_labchat.store.queries import row_of as row_of_event
from shiny_labchat.store.schema import checkpoint, metadata, open_stream

ROOMS = LogKey("s", "one"), LogKey("s", "two")
SEQS = range(1, 4)
STREAMS = [(room, seq) for room in ROOMS for seq in SEQS]


def database() -> sa.Connection:
    """Two rooms, with the openings of three streams each."""
    conn = sa.create_engine("sqlite://").connect()
    metadata.create_all(conn)
    live = {"role": "assistant", "parts": [], "live": True}
    for room in ROOMS:
        number = insert_room(conn, room)
        openings = [Event(seq, 0, "message", None, live) for seq in SEQS]
        insert_events(conn, [row_of_event(number, opening) for opening in openings])
    return conn


def number_of(stream: checkpoints.StreamKey) -> int:
    return ROOMS.index(stream[0]) + 1


class Follower:
    """Reads a room's streams again and again, and only what is new; a text each."""

    def __init__(self, room: LogKey) -> None:
        self.texts: dict[checkpoints.StreamKey, str] = {}
        self._room = room
        self._seen: dict[int, int] = {}

    def read(self, conn: sa.Connection) -> int:
        """Read what is new; how many rows that were."""
        found = checkpoints.kept(conn, ROOMS.index(self._room) + 1, self._seen)
        streams = {(self._room, seq): each for seq, each in found.items()}
        self.texts = {stream: self.texts.get(stream, "") for stream in streams}
        for stream, each in streams.items():
            for change in each.checkpoints:
                text = self.texts[stream]
                kept = text if change.keep is None else text[: change.keep]
                self.texts[stream] = kept + "".join(content for _, content in change.parts)
        self._seen = {seq: each.last for seq, each in found.items()}
        return sum(len(each.checkpoints) for each in found.values())


def said(text: str, keep: int | None = None) -> Checkpoint:
    return Checkpoint([("markdown", text)], keep=keep)


streams = st.sampled_from(STREAMS)
steps = st.lists(
    st.tuples(st.just("begin"), streams)
    | st.tuples(st.just("say"), st.lists(streams, unique=True))
    | st.tuples(st.just("anew"), streams)
    | st.tuples(st.just("end"), streams)
    | st.tuples(st.just("read"), st.sampled_from(ROOMS)),
    max_size=40,
)


@given(steps)
def test_who_reads_now_and_then_has_what_was_said(steps: list[tuple[str, Any]]) -> None:
    """Streams begin, end and begin all over, in two rooms; few rows are deleted at once."""
    conn, texts = database(), dict[checkpoints.StreamKey, str]()
    followers = {room: Follower(room) for room in ROOMS}
    with conn:
        for at, (step, what) in enumerate(steps):
            match step:
                case "begin" if what not in texts:
                    followers[what[0]].read(conn)  # so that it is known that the last one ended
                    checkpoints.begin(conn, at, number_of(what), what[1])
                    texts[what] = ""
                case "say":
                    rows = [row_of(stream, said(f"{at} ")) for stream in what if stream in texts]
                    assert checkpoints.keep(conn, at, rows) == {row.stream for row in rows}
                    texts |= {row.stream: f"{texts[row.stream]}{at} " for row in rows}
                case "anew" if what in texts:
                    checkpoints.keep(conn, at, [row_of(what, said(f"{at} ", keep=0))])
                    texts[what] = f"{at} "
                case "end" if what in texts:
                    checkpoints.drop(conn, *what, most=3)
                    del texts[what]
                case "read":
                    followers[what].read(conn)
                    assert followers[what].texts == {s: t for s, t in texts.items() if s[0] == what}
                case _:
                    pass
        for room in ROOMS:
            for each in (followers[room], Follower(room)):
                each.read(conn)
                assert each.texts == {s: t for s, t in texts.items() if s[0] == room}
        for stream in texts:
            checkpoints.drop(conn, *stream, most=3)
        assert conn.execute(sa.select(checkpoint)).all() == []


def test_who_has_read_all_reads_no_row_again_however_silent_a_stream_is() -> None:
    follower = Follower(ROOMS[0])
    with database() as conn:
        for stream in STREAMS:
            checkpoints.begin(conn, 0, number_of(stream), stream[1])
        for n in range(50):
            rows = [row_of(stream, said(str(n))) for stream in STREAMS[1:]]
            checkpoints.keep(conn, 0, rows)
            assert follower.read(conn) == len(SEQS) - 1
        assert follower.read(conn) == 0


def test_no_row_is_left_that_no_open_stream_began_before() -> None:
    old, *others = STREAMS
    with database() as conn:
        for stream in others:
            checkpoints.begin(conn, 0, number_of(stream), stream[1])
            checkpoints.keep(conn, 0, [row_of(stream, said("x")) for stream in others[:1]])
        checkpoints.begin(conn, 0, 1, old[1])
        checkpoints.keep(conn, 0, [row_of(old, said("kept"))])
        for stream in others:
            checkpoints.drop(conn, *stream)
        assert len(conn.execute(sa.select(checkpoint)).all()) == 1
        checkpoints.drop(conn, *old)
        assert conn.execute(sa.select(checkpoint)).all() == []


def test_what_was_taken_for_dead_has_a_lease_again_and_what_is_no_stream_has_none() -> None:
    with database() as conn:
        strange = (LogKey("s", "three"), 1), (ROOMS[0], 99)
        rows = [row_of(stream, said("x")) for stream in (STREAMS[0], *strange)]
        assert checkpoints.keep(conn, 7, rows) == {STREAMS[0]}
        leases = conn.execute(sa.select(open_stream.c.seq, open_stream.c.until)).all()
        assert [tuple(lease) for lease in leases] == [(1, 7 + checkpoints.LEASE)]


def test_only_leases_of_open_streams_are_renewed() -> None:
    with database() as conn:
        checkpoints.begin(conn, 0, 1, 1)
        checkpoints.renew(conn, 5, STREAMS)
        leases = conn.execute(sa.select(open_stream.c.seq, open_stream.c.until)).all()
        assert [tuple(lease) for lease in leases] == [(1, 5 + checkpoints.LEASE)]
