"""The newest events of a room in memory."""

from __future__ import annotations

import orjson

from shiny_labchat.domain.events import Event
from shiny_labchat.live.window import Window

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
