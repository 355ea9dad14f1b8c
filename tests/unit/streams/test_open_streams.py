"""What a viewer is owed of open streams follows from what they have of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.events import Event, Part
from shiny_labchat.domain.opaque import seq_of
from shiny_labchat.streams.content import PIECE_CHARS, Position, StreamContent, UnmergedText
from shiny_labchat.streams.open_streams import ENDED_KEPT, OpenStreams
from tests.support.stream_reader import apply_chunks

SEED = "0123456789abcdef"
KINDS = "markdown", "thinking", "html"
texts = st.text("ab\U0001f600", min_size=1, max_size=5)
pieces = st.tuples(st.sampled_from(KINDS), texts) | st.just(("tool_request", {"request_id": "1"}))


def opening(seq: int = 7) -> Event:
    return Event(seq, 0, "message", None, {"role": "assistant", "parts": [], "live": True})


def ending(seq: int, text: str, how: str = "done") -> Event:
    return Event(seq, 0, "streamed", None, {"of": 7, "is": how, "parts": [("markdown", text)]})


def stream(*parts: Part, seq: int = 7) -> StreamContent:
    made = StreamContent(opening(seq))
    made.append(parts)
    return made


class Viewer:
    """Draws what it is sent, as a page does."""

    def __init__(self) -> None:
        self.has: dict[int, Position] = {}
        self.drawn: dict[int, list[list[Any]]] = {}

    def look(self, streams: OpenStreams, cursor: int = 100) -> int:
        """Take what is owed; how many frames that were."""
        frames = 0
        while True:
            frame, reached = streams.owed(self.has, cursor, lambda event: True)
            if frame is None:
                return frames
            frames += 1
            self.has.update(reached)
            for seq, more, *rest in chunks_of(frame):
                apply_chunks(self.drawn.setdefault(seq, []), more, *rest[:1])


def chunks_of(frame: str) -> list[list[Any]]:
    """The chunks of a frame, with the seqs of their streams."""
    return [[seq_of(SEED, id), *rest] for id, *rest in json.loads(frame)["of"]]


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
            said.append([part])
            told.add(said.since(had).parts)
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
        said.truncate(1)
        assert (said.parts, said.end) == ([("markdown", "a")], Position(1, 1))

    def test_taking_back_is_news(self) -> None:
        said = stream(("markdown", "a"))
        assert said.show()
        said.truncate(0)
        assert said.show()
        assert not said.show()

    def test_taking_back_nothing_changes_nothing(self) -> None:
        said = stream(("markdown", "a"))
        said.truncate(1)
        assert said.end == Position(0, 1)

    def test_dependencies_go_with_what_needs_them(self) -> None:
        said = stream(("markdown", "a"))
        said.add([("html", "<b>")], [{"name": "d"}])
        assert said.deps == [{"name": "d"}]
        said.truncate(1)
        assert said.deps == []

    def test_dependencies_that_come_alone_are_not_lost(self) -> None:
        one, two, three = ({"name": name} for name in ("one", "two", "three"))
        said = stream()
        said.append([], [one])
        said.append([("html", "<b>")], [two])
        had = said.end
        said.append([], [three])
        assert said.deps == [one, two, three] and said.parts == [("html", "<b>")]
        assert said.since(had).deps == [three], "who has seen the rest is told of it, too"

    def test_what_is_whole_is_a_part_of_its_own(self) -> None:
        """A tag's inputs keep what people have entered when more comes."""
        said = stream(("html", "<b>"), ("html", "</b>"), ("html", UnmergedText("<input>")))
        said.append([("html", "<i>")])
        said.append([("html", "</i>")])
        said.append([("html", UnmergedText("<p></p>"))])
        texts = ["<b></b>", "<input>", "<i></i>", "<p></p>"]
        assert said.parts == [("html", text) for text in texts]
        again = StreamContent(opening())
        again.add(said.parts)
        again.become(said.parts, ())
        assert again.parts == said.parts and again.end.edition == 0

    @pytest.mark.parametrize(
        ("units", "parts"),
        [
            (0, []),
            (1, [("markdown", "a")]),
            (3, [("markdown", "a\U0001f600")]),
            (4, [("markdown", "a\U0001f600b")]),
            (5, [("markdown", "a\U0001f600b"), ("tool_request", {})]),
            (6, [("markdown", "a\U0001f600b"), ("tool_request", {}), ("markdown", "c")]),
        ],
    )
    def test_it_is_cut_where_a_browser_counts(self, units: int, parts: list[Part]) -> None:
        said = stream(("markdown", "a\U0001f600b"), ("tool_request", {}), ("markdown", "cd"))
        said.truncate_units(units)
        assert said.parts == parts

    def test_what_is_the_same_is_not_said_again(self) -> None:
        said = stream(("thinking", "hm"), ("markdown", "<i>one two</i>"))
        said.show()
        had = said.end
        said.become([("thinking", "hm"), ("markdown", "<i>one two three</i>")], ())
        assert said.since(had)[1:3] == ([("", " three</i>")], len("hm<i>one two"))
        assert said.since(Position(0, 1))[1:3] == ([("markdown", "<i>one two three</i>")], None)

    def test_taking_back_again_and_again_costs_no_memory(self) -> None:
        said = stream(("markdown", "a"))
        for n in range(1_000):
            said.append([("markdown", f"{n} %")])
            said.truncate(1)
        assert said.since(Position(3, 2))[1:3] == ([], 1)
        assert len(said._cuts) == 1  # pyright: ignore[reportPrivateUsage]


@pytest.mark.anyio
class TestWhatViewersAreOwed:
    async def test_who_has_all_is_owed_nothing(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        streams.begin(opening()).add([("markdown", "a")])
        viewer = Viewer()
        assert viewer.look(streams) == 0  # not shown yet
        streams.open[7].show()
        assert viewer.look(streams) == 1
        assert viewer.look(streams) == 0

    async def test_who_does_not_know_of_the_stream_is_owed_nothing(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        streams.begin(opening()).add([("markdown", "a")])
        streams.open[7].show()
        assert streams.owed({}, 6, lambda event: True)[0] is None
        assert streams.owed({}, 7, lambda event: False)[0] is None

    async def test_two_viewers_share_a_frame(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        streams.begin(opening()).add([("markdown", "a")])
        streams.open[7].show()
        one, two = (streams.owed({}, 9, lambda event: True)[0] for _ in range(2))
        assert one is two

    async def test_all_streams_are_in_one_frame(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        for seq in (3, 7, 9):
            streams.begin(opening(seq)).add([("markdown", str(seq))])
            streams.open[seq].show()
        viewer = Viewer()
        assert viewer.look(streams) == 1
        assert viewer.drawn == {seq: [["markdown", str(seq)]] for seq in (3, 7, 9)}

    async def test_the_rest_of_a_stream_is_owed_after_its_end(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
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

    async def test_few_ended_streams_are_kept_and_it_is_known_who_reads_the_others(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        for seq in range(1, 2 * ENDED_KEPT + 2, 2):
            streams.begin(opening(seq)).add([("markdown", "a")])
            streams.open[seq].note((0, 1))
            streams.finish(
                ending(seq + 1, "abc")._replace(data={**ending(0, "abc").data, "of": seq})
            )
        assert streams.forgotten == 2, "the first one"
        assert Viewer().look(streams, cursor=1) == 0
        assert Viewer().look(streams, cursor=3) == 1
        streams.forget_ended()
        assert streams.forgotten == 2 * ENDED_KEPT + 2 and not Viewer().look(streams, cursor=3)

    async def test_where_no_stream_is_open_or_ends_later_none_is_looked_for(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        assert not streams.may_owe(0)
        streams.begin(opening()).add([("markdown", "a")])
        assert streams.may_owe(100)
        streams.finish(ending(9, "abc"))
        assert streams.may_owe(8) and not streams.may_owe(9)

    async def test_who_was_taken_for_dead_goes_on_with_all_it_had_said(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        said = streams.begin(opening())
        said.stop = lambda: None
        said.add([("markdown", "abc")])
        streams.finish(ending(9, "a", "interrupted"))
        said.append([("markdown", "d")])
        assert streams.open[7].parts == [("markdown", "abcd")]

    async def test_the_true_end_after_a_mistaken_one_is_shown_whole(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        streams.begin(opening()).add([("markdown", "a")])
        streams.finish(ending(9, "a", "interrupted"))
        viewer = Viewer()
        viewer.look(streams, cursor=8)
        streams.finish(ending(12, "abcd"))
        viewer.look(streams, cursor=11)
        assert viewer.drawn[7] == [["markdown", "abcd"]]

    async def test_who_missed_both_ends_is_owed_the_true_one(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        streams.begin(opening()).add([("markdown", "a")])
        streams.finish(ending(9, "a", "interrupted"))
        streams.finish(ending(12, "abcd"))
        frame, reached = streams.owed({}, 8, lambda event: True)
        assert frame is not None and chunks_of(frame) == [[7, [["markdown", "abcd"]], 0]]
        assert streams.owed(reached, 8, lambda event: True) == (None, {})

    async def test_what_is_taken_back_is_told_once_a_tick(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        said = streams.begin(opening())
        said.append([("markdown", "x" * 3_000), ("markdown", "0 %")])
        said.show()
        viewer, late = Viewer(), Viewer()
        viewer.look(streams)
        said.truncate(1)
        assert late.look(streams) == viewer.look(streams) == 0, "it waits for what comes instead"
        said.append([("markdown", "1 %")])
        said.show()
        frame, _ = streams.owed(viewer.has, 9, lambda event: True)
        assert frame is not None and chunks_of(frame) == [[7, "1 %", 3_000]]
        for each in (viewer, late):
            each.look(streams)
            assert each.drawn[7] == [["markdown", "x" * 3_000 + "1 %"]]

    async def test_who_has_all_of_a_stream_keeps_no_position_in_it(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        streams.begin(opening()).append([("markdown", "a")])
        streams.open[7].show()
        viewer = Viewer()
        viewer.look(streams, cursor=8)
        assert streams.known(viewer.has, 8) == viewer.has
        streams.finish(ending(9, "a"))
        assert streams.known(viewer.has, 8) == viewer.has
        assert streams.known(viewer.has, 9) == {}

    async def test_a_long_text_comes_in_several_frames(self) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
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
                st.tuples(st.integers(0, 12), pieces),
                st.sampled_from(["show", "look", "late"]),
            ),
            max_size=25,
        )
    )
    async def test_every_viewer_ends_with_the_same(self, steps: list[Any]) -> None:
        streams = OpenStreams(lambda: None, lambda: SEED)
        said = streams.begin(opening())
        viewers = [Viewer()]
        for step in steps:
            if isinstance(step, list):
                said.append(step)
            elif isinstance(step, tuple):
                other = StreamContent(opening())
                other.add(said.parts)
                other.truncate(step[0])
                other.append([step[1]])
                said.become(other.parts, ())
                assert said.parts == other.parts
            elif isinstance(step, int):
                said.truncate(step)
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
