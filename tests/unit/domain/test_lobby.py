"""The rules for a lobby and the people who wait in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import (
    Advance,
    Arrive,
    Confirm,
    DescribeLobby,
    DescribeStudy,
    EndPerson,
    EnterLobby,
    LobbySigns,
    NamePerson,
    Ready,
    StudyCommand,
    TakeName,
    WaitLonger,
)
from shiny_labchat.domain.decide import MoreLogs
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.lobby import Place
from shiny_labchat.domain.logs import empty_state, fold_any_all
from shiny_labchat.errors import Refused
from tests.support.study import Logs

SECOND = 1_000_000
LOBBY = LogKey("s", "l", "lobby")


class Waiting(Logs):
    """
    A study with a lobby in which people wait.

    Attributes
    ----------
    gone
        The ids of the people who are not there any more.
    """

    def __init__(self, *people: str, **settings: Any) -> None:
        super().__init__()
        self.gone: set[str] = set()
        self.tell(DescribeStudy("s", "seed", {"seed": 7}))
        self.tell(DescribeLobby("s", "l", "seed", {"settle": 0, "ready": None, **settings}))
        self.enter(*people)

    def enter(self, *people: str) -> None:
        for person in people:
            self.tell(Arrive("s", person))
            self.tell(EnterLobby("s", "l", person))

    def signs(self, idle: Iterable[str] = ()) -> LobbySigns:
        """All who have not gone were heard of just now."""
        people = self.study.people
        seen = {person: self.now for person in people if person not in self.gone}
        return LobbySigns(seen, dict.fromkeys(idle, 0))

    def advance(self, seconds: float = 0, idle: Iterable[str] = (), **more: Any) -> list[Event]:
        self.now += int(seconds * SECOND)
        return self.tell(Advance("s", "l", self.signs(idle), "random", **more))

    def is_ready(self, *people: str) -> None:
        for person in people:
            match = self.place(person).match
            self.tell(Ready("s", "l", person, match, self.signs(), "random"))

    def tell(self, command: StudyCommand) -> list[Event]:
        """Apply a command as the log does: again with the logs that its rule needs besides."""
        try:
            return self.does(command)
        except MoreLogs as exc:
            also = (*command.also, *exc.logs)
            return self.tell(type(command)(**{**_fields(command), "also": also}))

    def place(self, person: str) -> Place:
        return self.lobby("l").places[person]

    def groups(self) -> list[set[str]]:
        return [set(group.people) for group in self.study.groups.values()]

    def reason(self, person: str) -> str | None:
        ended = self.person(person).ended
        return ended and ended.reason


def _fields(command: Any) -> dict[str, Any]:
    return {name: getattr(command, name) for name in command.__dataclass_fields__}


# ── grouping ──


def test_two_who_wait_become_a_group_in_a_room_of_theirs():
    waiting = Waiting("ann", "bob", "carl", conditions=["a", "b"], parts={"x": 1, "y": 1})
    waiting.advance()
    assert waiting.groups() == [{"ann", "bob"}] and waiting.lobby("l").queue == ("carl",)
    room = waiting.room("l-1")
    assert {each.member for each in room.members()} == {"ann", "bob"}
    assert room.lobby == "l" and not room.is_shown
    ann, bob = waiting.person("ann"), waiting.person("bob")
    assert ann.room == "l-1" and ann.condition == bob.condition == room.condition in ("a", "b")
    assert {ann.part, bob.part} == {"x", "y"}


def test_the_log_has_what_is_needed_to_draw_a_group_again():
    waiting = Waiting("ann", "bob")
    waiting.advance()
    [grouped] = [event for event in waiting.events[LOBBY] if event.kind == "grouped"]
    assert {"seed", "draw", "block", "waits", "seen", "people"} <= set(grouped.data)


def test_nobody_who_has_gone_is_grouped():
    waiting = Waiting("ann", "bob", "carl")
    waiting.gone = {"ann"}
    waiting.advance(11)
    assert waiting.groups() == [{"bob", "carl"}]


def test_who_comes_back_in_time_keeps_their_place_and_waiting_time():
    waiting = Waiting("ann", grace=60)
    since = waiting.place("ann").since
    waiting.gone = {"ann"}
    waiting.advance(50)
    waiting.gone = set()
    waiting.enter("ann", "bob", "carl")
    assert waiting.lobby("l").queue[0] == "ann" and waiting.place("ann").since == since


def test_who_stays_away_loses_their_place_and_comes_again_at_the_back():
    waiting = Waiting("ann", "bob", "carl", group_size=[4, 4, 4], grace=60)
    waiting.gone = {"ann"}
    waiting.advance(61)
    assert waiting.place("ann").status == "left" and waiting.reason("ann") is None
    waiting.gone = set()
    waiting.enter("ann")
    assert waiting.lobby("l").queue == ("bob", "carl", "ann")


def test_the_smallest_group_waits_a_while_for_a_better_one():
    waiting = Waiting("ann", "bob", group_size=[2, 3, 3], settle=20)
    waiting.advance(10)
    assert waiting.groups() == []
    waiting.advance(11)
    assert waiting.groups() == [{"ann", "bob"}]


def test_nobody_is_grouped_before_the_lobby_opens_or_the_code_says_so():
    waiting = Waiting("ann", "bob", opens=100 * SECOND)
    waiting.advance(10)
    assert waiting.groups() == []
    waiting.advance(100)
    assert waiting.groups()
    waiting = Waiting(*(f"p{n}" for n in range(118)), group_size=[3, 4, 4], start="code")
    assert not waiting.advance() and waiting.advance(leftover="spread")
    assert Counter(map(len, waiting.groups())) == {4: 28, 3: 2}
    assert waiting.lobby("l").queue == ()


def test_what_the_app_proposes_is_checked_against_who_waits_then():
    waiting = Waiting("ann", "bob", "carl", pick="app")
    waiting.advance(groups=[["ann", "carl"]])
    assert waiting.groups() == [{"ann", "carl"}]
    with pytest.raises(Refused) as caught:
        waiting.advance(groups=[["ann", "bob"]])
    assert caught.value.code == "not_grouped"


def test_a_dissolved_group_gives_its_condition_back():
    waiting = Waiting("ann", "bob", conditions=["a", "b"])
    waiting.advance()
    first = waiting.person("ann").condition
    waiting.tell(EndPerson("s", "ann", "withdrew"))
    assert waiting.study.cells("l") == []
    waiting.enter("carl", "dora", "eve", "fred")
    waiting.advance()
    assert sorted(waiting.study.cells("l")) == ["a", "b"] and first in ("a", "b")


def test_who_is_full_up_says_so():
    waiting = Waiting("ann", "bob", "carl", capacity=2)
    assert waiting.reason("carl") == "full"


# ── the ready check ──


def test_a_group_is_formed_when_all_have_said_that_they_are_ready():
    waiting = Waiting("ann", "bob", ready=15)
    waiting.advance()
    waiting.is_ready("ann")
    assert waiting.groups() == []
    waiting.is_ready("bob")
    assert waiting.groups() == [{"ann", "bob"}]


def test_others_go_to_the_front_with_their_waiting_time():
    waiting = Waiting("ann", "bob", "carl", ready=15)
    since = waiting.place("bob").since
    waiting.advance()
    waiting.is_ready("bob")
    waiting.advance(16)
    assert waiting.place("ann").status == "missed"
    assert waiting.place("bob").match == waiting.place("carl").match == 2
    assert waiting.place("bob").since == since


def test_who_misses_a_second_check_ends_and_is_asked_after_the_first():
    waiting = Waiting("ann", "bob", ready=15)
    waiting.advance()
    waiting.advance(16)
    waiting.enter("ann", "bob")
    waiting.advance()
    waiting.is_ready("bob")
    waiting.advance(16)
    assert waiting.reason("ann") == "not_ready" and waiting.place("bob").status == "waiting"


def test_who_is_ready_and_gone_is_not_grouped():
    waiting = Waiting("ann", "bob", ready=15)
    waiting.advance()
    waiting.is_ready("ann")
    waiting.gone = {"ann"}
    waiting.now += 11 * SECOND
    waiting.is_ready("bob")
    assert waiting.groups() == [] and waiting.place("bob").status == "waiting"


def test_who_leaves_a_check_sends_the_others_back():
    waiting = Waiting("ann", "bob", "carl", ready=15)
    waiting.advance()
    waiting.tell(EndPerson("s", "ann", "withdrew"))
    assert waiting.lobby("l").queue == ("bob", "carl") and not waiting.lobby("l").matches


def test_an_answer_that_comes_too_late_is_refused():
    waiting = Waiting("ann", "bob", ready=15)
    waiting.advance()
    waiting.now += 16 * SECOND
    with pytest.raises(Refused, match="too late"):
        waiting.is_ready("ann")


# ── waiting comes to an end ──


def test_nobody_waits_longer_than_was_said():
    waiting = Waiting("ann", max_wait=300)
    waiting.advance(299)
    assert waiting.reason("ann") is None
    waiting.advance(2)
    assert waiting.reason("ann") == "lobby_timeout" and waiting.lobby("l").queue == ()


def test_who_wants_to_waits_longer_as_often_as_allowed():
    waiting = Waiting("ann", max_wait=300, extends=1, extend=120)
    waiting.tell(WaitLonger("s", "l", "ann"))
    waiting.advance(350)
    assert waiting.reason("ann") is None
    with pytest.raises(Refused):
        waiting.tell(WaitLonger("s", "l", "ann"))
    waiting.advance(71)
    assert waiting.reason("ann") == "lobby_timeout"


def test_a_smaller_group_may_be_better_than_none():
    waiting = Waiting("ann", "bob", group_size=[3, 3, 3], on_timeout=["smaller", "leave"])
    waiting.advance(301)
    assert waiting.groups() == [{"ann", "bob"}]
    assert waiting.reason("ann") is waiting.reason("bob") is None
    assert waiting.room("l-1").is_open


def test_who_touches_nothing_is_asked_and_ends_without_an_answer():
    waiting = Waiting("ann", "bob", group_size=[3, 3, 3], max_wait=900)
    waiting.advance(121, idle=["ann", "bob"])
    waiting.tell(Confirm("s", "l", "bob"))
    waiting.advance(16)
    assert [waiting.reason(person) for person in ("ann", "bob")] == ["idle", None]


# ── whatever happens ──

NAMES = [f"p{n}" for n in range(6)]
ACTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["enter", "go", "come", "end", "ready"]), st.sampled_from(NAMES)),
        st.tuples(st.just("wait"), st.sampled_from([1, 9, 16, 61, 130])),
    ),
    max_size=60,
)


@given(ACTS, st.sampled_from([None, 15]), st.sampled_from([[2, 2, 2], [2, 3, 3]]))
def test_nobody_is_in_two_groups_and_no_ghost_in_one(
    acts: list[tuple[str, Any]], ready: float | None, size: list[int]
):
    waiting = Waiting(ready=ready, group_size=size, conditions=["a", "b"])
    waiting.now += 1_000 * SECOND  # long after 0, when people were heard of who never were
    for what, whom in acts:
        try:
            _act(waiting, what, whom)
        except Refused:
            continue
    groups = [each for each in waiting.events.get(LOBBY, ()) if each.kind == "grouped"]
    grouped = Counter(person for each in groups for person in each.data["people"])
    assert all(count == 1 for count in grouped.values())
    for each in groups:
        assert size[0] <= len(each.data["people"]) <= size[2]
        assert all(each.at - seen <= 10 * SECOND for seen in each.data["seen"].values())
    queue = waiting.lobby("l").queue
    assert len(set(queue)) == len(queue)
    assert all(waiting.place(person).status == "waiting" for person in queue)
    for key, events in waiting.events.items():
        assert fold_any_all(empty_state(key.kind), events) == waiting.state(key)


def _act(waiting: Waiting, what: str, whom: Any) -> None:
    match what:
        case "enter":
            waiting.enter(whom)
        case "go":
            waiting.gone.add(whom)
        case "come":
            waiting.gone.discard(whom)
        case "end":
            waiting.tell(EndPerson("s", whom, "withdrew"))
        case "ready":
            if whom in waiting.lobby("l").places:
                waiting.is_ready(whom)
        case _:
            waiting.advance(whom)


def test_a_groups_time_starts_once_all_are_there_unless_the_rules_say_otherwise():
    wanted = {"duration": 300}, {"duration": 300, "starts": "open"}, {"max_length": 9}, None
    starts: list[str | None] = []
    for rules in wanted:
        waiting = Waiting("ann", "bob", rules=rules)
        waiting.advance()
        starts.append(waiting.room("l-1").rules.starts)
    assert starts == ["all_present", "open", None, None]


# ── names ──


def shown_in(waiting: Waiting, room: str) -> dict[str, str]:
    return {each.member: each.pseudonym for each in waiting.room(room).members()}


def test_people_have_another_name_in_each_room_or_one_in_all():
    for names, are_same in (("room", False), ("study", True)):
        waiting = Waiting("ann", "bob", names=names)
        waiting.advance()
        first = shown_in(waiting, "l-1")
        waiting.tell(DescribeLobby("s", "m", "seed", {"settle": 0, "ready": None, "names": names}))
        for person in ("ann", "bob"):
            waiting.tell(EnterLobby("s", "m", person))
        waiting.tell(Advance("s", "m", waiting.signs(), "random"))
        assert (first == shown_in(waiting, "m-1")) is are_same, names


def test_names_throughout_a_study_are_different():
    people = [f"p{n}" for n in range(60)]
    waiting = Waiting(*people, names="study")
    waiting.advance()
    names = waiting.study.names()
    assert len({*names}) == len(people)


def test_who_is_asked_for_a_name_waits_once_they_have_chosen_one():
    waiting = Waiting("ann", "bob", names="ask", capacity=2)
    assert waiting.place("ann").status == "naming"
    waiting.advance(seconds=400)
    assert waiting.groups() == [] and waiting.lobby("l").queue == ()
    with pytest.raises(Refused, match="do not wait"):
        waiting.tell(WaitLonger("s", "l", "ann"))
    for person, name in (("ann", " Zoë\u200b  the 1st "), ("bob", "Bob")):
        waiting.tell(TakeName("s", "l", person, name))
        assert waiting.tell(TakeName("s", "l", person, "Another")) == [], "a double click is one"
    assert waiting.place("ann").since > 400 * SECOND, "the time of choosing is not waited for"
    waiting.advance()
    assert shown_in(waiting, "l-1") == {"ann": "Zoë the 1st", "bob": "Bob"}
    waiting.enter("carl")
    assert waiting.reason("carl") == "full", "those who choose have no place yet, all others have"


@pytest.mark.parametrize("name", ["", " ", "\u200b", "x" * 31, "Player {n}"])
def test_a_name_that_is_none_is_refused(name: str):
    waiting = Waiting("ann", names="ask")
    with pytest.raises(Refused) as caught:
        waiting.tell(TakeName("s", "l", "ann", name))
    assert caught.value.code == "bad_name"
    waiting.tell(TakeName("s", "l", "ann", "x" * 30))
    assert waiting.place("ann").status == "waiting"


@pytest.mark.parametrize("name", ["Ann", "ANN", " a\u200bnn", "ａｎｎ"])
def test_nobody_takes_a_name_that_looks_like_anothers(name: str):
    waiting = Waiting("ann", "bob", names="ask")
    waiting.tell(TakeName("s", "l", "ann", "Ann"))
    with pytest.raises(Refused) as caught:
        waiting.tell(TakeName("s", "l", "bob", name))
    assert caught.value.code == "name_taken" and waiting.place("bob").status == "naming"


def test_who_has_chosen_a_name_is_not_asked_again_in_another_lobby():
    waiting = Waiting("ann", names="ask")
    waiting.tell(TakeName("s", "l", "ann", "Ann"))
    waiting.tell(DescribeLobby("s", "m", "seed", {"names": "ask"}))
    waiting.tell(EnterLobby("s", "m", "ann"))
    assert waiting.lobby("m").places["ann"].status == "waiting"


def test_who_is_asked_for_a_name_can_leave():
    waiting = Waiting("ann", names="ask")
    waiting.tell(EndPerson("s", "ann", "withdrew"))
    assert waiting.place("ann").status == "left"


# ── groups of all who are in the study ──


def everyone(waiting: Waiting, lobby: str = "l", **more: Any) -> list[Event]:
    """Group all who are there."""
    waiting.now += 20 * SECOND
    start = {"leftover": "spread", "everyone": True, **more}
    return waiting.tell(Advance("s", lobby, waiting.signs(), "random", **start))


def arrived(*people: str, **settings: Any) -> Waiting:
    """People of a study who have not been in its lobby."""
    waiting = Waiting(group_size=[2, 2, 2], start="code", **settings)
    for person in people:
        waiting.tell(Arrive("s", person))
    return waiting


def test_all_who_are_in_the_study_are_grouped_wherever_they_are():
    waiting = arrived("ann", "bob", "carl", "dora", "eve")
    waiting.tell(EnterLobby("s", "l", "ann"))
    waiting.tell(EndPerson("s", "eve", "withdrew"))
    everyone(waiting)
    assert {person for group in waiting.groups() for person in group} == {
        *("ann", "bob", "carl", "dora")
    }
    assert waiting.lobby("l").queue == ()
    kinds = Counter(event.kind for event in waiting.events[LOBBY])
    assert kinds["entered"] == 4 and kinds["grouped"] == 2
    assert everyone(waiting) == [], "who has a group stays in it"


def test_who_is_not_there_or_is_left_over_is_brought_nowhere():
    waiting = arrived("ann", "bob", "carl", "dora")
    waiting.gone = {"carl"}
    everyone(waiting)
    [group] = waiting.groups()
    assert len(group) == 2 and "carl" not in group
    assert waiting.lobby("l").places.keys() == group
    assert all(waiting.person(each).lobby is None for each in waiting.study.people.keys() - group)


def test_who_had_lost_their_place_is_grouped_again_with_all():
    waiting = arrived("ann", "bob")
    waiting.tell(EnterLobby("s", "l", "ann"))
    waiting.gone = {"ann"}
    waiting.advance(seconds=100)
    assert waiting.place("ann").status == "left"
    waiting.gone = set()
    everyone(waiting)
    assert waiting.groups() == [{"ann", "bob"}]


def test_nobody_without_a_name_is_grouped_where_people_choose_theirs():
    waiting = arrived("ann", "bob", "carl", names="ask")
    for person in ("ann", "bob", "carl"):
        waiting.tell(EnterLobby("s", "l", person))
    for person in ("ann", "bob"):
        waiting.tell(TakeName("s", "l", person, person))
    everyone(waiting)
    assert waiting.groups() == [{"ann", "bob"}]
    assert shown_in(waiting, "l-1") == {"ann": "ann", "bob": "bob"}
    assert waiting.place("carl").status == "naming"


def test_no_more_people_are_brought_than_there_are_places():
    waiting = arrived(*(f"p{n}" for n in range(7)), capacity=4)
    everyone(waiting)
    assert len(waiting.groups()) == 2
    assert all(waiting.reason(person) is None for person in waiting.study.people)


def test_whom_another_lobby_groups_waits_in_the_first_one_no_more():
    waiting = arrived("ann", "bob", "carl")
    waiting.tell(DescribeLobby("s", "m", "seed", {"ready": None, "start": "code"}))
    for person in ("ann", "carl"):
        waiting.tell(EnterLobby("s", "l", person))
    waiting.gone = {"carl"}
    everyone(waiting, "m")
    assert waiting.person("ann").lobby == "m" and waiting.lobby("l").queue == ("carl",)
    [left] = [event for event in waiting.events[LOBBY] if event.kind == "left"]
    assert (left.member, left.data["reason"]) == ("ann", "moved")
    waiting.advance(seconds=1_000)
    assert waiting.reason("ann") is None


def test_who_was_in_a_group_of_another_lobby_is_grouped_in_a_new_one():
    waiting = arrived("ann", "bob", "carl", "dora", avoid="never")
    everyone(waiting)
    first = waiting.groups()
    waiting.tell(
        DescribeLobby("s", "m", "seed", {"ready": None, "start": "code", "avoid": "never"})
    )
    everyone(waiting, "m")
    again = [set(each.people) for each in waiting.study.groups.values() if each.lobby == "m"]
    assert len(again) == 2 and all(len(one & other) == 1 for one in first for other in again)


def test_who_was_given_a_name_elsewhere_in_the_study_is_asked_for_one_all_the_same():
    waiting = arrived("ann", names="ask")
    waiting.tell(NamePerson("s", "ann"))
    given = waiting.person("ann").name
    waiting.tell(EnterLobby("s", "l", "ann"))
    assert given and waiting.place("ann").status == "naming"
    waiting.tell(TakeName("s", "l", "ann", given))
    assert waiting.person("ann").name == given and waiting.place("ann").status == "waiting"
