"""Messages that wait to be transformed: the rules, and what is shown of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shiny_labchat import Rules
from shiny_labchat.domain.commands import (
    PASSED_OVER,
    STREAM,
    SUBMITTED,
    WITHHELD,
    Clear,
    Close,
    EndStream,
    Mute,
    Post,
    Publish,
    Remove,
    Resubmit,
    Say,
    Withhold,
)
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.messages import as_transformed, is_ignored, message_of, settled
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.protocol import item
from tests.unit.pure_room import SECOND, PureRoom


def waits(room: PureRoom, text: str = "hello") -> int:
    """Has a submit a message that waits; its seq."""
    (event,) = room.does(Say("a", text, f"c{len(room.log)}", "page", waits=True))
    return event.seq


def publishes(of: int, transformed: str | None = "HELLO") -> Publish:
    return Publish(of, "a", "page", "hello", transformed, "c1")


def test_what_waits_is_shown_to_nobody() -> None:
    room = PureRoom(members="a")
    waits(room)
    assert room.log[-1].kind == "submitted"
    assert room.log[-1].data == {"text": "hello", "page": "page"}
    assert item(room.log[-1], "seed") is None


def test_it_becomes_a_message_like_any_other_and_no_frame_has_what_was_made() -> None:
    room = PureRoom(members="a")
    room.does(publishes(waits(room)))
    shown, usual = json.loads(item(room.log[-1], "seed") or ""), PureRoom(members="a")
    usual.says("a", "hello")
    same = json.loads(item(usual.log[-1], "seed") or "")
    assert {**shown, "id": ""} == {**same, "id": ""}
    message = message_of(room.log[-1])
    assert (message.content, message.transformed) == ("hello", "HELLO")
    assert as_transformed(message).content == "HELLO" and not is_ignored(room.log[-1])


def test_what_is_left_as_it_was_and_what_nothing_is_made_of_differ_in_who_handles_it() -> None:
    for transformed in ("hello", None):
        room = PureRoom(members="a")
        room.does(publishes(waits(room), transformed))
        message = message_of(room.log[-1])
        assert message.transformed is None and as_transformed(message) is message
        assert is_ignored(room.log[-1]) is (transformed is None)


def test_what_an_older_version_changed_for_all_is_read_as_it_was_shown() -> None:
    parts = [("text", "HELLO")]
    data = {"role": "user", "name": "A", "parts": parts, "page": "p", "original": "hello"}
    message = message_of(Event(7, 0, "message", "a", data))
    assert (as_transformed(message).content, message.original) == ("HELLO", "hello")


def test_the_rules_are_for_what_was_written() -> None:
    room = PureRoom(members="a", rules=Rules(max_length=5, rate=None))
    for text, code in (("hello!", "too_long"), (" ", "empty"), ("\x00", "bad_text")):
        assert room.refuses(Say("a", text, "c", "page", waits=True)) == code
    room.does(publishes(waits(room), "HELLO, " * 10))
    assert room.kinds()[-1] == "message"


def test_what_waits_counts_once_however_it_ends() -> None:
    room = PureRoom(members="a", rules=Rules(rate=1.0, burst=3))
    room.does(publishes(waits(room)))
    of = waits(room)
    room.does(Resubmit(of, "a", "other", "hello", "c1"))
    room.does(Withhold("hello", "a", of=of, page="other"))
    assert room.says("a") is None
    assert room.says("a") == "too_fast"
    room.now += SECOND
    assert room.says("a") is None


@pytest.mark.parametrize(
    ("after", "code"),
    [(Close(), "closed"), (Mute("a"), "muted"), (Remove("a"), "removed")],
)
def test_who_may_not_write_any_more_is_not_published_but_withheld(
    after: Close | Mute | Remove, code: str
) -> None:
    room = PureRoom(members="a")
    of = waits(room)
    room.does(after)
    assert room.refuses(publishes(of)) == code
    room.does(Withhold("hello", "a", code, of, "page"))
    assert room.log[-1].data["code"] == code and item(room.log[-1], "seed") is None


def test_a_message_is_published_or_withheld_by_one_id() -> None:
    assert publishes(7).cid == Withhold("hello", "a", of=7).cid == f"{SUBMITTED}7"
    assert Withhold("hello").cid is None
    assert Withhold("hello", id="hi").cid == f"{WITHHELD}hi"


@pytest.mark.parametrize("kept", [STREAM, SUBMITTED, PASSED_OVER, WITHHELD])
def test_nothing_is_said_under_an_id_that_the_log_keeps(kept: str) -> None:
    room = PureRoom(members="a")
    with pytest.raises(ValueError, match="kept for the log"):
        room.does(Post([("text", "hi")], cid=f"{kept}7"))
    assert Resubmit(7, "a", "page", "hello", None).cid.startswith(f"{SUBMITTED}7")


def test_no_message_may_take_such_an_id() -> None:
    room = PureRoom(members="a")
    with pytest.raises(ValueError, match="kept for the log"):
        room.does(Post([("text", "hi")], member="a", cid=f"{SUBMITTED}7"))


def test_what_a_transform_gives_must_be_storable() -> None:
    room = PureRoom(members="a")
    assert room.refuses(publishes(waits(room), "\ud800")) == "bad_text"


# ── as a noun ──


def test_a_held_message_is_the_same_whichever_page_has_it() -> None:
    room = PureRoom(members="a")
    (event,) = room.does(Say("a", "hello", "b:1", "page", waits=True))
    first = HeldMessage.of(event)
    assert first == HeldMessage(event.seq, "a", "page", "hello", "b:1")
    (again,) = room.does(first.resubmit("other"))
    assert HeldMessage.of(again) == replace(first, page="other")
    (third,) = room.does(HeldMessage.of(again).resubmit("third"))
    assert HeldMessage.of(third) == replace(first, page="third")


def test_it_is_settled_by_one_id_whatever_becomes_of_it() -> None:
    message = HeldMessage(7, "a", "page", "hello", "b:1")
    assert message.publish(None).cid == message.withhold().cid == message.cid == f"{SUBMITTED}7"
    assert message.resubmit("other").cid == f"{SUBMITTED}7@other"


def test_it_gives_the_commands_that_settle_it() -> None:
    message = HeldMessage(7, "a", "page", "hello", "b:1")
    assert message.publish("HELLO") == Publish(7, "a", "page", "hello", "HELLO", "b:1")
    assert message.withhold() == Withhold("hello", "a", of=7, page="page")
    withheld = Withhold("hello", "a", "not_processed", 7, "page", "it failed")
    assert message.withhold(code="not_processed", error="it failed") == withheld
    assert message.resubmit("other") == Resubmit(7, "a", "other", "hello", "b:1")


# ── what programmes say ──


def test_a_post_and_the_end_of_a_stream_keep_their_originals() -> None:
    room = PureRoom()
    room.does(Post([("markdown", "*")], original="secret"))
    assert message_of(room.log[-1]).original == "secret"
    (opening,) = room.does(Post([], is_live=True))
    (ending,) = room.does(EndStream(opening.seq, [("markdown", "*")], original="secret"))
    assert message_of(settled(opening, ending)).original == "secret"
    assert all("secret" not in (item(event, "seed") or "") for event in room.log)


def test_a_stream_that_is_withheld_is_no_part_of_the_conversation() -> None:
    room = PureRoom(members="a")
    (opening,) = room.does(Post([], is_live=True))
    (ending,) = room.does(EndStream(opening.seq, [], "withheld", original="secret"))
    assert json.loads(item(ending, "seed") or "")["is"] == "withheld"
    for log in (room.log, [settled(opening, ending)]):
        conversation = Conversation(log)
        heard = conversation.seen(room.state, room.state.memberships["a"], room.state.seq)
        assert heard == ()


def test_a_clearing_says_whether_the_greeting_goes_too() -> None:
    room = PureRoom(members="a")
    (one,) = room.does(Clear())
    (two,) = room.does(Clear("a", greeting=True))
    assert "greeting" not in json.loads(item(one, "seed") or "")
    assert json.loads(item(two, "seed") or "")["greeting"] is True
