"""Who hears whom: networks, and what messages are stored with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import (
    Change,
    Configure,
    Connect,
    EndStream,
    Join,
    Post,
    Publish,
    Remove,
    Say,
)
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.given_network import as_group_network, as_network, network_of_group
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.network import Network, Shape
from shiny_labchat.domain.state import RoomState, fold, fold_all
from shiny_labchat.domain.withdrawal import Renaming, rewritten
from tests.unit.pure_room import PureRoom

MEMBERS = "abcdef"


def room_with(network: object, members: str = MEMBERS) -> PureRoom:
    room = PureRoom(members=members)
    room.does(Configure("seed", network=as_network(network)))
    return room


def heard(room: PureRoom, viewer: str) -> str:
    """Whom somebody hears, besides themselves."""
    others = (each for each in room.state.memberships if each != viewer)
    return "".join(each for each in others if room.state.hears(viewer, each))


def said(room: PureRoom, member: str) -> Event:
    (event,) = room.does(Say(member, "hi", f"c{len(room.log)}", "page"))
    return event


def test_where_nobody_says_otherwise_all_hear_all_and_nothing_is_stored() -> None:
    room = PureRoom(members="abc")
    assert heard(room, "a") == "bc"
    assert {"audience", "by_network"}.isdisjoint(said(room, "a").data)
    assert room.does(Configure("seed", network=Network())) == []
    assert room.state.hearing.heard_by("a") is room.state.hearing.hearers("a") is None


def test_in_a_ring_everybody_hears_those_beside_them() -> None:
    room = room_with("ring")
    assert [heard(room, each) for each in MEMBERS] == ["bf", "ac", "bd", "ce", "df", "ae"]


@pytest.mark.parametrize("members", ["a", "ab", "abc"])
def test_in_a_small_ring_all_are_beside_each_other(members: str) -> None:
    room = room_with("ring", members)
    assert all(heard(room, each) == members.replace(each, "") for each in members)


def test_a_ring_has_a_gap_where_somebody_was_removed_and_closes_behind_who_comes_later() -> None:
    room = room_with("ring")
    room.does(Remove("b"))
    assert (heard(room, "a"), heard(room, "c")) == ("bf", "bd"), "nobody is moved together"
    assert said(room, "a").data["audience"] == ["a", "f"]
    room.joins("b")
    assert said(room, "a").data["audience"] == ["a", "b", "f"], "who comes back has their place"
    room.joins("g")
    assert (heard(room, "g"), heard(room, "f")) == ("af", "eg")


def test_who_takes_over_a_place_in_a_ring_is_heard_in_it() -> None:
    room = room_with("ring")
    room.does(Remove("b"))
    handle = room.state.memberships["b"].handle
    room.takes(joined(room, "bot", handle))
    assert said(room, "a").data["audience"] == ["a", "f", "bot"]
    assert room.state.hears("bot", "c") and not room.state.hears("bot", "d")
    assert room.state.hearing.same_place("bot") == {"b", "bot"}


def joined(room: PureRoom, member: str, handle: str) -> Event:
    data = {"handle": handle, "pseudonym": member, "role": "assistant", "is_bot": True}
    return Event(room.state.seq + 1, room.now, "joined", member, data)


def test_the_hub_of_a_star_hears_all_and_all_hear_the_hub() -> None:
    room = room_with("star:c")
    assert [heard(room, each) for each in MEMBERS] == ["c", "c", "abdef", "c", "c", "c"]


def test_a_mapping_names_who_is_heard_by_whom() -> None:
    room = room_with({"a": ["b", "c"], "b": ["a"], "later": ["a"]})
    assert [heard(room, each) for each in MEMBERS] == ["b", "a", "a", "", "", ""]
    room.joins("later")
    assert heard(room, "a") == "blater"


def test_an_edge_is_directed() -> None:
    room = room_with("none")
    room.does(Connect([("a", "b")]))
    assert (heard(room, "a"), heard(room, "b")) == ("", "a")
    assert said(room, "a").data["audience"] == ["a", "b"]
    assert said(room, "b").data["audience"] == ["b"]


def test_who_hears_a_message_is_decided_when_it_is_stored() -> None:
    room = room_with("none")
    before = said(room, "a")
    room.does(Connect([("a", "b"), ("c", "b")]))
    after = said(room, "a")
    room.does(Connect([("a", "b")], on=False))
    b = room.state.memberships["b"]
    assert (b.may_see(before), b.may_see(after)) == (False, True)
    assert heard(room, "b") == "c"


def test_what_is_so_already_is_not_on_record() -> None:
    room = room_with("ring")
    assert room.does(Connect([("a", "b"), ("a", "a")])) == []
    (event,) = room.does(Connect([("a", "b"), ("a", "c"), ("a", "c")]))
    assert (event.kind, event.data) == ("connected", {"edges": [["a", "c"]]})
    (event,) = room.does(Connect([("a", "d"), ("a", "c")], on=False))
    assert (event.kind, event.data) == ("disconnected", {"edges": [["a", "c"]]})
    assert room.refuses(Connect([("a", "nobody")])) == "not_member"


def test_what_was_taken_from_a_full_network_and_given_back_leaves_it_full() -> None:
    room = room_with("full")
    room.does(Connect([("a", "b")], on=False))
    assert not room.state.network.is_full and heard(room, "b") == "cdef"
    assert said(room, "c").data.get("audience") is None, "who is heard by all, is heard by all"
    assert said(room, "a").data["audience"] == list("acdef")
    room.does(Connect([("a", "b")]))
    assert room.state.network.is_full and "audience" not in said(room, "a").data


def test_who_does_not_take_part_hears_all_and_is_heard_by_all() -> None:
    room = room_with("none")
    for role in ("observer", "experimenter"):
        room.does(Join(role, f"h-{role}", role))
        assert heard(room, role).startswith(MEMBERS)
        assert room.does(Connect([("a", role)], on=False)) == []
    assert heard(room, "a") == "observerexperimenter"
    message = said(room, "a")
    late = Membership("late", "h", "Late", "experimenter", joined=99)
    assert room.state.memberships["observer"].may_see(message) and late.may_see(message)
    assert "audience" not in said(room, "experimenter").data
    assert "audience" not in room.does(Post([("text", "to all")]))[0].data
    room.does(Connect([("experimenter", "a")], on=False))
    assert said(room, "experimenter").data["audience"] == list("bcdef")
    room.does(Change("experimenter", "participant"))
    assert said(room, "experimenter").data["audience"] == ["experimenter"]


def test_who_hears_all_sees_nothing_that_the_app_has_said_to_some_only() -> None:
    room = room_with("none")
    room.does(Join("boss", "h-boss", "experimenter"))
    (message,) = room.does(Post([("text", "psst")], member="a", audience=["b"]))
    assert not room.state.memberships["boss"].may_see(message)
    assert message.data["audience"] == ["b"] and "by_network" not in message.data


def test_a_post_in_a_members_name_and_a_held_message_are_heard_as_theirs() -> None:
    room = room_with({"a": ["b"]})
    (message,) = room.does(Post([("text", "hi")], "user", "a"))
    assert (message.data["audience"], message.data["by_network"]) == (["a", "b"], True)
    (held,) = room.does(Say("a", "hi", "c1", "page", waits=True))
    assert "audience" not in held.data
    room.does(Connect([("a", "c")]))
    (shown,) = room.does(Publish(held.seq, "a", "page", "hi", "hi"))
    assert shown.data["audience"] == ["a", "b", "c"]


def test_the_end_of_a_stream_is_for_those_who_hear_it() -> None:
    room = room_with({"a": ["b"]})
    room.does(Join("boss", "h-boss", "experimenter"))
    (opening,) = room.does(Post([], "user", "a", is_live=True, by="c"))
    assert "by_h" not in opening.data, "b is not shown who c is"
    room.does(Connect([("a", "c")]))
    (ending,) = room.does(EndStream.of_stream(opening, [("text", "x")], "done", ()))
    members = room.state.memberships
    assert [each for each in members if members[each].may_see(ending)] == ["a", "b", "boss"]


def test_a_reply_is_heard_by_no_more_than_was_said() -> None:
    room = room_with("ring")
    (message,) = room.does(Post([("text", "hi")], "user", "a", at_most=["a", "b", "e"]))
    assert message.data["audience"] == ["a", "b"]
    room.does(Configure("seed", network=Network()))
    (message,) = room.does(Post([("text", "hi")], "user", "a", at_most=["a", "b", "e"]))
    assert message.data["audience"] == ["a", "b", "e"], "though by now all hear all"


# ── as a setting ──


@pytest.mark.parametrize(
    "wrong", ["rings", "star:", {"a": "b"}, {"a": 5}, 5, {"a": [5]}, {5: ["a"]}]
)
def test_what_is_no_network_is_refused(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        as_network(wrong)


def test_what_code_says_of_a_network_does_not_undo_what_was_connected_since() -> None:
    room = PureRoom(members="abc")
    ring, star = as_network("ring"), as_network("star:a")
    (event,) = room.does(Configure("seed", network=ring, is_default=True))
    assert event.data == {"network": "ring", "code": {"network": "ring"}}
    assert room.does(Configure("seed", network=ring, is_default=True)) == []
    room.joins("d")
    room.does(Connect([("a", "c")]))
    room.does(Configure("seed", network=star, is_default=True))
    assert room.state.network.shape == "ring" and room.state.code.network == star
    room.does(Configure("seed", network=star))
    assert room.state.network == star


edges = st.lists(st.tuples(st.sampled_from(MEMBERS), st.sampled_from(MEMBERS)), max_size=4)
networks = st.sampled_from(["full", "none", "ring", "star:a", "star:f"]) | st.dictionaries(
    st.sampled_from(MEMBERS), st.lists(st.sampled_from(MEMBERS), max_size=3), max_size=4
)
changes = st.one_of(
    st.builds(Connect, edges, st.booleans()),
    st.builds(lambda n: Configure("seed", network=as_network(n)), networks),
    st.sampled_from([Remove("b"), Join("b", "h-b"), Join("g", "h-g"), Change("a", "experimenter")]),
)


@given(st.lists(changes, max_size=10))
def test_a_restart_reads_the_same_network_from_the_log(steps: list[Any]) -> None:
    room = PureRoom(members=MEMBERS)
    for step in steps:
        room.refuses(step)
    stored = [event._replace(data=json.loads(json.dumps(dict(event.data)))) for event in room.log]
    state = RoomState()
    for event in stored:
        state = fold(state, event)
    assert state.network == room.state.network == fold_all(RoomState(), stored).network
    assert state.code.network == room.state.code.network


@given(st.lists(changes, max_size=10), st.sampled_from(MEMBERS))
def test_all_ways_to_ask_who_hears_whom_agree(steps: list[Any], speaker: str) -> None:
    room = PureRoom(members=MEMBERS)
    for step in steps:
        room.refuses(step)
    state = room.state
    if (mine := state.membership(speaker)) is None:
        return
    for viewer in state.memberships:
        known = state.hearing.heard_by(viewer)
        assert state.hears(viewer, speaker) == (known is None or speaker in known)
    message = said(room, speaker)
    for viewer in state.members():
        assert viewer.may_see(message) == state.hears(viewer.member, speaker)
    hearers = state.hearing.hearers(speaker)
    assert message.data.get("audience") == hearers
    assert hearers is None or mine.hears_all or speaker in hearers


# ── in a lobby ──


def in_group(given: Any, parts: dict[str, int] | None = None) -> Network:
    """The network of a group of "abc", in which "a" has the first part."""
    form = json.loads(json.dumps(as_group_network(given, parts, 3)))
    order = [part for part, number in (parts or {}).items() for _ in range(number)]
    return network_of_group(form, "abc", dict(zip("abc", order, strict=False)))


@pytest.mark.parametrize("given", ["full", "none", "ring"])
def test_a_group_has_the_network_of_its_lobby(given: Shape) -> None:
    assert in_group(given) == Network(given)


def test_people_of_a_group_are_named_by_number_part_or_as_bots() -> None:
    parts = {"buyer": 1, "seller": 2}
    assert in_group("star:buyer", parts) == in_group("star:0") == Network("star", "a")
    assert in_group("star:helper") == Network("star", "helper")
    by_parts = in_group({"buyer": ["seller"], "seller": ["seller", "helper"]}, parts)
    assert set(by_parts.edges) == {
        *(("a", "b"), ("a", "c"), ("b", "c"), ("c", "b"), ("b", "helper"), ("c", "helper"))
    }
    assert set(in_group({0: [1, 2], 2: [0]}).edges) == {("a", "b"), ("a", "c"), ("c", "a")}


@pytest.mark.parametrize("wrong", ["star:seller", {3: [0]}, {0: [-1]}, {0.5: [1]}, "rings"])
def test_what_can_be_no_network_of_a_group_is_refused(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        as_group_network(wrong, {"buyer": 1, "seller": 2}, 3)


def test_a_number_that_a_smaller_group_does_not_have_is_nobody() -> None:
    form = as_group_network({0: [1, 2], 2: [0]}, None, 3)
    assert set(network_of_group(form, "ab", {}).edges) == {("a", "b")}
    assert network_of_group(as_group_network("star:2", None, 3), "ab", {}) == Network("none")


# ── other versions, and withdrawal ──


def test_in_a_network_of_a_newer_version_nobody_hears_anybody() -> None:
    room = PureRoom(members="ab")
    room.takes(Event(room.state.seq + 1, 0, "configured", None, {"network": {"small world": 3}}))
    assert heard(room, "a") == "" and room.state.network == Network("none")


@pytest.mark.parametrize("given", ["star:ring", {"ring": ["b"], "b": ["ring"]}, "ring"])
def test_who_withdraws_is_in_no_network_by_their_id(given: Any) -> None:
    """An id may also be the name of a shape."""
    room = PureRoom(members="b")
    room.joins("ring")
    room.does(Configure("seed", network=as_network(given), is_default=True))
    room.does(Connect([("b", "ring")], on=False))
    renaming = Renaming("ring", "withdrawn-1")
    log = [rewritten(event, renaming) for event in room.log]
    after, before = fold_all(RoomState(), log), room.state
    assert after.network == before.network.replaced("ring", "withdrawn-1")
    assert after.code.network == before.code.network.replaced("ring", "withdrawn-1")
    assert after.hears("withdrawn-1", "b") == before.hears("ring", "b")
