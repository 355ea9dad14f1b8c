"""What is kept of a model's reply beside its text, and what a model is told of a room."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from chatlas import AssistantTurn, ContentToolRequest, ContentToolResult, Turn, UserTurn

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


def turns(value: Any, **options: Any) -> list[Turn]:
    request = ContentToolRequest(id="call1", name="look", arguments={"city": "Oslo"})
    result = ContentToolResult(value=value, request=request, **options)
    return [AssistantTurn([request]), UserTurn([result]), AssistantTurn("It is.")]


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
    heard = ["Ann: said 1", "Robo: I am Robo.", "Eve: said 3"]
    assert said(turns_of(TALK)) == [("user", heard), ("assistant", ["It is."])]


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_bot_hears_all_others_by_name_whatever_it_is_shown_as(role: Any) -> None:
    talk = [replace(each, role=role) if each.member == "robo" else each for each in TALK]
    assert said(turns_of(talk, bot="robo")) == [
        ("user", ["Ann: said 1"]),
        ("assistant", ["I am Robo."]),
        ("user", ["Eve: said 3", "Assistant: It is."]),
    ]
    assert said(turns_of(talk, bot="eve"))[1:] == [
        ("assistant", ["said 3"]),
        ("user", ["Assistant: It is."]),
    ]


# ── in which all providers take it ──


def test_turns_alternate_and_begin_with_the_users() -> None:
    talk = [reply(1, 0, content="Welcome."), message(2), message(3), reply(4, 2), reply(5, 3)]
    assert said(alternating(turns_of(talk))) == [
        ("user", [BEGINNING]),
        ("assistant", ["Welcome."]),
        ("user", ["Ann: said 2", "Ann: said 3"]),
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
