"""The newest events of a room in memory."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.events import Event
from shiny_labchat.live.window import WINDOW, WINDOW_BYTES, Window

WORDS = "one word after the other"


def test_of_a_stream_that_has_ended_its_text_is_kept_once_and_not_its_pieces() -> None:
    window = Window("seed")
    opening = {"parts": [], "role": "assistant", "live": True}
    pieces = [[at, 5, 0] for at in range(900)]
    ending = {
        "of": 1,
        "is": "done",
        "parts": [["text", WORDS]],
        "pieces": pieces,
        "audience": ["a"],
    }
    window.keep([Event(1, 1, "message", None, opening), Event(2, 2, "streamed", None, ending)])
    (message, _), (end, _) = window.after(0)
    assert message.data["parts"] == [["text", WORDS]]
    kept = b"".join(orjson.dumps(dict(event.data)) for event in (message, end))
    assert kept.count(WORDS.encode()) == 1 and len(kept) < 300
    assert end.data["audience"] == ["a"], (
        "who may not see the stream is not shown that it has ended"
    )


def _message(seq: int, text: str, **data: Any) -> Event:
    shown = {"role": "user", "h": "h", "name": "Teal Otter", "parts": [("text", text)], **data}
    return Event(seq, 0, "message", "ann", shown)


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=300))
def test_its_memory_is_bounded_and_it_has_all_after_since(lengths: list[int]) -> None:
    window, events = Window("seed"), [_message(k + 1, "x" * n) for k, n in enumerate(lengths)]
    for event in events:
        window.keep([event])
    kept = [event for event, _ in window.after(window.since)]
    assert kept == events[-len(kept) :] and 1 <= len(kept) <= WINDOW
    assert window.since == (events[-len(kept) - 1].seq if len(kept) < len(events) else 0)
    assert window.size <= WINDOW_BYTES or len(kept) == 1


def test_streams_that_end_count_with_all_of_their_text() -> None:
    window = Window("seed")
    for seq in range(1, 41, 2):
        end = {"of": seq, "is": "done", "parts": [("text", "x" * 20_000)]}
        window.keep([_message(seq, "", live=True), Event(seq + 1, 0, "streamed", "ann", end)])
        assert window.size <= WINDOW_BYTES
    assert 0 < window.since < 39
