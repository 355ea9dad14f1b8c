"""Which inputs a form has, and what is kept of their values."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from shiny import ui

from shiny_labchat.lobby.answers import as_answer, ids_in, inputs_in, short_id
from shiny_labchat.lobby.forms import Form, Sent


def test_the_ids_of_a_form_are_those_of_its_inputs_and_of_what_is_around_them() -> None:
    content = [
        "How was it?",
        ui.input_slider("trust", "Trust", 0, 10, 5),
        ui.TagList(ui.div(ui.input_radio_buttons("who", "Who", ["X", "Y"]))),
        [ui.input_text_area("why", "Why")],
        None,
    ]
    found = ids_in(content)
    assert {"trust", "who", "why"} <= set(found)
    assert len(found) == len(set(found)), "an id is listed once"


INPUTS = {
    "text": lambda id: ui.input_text(id, "?"),
    "area": lambda id: ui.input_text_area(id, "?"),
    "password": lambda id: ui.input_password(id, "?"),
    "number": lambda id: ui.input_numeric(id, "?", 1),
    "radio": lambda id: ui.input_radio_buttons(id, "?", ["X"]),
    "boxes": lambda id: ui.input_checkbox_group(id, "?", ["X"]),
    "box": lambda id: ui.input_checkbox(id, "?"),
    "switch": lambda id: ui.input_switch(id, "?"),
    "select": lambda id: ui.input_select(id, "?", ["X"]),
    "selectize": lambda id: ui.input_selectize(id, "?", ["X"]),
    "slider": lambda id: ui.input_slider(id, "?", 0, 1, 1),
    "date": lambda id: ui.input_date(id, "?"),
    "dates": lambda id: ui.input_date_range(id, "?"),
    "file": lambda id: ui.input_file(id, "?"),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_each_of_shinys_inputs_is_known_as_one(kind: str) -> None:
    assert inputs_in([ui.div("How was it?", INPUTS[kind]("it"), id="around")]) == ["it"]


def test_buttons_and_outputs_are_no_inputs_of_a_form() -> None:
    content = [
        ui.input_action_button("more", "More"),
        ui.input_action_link("link", "More"),
        ui.input_task_button("task", "Work"),
        ui.output_text("said"),
    ]
    assert inputs_in(content) == []


def test_what_must_be_used_is_no_answer_before_it_was() -> None:
    form = Form("f", "kind", ["left-trust", "left-why"], "left", touched=["trust"])
    answers = {"trust": 5, "why": "so"}
    assert form.given(answers, {"left-why"}) == {"trust": None, "why": "so"}
    assert form.given(answers, {"left-trust"}) == answers


def test_an_answer_is_known_by_the_id_that_the_code_gives() -> None:
    assert short_id("left-why", "left") == "why"
    assert short_id("why", "") == "why"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (("a", "b"), ["a", "b"]),
        (date(2026, 11, 30), "2026-11-30"),
        (datetime(2026, 11, 30, 8), "2026-11-30T08:00:00"),
        (float("nan"), None),
        ({"x": (1, 2)}, {"x": [1, 2]}),
        (None, None),
        (True, True),
        ("a\0b \ud800", "ab \ufffd"),
        ({"\ud800": "\0"}, {"\ufffd": ""}),
    ],
)
def test_an_answer_is_what_json_and_every_database_can_hold(value: object, kept: object) -> None:
    assert as_answer(value) == kept


def test_what_a_page_sends_of_a_form_is_its_id_and_times() -> None:
    sent = Sent.of({"cid": "a1b2", "shown": 1000.0, "changed": None, "sent": 3000})
    assert sent == Sent("a1b2", {"shown_at": 1000, "sent_at": 3000})


@pytest.mark.parametrize(("said", "round"), [(3, 3), (None, None), ("3", None), (True, None)])
def test_in_rounds_a_form_says_in_which_it_was_drawn(said: object, round: int | None) -> None:
    sent = Sent.of({"cid": "a1b2", "round": said})
    assert sent is not None and sent.round == round


@pytest.mark.parametrize(
    "value",
    [None, "a1b2", {}, {"cid": ""}, {"cid": 7}, {"cid": "a" * 65}, {"cid": "a b"}],
)
def test_what_no_form_sends_is_ignored(value: object) -> None:
    assert Sent.of(value) is None


@pytest.mark.parametrize(
    ("used", "kept"),
    [(["a", 7, None], {"a"}), (("a",), {"a"}), ("a", set()), (None, set()), ({"a": 1}, set())],
)
def test_which_inputs_were_used_is_a_list_of_ids(used: object, kept: set[str]) -> None:
    sent = Sent.of({"cid": "a1b2", "used": used})
    assert sent is not None
    assert sent.used == kept


@pytest.mark.parametrize("at", [True, -1, 2**60, "1000", float("nan"), float("inf")])
def test_a_time_that_no_page_can_send_is_left_out(at: object) -> None:
    sent = Sent.of({"cid": "a1b2", "shown": at})
    assert sent is not None
    assert sent.about == {}
