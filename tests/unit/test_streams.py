"""What a viewer is owed of open streams follows from what they have of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat._domain import Event, Part
from shiny_labchat._streams import PIECE_CHARS, OpenStream, Position, Streams

KINDS = "markdown", "thinking", "html"
texts = st.text("ab", min_size=1, max_size=5)
pieces = st.tuples(st.sampled_from(KINDS), texts) | st.just(("tool_request", {"request_id": "1"}))


def opening(seq: int = 7) -> Event:
    return Event(seq, 0, "message", None, {"role": "assistant", "parts": [], "live": True})


def ending(seq: int, text: str, how: str = "done") -> Event:
    return Event(seq, 0, "streamed", None, {"of": 7, "is": how, "parts": [("markdown", text)]})


def stream(*parts: Part, seq: int = 7) -> OpenStream:
    made = OpenStream(opening(seq))
    made.add(parts)
    return made


class Viewer:
    """Draws what it is sent, as a page does."""

    def __init__(self) -> None:
        self.has: dict[int, Position] = {}
        self.drawn: dict[int, list[list[Any]]] = {}

    def look(self, streams: Streams, cursor: int = 100) -> int:
        """Take what is owed; how many frames that were."""
        frames = 0
        while True:
            frame, reached = streams.owed(self.has, cursor, lambda event: True)
            if frame is None:
                return frames
            frames += 1
            self.has.update(reached)
            for seq, more, *rest in json.loads(frame)["of"]:
                self.draw(seq, more, is_start=bool(rest and rest[0]))

    def draw(self, seq: int, more: str | list[list[Any]], is_start: bool) -> None:
        parts = self.drawn.setdefault(seq, [])
        if is_start:
            parts.clear()
        for kind, content in [["", more]] if isinstance(more, str) else more:
            if kind:
                parts.append([kind, content])
            else:
                parts[-1][1] += content


def as_lists(parts: list[Part]) -> list[list[Any]]:
    return [list(part) for part in parts]


class TestWhatIsSaid:
    def test_text_of_one_kind_is_one_part(self) -> None:
        said = stream(("markdown", "a"), ("markdown", "b"), ("thinking", "c"), ("markdown", "d"))
        assert said.parts == [("markdown", "ab"), ("thinking", "c"), ("markdown", "d")]

    def test_what_it_is_told_in_pieces_is_what_was_said(self) -> None:
        said, told = stream(("markdown", "a")), stream(("markdown", "a"))
        for part in (("markdown", "b"), ("thinking", "c"), ("thinking", "d")):
            had = said.end
            said.add([part])
            told.add(said.parts_after(had))
        assert told.parts == said.parts == [("markdown", "ab"), ("thinking", "cd")]

    def test_blocks_are_parts_of_their_own(self) -> None:
        block = ("tool_request", {"request_id": "1"})
        assert stream(block, block).parts == [block, block]

    def test_long_text_is_cut_into_pieces_and_is_one_part(self) -> None:
        said = stream(("markdown", "x" * (3 * PIECE_CHARS + 1)))
        assert said.end == Position(0, 4)
        assert said.parts == [("markdown", "x" * (3 * PIECE_CHARS + 1))]

    def test_what_is_taken_back_makes_another_edition(self) -> None:
        said = stream(("markdown", "a"))
        said.add([("markdown", "b")])
        said.keep(1)
        assert (said.parts, said.end) == ([("markdown", "a")], Position(1, 1))

    def test_taking_back_is_news(self) -> None:
        said = stream(("markdown", "a"))
        assert said.show()
        said.keep(0)
        assert said.show()
        assert not said.show()

    def test_taking_back_nothing_changes_nothing(self) -> None:
        said = stream(("markdown", "a"))
        said.keep(1)
        assert said.end == Position(0, 1)

    def test_dependencies_go_with_what_needs_them(self) -> None:
        said = stream(("markdown", "a"))
        said.add([("html", "<b>")], [{"name": "d"}])
        assert said.deps == [{"name": "d"}]
        said.keep(1)
        assert said.deps == []


@pytest.mark.anyio
class TestWhatViewersAreOwed:
    async def test_who_has_all_is_owed_nothing(self) -> None:
        streams = Streams(lambda: None)
        streams.begin(opening()).add([("markdown", "a")])
        viewer = Viewer()
        assert viewer.look(streams) == 0  # not shown yet
        streams.open[7].show()
        assert viewer.look(streams) == 1
        assert viewer.look(streams) == 0

    async def test_who_does_not_know_of_the_stream_is_owed_nothing(self) -> None:
        streams = Streams(lambda: None)
        streams.begin(opening()).add([("markdown", "a")])
        streams.open[7].show()
        assert streams.owed({}, 6, lambda event: True)[0] is None
        assert streams.owed({}, 7, lambda event: False)[0] is None

    async def test_two_viewers_share_a_frame(self) -> None:
        streams = Streams(lambda: None)
        streams.begin(opening()).add([("markdown", "a")])
        streams.open[7].show()
        one, two = (streams.owed({}, 9, lambda event: True)[0] for _ in range(2))
        assert one is two

    async def test_all_streams_are_in_one_frame(self) -> None:
        streams = Streams(lambda: None)
        for seq in (3, 7, 9):
            streams.begin(opening(seq)).add([("markdown", str(seq))])
            streams.open[seq].show()
        viewer = Viewer()
        assert viewer.look(streams) == 1
        assert viewer.drawn == {seq: [["markdown", str(seq)]] for seq in (3, 7, 9)}

    async def test_the_rest_of_a_stream_is_owed_after_its_end(self) -> None:
        streams = Streams(lambda: None)
        streams.begin(opening()).add([("markdown", "a")])
        streams.open[7].show()
        viewer = Viewer()
        viewer.look(streams)
        streams.finish(ending(9, "abc"))
        late = Viewer()
        for each in (viewer, late):
            each.look(streams, cursor=8)
            assert each.drawn[7] == [["markdown", "abc"]]
        assert Viewer().look(streams, cursor=9) == 0  # they were shown it whole
        streams.forget(9)
        assert Viewer().look(streams, cursor=8) == 0

    async def test_who_was_taken_for_dead_goes_on_with_all_it_had_said(self) -> None:
        streams = Streams(lambda: None)
        said = streams.begin(opening())
        said.stop = lambda: None
        said.add([("markdown", "abc")])
        streams.finish(ending(9, "a", "interrupted"))
        said.add([("markdown", "d")])
        assert streams.open[7].parts == [("markdown", "abcd")]

    async def test_the_true_end_after_a_mistaken_one_is_shown_whole(self) -> None:
        streams = Streams(lambda: None)
        streams.begin(opening()).add([("markdown", "a")])
        streams.finish(ending(9, "a", "interrupted"))
        viewer = Viewer()
        viewer.look(streams, cursor=8)
        streams.finish(ending(12, "abcd"))
        viewer.look(streams, cursor=11)
        assert viewer.drawn[7] == [["markdown", "abcd"]]

    async def test_who_missed_both_ends_is_owed_the_true_one(self) -> None:
        streams = Streams(lambda: None)
        streams.begin(opening()).add([("markdown", "a")])
        streams.finish(ending(9, "a", "interrupted"))
        streams.finish(ending(12, "abcd"))
        frame, reached = streams.owed({}, 8, lambda event: True)
        assert frame is not None and json.loads(frame)["of"] == [[7, [["markdown", "abcd"]], True]]
        assert streams.owed(reached, 8, lambda event: True) == (None, {})

    async def test_a_long_text_comes_in_several_frames(self) -> None:
        streams = Streams(lambda: None)
        streams.begin(opening()).add([("markdown", "x" * 100_000)])
        streams.open[7].show()
        viewer = Viewer()
        assert viewer.look(streams) >= 5
        assert viewer.drawn[7] == [["markdown", "x" * 100_000]]

    @given(
        st.lists(
            st.one_of(
                st.lists(pieces, min_size=1, max_size=4),
                st.integers(0, 5),
                st.sampled_from(["show", "look", "late"]),
            ),
            max_size=25,
        )
    )
    async def test_every_viewer_ends_with_the_same(self, steps: list[Any]) -> None:
        streams = Streams(lambda: None)
        said = streams.begin(opening())
        viewers = [Viewer()]
        for step in steps:
            if isinstance(step, list):
                said.add(step)
            elif isinstance(step, int):
                said.keep(step)
            elif step == "show":
                said.show()
            elif step == "look":
                viewers[-1].look(streams)
            else:
                viewers.append(Viewer())
        said.show()
        for viewer in viewers:
            viewer.look(streams)
            assert viewer.drawn.get(7, []) == as_lists(said.parts)
