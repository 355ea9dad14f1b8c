"""When something is due in a lobby: the rules are asked then, and do it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import (
    Barrier,
    Confirm,
    EndPerson,
    LobbySigns,
    RecordAnswer,
    ShowRoom,
)
from shiny_labchat.domain.decide import Unproposed
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.lobby_due import SHOWN_WITHIN, due_in_rooms, is_asking, next_due
from shiny_labchat.errors import Refused
from tests.unit.domain.test_lobby import LOBBY, SECOND, Waiting

ROOM = LogKey("s", "l-1")


def due(waiting: Waiting, idle: dict[str, int] | None = None) -> float | None:
    """In how many seconds something is due; None: never."""
    signs = LobbySigns(waiting.signs().seen, idle or {})
    at = next_due("l", waiting.lobby("l"), waiting.study, signs, waiting.now)
    return None if at == 0 else round((at - waiting.now) / SECOND, 1)


def in_rooms(waiting: Waiting, *kinds: str, is_prepared: bool = True) -> list[Any]:
    return due_in_rooms(LOBBY, waiting.study, kinds, is_prepared, waiting.now)


def test_nothing_is_due_where_nobody_waits():
    waiting = Waiting()
    assert due(waiting) is None and not is_asking(waiting.lobby("l"))


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({"grace": 40}, 40),
        ({"max_wait": 30}, 30),
        ({"settle": 20}, 20),
        ({"opens": 13 * SECOND}, 12),
    ],
)
def test_what_is_due_first_counts(settings: dict[str, Any], seconds: float):
    assert due(Waiting("ann", **settings)) == seconds


def test_who_seems_idle_is_asked_in_time_and_ends_in_time():
    waiting = Waiting("ann", grace=900)
    assert due(waiting, {"ann": waiting.now}) == 120
    waiting.advance(121, idle=["ann"])
    assert due(waiting) == 15
    waiting.tell(Confirm("s", "l", "ann"))
    assert due(waiting, {"ann": waiting.now - 121 * SECOND}) == 120, "not again at once"
    assert waiting.advance(1, idle=["ann"]) == []


def test_a_ready_check_ends_in_time():
    waiting = Waiting("ann", "bob", ready=15)
    waiting.advance()
    assert due(waiting) == 15 and is_asking(waiting.lobby("l"))


@given(
    st.fixed_dictionaries(
        {
            "settle": st.sampled_from([0, 3, 20]),
            "grace": st.sampled_from([20, 60]),
            "max_wait": st.sampled_from([10, 70]),
            "ready": st.sampled_from([None, 15]),
            "opens": st.sampled_from([None, 30 * SECOND]),
        }
    ),
    st.lists(st.sampled_from(["ann", "bob", "carl"]), unique=True),
    st.sets(st.sampled_from(["ann", "bob"])),
)
def test_between_two_times_nothing_would_happen(
    settings: dict[str, Any], people: list[str], gone: set[str]
):
    """Asked at the times that are said, the rules do all that they do if asked each second."""
    asked, often = (Waiting(*people, group_size=[2, 3, 3], **settings) for _ in "ab")
    for waiting in (asked, often):
        waiting.gone = gone
        waiting.advance()
    end = asked.now + 80 * SECOND
    while often.now < end:
        often.advance(1)
    while 0 < (at := next_due("l", asked.lobby("l"), asked.study, asked.signs(), asked.now)) <= end:
        asked.now = max(asked.now, at)
        asked.advance()
    assert asked.groups() == often.groups()
    places = [
        [(each.person, each.status) for each in waiting.lobby("l").places.values()]
        for waiting in (asked, often)
    ]
    assert places[0] == places[1]


# ── what the app proposes ──


@pytest.mark.parametrize("ready", [None, 15])
def test_a_group_whose_condition_the_app_cannot_say_is_held_and_all_else_goes_on(ready: int | None):
    held = frozenset([frozenset(["ann", "bob"])])
    asked = {"conditions": ["a", "b"], "balance": "app", "on_timeout": ["smaller"]}
    waiting = Waiting("ann", "bob", "carl", "dora", ready=ready, max_wait=60, **asked)
    if ready is not None:
        waiting.advance()
        waiting.is_ready("ann", "bob", "carl", "dora")
    waiting.advance(held=held, cells={frozenset(["carl", "dora"]): "a"})
    assert waiting.groups() == [{"carl", "dora"}]
    waiting.advance(61, held=held)
    assert [waiting.reason(each) for each in ("ann", "bob")] == ["lobby_timeout"] * 2


def test_who_was_ready_goes_on_waiting_if_the_condition_is_not_known_in_time():
    waiting = Waiting("ann", "bob", ready=15, conditions="app", max_wait=60)
    waiting.advance()
    waiting.is_ready("ann", "bob")
    held = frozenset([frozenset(["ann", "bob"])])
    waiting.advance(10, held=held)
    assert {each.status for each in waiting.lobby("l").places.values()} == {"matched"}
    waiting.advance(10, held=held)
    assert waiting.lobby("l").queue == ("ann", "bob") and waiting.place("ann").missed == 0


def test_the_rules_say_which_proposal_is_missing():
    waiting = Waiting("ann", "bob", pick="app", conditions=["a", "b"], balance="app")
    with pytest.raises(Unproposed) as caught:
        waiting.advance()
    assert (caught.value.what, caught.value.people) == ("groups", ("ann", "bob"))
    with pytest.raises(Unproposed) as caught:
        waiting.advance(groups=[["ann", "bob"]])
    assert (caught.value.what, set(caught.value.people)) == ("cells", {"ann", "bob"})
    pair = frozenset(["ann", "bob"])
    with pytest.raises(Refused, match="must return one of the conditions"):
        waiting.advance(groups=[["ann", "bob"]], cells={pair: "c"})
    waiting.advance(groups=[["ann", "bob"]], cells={pair: "b"})
    assert waiting.person("ann").condition == "b"


def test_whatever_the_app_says_is_the_condition_where_it_names_none_before():
    waiting = Waiting("ann", "bob", conditions="app")
    waiting.advance(cells={frozenset(["ann", "bob"]): {"trust": "low", "n": 3}})
    assert waiting.person("ann").condition == {"trust": "low", "n": 3}


def test_the_last_answer_forms_no_group_before_the_app_has_proposed_its_condition():
    waiting = Waiting("ann", "bob", ready=15, conditions=["a", "b"], balance="app")
    waiting.advance()
    waiting.is_ready("ann", "bob")
    assert waiting.groups() == []
    waiting.advance(cells={frozenset(["ann", "bob"]): "a"})
    assert waiting.groups() == [{"ann", "bob"}]


def test_what_is_tried_when_waiting_ends_is_tried_in_order():
    waiting = Waiting("ann", on_timeout=["smaller", "app", "leave"], max_wait=10, extend=50)
    with pytest.raises(Unproposed):
        waiting.advance(11)
    waiting.advance(timeouts={"ann": ["wait"]})
    assert waiting.reason("ann") is None and due(waiting) == 49
    waiting.advance(50, timeouts={"ann": ["screened_out"]})
    assert waiting.reason("ann") == "screened_out"
    waiting = Waiting("bob", on_timeout=["app", "leave"], max_wait=10)
    waiting.advance(11, timeouts={"bob": [None]})
    assert waiting.reason("bob") == "lobby_timeout"


def test_who_waits_long_enough_is_grouped_with_others_wherever_they_stand():
    people = [f"p{n}" for n in range(6)]
    waiting = Waiting(*people, group_size=[2, 2, 2], start="code", on_timeout=["smaller"])
    waiting.tell(EndPerson("s", "p0", "withdrew"))
    waiting.advance(301)
    assert waiting.groups() == [{"p1", "p2"}, {"p3", "p4"}]
    assert waiting.reason("p5") == "lobby_timeout"


# ── the rooms of groups ──


def grouped(**settings: Any) -> Waiting:
    waiting = Waiting("ann", "bob", "carl", group_size=[3, 3, 3], **settings)
    waiting.advance()
    return waiting


def test_a_room_is_shown_at_once_where_nothing_prepares_it():
    waiting = grouped()
    [show] = in_rooms(waiting, is_prepared=False)
    waiting.tell(show)
    assert waiting.room("l-1").is_shown and in_rooms(waiting, is_prepared=False) == []
    assert [e.data for e in waiting.events[ROOM] if e.kind == "shown"] == [{"how": "none"}]


def test_a_room_is_shown_after_a_while_whatever_prepares_it():
    waiting = grouped()
    assert in_rooms(waiting) == [] and due(waiting) == 10
    waiting.now += SHOWN_WITHIN
    [show] = in_rooms(waiting)
    waiting.tell(show)
    assert [e.data for e in waiting.events[ROOM] if e.kind == "shown"] == [{"how": "late"}]
    assert due(waiting) is None


@pytest.mark.parametrize("hows", [("returned", "returned"), ("failed", "returned")])
def test_a_room_is_shown_once_all_functions_have_ended(hows: tuple[str, str]):
    waiting = grouped()
    waiting.tell(ShowRoom("s", "l-1", hows[0], "f", ["f", "g"]))
    assert not waiting.room("l-1").is_shown
    assert waiting.tell(ShowRoom("s", "l-1", hows[0], "f", ["f", "g"])) == []
    waiting.tell(ShowRoom("s", "l-1", hows[1], "g", ["f", "g"]))
    assert waiting.room("l-1").is_shown
    [shown] = [e for e in waiting.events[ROOM] if e.kind == "shown"]
    assert shown.data["how"] == hows[0]
    assert waiting.tell(ShowRoom("s", "l-1", "late")) == []


def test_a_barrier_is_met_once_the_last_one_has_recorded_it():
    waiting = grouped()
    for person in ("ann", "bob"):
        waiting.tell(RecordAnswer("s", person, "choice", "X"))
        assert [e for e in in_rooms(waiting, "choice") if isinstance(e, Barrier)] == []
    waiting.tell(EndPerson("s", "ann", "complete"))
    waiting.tell(EndPerson("s", "carl", "withdrew"))
    [barrier] = in_rooms(waiting, "choice")
    waiting.tell(barrier)
    assert waiting.study.barriers["l-1", "choice"].met is not None
    assert set(waiting.study.barriers["l-1", "choice"].met or ()) == {"ann", "bob"}
    [met] = [e for e in waiting.events[ROOM] if e.kind == "barrier_met"]
    assert met.data["kind"] == "choice" and in_rooms(waiting, "choice") == []


def test_a_barrier_that_pages_wait_at_is_over_in_time():
    waiting = grouped()
    waiting.tell(RecordAnswer("s", "bob", "choice", "X"))
    waiting.tell(Barrier("s", "l-1", "choice", 5 * SECOND))
    assert due(waiting) == 5
    waiting.now += 5 * SECOND
    [barrier] = in_rooms(waiting)
    waiting.tell(barrier)
    assert waiting.study.barriers["l-1", "choice"].met == ("bob",)


def test_who_leaves_the_study_after_the_lobby_is_noted_there_once():
    waiting = grouped(capacity=3)
    waiting.tell(EndPerson("s", "ann", "withdrew"))
    waiting.tell(EndPerson("s", "bob", "idle"))
    ended = [(e.member, e.data["reason"]) for e in waiting.events[LOBBY] if e.kind == "ended"]
    assert ended == [("ann", "withdrew"), ("bob", "idle"), ("carl", "group_dissolved")]
    waiting.enter("dora")
    assert waiting.reason("dora") == "full", "their places are not given away"
