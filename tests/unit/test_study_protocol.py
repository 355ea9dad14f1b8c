"""The frames of a study: what a browser may say, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import protocol, study_protocol
from shiny_labchat.domain.screen_parts import ACTIONS
from shiny_labchat.errors import BadFrame
from shiny_labchat.study_protocol import Do, decode
from shiny_labchat.words import Words


def do(**fields: Any) -> str:
    return json.dumps({"t": "do", "cid": "c1", **fields})


@pytest.mark.parametrize("action", [a for a in ACTIONS if a not in ("consent", "name")])
def test_each_action_needs_its_name_only(action: str) -> None:
    assert decode(do(do=action)) == Do("c1", action)  # pyright: ignore[reportArgumentType]


def test_what_is_said_with_an_action_is_read() -> None:
    consent = decode(do(do="consent", version="2", answers={"share": True, "adult": False}))
    assert consent == Do("c1", "consent", "2", {"share": True, "adult": False})
    assert decode(do(do="stop", delete=True)) == Do("c1", "stop", delete=True)
    assert decode(do(do="debriefed", keep=False)) == Do("c1", "debriefed", keep=False)
    assert decode(do(do="debriefed", keep=None)) == Do("c1", "debriefed")
    assert decode(do(do="name", name="Ann")) == Do("c1", "name", name="Ann")
    for wrong in (None, 1, "x" * 201):
        with pytest.raises(BadFrame, match="name is not a text"):
            decode(do(do="name", name=wrong))


def test_a_hello_and_what_a_room_has_too_are_read() -> None:
    hello = json.dumps({"t": "hello", "v": protocol.VERSION, "ticket": "T"})
    assert decode(hello) == protocol.Hello("T", is_resume=False)
    resume = json.dumps({"t": "hello", "v": protocol.VERSION, "resume": "R"})
    assert decode(resume) == protocol.Hello("R", is_resume=True)
    pong = json.dumps({"t": "pong", "hidden": 0, "quiet": 5})
    assert decode(pong) == protocol.Pong(0, 5)
    assert decode('{"t": "check"}') == protocol.Check()


def test_a_page_of_an_earlier_version_is_told_so() -> None:
    with pytest.raises(BadFrame) as caught:
        decode('{"t": "hello", "v": 2, "ticket": "T"}')
    assert caught.value.code == "old_page"


@pytest.mark.parametrize(
    "raw",
    [
        "x",
        "[]",
        do(do="pay"),
        do(do=["ready"]),
        do(do="ready", cid="c" * 65),
        do(do="ready", cid="ü"),
        do(do="ready", cid=None),
        do(do="consent"),
        do(do="consent", version="1" * 201),
        do(do="consent", version="1", answers=["share"]),
        do(do="consent", version="1", answers={"share": 1}),
        do(do="consent", version="1", answers={str(n): True for n in range(101)}),
        do(do="stop", delete="yes"),
        do(do="debriefed", keep=1),
        '{"t": "send", "cid": "c", "text": "hi"}',
    ],
)
def test_whatever_else_a_browser_says_is_no_frame(raw: str) -> None:
    with pytest.raises(BadFrame, match="bad_frame"):
        decode(raw)


def test_a_frame_that_is_far_too_long_is_not_read() -> None:
    with pytest.raises(BadFrame, match="too_big"):
        decode(" " * (protocol.MAX_FRAME + 1))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
names = st.sampled_from(["t", "cid", "do", "v", "version", "answers", "keep", "delete", "hidden"])
kinds = st.sampled_from(["do", "hello", "pong", "check", *ACTIONS])


@given(st.dictionaries(names, values | kinds))
def test_nothing_that_a_browser_can_say_is_another_error(fields: dict[str, Any]) -> None:
    try:
        decode(json.dumps(fields))
    except BadFrame:
        pass


def test_a_welcome_has_the_words_for_times_and_the_resume_token() -> None:
    welcome = json.loads(study_protocol.welcome("R", Words("de")))
    assert welcome["resume"] == "R"
    assert welcome["words"]["time.seconds_many"] == "{n} Sekunden"
    assert json.loads(study_protocol.did("c1")) == {"t": "did", "cid": "c1"}
    assert json.loads(study_protocol.screen({"is": "none"}))["screen"] == {"is": "none"}
