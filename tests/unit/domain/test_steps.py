"""The step of a whole study, also one that is set for later."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import DescribeStudy, SetStudyStep
from shiny_labchat.domain.steps import Steps
from tests.support.study import Logs

SECOND = 1_000_000


def made() -> Logs:
    logs = Logs()
    logs.does(DescribeStudy("s", "seed", {}))
    return logs


def test_there_is_no_step_until_one_is_set():
    logs = made()
    assert logs.study.steps.now(logs.now) is None
    logs.does(SetStudyStep("s", "groups"))
    assert logs.study.steps.now(logs.now) == "groups"


def test_the_same_step_again_is_no_event():
    logs = made()
    assert logs.does(SetStudyStep("s", "groups"))
    assert logs.does(SetStudyStep("s", "groups")) == []
    assert logs.does(SetStudyStep("s", "back"))


def test_steps_for_later_follow_by_themselves_each_in_its_time():
    logs = made()
    logs.does(SetStudyStep("s", "talk"))
    logs.does(SetStudyStep("s", "vote", after=300 * SECOND))
    logs.does(SetStudyStep("s", "end", after=600 * SECOND))
    steps, now = logs.study.steps, logs.now
    at = (0, 299, 301, 599, 601)
    shown = [steps.now(now + seconds * SECOND) for seconds in at]
    assert shown == ["talk", "talk", "vote", "vote", "end"]
    first, second = steps.next_change(now), steps.next_change(now + 400 * SECOND)
    assert first is not None and steps.now(first - 1) == "talk" and steps.now(first) == "vote"
    assert second is not None and steps.now(second) == "end"
    assert steps.next_change(second) is None


def test_a_step_takes_the_place_of_those_that_were_to_follow_after_it():
    logs = made()
    logs.does(SetStudyStep("s", "talk"))
    for seconds, step in ((300, "vote"), (600, "end"), (450, "quiz")):
        logs.does(SetStudyStep("s", step, after=seconds * SECOND))
    later = logs.now + 3_600 * SECOND
    assert [step for _, step in logs.study.steps.later] == ["vote", "quiz"]
    assert logs.does(SetStudyStep("s", "talk")), "it ends what was planned"
    assert logs.study.steps.now(later) == "talk" and logs.study.steps.later == ()


def test_a_step_that_has_come_by_itself_stays_when_another_is_planned():
    logs = made()
    logs.does(SetStudyStep("s", "vote", after=SECOND))
    logs.now += 2 * SECOND
    logs.does(SetStudyStep("s", "end", after=60 * SECOND))
    assert logs.study.steps.now(logs.now) == "vote"


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from("abc"), st.integers(0, 50))))
def test_what_was_set_last_for_a_time_or_before_it_holds(sets: list[tuple[int, str, int]]):
    steps, at, said = Steps(), 0, list[tuple[int, str]]()
    for waits, step, after in sets:
        at += waits
        said = [each for each in said if each[0] < at + after] + [(at + after, step)]
        steps = steps.with_step(step, at + after, at)
        for time in range(at, at + 110, 5):
            held = [step for since, step in said if since <= time]
            assert steps.now(time) == (held[-1] if held else None)
