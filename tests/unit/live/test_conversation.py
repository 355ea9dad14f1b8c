"""A conversation gives each viewer what they see, and costs the same whatever it has."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Message
from shiny_labchat.domain.commands import Clear, EndStream, Join, Post
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.messages import (
    Wording,
    as_worded,
    is_for_models,
    is_instruction,
    message_of,
    settled,
    was_said,
)
from shiny_labchat.live.conversation import UNREAD, Conversation
from shiny_labchat.live.shared_messages import CUTS
from tests.unit.pure_room import PureRoom

MEMBERS = "abc"
WORDINGS = (
    None,
    *(Wording(users, programmes) for users in (False, True) for programmes in (False, True)),
)

audiences = st.none() | st.lists(st.sampled_from(MEMBERS), max_size=2)
posts = st.builds(
    Post,
    parts=st.just([("text", "said")]),
    role=st.sampled_from(["user", "assistant", "system"]),
    member=st.none() | st.sampled_from(MEMBERS),
    audience=audiences,
    by_network=st.booleans(),
    original=st.none() | st.just("original"),
    transformed=st.none() | st.just("transformed"),
)
openings = st.builds(Post, parts=st.just([]), audience=audiences, is_live=st.just(True))
ends = st.tuples(st.integers(0, 9), st.sampled_from(["done", "interrupted", "failed", "withheld"]))
clearings = st.builds(Clear, st.none() | st.sampled_from(MEMBERS))
steps = st.lists(st.one_of(posts, posts, openings, ends, clearings, st.just("read")), max_size=25)


def happen(room: PureRoom, step: Any) -> list[Event]:
    """What a step brings about; a stream that it wants to end may be none, or have ended."""
    if not isinstance(step, tuple):
        return room.does(step)
    open = [event.seq for event in room.log if event.data.get("live")]
    ended = {event.data["of"] for event in room.log if event.kind == "streamed"}
    open = [seq for seq in open if seq not in ended]
    if not open:
        return []
    which, how = step
    return room.does(EndStream(open[which % len(open)], [("markdown", "streamed")], how))


def as_defined(log: list[Event]) -> list[Message]:
    """The messages of a log, by the rules one after the other."""
    whole = {event.data["of"]: event for event in log if event.kind == "streamed"}
    found = [settled(e, whole[e.seq]) if e.seq in whole else e for e in log if e.kind == "message"]
    return [message_of(event) for event in found if "live" not in event.data and was_said(event)]


def texts(messages: tuple[Message, ...]) -> list[tuple[int, str]]:
    return [(message.seq, message.content) for message in messages]


@given(steps, st.integers(0, 30), st.sets(st.integers(0, 40), max_size=3))
def test_everybody_reads_what_they_may_see_whenever_they_first_read(
    steps: list[Any], upto: int, also: set[int]
) -> None:
    room = PureRoom(members=MEMBERS)
    room.does(Join("x", "h-x", "experimenter"))
    grown = Conversation(room.log)
    for step in steps:
        if step == "read":
            for viewer in room.state.memberships.values():
                grown.seen(room.state, viewer, room.state.seq, wording=WORDINGS[1])
        else:
            grown.add(happen(room, step))
    said = as_defined(room.log)
    for talk in (grown, Conversation(room.log)):
        assert texts(talk.public(2)) == texts(
            tuple(m for m in said if m.seq > 2 and m.audience is None)
        )
        assert texts(talk.told(2)) == texts(
            tuple(m for m in said if m.seq > 2 and is_for_models(m))
        )
        for viewer in room.state.memberships.values():
            for wording in WORDINGS:
                for private in (True, False):
                    read = talk.seen(room.state, viewer, upto, also, wording, private=private)
                    wanted = [
                        m if wording is None else as_worded(m, wording)
                        for m in said
                        if m.seq > room.state.floor(viewer) and (m.seq <= upto or m.seq in also)
                        and (is_for_models(m) or (private and may_read(viewer, m)))
                    ]  # fmt: skip
                    assert texts(read) == texts(tuple(wanted))


def may_read(viewer: Membership, message: Message) -> bool:
    return message.is_for(viewer.member) or (viewer.hears_all and message.by_network)


def heard_by_all(message: Message, readers: list[set[str]]) -> bool:
    return all(any(message.is_for(id) for id in ids) for ids in readers)


@given(steps, st.lists(st.sets(st.sampled_from(MEMBERS), min_size=1), min_size=1, max_size=3))
def test_what_is_common_to_some_is_what_each_of_them_has_heard(
    steps: list[Any], readers: list[set[str]]
) -> None:
    """A reader has several ids who has taken somebody's place."""
    room = PureRoom(members=MEMBERS)
    talk = Conversation(room.log)
    for step in steps:
        if step != "read":
            talk.add(happen(room, step))
    said = as_defined(room.log)
    common = tuple(
        m
        for m in said
        if m.audience is None
        or (m.by_network and not is_instruction(m) and heard_by_all(m, readers))
    )
    assert texts(talk.common(0, readers)) == texts(common)
    told = tuple(m for m in said if m in common or is_for_models(m))
    assert texts(talk.told_of_common(0, readers)) == texts(told)
    viewer = room.state.memberships["a"]
    read = talk.seen(room.state, viewer, room.state.seq, private=False, readers=readers)
    assert texts(read) == texts(tuple(m for m in told if m.seq > room.state.floor(viewer)))


def full_room(messages: int, *, private: bool = False, changed: bool = False) -> PureRoom:
    room = PureRoom(members=MEMBERS)
    for n in range(messages):
        audience = ["a", "b"] if private and n == messages // 2 else None
        transformed = "changed" if changed and n == messages // 2 else None
        post = Post([("text", f"{n}")], "user", audience=audience, transformed=transformed)
        room.does(post)
    return room


def calls(do: Callable[[], object]) -> int:
    """How many functions are called, in Python and in C."""
    found = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    gc.disable()  # what is called at a collection has nothing to do with it
    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(None)
        gc.enable()
    return found


def read_by_all(talk: Conversation, room: PureRoom) -> list[tuple[Message, ...]]:
    viewers = room.state.memberships.values()
    return [
        talk.seen(room.state, viewer, room.state.seq, wording=Wording())
        for viewer in viewers
        for _ in range(10)
    ]


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("private", [False, True])
def test_a_further_message_costs_the_same_however_many_there_are(
    private: bool, changed: bool
) -> None:
    few, many = (
        cost_of_another(full_room(size, private=private, changed=changed)) for size in (20, 2_000)
    )
    assert few == many


def cost_of_another(room: PureRoom) -> int:
    """What another message costs, with all who read it."""
    talk = Conversation(room.log)
    read_by_all(talk, room)
    event = room.does(Post([("text", "newest")], "user"))

    def happens() -> None:
        talk.add(event)
        read_by_all(talk, room)

    return calls(happens)


def test_all_who_see_the_same_read_one_tuple() -> None:
    """One private message does not take from others what they share."""
    room = full_room(300, private=True)
    room.joins("d")
    talk, upto = Conversation(room.log), room.state.seq
    a, _, c, d = room.state.memberships.values()
    assert talk.seen(room.state, c, upto) is talk.seen(room.state, d, upto)
    assert talk.seen(room.state, a, upto) is talk.seen(room.state, a, upto)
    assert len(talk.seen(room.state, a, upto)) == 300 and len(talk.seen(room.state, c, upto)) == 299
    room.does(Clear())
    talk.add(room.does(Post([("text", "after")])))
    upto = room.state.seq
    assert talk.seen(room.state, c, upto) is talk.seen(room.state, d, upto)
    assert [m.content for m in talk.seen(room.state, c, upto)] == ["after"]


def test_a_list_that_nobody_reads_any_more_is_let_go() -> None:
    room = full_room(3, private=True)
    talk = Conversation(room.log)
    a, b, _ = room.state.memberships.values()

    def cost() -> int:
        event = room.does(Post([("text", "x")]))
        return calls(lambda: talk.add(event))

    talk.seen(room.state, a, room.state.seq)
    with_one = cost()
    for _ in range(UNREAD):
        cost()
    talk.seen(room.state, b, room.state.seq)
    assert cost() == with_one, "that of b has come, and that of a has gone"
    assert len(talk.seen(room.state, a, room.state.seq)) == 3 + UNREAD + 2


def test_parts_are_kept_for_those_who_share_them_and_no_more() -> None:
    room = full_room(60)
    talk, viewer = Conversation(room.log), room.state.memberships["a"]
    first = talk.seen(room.state, viewer, 20)
    assert talk.seen(room.state, viewer, 20) is first
    for upto in range(21, 22 + CUTS):
        talk.seen(room.state, viewer, upto)
    assert talk.seen(room.state, viewer, 20) == first
    assert talk.seen(room.state, viewer, 20) is not first


def test_its_size_follows_what_it_has() -> None:
    room = full_room(10)
    small = Conversation(room.log).size
    room.does(Post([("text", "x" * 100_000)]))
    assert 10 * 300 < small < 10 * 3_000
    assert Conversation(room.log).size - small > 100_000
