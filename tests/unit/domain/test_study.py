"""The rules for a study and the people in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import (
    AdvanceRoom,
    Arrive,
    Barrier,
    CallLate,
    Close,
    Configure,
    Consent,
    Debrief,
    DescribeStudy,
    Dissolve,
    EndPerson,
    Join,
    NamePerson,
    Pay,
    PressDone,
    RecordAnswer,
    Remove,
    RemoveMember,
    SetStep,
    ShowRoom,
    StudyCommand,
)
from shiny_labchat.domain.decide import MoreLogs
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.logs import empty_state, fold_any_all
from shiny_labchat.domain.rules import Rules
from shiny_labchat.errors import Refused
from tests.support.study import Logs

STUDY = LogKey("s", "s", "study")
ROOM = LogKey("s", "r")
CONSENT = {"text": "You will talk.", "version": "1", "items": {"share": "My words."}}


def logs(*people: str, **settings: Any) -> Logs:
    """A study with people who have arrived."""
    made = Logs()
    made.does(DescribeStudy("s", "seed", settings))
    for person in people:
        made.does(Arrive("s", person))
    return made


def grouped(*people: str, bot: bool = False) -> Logs:
    """A study with people who are a group in an open room."""
    made = logs(*people)
    made.in_room("r", Configure("seed"))
    for person in people:
        made.in_room("r", Join(person, f"h-{person}"))
    if bot:
        made.in_room("r", Join("bot", "h-bot", is_bot=True, role="assistant"))
    made.add(STUDY, "grouped", lobby="l", number=1, room="r", people=people, parts={})
    return made


def refused(made: Logs, command: StudyCommand) -> str:
    """The code with which a command is refused."""
    with pytest.raises(Refused) as caught:
        made.does(command)
    return caught.value.code


# ── settings ──


def test_what_the_code_says_twice_is_said_once():
    made = logs(contact="a@b.org")
    assert made.does(DescribeStudy("s", "other", {"contact": "a@b.org"})) == []
    assert made.does(DescribeStudy("s", "other", {"contact": "c@b.org"}))
    assert made.study.settings.get("contact") == "c@b.org"
    assert made.study.seed == "seed"


def test_what_was_configured_stays_whatever_the_code_says():
    made = logs(contact="a@b.org")
    made.does(DescribeStudy("s", "", {"contact": "now"}, is_default=False))
    assert made.does(DescribeStudy("s", "", {"contact": "a@b.org"})) == []
    made.does(DescribeStudy("s", "", {"contact": "later"}))
    assert made.study.settings.get("contact") == "now"


def test_another_seed_is_refused_once_there_are_people():
    made = logs(seed=7)
    made.does(DescribeStudy("s", "", {"seed": 8}))
    made.does(Arrive("s", "ann"))
    with pytest.raises(Refused, match="seed is 8 there; the app says 9") as caught:
        made.does(DescribeStudy("s", "", {"seed": 9}))
    assert caught.value.code == "fixed"


# ── arrival and consent ──


def test_a_person_arrives_once():
    made = logs("ann")
    assert made.does(Arrive("s", "ann")) == []


def test_who_has_taken_part_before_ends_at_once():
    made = logs()
    made.does(Arrive("s", "ann", took_part=True))
    ended = made.person("ann").ended
    assert ended is not None and ended.reason == "already_took_part"


def test_a_study_that_deceives_and_tells_nobody_refuses_its_first_arrival():
    made = logs(deceives=True)
    assert refused(made, Arrive("s", "ann")) == "no_debrief"
    made.does(DescribeStudy("s", "", {"debrief": {"text": "It was a machine."}}))
    made.does(Arrive("s", "ann"))


def test_nobody_takes_part_before_their_consent():
    made = logs("ann", consent=CONSENT)
    assert refused(made, RecordAnswer("s", "ann", "age", 30)) == "consent_first"
    made.does(Consent("s", "ann", "1", answers={"share": True, "other": True}))
    made.does(RecordAnswer("s", "ann", "age", 30))
    consent = made.person("ann").consent
    assert consent is not None and consent.answers == {"share": True}


def test_what_is_required_must_be_agreed_to():
    made = logs("ann", consent={**CONSENT, "required": ["share"]})
    assert refused(made, Consent("s", "ann", "1")) == "consent_incomplete"


def test_a_new_version_asks_only_those_who_have_not_begun():
    made = logs("ann", "bob", consent=CONSENT)
    made.does(Consent("s", "ann", "1"))
    made.does(DescribeStudy("s", "", {"consent": {**CONSENT, "version": "2"}}))
    assert refused(made, Consent("s", "bob", "1")) == "old_consent"
    made.does(RecordAnswer("s", "ann", "age", 30))
    made.does(Consent("s", "bob", "2"))


def test_who_refuses_ends_and_cannot_consent_afterwards():
    made = logs("ann", consent=CONSENT)
    made.does(Consent("s", "ann", "1", agrees=False))
    assert refused(made, Consent("s", "ann", "1")) == "ended"


# ── answers, steps, pay ──


def test_the_latest_answer_of_a_kind_counts():
    made = logs("ann")
    for value in ("X", "Y"):
        made.does(RecordAnswer("s", "ann", "choice", value, step="after"))
    assert made.person("ann").data == {"choice": "Y"} and made.person("ann").step == "after"


def test_answers_can_end_a_persons_part():
    made = logs("ann")
    made.does(RecordAnswer("s", "ann", "choice", "X", end="complete"))
    ended = made.person("ann").ended
    assert ended is not None and ended.reason == "complete"
    assert made.person("ann").data == {"choice": "X"}
    assert refused(made, RecordAnswer("s", "ann", "choice", "Y", end="complete")) == "ended"


def test_the_same_key_is_one_payment():
    made = logs("ann")
    made.does(Pay("s", "ann", "group", 200))
    assert made.does(Pay("s", "ann", "group", 200)) == []
    assert refused(made, Pay("s", "ann", "group", 300)) == "paid"
    assert made.person("ann").paid == {"group": 200}


def test_who_has_ended_answers_nothing_and_is_paid():
    made = logs("ann")
    made.does(EndPerson("s", "ann", "complete"))
    assert made.does(EndPerson("s", "ann", "withdrew")) == []
    for command in (RecordAnswer("s", "ann", "k", 1), SetStep("s", "ann", "x")):
        assert refused(made, command) == "ended"
    made.does(Pay("s", "ann", "bonus", 50))


def test_the_debrief_comes_after_the_end():
    made = logs("ann")
    assert refused(made, Debrief("s", "ann")) == "not_ended"
    made.does(EndPerson("s", "ann", "complete"))
    assert made.does(Debrief("s", "ann")) and not made.does(Debrief("s", "ann"))
    made.does(Debrief("s", "ann", keep=False))
    assert made.person("ann").keep is False


# ── leaving a group ──


def test_who_leaves_a_group_is_removed_from_its_room():
    made = grouped("ann", "bob", "carl")
    with pytest.raises(MoreLogs) as caught:
        made.does(EndPerson("s", "ann", "withdrew"))
    made.does(EndPerson("s", "ann", "withdrew", also=caught.value.logs))
    assert made.room("r").membership("ann") is None and made.room("r").is_open


def test_one_who_is_left_behind_ends_too():
    made = grouped("ann", "bob")
    made.does(EndPerson("s", "ann", "withdrew", also=(ROOM,)))
    ended = made.person("bob").ended
    assert ended is not None and ended.reason == "group_dissolved"
    assert not made.room("r").is_open and made.study.groups["r"].dissolved == "group_dissolved"
    assert made.study.cells("l") == []


def test_who_is_removed_from_the_room_of_their_group_ends():
    made = grouped("ann", "bob", "carl")
    made.add(ROOM, "grouped", lobby="l")
    remove = RemoveMember("s", "r", "ann", also=(STUDY,))
    made.does(remove)
    assert reasons(made) == ["removed", None, None]
    assert made.room("r").membership("ann") is None and made.room("r").is_open
    assert made.does(remove) == []
    made.does(RemoveMember("s", "r", "bob", also=(STUDY,)))
    assert reasons(made) == ["removed", "removed", "group_dissolved"]


def test_a_removal_reads_no_study_where_the_room_is_no_groups():
    made = grouped("ann", "bob")
    assert [each.kind for each in made.does(RemoveMember("s", "r", "ann"))] == ["removed"]
    assert reasons(made) == [None, None]
    assert refused(made, RemoveMember("s", "r", "eve")) == "not_member"
    assert refused(made, RemoveMember("s", "no", "ann")) == "no_room"


def test_who_was_removed_before_ends_when_they_are_removed_again():
    """A server of an older version was killed between the two."""
    made = grouped("ann", "bob", "carl")
    made.add(ROOM, "grouped", lobby="l")
    made.in_room("r", Remove("ann"))
    made.does(RemoveMember("s", "r", "ann", also=(STUDY,)))
    assert reasons(made) == ["removed", None, None]


def test_a_bot_that_speaks_keeps_a_group_together():
    made = grouped("ann", "bob", bot=True)
    made.does(EndPerson("s", "ann", "withdrew", also=(ROOM,)))
    assert made.room("r").is_open and made.person("bob").ended is None


def test_who_has_completed_has_not_left():
    made = grouped("ann", "bob")
    made.does(EndPerson("s", "ann", "complete", also=(ROOM,)))
    assert made.room("r").is_open and made.room("r").membership("ann") is not None


def test_nobodys_group_is_dissolved_after_the_talk():
    made = grouped("ann", "bob")
    made.in_room("r", Close())
    made.does(EndPerson("s", "ann", "withdrew", also=(ROOM,)))
    assert made.person("bob").ended is None and made.study.groups["r"].dissolved is None


def talking(*people: str, bot: bool = False, **rules: Any) -> Logs:
    """A study with a group that talks by these rules, and has begun."""
    made = grouped(*people, bot=bot)
    made.in_room("r", Configure("", rules=Rules(duration=300, **rules)))
    made.add(ROOM, "grouped", lobby="l")
    made.add(ROOM, "shown")
    made.in_room("r", AdvanceRoom(frozenset(people)))
    assert made.room("r").clock.started
    return made


def reasons(made: Logs) -> list[str | None]:
    return [each.ended and each.ended.reason for each in made.study.people.values()]


def test_a_group_is_dissolved_for_who_is_gone_where_the_rules_say_so():
    made = talking("ann", "bob", "carl", on_gone="close")
    made.in_room("r", PressDone("carl"))
    assert made.does(Dissolve("s", "r", ("carl",))) == [], "who is done has not dropped out"
    made.does(Dissolve("s", "r", ("ann", "carl")))
    assert reasons(made) == ["idle", "group_dissolved", None]
    assert made.study.groups["r"].dissolved == made.room("r").reason == "group_dissolved"
    assert [each.member for each in made.room("r").members()] == ["bob", "carl"]
    assert made.does(Dissolve("s", "r", ("bob",))) == []


def test_a_group_goes_on_without_who_is_gone_where_the_rules_do_not_say_otherwise():
    made = talking("ann", "bob", on_gone="wait")
    assert made.does(Dissolve("s", "r", ("ann",))) == []


def test_who_has_completed_is_done_and_has_not_gone():
    made = talking("ann", "bob", on_gone="close", ends="all_done")
    made.does(EndPerson("s", "ann", "complete", also=(ROOM,)))
    assert made.room("r").done == ("ann",)
    assert made.does(Dissolve("s", "r", ("ann",))) == []
    made.in_room("r", PressDone("bob"))
    assert made.room("r").reason == "all_done"


def test_a_bot_that_may_speak_once_it_begins_keeps_a_group_together():
    made = grouped("ann", "bob", bot=True)
    made.in_room("r", Configure("", rules=Rules(starts="code")))
    made.does(EndPerson("s", "ann", "withdrew", also=(ROOM,)))
    assert made.room("r").is_open


# ── waiting for each other ──


def test_a_barrier_is_met_once_by_all_who_still_take_part():
    made = grouped("ann", "bob", "carl", bot=True)
    made.does(RecordAnswer("s", "ann", "choice", "X"))
    made.does(Barrier("s", "r", "choice", within=60, also=(ROOM,)))
    made.does(EndPerson("s", "carl", "withdrew", also=(ROOM,)))
    assert made.does(Barrier("s", "r", "choice", within=60, also=(ROOM,))) == []
    made.does(RecordAnswer("s", "bob", "choice", "Y"))
    made.does(Barrier("s", "r", "choice", within=60, also=(ROOM,)))
    assert made.study.barriers["r", "choice"].met == ("ann", "bob")
    assert made.does(Barrier("s", "r", "choice", within=60, also=(ROOM,))) == []


def test_nobody_waits_longer_than_from_the_first_page_that_waited():
    made = grouped("ann", "bob")
    made.does(RecordAnswer("s", "ann", "choice", "X"))
    made.does(Barrier("s", "r", "choice", within=60, also=(ROOM,)))
    made.now += 30
    made.does(Barrier("s", "r", "choice", within=60, also=(ROOM,)))
    made.now += 30
    made.does(Barrier("s", "r", "choice", within=60, also=(ROOM,)))
    assert made.study.barriers["r", "choice"].met == ("ann",)


def test_who_is_late_is_named_once_when_a_barrier_is_met():
    made = grouped("ann", "bob", "carl")
    wait = Barrier("s", "r", "choice", 10, also=(ROOM,))
    made.does(RecordAnswer("s", "ann", "choice", "X"))
    made.does(wait)
    assert made.does(CallLate("s", "r", "choice")) == []
    made.now += 10
    made.does(wait)
    made.does(EndPerson("s", "carl", "complete", also=(ROOM,)))
    (noted,) = made.does(CallLate("s", "r", "choice"))
    assert noted.data == {"room": "r", "kind": "choice", "people": ["bob"]}
    assert made.does(CallLate("s", "r", "choice")) == []


def test_a_barrier_before_there_is_a_group_is_not_met_for_ever():
    made = logs("ann")
    assert made.does(Barrier("s", "r", "choice", within=60, also=(ROOM,))) == []


# ── whatever happens ──

PEOPLE = st.sampled_from(["ann", "bob", "carl"])
KINDS = st.sampled_from(["choice", "age"])
ANY = st.one_of(
    st.builds(Arrive, st.just("s"), PEOPLE),
    st.builds(Consent, st.just("s"), PEOPLE, st.sampled_from("12"), st.booleans()),
    st.builds(RecordAnswer, st.just("s"), PEOPLE, KINDS, st.integers(0, 9)),
    st.builds(Pay, st.just("s"), PEOPLE, KINDS, st.integers(0, 3)),
    st.builds(Debrief, st.just("s"), PEOPLE, st.sampled_from([None, True, False])),
    st.builds(
        *(EndPerson, st.just("s"), PEOPLE, st.sampled_from(["complete", "withdrew"])),
        also=st.just((ROOM,)),
    ),
    st.builds(
        *(Barrier, st.just("s"), st.just("r"), KINDS, st.none() | st.integers(0, 9)),
        also=st.just((ROOM,)),
    ),
    st.builds(
        *(ShowRoom, st.just("s"), st.just("r"), st.sampled_from(["late", "returned", "failed"])),
        *(st.none() | KINDS, st.sampled_from([(), ("choice", "age")])),
        also=st.just((ROOM,)),
    ),
)


@given(st.lists(ANY, max_size=40), st.booleans())
def test_whatever_happens_a_restart_has_the_same_state(happens: list[StudyCommand], bot: bool):
    made = grouped("ann", "bob", bot=bot)
    for command in happens:
        try:
            made.does(command)
        except Refused:
            continue
    for key, events in made.events.items():
        assert fold_any_all(empty_state(key.kind), events) == made.state(key)


@given(st.lists(ANY, max_size=40))
def test_an_end_is_never_taken_back(happens: list[StudyCommand]):
    made, ended = grouped("ann", "bob"), dict[str, Any]()
    for command in happens:
        try:
            made.does(command)
        except Refused:
            pass
        for person in made.study.people.values():
            assert ended.setdefault(person.person, person.ended) in (None, person.ended)
            ended[person.person] = person.ended


def test_what_a_newer_version_has_written_is_ignored_and_kept():
    made = grouped("ann", "bob")
    made.add(STUDY, "teleported", "ann", to="moon")
    made.add(STUDY, "ended", "nobody", reason="complete", mood="good")
    made.add(STUDY, "paid", "ann", key="k", cents=5, currency="EUR")
    assert made.person("ann").paid == {"k": 5}


# ── the answers that a form needs ──


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"why": "so"},
        {"why": "so", "who": None},
        {"why": "so", "who": " \n"},
        {"why": "so", "who": ["2026-11-30", None]},
        "no answers at all",
    ],
    ids=str,
)
def test_a_form_without_an_answer_that_it_needs_is_refused(answers: Any) -> None:
    made = logs("ann")
    form = RecordAnswer("s", "ann", "form", answers, "a1", end="complete", needed=("why", "who"))
    with pytest.raises(Refused, match="form_incomplete"):
        made.does(form)
    assert made.study.people["ann"].ended is None
    assert made.study.people["ann"].data == {}


@pytest.mark.parametrize("who", ["X", 0, False, [], ["a"], {"x": 1}], ids=str)
def test_a_form_with_all_answers_that_it_needs_is_recorded(who: object) -> None:
    made = logs("ann")
    answers = {"why": "so", "who": who, "more": None}
    made.does(RecordAnswer("s", "ann", "form", answers, "a1", needed=("why", "who")))
    assert made.study.people["ann"].data == {"form": answers}


# ── names ──


def test_a_person_has_one_name_whoever_asks_for_it_first():
    made = logs("ann", "bob")
    made.does(NamePerson("s", "ann", "Teal Otter"))
    assert made.person("ann").name == "Teal Otter", "the one that they had so far"
    assert made.does(NamePerson("s", "ann", "Red Fox")) == []
    made.does(NamePerson("s", "bob", "teal otter"))
    assert made.person("bob").name not in (None, "teal otter"), "nobody has that of somebody else"
    assert refused(made, NamePerson("s", "zoe")) == "not_in_study"


# ── who takes part ──


def test_who_takes_part_has_consented_and_has_not_ended():
    made = logs("ann", "bob", "carl", consent=CONSENT)
    for person in ("ann", "bob"):
        made.does(Consent("s", person, "1"))
    made.does(EndPerson("s", "bob", "withdrew"))
    assert [each.person for each in made.study.present()] == ["ann"]
    assert [each.person for each in logs("dora").study.present()] == ["dora"]
