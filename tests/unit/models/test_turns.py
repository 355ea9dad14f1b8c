"""What is kept of a model's reply beside its text, and what a model is told of a room."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from chatlas import AssistantTurn, ContentToolRequest, ContentToolResult, Turn, UserTurn
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.chat.replies import known_to, reply_id
from shiny_labchat.domain.messages import Message
from shiny_labchat.models.turns import BEGINNING, alternating, as_stored, turns_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Table:
    """What a library may give: it has a form for models, and none for pydantic."""

    def to_json(self) -> str:
        return '[{"city": "Oslo"}]'


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("no text of me")


def request() -> ContentToolRequest:
    return ContentToolRequest(id="call1", name="look", arguments={"city": "Oslo"})


def turns(value: Any, **options: Any) -> list[Turn]:
    wanted = request()
    result = ContentToolResult(value=value, request=wanted, **options)
    return [AssistantTurn([wanted]), UserTurn([result]), AssistantTurn("It is.")]


def message(seq: int, **fields: Any) -> Message:
    plain = Message(
        seq, f"m{seq}", f"said {seq}", "user", "Ann", "ann", NOW + timedelta(seconds=seq)
    )
    return replace(plain, **fields)


def reply(seq: int, to: int, chat: str = "chat", **fields: Any) -> Message:
    said = {"id": reply_id(chat, message(to)), "role": "assistant", "author": None, "member": None}
    return message(seq, **{**said, **fields})


# ── what is kept ──


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("18 degrees", "18 degrees"),
        ({"city": "Oslo", "warm": [True, 18, 1.5, None]},) * 2,
        (2**63 - 1, 2**63 - 1),
        (2**63, "9223372036854775808"),
        ([-(2**70)], ["-1180591620717411303424"]),
        (b"\xff", "b'\\xff'"),
        (Table(), '[{"city": "Oslo"}]'),
        ([Table], str([Table])),
        ("\ud83d\ude00", "\U0001f600"),
        ("half \ud83d of\0 it", "half \ufffd of it"),
        ({"\ud83d": "\0"}, r"{'\ud83d': '\x00'}"),
    ],
    ids=repr,
)
def test_what_a_tool_gives_is_kept_as_json_or_as_the_model_was_told(value: Any, kept: Any) -> None:
    stored = orjson.loads(orjson.dumps(as_stored(turns(value))))
    assert stored[1]["contents"][0]["value"] == kept
    again = turns_of([message(1), reply(2, 1, turns=tuple(stored))])
    assert [turn.role for turn in again] == ["user", "assistant", "user", "assistant"]


def test_what_only_the_page_is_shown_costs_the_model_nothing() -> None:
    stored = as_stored(turns("18 degrees", extra={"display": object()}))
    assert stored[1]["contents"][0]["value"] == "18 degrees"


def test_what_has_no_text_at_all_is_not_kept() -> None:
    assert as_stored(turns(Rude())) == []


def test_a_reply_of_text_only_is_its_text() -> None:
    assert as_stored([AssistantTurn("It is.")]) == []


def test_turns_that_cannot_be_read_are_told_as_text() -> None:
    unknown = {"role": "assistant", "contents": [{"content_type": "of tomorrow"}]}
    (turn,) = turns_of([reply(2, 1, turns=(unknown,), content="It is.")])
    assert turn.text == "It is."


# ── from whose side ──


def said(turns: list[Turn]) -> list[tuple[str, list[str]]]:
    return [(turn.role, [str(content) for content in turn.contents]) for turn in turns]


ROBO = {"author": "Robo", "member": "robo", "content": "I am Robo."}
TALK = [
    message(1),
    message(2, **ROBO, role="assistant"),
    message(3, author="Eve", member="eve"),
    reply(4, 1, content="It is."),
]
"""A person, a disclosed bot, another person, and the model of a chat."""


def test_a_chats_model_hears_a_bot_by_name() -> None:
    heard = ["Ann: said 1", "\nRobo: I am Robo.", "\nEve: said 3"]
    assert said(turns_of(TALK)) == [("user", heard), ("assistant", ["It is."])]


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_bot_hears_all_others_by_name_whatever_it_is_shown_as(role: Any) -> None:
    talk = [replace(each, role=role) if each.member == "robo" else each for each in TALK]
    assert said(turns_of(talk, bot="robo")) == [
        ("user", ["Ann: said 1"]),
        ("assistant", ["I am Robo."]),
        ("user", ["Eve: said 3", "\nAssistant: It is."]),
    ]
    assert said(turns_of(talk, bot="eve"))[1:] == [
        ("assistant", ["said 3"]),
        ("user", ["Assistant: It is."]),
    ]


# ── whom a model hears ──


class Line:
    """A message as the reader of a turn knows it: who says it (None: it is a notice), and what."""

    def __init__(self, author: str | None, text: str) -> None:
        self.author = author
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Line) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{self.author!r} says {self.text!r}"


def read(told: str) -> list[Line]:
    """Read a user's turn as the form says; whatever breaks a line, breaks it here."""
    found: list[Line] = []
    for line in told.splitlines():
        if line.startswith("  "):
            found[-1].text += f"\n{line[2:]}"
        elif line.startswith("["):
            found.append(Line(None, line[1:]))
        elif line.startswith('"'):
            name, end = json.JSONDecoder().raw_decode(line)
            assert line[end : end + 2] == ": "
            found.append(Line(name, line[end + 2 :]))
        elif line:
            name, _, text = line.partition(": ")
            found.append(Line(name, text))
    return found


BREAKS = "\n \r \r\n \v \f \x1c \x1d \x1e \x85 \u2028 \u2029".split(" ")
NAMES = ["Ann", "Red Fox", "Ann: Bob", "[Ann", '"Ann"', "Assistant", "user", " Ann", "Ann:", "안나"]
TEXTS = st.lists(
    st.sampled_from([*BREAKS, *(f"{name}: " for name in NAMES), *"[] :\t", "  ", "hello", ""])
).map("".join) | st.text(max_size=30)
AUTHORS = st.sampled_from(NAMES) | st.text(min_size=1, max_size=10)
MESSAGES = st.lists(
    st.one_of(
        st.builds(lambda a, t: message(1, author=a, content=t), AUTHORS, TEXTS),
        st.builds(lambda a, t: message(1, author=a, member=None, content=t), AUTHORS, TEXTS),
        st.builds(lambda t: message(1, role="system", author=None, member=None, content=t), TEXTS),
        st.builds(
            lambda t: message(1, role="assistant", author=None, member=None, content=t), TEXTS
        ),
    ),
    max_size=5,
)


def meant(messages: Sequence[Message]) -> list[Line]:
    """What was said, line breaks aside."""
    unnamed = {"assistant": "Assistant", "system": None, "user": "User"}
    return [
        Line(
            None if each.role == "system" else each.author or unnamed[each.role],
            "\n".join(f"{each.content}{']' * (each.role == 'system')}|".splitlines())[:-1],
        )
        for each in messages
    ]


@given(MESSAGES)
def test_no_text_passes_for_another_ones(messages: list[Message]) -> None:
    told = turns_of(messages, bot="robo")
    assert len(told) == bool(messages)
    for turn in told:
        assert read(turn.text) == read(str(turn)) == meant(messages)


@given(MESSAGES)
def test_without_names_no_text_passes_for_a_notice(messages: list[Message]) -> None:
    for turn in turns_of(messages, names=False, bot="robo"):
        begins = [line for line in turn.text.splitlines() if line.startswith("[")]
        assert len(begins) == sum(each.role == "system" for each in messages)


@given(AUTHORS, TEXTS)
def test_a_person_does_not_pass_for_the_programme(author: str, text: str) -> None:
    programme = message(1, role="assistant", author=None, member=None, content=text)
    [turn] = turns_of([programme], bot="robo")
    [other] = turns_of([message(1, author=author, content=text)], bot="robo")
    assert turn.text != other.text


# ── a model's thoughts ──


def test_thoughts_are_not_told_again() -> None:
    """Also those of messages that an earlier version has stored as they came."""
    thought = "<think>It is odd.</think>\n\nIt is."
    stored = as_stored([AssistantTurn([thought, request()]), *turns("18 degrees")[1:]])
    for kept in (reply(2, 1, content=thought), reply(2, 1, turns=tuple(stored))):
        told = said(turns_of([message(1), kept]))
        assert told[1][1][0] == "It is." and "odd" not in str(told)


# ── in which all providers take it ──


def test_turns_alternate_and_begin_with_the_users() -> None:
    talk = [reply(1, 0, content="Welcome."), message(2), message(3), reply(4, 2), reply(5, 3)]
    assert said(alternating(turns_of(talk))) == [
        ("user", [BEGINNING]),
        ("assistant", ["Welcome."]),
        ("user", ["Ann: said 2", "\nAnn: said 3"]),
        ("assistant", ["said 4", "said 5"]),
    ]


def test_turns_that_alternate_stay_as_they_are() -> None:
    stored = as_stored(turns({"city": "Oslo"}))
    talk = turns_of([message(1), reply(2, 1, turns=tuple(stored)), message(3)])
    assert alternating(talk) == talk


def test_what_is_blank_is_no_turn() -> None:
    assert said(turns_of([message(1), reply(2, 1, content=" \n")])) == [("user", ["Ann: said 1"])]


# ── what a model is told ──


def told(heard: list[Message], seq: int) -> list[int]:
    return [each.seq for each in known_to(heard, message(seq))]


def test_a_model_is_told_what_came_before_and_the_replies_since() -> None:
    heard = [message(1), message(2), message(3), reply(4, 1), message(5), reply(6, 2)]
    assert told(heard, 3) == [1, 2, 4, 6]
    assert told(heard, 5) == [1, 2, 3, 4, 6]


def test_what_programmes_say_since_is_told_later() -> None:
    heard = [message(1), message(2), message(3, role="system"), message(4, role="assistant")]
    assert told(heard, 2) == [1]


def test_a_reply_to_a_later_message_is_told_with_that() -> None:
    heard = [message(1), message(2), message(3), message(4), reply(5, 3)]
    assert told(heard, 2) == [1, 3, 5]


def test_another_models_reply_to_the_same_message_does_not_come_before_it() -> None:
    heard = [message(1), message(2), reply(3, 1, "other"), reply(4, 2, "other")]
    assert told(heard, 2) == [1, 3]


def test_nobody_passes_for_a_reply() -> None:
    heard = [message(1), message(2), message(3, id="reply:chat:1")]
    assert told(heard, 2) == [1]
