"""Apps as users write them, unedited."""

from __future__ import annotations

import re

from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve


def test_hello_is_one_room_for_everybody(people: People, shared: Serve):
    ann, bob, carl = people(3, shared("wanted/hello.py"))
    ann.says("hi")
    bob.sees("hi", by=ann)
    bob.says("hello")
    carl.sees_only("hi", "hello")
    assert ann.transcript() == bob.transcript() == carl.transcript()


def test_announcements_are_the_teachers_and_the_class_discusses(
    people: People, shared: Serve, organiser: Organiser
):
    app = shared("wanted/announcements.py")
    token = organiser.does(organiser.lab(app).invite("teacher", role="experimenter"))
    (teacher,) = people(1, app, chat="announcements", labchat=token)
    (pupil,) = people(1, app, chat="announcements")
    teacher.stands("open")
    teacher.says("No class on Friday")
    pupil.sees("No class on Friday", by=teacher)
    pupil.stands("readonly", "You can read this room, but not write in it.")
    pupil.cannot_write("You can read this room, but not write in it.")
    pupil.at("discussion").says("Why not?")
    teacher.at("discussion").sees("Why not?")


def test_a_module_used_twice_lets_one_room_hear_the_other(people: People, shared: Serve):
    ann, bob = people(2, shared("wanted/core_module.py"), chat="left-chat")
    ann.says("hello over there")
    bob.sees("hello over there", by=ann)
    bob.at("right-chat").sees("Next door they say: hello over there")
    bob.at("left-chat").sees_no("Next door")
    assert re.fullmatch(r"Guest \d+", ann.at("right-chat").name)
