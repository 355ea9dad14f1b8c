"""Messages that nobody is shown: streams that have failed at once, instructions to models."""

from __future__ import annotations

import json

import pytest

from shiny_labchat.domain.commands import Ending, EndStream, Post
from shiny_labchat.domain.events import Part
from shiny_labchat.domain.messages import settled
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.live.window import Page, Window
from shiny_labchat.protocol import item
from tests.unit.pure_room import PureRoom


@pytest.mark.parametrize("parts", [[], [("markdown", " \u200b\n")], [("thinking", "")]])
def test_a_stream_that_fails_before_its_first_word_leaves_nothing(parts: list[Part]) -> None:
    room = PureRoom(members="a")
    (opening,) = room.does(Post([], is_live=True))
    (ending,) = room.does(EndStream(opening.seq, parts, "failed", error="it broke"))
    assert item(settled(opening, ending), "seed") is None
    assert json.loads(item(ending, "seed") or "")["is"] == "failed", "who has seen it begin is told"
    assert ending.data["error"] == "it broke"
    window, viewer = Window(), room.state.memberships["a"]
    for log in (room.log, [settled(opening, ending)]):
        assert Conversation(log).seen(room.state, viewer, room.state.seq) == ()
        window.keep(log)
    assert window.newest(room.state, viewer) == Page([], False)


@pytest.mark.parametrize("how", ["done", "stopped", "interrupted", "failed"])
def test_what_was_said_before_a_stream_ended_stays(how: Ending) -> None:
    part = ("thinking" if how == "failed" else "markdown", "hm")
    room = PureRoom(members="a")
    (opening,) = room.does(Post([], is_live=True))
    (ending,) = room.does(EndStream(opening.seq, [part], how))
    assert item(settled(opening, ending), "seed") is not None
    assert len(Conversation(room.log).public(0)) == 1


def test_an_instruction_is_shown_to_nobody_and_read_by_models_and_the_app() -> None:
    room = PureRoom(members="ab")
    room.does(Post([("text", "Be brief.")], "system", audience=(), cid="first:chat:0"))
    room.does(Post([("text", "For a only.")], audience=["a"]))
    room.says("b", "hello")
    talk, window = Conversation(room.log), Window()
    window.keep(room.log)
    for member, seen in (("a", ["For a only.", "hello"]), ("b", ["hello"])):
        viewer = room.state.memberships[member]
        read = talk.seen(room.state, viewer, room.state.seq)
        assert [message.content for message in read] == ["Be brief.", *seen]
        page = window.newest(room.state, viewer)
        assert page is not None and "Be brief." not in str(page)
        frame, _ = window.frame(room.state, 0, viewer)
        assert frame is not None and "hello" in frame and "Be brief." not in frame
    assert [message.content for message in talk.told(0)] == ["Be brief.", "hello"]
    assert [message.content for message in talk.public(0)] == ["hello"]


def test_a_room_with_an_instruction_is_still_read_once_for_all() -> None:
    room = PureRoom(members="ab")
    room.does(Post([("text", "Be brief.")], "system", audience=()))
    talk, upto = Conversation(room.log), room.state.seq
    one, other = (talk.seen(room.state, m, upto) for m in room.state.memberships.values())
    assert one is other
