"""Several people, one room."""

from __future__ import annotations

from tests.browser.conftest import People


def test_three_people_talk_and_all_see_the_same_order(people: People):
    ann, bob, carl = people(3)
    ann.says("hi")
    bob.says("hello")
    carl.says("good morning")
    for person in (ann, bob, carl):
        person.sees_only("hi", "hello", "good morning")
    assert ann.transcript() == bob.transcript() == carl.transcript()
    bob.sees("hi", by=ann)
    ann.sees("good morning", by=carl)


def test_messages_sent_at_the_same_moment_stand_in_one_order(people: People):
    ann, bob, carl = people(3)
    for n in range(5):
        ann.tries(f"a{n}")
        bob.tries(f"b{n}")
        carl.tries(f"c{n}")
    for person in (ann, bob, carl):
        for n in range(5):
            person.sees(f"a{n}", f"b{n}", f"c{n}")
    assert ann.transcript() == bob.transcript() == carl.transcript()


def test_a_reload_keeps_the_person_and_the_transcript(people: People):
    ann, bob = people(2)
    name = ann.name
    ann.says("before")
    bob.says("still there")
    ann.sees("still there")
    ann.reloads()
    assert ann.name == name
    ann.sees_only("before", "still there")
    ann.says("after")
    bob.sees("after", by=name)
    ann.chat.expect_own(True, "before")
    ann.chat.expect_own(False, "still there")


def test_a_late_comer_sees_all_that_was_said(people: People):
    ann, bob = people(2)
    ann.says("one", "two")
    bob.says("three")
    (carl,) = people(1)
    carl.sees_only("one", "two", "three")
    carl.sees("one", by=ann)
    carl.sees("three", by=bob)
