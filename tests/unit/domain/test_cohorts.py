"""The rules for cohorts, which are grouped among themselves round by round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import (
    Barrier,
    DescribeLobby,
    EndPerson,
    LobbySigns,
    NextRound,
    RecordAnswer,
    Say,
    ShowRoom,
)
from shiny_labchat.domain.decide import Unproposed
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.lobby_due import due_rounds, next_due
from shiny_labchat.domain.records import records_in
from shiny_labchat.domain.rounds import has_no_group, waits_in
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.study import Cohort, StudyState, fold_all_study
from shiny_labchat.errors import Refused
from tests.unit.domain.test_lobby import LOBBY, SECOND, Waiting

STUDY = LogKey("s", "s", "study")


def people(count: int) -> list[str]:
    return [f"p{n}" for n in range(count)]


class Rounds(Waiting):
    """A study whose lobby has brought a cohort together."""

    def __init__(self, count: int, **settings: Any) -> None:
        usual = {"cohort": count, "rounds": 5, "rematch": "strangers", "next_on": "done"}
        super().__init__(*people(count), **{**usual, **settings})
        self.advance()

    @property
    def cohort(self) -> Cohort:
        return self.study.cohorts["l", 1]

    @property
    def round(self) -> list[tuple[str, ...]]:
        """The groups of the round."""
        return [self.study.groups[room].people for room in self.cohort.rooms]

    def records(self, *who: str, kind: str = "done", value: Any = 1) -> None:
        for person in who:
            self.tell(RecordAnswer("s", person, kind, value))

    def ends(self, *who: str, reason: str = "withdrew") -> None:
        for person in who:
            self.tell(EndPerson("s", person, reason))

    def goes_on(self, seconds: float = 0) -> list[int]:
        """Have done what is due; the cohorts that are in another round then."""
        self.now += int(seconds * SECOND)
        begun: list[int] = []
        for cohort in due_rounds("l", self.study, self.now):
            before = cohort.round
            self.next_round(before, is_forced=False)
            if self.study.cohorts["l", cohort.number].round != before:
                begun.append(cohort.number)
        return begun

    def next_round(self, after: int, is_forced: bool = True, **more: Any) -> list[Event]:
        return self.tell(NextRound("s", "l", 1, after, "random", is_forced, **more))

    def finishes(self) -> None:
        """All who have a group end the round."""
        self.records(*(person for group in self.round for person in group if self.is_in(person)))
        self.goes_on()

    def is_in(self, person: str) -> bool:
        return self.reason(person) is None

    def due(self) -> float | None:
        """In how many seconds something is due, once all see their rooms; None: never."""
        for room in self.cohort.rooms:
            self.tell(ShowRoom("s", room, "none"))
        signs = LobbySigns({})
        at = next_due("l", self.lobby("l"), self.study, signs, self.now)
        return None if at == 0 else round((at - self.now) / SECOND, 1)


def pairs(groups: Iterable[Sequence[str]]) -> set[frozenset[str]]:
    return {frozenset(pair) for group in groups for pair in combinations(group, 2)}


# ── beginning ──


def test_a_cohort_waits_for_all_of_it_and_has_its_first_round() -> None:
    waiting = Waiting(*people(7), cohort=8, rounds=3, rematch="strangers")
    waiting.advance()
    assert not waiting.groups()
    waiting.enter("p7")
    waiting.advance()
    assert sorted(map(len, waiting.groups())) == [2, 2, 2, 2]
    assert list(waiting.study.groups) == [f"l-c1-r1-{n}" for n in range(1, 5)]
    room = waiting.room("l-c1-r1-2")
    assert (room.cohort, room.round, room.lobby) == (1, 1, "l") and not room.is_shown


def test_the_condition_is_the_cohorts() -> None:
    waiting = Waiting(*people(16), cohort=8, rounds=2, rematch="strangers", conditions=["a", "b"])
    waiting.advance()
    by_cohort = {number: each.condition for (_, number), each in waiting.study.cohorts.items()}
    assert sorted(by_cohort.values()) == ["a", "b"] == sorted(waiting.study.cells("l"))
    for group in waiting.study.groups.values():
        assert group.condition == by_cohort[group.cohort]


def test_one_group_is_a_cohort_of_partners_by_itself() -> None:
    rounds = Waiting(*people(4), rounds=2, next_on="done")
    rounds.advance()
    assert list(rounds.study.groups) == ["l-c1-r1", "l-c2-r1"]


def test_a_cohort_that_is_asked_whether_it_is_ready_begins_with_the_last_answer() -> None:
    waiting = Waiting(*people(4), cohort=4, rounds=2, rematch="strangers", ready=15)
    waiting.advance()
    waiting.is_ready(*people(3))
    assert not waiting.groups()
    waiting.is_ready("p3")
    assert len(waiting.groups()) == 2 and not waiting.lobby("l").matches


def test_a_smaller_cohort_is_one_that_can_be_divided() -> None:
    waiting = Waiting(
        *people(7), group_size=[4, 4, 4], cohort=12, rounds=2, rematch="strangers",
        short="sit_out", max_wait=30, on_timeout=["smaller"],
    )  # fmt: skip
    waiting.advance(31)
    assert list(map(len, waiting.groups())) == [4]


# ── going on ──


def test_the_next_round_begins_once_all_have_recorded_what_ends_it() -> None:
    rounds = Rounds(8)
    first = rounds.round
    rounds.records(*people(7))
    assert rounds.goes_on() == [] and rounds.cohort.round == 1
    rounds.records("p7")
    assert rounds.goes_on() == [1] and rounds.cohort.round == 2
    assert not pairs(first) & pairs(rounds.round)
    assert all(not rounds.room(f"l-c1-r1-{n}").is_open for n in range(1, 5))
    assert rounds.goes_on() == [], "what was recorded in the first round ends no second one"
    assert {rounds.person(each).room for each in people(8)} == set(rounds.cohort.rooms)


def test_there_are_as_many_rounds_as_were_said() -> None:
    rounds = Rounds(4, rounds=3)
    for _ in range(6):
        rounds.finishes()
    assert rounds.cohort.round == 3 and len(rounds.study.groups) == 6
    assert rounds.next_round(3) == [] and all(map(rounds.is_in, people(4)))


def test_a_round_begins_once_however_often_it_is_asked_for() -> None:
    rounds = Rounds(4)
    assert rounds.next_round(1) and rounds.next_round(1) == []
    assert rounds.cohort.round == 2 and rounds.next_round(2)


def test_the_first_to_wait_waits_no_longer_than_was_said_and_who_is_late_ends() -> None:
    rounds = Rounds(8, within=30)
    rounds.records("p0")
    assert rounds.due() == 30
    rounds.now += 10 * SECOND
    rounds.records(*people(6)[1:])
    assert rounds.goes_on(19) == [] and rounds.due() == 1
    assert rounds.goes_on(1) == [1]
    assert rounds.reason("p6") == rounds.reason("p7") == "idle"
    assert all(map(rounds.is_in, people(6))) and sorted(map(len, rounds.round)) == [2, 2, 2]


def test_who_waits_for_their_group_or_has_only_just_gone_on_is_not_late() -> None:
    rounds = Rounds(8, group_size=[4, 4, 4], within=30)
    fast, slow = rounds.round
    rounds.records(*slow[:3], kind="gift")
    room = rounds.person(slow[0]).room
    assert room is not None
    rounds.tell(Barrier("s", room, "gift", 60 * SECOND))
    rounds.records(*fast)
    assert rounds.goes_on(31) == [1], "nobody waits longer, whoever is to blame"
    assert rounds.reason(slow[3]) == "idle" and all(map(rounds.is_in, slow[:3]))


def test_who_has_written_just_now_is_not_late_either() -> None:
    rounds = Rounds(4, within=30)
    (one, two), (other, silent) = rounds.round
    room = rounds.person(other).room
    assert room is not None
    rounds.tell(ShowRoom("s", room, "none"))
    rounds.records(one, two)
    rounds.now += 20 * SECOND
    rounds.in_room(room, Say(other, "wait", "c", "page"))
    assert rounds.goes_on(11) == [1]
    assert rounds.reason(silent) == "idle" and rounds.is_in(other)


def test_a_group_that_may_talk_yet_is_waited_for() -> None:
    rules = asdict(Rules(duration=100, start_within=20))
    rounds = Rounds(4, within=30, rules=rules)
    (one, two), _ = rounds.round
    rounds.records(one, two)
    due = rounds.due()
    assert due == 150


def test_what_is_recorded_for_a_round_that_is_over_is_of_that_round() -> None:
    rounds = Rounds(4)
    before = rounds.person("p0").room
    rounds.next_round(1)
    rounds.tell(RecordAnswer("s", "p0", "done", 1, room=before))
    assert before is not None and rounds.study.awaited(before, "done")[0] == ["p0"]
    rounds.tell(RecordAnswer("s", "p0", "form", 1, round=1))
    assert [each.data for each in records_in(rounds.study, before, "form")] == [1]
    now = rounds.person("p0").room
    assert now is not None and rounds.study.awaited(now, "done") == ([], False)


def test_nobody_is_late_where_the_code_begins_a_round() -> None:
    rounds = Rounds(4, next_on=None)
    assert rounds.goes_on(10_000) == []
    rounds.next_round(1)
    assert all(map(rounds.is_in, people(4)))


# ── what is recorded in a round ──


def test_what_is_recorded_in_a_round_is_of_its_room_and_what_was_before_is_of_all() -> None:
    rounds = Rounds(4)
    rounds.records("p0", kind="before", value="x")
    one = rounds.person("p0").room
    assert one is not None
    rounds = Rounds(4)
    rounds.records(*people(4), kind="gift", value=1)
    rounds.finishes()
    two = rounds.person("p0").room
    assert two is not None
    assert rounds.study.awaited(two, "gift") == ([], False)
    assert records_in(rounds.study, two, "gift") == []
    rounds.records("p0", kind="gift", value=2)
    assert [each.data for each in records_in(rounds.study, two, "gift")] == [2]
    group = next(each for each in rounds.study.groups.values() if "p0" in each.people)
    assert {each.data for each in records_in(rounds.study, group.room, "gift")} == {1}
    assert rounds.person("p0").data["gift"] == 2


# ── who is gone ──


def test_the_partner_of_who_leaves_is_in_no_group_until_the_next_round() -> None:
    rounds = Rounds(6)
    (gone, left), *others = rounds.round
    rounds.ends(gone)
    assert rounds.is_in(left) and has_no_group(rounds.study, left)
    waits = waits_in(rounds.study, left)
    assert waits is not None and waits.is_out and waits.until is None
    rounds.records(*(each for group in others for each in group))
    assert rounds.goes_on() == [1], "nobody waits for who has no group"
    assert sorted(map(len, rounds.round)) == [2, 3] or len(rounds.cohort.out) == 1


def test_with_the_last_round_a_group_is_dissolved_as_ever() -> None:
    rounds = Rounds(4, rounds=2)
    rounds.finishes()
    (gone, left), _ = rounds.round
    rounds.ends(gone)
    assert rounds.reason(left) == "group_dissolved"


def test_a_round_whose_groups_are_all_dissolved_is_over() -> None:
    rounds = Rounds(4, next_on=None)
    (one, _), (other, _) = rounds.round
    rounds.ends(one, other)
    assert rounds.goes_on() == [1] and len(rounds.round) == 1


def test_who_is_left_alone_in_the_cohort_is_led_out() -> None:
    rounds = Rounds(4)
    (one, two), (three, four) = rounds.round
    rounds.ends(one, three, two)
    assert rounds.is_in(four)
    rounds.goes_on()
    assert rounds.reason(four) == "group_dissolved"
    assert rounds.goes_on() == [] and rounds.due() is None


def test_groups_become_smaller_by_one_at_most() -> None:
    rounds = Rounds(12, group_size=[4, 4, 4])
    rounds.ends("p3")
    rounds.finishes()
    assert sorted(map(len, rounds.round)) == [3, 4, 4]


def test_who_sits_out_is_not_waited_for_and_plays_in_the_next_round() -> None:
    rounds = Rounds(9, group_size=[3, 3, 3], short="sit_out")
    rounds.ends("p3")
    rounds.finishes()
    assert list(map(len, rounds.round)) == [3, 3] and len(rounds.cohort.out) == 2
    out = rounds.cohort.out
    assert all(has_no_group(rounds.study, person) for person in out)
    rounds.records(*out, kind="done")
    rounds.finishes()
    assert rounds.cohort.round == 3 and not set(out) & set(rounds.cohort.out)


def test_those_who_were_with_who_has_left_end_where_that_was_said() -> None:
    rounds = Rounds(12, group_size=[4, 4, 4], short="end")
    hit, *others = rounds.round
    rounds.ends(hit[0])
    assert all(map(rounds.is_in, hit[1:])), "they finish their round"
    rounds.finishes()
    assert {rounds.reason(each) for each in hit[1:]} == {"group_dissolved"}
    assert sorted(map(len, rounds.round)) == [4, 4]
    assert set().union(*rounds.round) == set().union(*others)


def test_partners_go_on_without_who_has_left_and_who_is_alone_ends() -> None:
    rounds = Rounds(6, group_size=[3, 3, 3], rematch="partners")
    first, second = rounds.round
    rounds.ends(first[0])
    rounds.finishes()
    assert rounds.round == [first[1:], second]
    rounds.ends(first[1])
    assert rounds.reason(first[2]) == "group_dissolved"
    rounds.finishes()
    assert rounds.round == [second]


def test_partners_keep_their_parts() -> None:
    rounds = Rounds(6, group_size=[3, 3, 3], rematch="partners", parts={"x": 1, "y": 2})
    before = {each: rounds.person(each).part for each in people(6)}
    rounds.finishes()
    assert {each: rounds.person(each).part for each in people(6)} == before


def test_every_part_is_played_in_every_round() -> None:
    rounds = Rounds(8, group_size=[4, 4, 4], parts={"x": 1, "y": 1, "z": 1})
    rounds.ends("p1")
    rounds.finishes()
    for room in rounds.cohort.rooms:
        assert set(rounds.study.groups[room].parts.values()) == {"x", "y", "z"}


def test_perfect_strangers_stay_so_whoever_leaves() -> None:
    rounds = Rounds(12, rematch="perfect", rounds=11)
    met: set[frozenset[str]] = set()
    for number in range(1, 12):
        assert rounds.cohort.round == number
        assert not met & pairs(rounds.round)
        met |= pairs(rounds.round)
        if number in (3, 7):
            rounds.ends(rounds.round[0][0])
        rounds.finishes()


# ── the app's own function ──


def test_the_app_says_who_is_with_whom() -> None:
    waiting = Waiting(*people(4), cohort=4, rounds=2, rematch="app", next_on="done")
    with pytest.raises(Unproposed) as caught:
        waiting.advance()
    assert caught.value.what == "rounds" and set(caught.value.people) == set(people(4))
    divided = {frozenset(people(4)): [["p0", "p3"], ["p1", "p2"]]}
    waiting.advance(divisions=divided)
    assert waiting.groups() == [{"p0", "p3"}, {"p1", "p2"}]
    command = NextRound("s", "l", 1, 1, "random", True)
    with pytest.raises(Unproposed):
        waiting.tell(command)
    proposed = [["p0", "p1"]]
    waiting.tell(NextRound("s", "l", 1, 1, "random", True, groups=proposed))
    assert waiting.groups()[2:] == [{"p0", "p1"}]
    assert has_no_group(waiting.study, "p2")


@pytest.mark.parametrize("groups", [[["p0", "p0"]], [["p0", "x"]], [["p0"]], [["p0", "p1", "p2"]]])
def test_a_round_that_cannot_be_is_refused(groups: Any) -> None:
    waiting = Waiting(*people(4), cohort=4, rounds=2, rematch="app")
    waiting.advance(divisions={frozenset(people(4)): [["p0", "p3"], ["p1", "p2"]]})
    with pytest.raises(Refused) as caught:
        waiting.tell(NextRound("s", "l", 1, 1, "random", True, groups=groups))
    assert caught.value.code == "not_grouped"


def test_what_makes_cohorts_is_fixed_once_there_are_people() -> None:
    rounds = Rounds(4)
    for name, value in (("cohort", 8), ("rounds", 9), ("rematch", "partners")):
        with pytest.raises(Refused) as caught:
            rounds.tell(DescribeLobby("s", "l", "seed", {name: value}))
        assert caught.value.code == "fixed"


# ── all of it ──


@given(
    rematch=st.sampled_from(["partners", "strangers", "perfect"]),
    short=st.sampled_from(["smaller", "sit_out", "stand_in", "end"]),
    leaving=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 8)), max_size=7),
    late=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 8)), max_size=4),
)
def test_a_cohort_comes_to_its_end_and_everybody_is_in_one_group_or_waits_or_has_ended(
    rematch: Any, short: Any, leaving: list[tuple[int, int]], late: list[tuple[int, int]]
) -> None:
    rounds = Rounds(
        9,
        group_size=[3, 3, 3],
        rematch=rematch,
        short=short,
        rounds=4,
        within=30,
        stand_ins=BOTS,
    )
    before: set[frozenset[str]] = set()
    for number in range(1, 5):
        for at, who in leaving:
            if at == number and rounds.is_in(f"p{who}"):
                rounds.ends(f"p{who}")
        slow = {f"p{who}" for at, who in late if at == number}
        here = [each for each in people(9) if rounds.is_in(each)]
        grouped = [each for group in rounds.round for each in group]
        assert len(grouped) == len(set(grouped))
        for person in here:
            assert person in grouped or has_no_group(rounds.study, person)
        if rematch == "perfect" and rounds.cohort.round == number:
            assert not before & pairs(rounds.round)
            before |= pairs(rounds.round)
        rounds.records(*(each for each in here if each in grouped and each not in slow))
        rounds.goes_on()
        rounds.goes_on(31)
    left = [each for each in people(9) if rounds.is_in(each)]
    assert not left or rounds.cohort.round == 4
    assert not due_rounds("l", rounds.study, rounds.now)
    grouped = [event for event in rounds.events[LOBBY] if event.kind == "grouped"]
    assert len(grouped) == len(rounds.study.groups)
    assert fold_all_study(StudyState(), rounds.events[STUDY]) == rounds.study


# ── bots in empty places ──

BOTS = [[None, ["bot-1", "bot-2"]]]


@pytest.mark.parametrize("rematch", ["partners", "strangers", "perfect"])
def test_bots_fill_the_places_of_those_who_are_gone_from_the_next_round_on(rematch: str) -> None:
    filled = {"short": "stand_in", "stand_ins": BOTS, "group_size": [3, 3, 3]}
    rounds = Rounds(9, rematch=rematch, rounds=3, **filled)
    assert not any(rounds.room(room).stand_ins for room in rounds.cohort.rooms)
    rounds.ends("p4")
    rounds.finishes()
    rooms = [rounds.room(room) for room in rounds.cohort.rooms]
    groups = zip(rounds.round, rooms, strict=True)
    sizes = [len(people) + len(room.stand_ins) for people, room in groups]
    assert sizes == [3, 3, 3] and sum(len(room.stand_ins) for room in rooms) == 1
    assert pairs(rounds.round) <= pairs([[each for each in people(9) if each != "p4"]])


def test_a_bot_plays_the_part_of_the_partner_who_is_gone() -> None:
    filled = {"short": "stand_in", "stand_ins": BOTS, "parts": {"buyer": 1, "seller": 1}}
    rounds = Rounds(4, rematch="partners", rounds=2, **filled)
    gone = rounds.round[0][0]
    part = rounds.study.people[gone].part
    stays = {each: rounds.study.people[each].part for each in people(4) if each != gone}
    rounds.ends(gone)
    rounds.finishes()
    grouped = [event.data for event in rounds.events[LOBBY] if event.kind == "grouped"]
    [filled_group] = [each for each in grouped if "stand_ins" in each]
    assert filled_group["parts"]["bot-1"] == part
    assert {each: rounds.study.people[each].part for each in stays} == stays


def test_a_group_whose_places_bots_cannot_fill_has_no_next_round() -> None:
    filled = {"short": "stand_in", "stand_ins": [[None, ["bot-1"]]], "group_size": [3, 3, 3]}
    rounds = Rounds(3, rematch="strangers", rounds=3, **filled)
    rounds.ends("p0", "p1")
    rounds.finishes()
    assert [rounds.reason(each) for each in people(3)] == [
        "withdrew",
        "withdrew",
        "group_dissolved",
    ]
