"""Who comes later, where `history` is "joined", and who goes on in the place of somebody."""

from __future__ import annotations

import pytest

from shiny_labchat.domain.commands import Post
from shiny_labchat.domain.decide import decide
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import message_of
from shiny_labchat.domain.shares import places_in, shares_of, speakers_in
from shiny_labchat.domain.state import RoomState, fold_all
from shiny_labchat.domain.turns import turn_at
from shiny_labchat.live.window import Window

JOINED = {"rules": {"history": "joined"}}


def joined(seq: int, member: str, **data: object) -> Event:
    known = {"handle": f"h-{member}", "pseudonym": member.title(), "role": "participant"}
    return Event(seq, seq, "joined", member, {**known, **data})


def replaced(seq: int, bot: str, person: str) -> list[Event]:
    """A bot takes somebody's place."""
    known = {"handle": f"h-{person}", "pseudonym": person.title(), "role": "assistant"}
    known |= {"shown": "participant", "is_bot": True, "replaces": person, "returns": 99}
    return [Event(seq, seq, "removed", person), Event(seq + 1, seq, "joined", bot, known)]


def said(seq: int, member: str, **data: object) -> Event:
    known = {"role": "user", "h": f"h-{member}", "name": member.title()}
    return Event(seq, seq, "message", member, {**known, "parts": [("text", f"{seq}")], **data})


def room(*events: Event) -> RoomState:
    """Ann, and who joins after her, in a room where latecomers read nothing from before."""
    return fold_all(RoomState(), [Event(1, 1, "configured", None, JOINED), *events])


LATE = room(joined(2, "ann"), said(3, "ann"), joined(4, "bob"))


@pytest.mark.parametrize(
    "event",
    [
        Event(5, 5, "streamed", None, {"of": 3, "is": "done", "parts": []}),
        Event(5, 5, "retracted", "ann", {"of": 3, "reason": None}),
        Event(5, 5, "withdrawn", "p", {"messages": [3], "h": "h-ann"}),
        Event(5, 5, "withdrawn", "p", {"messages": [], "h": "h-ann"}),
    ],
)
def test_who_comes_later_is_not_shown_what_becomes_of_what_was_said_before(event: Event) -> None:
    assert not LATE.shows(LATE.memberships["bob"], event)
    about = event._replace(data={**event.data, "of": 4, "messages": [3, 5]})
    assert LATE.shows(LATE.memberships["ann"], about)


def test_a_withdrawal_after_which_others_words_are_changed_is_for_all() -> None:
    event = Event(5, 5, "withdrawn", "p", {"messages": [], "h": "h-ann", "quotes": True})
    assert all(LATE.shows(each, event) for each in LATE.members())


def test_viewers_share_a_frame_unless_it_is_about_what_one_of_them_has_not_in_their_view() -> None:
    state = room(joined(2, "ann"), joined(3, "eve"), said(4, "ann", live=True), joined(5, "bob"))
    window = Window("seed")
    window.keep([said(4, "ann", live=True)])
    window.keep([Event(6, 6, "streamed", None, {"of": 4, "is": "done", "parts": []})])
    state = state._replace(seq=6)
    frames = {m: window.frame(state, 5, state.memberships[m])[0] for m in ("bob", "ann", "eve")}
    assert frames["bob"] is None and frames["ann"] is not None
    assert frames["eve"] is frames["ann"]
    window.keep([said(7, "ann")])
    state = state._replace(seq=7)
    shared = {m: window.frame(state, 6, state.memberships[m])[0] for m in ("bob", "ann")}
    assert shared["bob"] is shared["ann"]


# ── models ──


def test_a_model_is_told_what_was_said_since_the_last_of_its_hearers_came() -> None:
    assert LATE.told_after() == 4
    assert (LATE.told_after(["ann"]), LATE.told_after(["bob"])) == (2, 4)
    cleared = fold_all(LATE, [Event(5, 5, "cleared", "ann", {"scope": "view"})])
    assert cleared.told_after() == 4, "they have heard what they clear"
    left = fold_all(LATE, [Event(5, 5, "removed", "bob")])
    assert left.told_after() == 2


def test_who_came_later_has_not_heard_more_once_the_rule_is_another_one() -> None:
    other = {"rules": {"history": "all"}}
    state = fold_all(LATE, [Event(5, 5, "configured", None, other), joined(6, "eve")])
    assert state.told_after() == 4 and state.told_after(["ann", "eve"]) == 2
    assert state.floor(state.memberships["bob"]) == 4


def test_a_bot_in_a_place_has_heard_what_was_heard_there() -> None:
    state = fold_all(LATE, replaced(5, "stand-in", "bob"))
    assert state.told_after() == state.told_after(["stand-in"]) == 4


def test_who_joins_after_a_prompt_was_made_does_not_hear_the_reply() -> None:
    post = Post([("text", "reply")], "user", "ann", at_most=["ann", "bob"])
    [event] = decide(LATE, post, 9)
    assert "audience" not in event.data, "all have heard what it is made of"
    [event] = decide(fold_all(LATE, [joined(5, "eve")]), post, 9)
    assert event.data["audience"] == ["ann", "bob"] and event.data["by_network"]


# ── places ──


@pytest.mark.parametrize("turns", ["round_robin", "code"])
def test_who_takes_a_place_takes_the_turn_with_it(turns: str) -> None:
    rules = {"rules": {"turns": turns, "turn_seconds": 60}}
    state = room(Event(2, 2, "configured", None, rules), joined(3, "ann"), joined(4, "bob"))
    state = fold_all(state, [Event(5, 5, "turn", "ann", {"by": "code"})])
    before = turn_at(state, 20_000_000)
    state = fold_all(state, replaced(6, "stand-in", "ann"))
    assert turn_at(state, 20_000_000) == before._replace(member="stand-in")


def test_what_was_written_in_a_place_stays_its_share() -> None:
    words = [said(5, "ann"), said(6, "bob")]
    before = shares_of(map(message_of, words), speakers_in(LATE), places_in(LATE))
    state = fold_all(LATE, [*words, *replaced(7, "stand-in", "ann")])
    after = shares_of(map(message_of, words), speakers_in(state), places_in(state))
    assert before == {"ann": 0.5, "bob": 0.5} and after == {"bob": 0.5, "stand-in": 0.5}
