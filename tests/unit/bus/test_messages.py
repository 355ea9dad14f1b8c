"""What is in the messages of a bus."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.bus.messages import (
    BELLS,
    LARGEST,
    bells,
    decoded,
    encoded,
    in_parts,
    rooms_in,
    topic_of,
)
from shiny_labchat.domain.events import LogKey

KEYS = st.builds(
    LogKey,
    st.text(min_size=1, max_size=200),
    st.text(min_size=1, max_size=200),
    st.sampled_from(["room", "study", "lobby"]),
)
ROOMS = st.dictionaries(KEYS, st.integers(1, 2**40), max_size=60)


@given(ROOMS)
def test_bells_of_all_rooms_arrive_in_messages_that_are_short_enough(
    rooms: dict[LogKey, int],
) -> None:
    found: dict[LogKey, int] = {}
    for topic, data in bells("me", rooms):
        assert topic == BELLS and len(data) <= LARGEST and b"\n" not in data
        said = decoded(data)
        assert said is not None and said[0] == "me"
        found |= rooms_in(said[1])
    assert found == rooms


@given(st.lists(st.text(max_size=200), max_size=400))
def test_parts_have_all_items_in_order(items: list[str]) -> None:
    parts = [*in_parts(items)]
    assert [item for part in parts for item in part] == items
    assert parts and all(len(orjson.dumps(part)) <= LARGEST for part in parts)


@given(KEYS)
def test_a_topic_says_nothing_of_its_room_and_is_fit_for_every_server(key: LogKey) -> None:
    topic = topic_of(key)
    assert topic.removeprefix("room.").isalnum() and topic.isascii() and len(topic) < 40


def test_a_room_and_a_study_of_the_same_name_have_different_topics() -> None:
    assert topic_of(LogKey("s", "x")) != topic_of(LogKey("s", "x", "study"))
    assert topic_of(LogKey("a", "bc")) != topic_of(LogKey("ab", "c"))


def test_what_is_too_long_is_not_sent() -> None:
    with pytest.raises(ValueError, match="too long"):
        encoded("room.x", "me", "x" * LARGEST)


@pytest.mark.parametrize("data", [b"", b"\xff", b"{}", b"[1, 2]", b'["me"]', b'"text"'])
def test_what_others_have_sent_there_is_no_message_of_ours(data: bytes) -> None:
    assert decoded(data) is None
