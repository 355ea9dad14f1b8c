"""What waits to be sent over a bus."""

from __future__ import annotations

from shiny_labchat.bus.base import Message
from shiny_labchat.bus.messages import BELLS, decoded, rooms_of, topic_of
from shiny_labchat.bus.outbox import ROOMS, WAITING, Outbox
from shiny_labchat.domain.events import LogKey

ROOM = LogKey("s", "r")


def test_bells_of_one_room_are_one_with_the_newest_seq() -> None:
    outbox = Outbox("me")
    for seq in range(1, 100):
        outbox.ring({ROOM: seq})
    (bell,) = outbox.take()
    assert bell.topic == BELLS and decoded(bell.data) == ("me", [["s", "room", "r", 99]])
    assert outbox.take() == [] and outbox.is_empty


def test_bells_are_rung_in_their_rooms_too_where_a_server_has_topics() -> None:
    outbox = Outbox("me")
    outbox.ring({ROOM: 1, LogKey("s", "q"): 2})
    *own, everywhere = outbox.take(by_room=True)
    said = [decoded(message.data) for message in own]
    assert [rooms_of(each[1]) for each in said if each] == [{ROOM: 1}, {LogKey("s", "q"): 2}]
    assert [message.topic for message in own] == [topic_of(ROOM), topic_of(LogKey("s", "q"))]
    assert everywhere.topic == BELLS


def test_other_messages_of_a_room_are_no_bells() -> None:
    assert rooms_of({"is": "typing", "of": ["s", "room", "r", 1]}) is None
    assert rooms_of("bell") is None


def test_bells_wait_for_a_connection_and_messages_do_not() -> None:
    outbox = Outbox("me")
    outbox.ring({ROOM: 1})
    outbox.put(Message("room.x", b"x"))
    outbox.drop()
    assert [message.topic for message in outbox.take()] == [BELLS]


def test_above_the_bound_the_oldest_messages_are_dropped() -> None:
    outbox = Outbox("me")
    for n in range(WAITING + 5):
        outbox.put(Message("room.x", b"%d" % n))
    kept = outbox.take()
    assert len(kept) == WAITING and kept[0].data == b"5"


def test_above_the_bound_one_bell_is_for_all_rooms() -> None:
    outbox = Outbox("me")
    outbox.ring({LogKey("s", f"{n}"): n for n in range(1, ROOMS + 2)})
    (bell,) = outbox.take()
    assert decoded(bell.data) == ("me", [])
