"""Apps as users write them, unedited."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve
from tests.support.models.model import Model, Reply
from tests.support.models.tls_door import TlsDoor


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


def test_a_bookmarked_model_chat_is_a_groups_with_one_import_changed(
    people: People, serve: Serve, monkeypatch: pytest.MonkeyPatch
):
    with Model() as model, TlsDoor("api.openai.com", model.port) as door:
        for name, value in {**door.environ, "OPENAI_API_KEY": "key"}.items():
            monkeypatch.setenv(name, value)
        app = serve("wanted/dropin.py")
        ann, bob = people(2, app)
        for each in (ann, bob):
            each.sees("Hello! What shall we look at?")
        model.will(Reply("A fine view."), Reply("word " * 40, pieces=40, rate=20), Reply("Quite."))
        ann.says("At the sea.")
        bob.sees("A fine view.")
        bob.says("Tell us more")
        ann.says("said meanwhile")
        bob.sees("said meanwhile", by=ann)
        ann.sees("Quite.")
        told = next(call for call in model.calls if call.text == "Tell us more")
        assert told.messages[1:3] == [
            ("user", f"{ann.name}: At the sea."),
            ("assistant", "A fine view."),
        ]
        expect(ann.page).to_have_url(re.compile("_inputs_|_values_|place"))
        assert "the sea" not in unquote_plus(ann.page.url), "the conversation is in no URL"
        ann.page.get_by_role("button", name="Clear my view").click()
        ann.sees_no("At the sea.")
        bob.sees("At the sea.", by=ann)
        assert not [line for line in app.log if "Traceback" in line]


def test_a_sessions_chat_has_numbered_players_and_a_callback(people: People, serve: Serve):
    ann, bob = people(2, serve("wanted/session_chat.py"))
    assert {ann.name, bob.name} == {"Player 1", "Player 2"}
    ann.says("Can you help me?")
    for each in (ann, bob):
        each.sees(f"{ann.name}, someone will be with you.")
