"""The conditions of bots that take several of them, a conversation, or a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shiny_labchat import Bot, Member, Message
from shiny_labchat.bots.description import outline_of
from shiny_labchat.bots.pace import generator
from shiny_labchat.bots.talk import Talk
from shiny_labchat.bots.when import (
    At,
    BeforeClose,
    Chance,
    Every,
    Silence,
    Unequal,
    as_conditions,
    later_conditions,
    met_at_once,
    moments_of,
    name_of,
)
from shiny_labchat.domain.triggers import Moment

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def said(member: str | None, at: float, text: str = "hello") -> Message:
    seq = round(at) + 1
    return Message(seq, f"m{seq}", text, "user", member, member, BEGUN + timedelta(seconds=at))


def talk_of(*messages: Message, speakers: str = "abc") -> Talk:
    return Talk(messages, tuple(Member(each, each) for each in speakers), tuple(speakers))


def met(when: Any, text: str = "hello", since_own: int = 1) -> str | None:
    rng, heard = generator(1, "room"), said("a", 0, text)
    found = met_at_once(as_conditions(when), heard, since_own, "Teal Otter", rng)
    return None if found is None else name_of(found)


# ── several ──


def test_the_first_condition_that_is_met_counts() -> None:
    when = ["mention", Every(2), Chance(1)]
    assert met(when, "hi teal otter", 2) == "mention"
    assert met(when, "hi", 2) == "every 2"
    assert met(when, "hi", 1) == "chance 1"
    assert met(when[:2], "hi", 1) is None


def test_functions_are_asked_before_the_model_and_silence_comes_last() -> None:
    def is_long(message: Message) -> bool:
        return len(message.content) > 9

    unequal, silence = Unequal(), Silence(9)
    assert later_conditions((silence, is_long, "mention", unequal)) == [is_long, unequal, silence]
    assert later_conditions(("model", At(1), is_long)) == [is_long, "model"]


def test_a_clock_is_no_condition_of_a_message() -> None:
    assert met([At(0), BeforeClose(10)]) is None
    assert later_conditions((At(0), BeforeClose(10))) == []


def test_each_time_is_a_moment_of_its_own() -> None:
    when = [At(300, 120), "mention", BeforeClose(60), At(120.0)]
    moments = Moment(after=120), Moment(after=300), Moment(before_close=60)
    assert moments_of(as_conditions(when)) == moments


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        ("mention", "mention"),
        (Every(3), "every 3"),
        (Silence(20), "silence 20"),
        (Silence(0.5), "silence 0.5"),
        (Chance(0.3), "chance 0.3"),
        (Unequal(), "unequal"),
        (str.isupper, "str.isupper"),
    ],
)
def test_a_condition_has_a_name(condition: Any, name: str) -> None:
    assert name_of(condition) == name


def test_what_is_on_record_of_one_condition_is_no_list() -> None:
    def outline(when: Any) -> Any:
        bot = Bot("b", respond=len, when=when)  # pyright: ignore[reportArgumentType]
        return outline_of(bot._spec)["when"]  # pyright: ignore[reportPrivateUsage]

    assert outline("mention") == outline(["mention"]) == "mention"
    assert outline([At(1, 2), BeforeClose(3), Unequal(0.4, 5, 6), Every(7)]) == [
        {"at": [1, 2]},
        {"before_close": [3]},
        {"unequal": {"share": 0.4, "window": 5, "wait": 6}},
        {"every": 7},
    ]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ([], "the list is empty"),
        (["mention", "never"], "not 'never'"),
        ([Every], "not <class"),
        (["model", Silence(3)], "leave one of them out"),
        (lambda: True, "takes \\(message\\)"),
    ],
)
def test_impossible_conditions_are_refused(when: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        Bot("b", respond=lambda messages: None, when=when)


@pytest.mark.parametrize("wrong", [lambda: At(), lambda: At(-1), lambda: BeforeClose(), At])
def test_impossible_times_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="needs a time|at least 0"):
        wrong()


# ── a conversation ──


def test_a_talk_has_the_shares_of_its_speakers() -> None:
    talk = talk_of(said("a", 0, "abc"), said(None, 1, "Welcome!"), said("b", 2, "x"))
    assert talk.shares == {"a": 0.75, "b": 0.25, "c": 0.0}


def is_unequal(*messages: Message, wrote: float | None = None, bot: str = "bot") -> bool:
    when = Unequal(0.5, window=100, wait=30)
    since = None if wrote is None else BEGUN.timestamp() + wrote
    return when.is_met(talk_of(*messages), bot, since)


def test_talk_is_unequal_when_one_has_more_than_the_share() -> None:
    begin = said("b", 0)
    assert is_unequal(begin, said("a", 90, "aaa"), said("b", 110, "bb"))
    assert not is_unequal(begin, said("a", 90, "aa"), said("b", 110, "bb"))


def test_it_is_not_judged_before_the_talk_has_lasted_for_the_window() -> None:
    assert not is_unequal(said("a", 0, "aaaa"), said("a", 99, "aaaa"))
    assert is_unequal(said("a", 0, "aaaa"), said("a", 100, "aaaa"))


def test_what_was_said_before_the_window_does_not_count() -> None:
    assert not is_unequal(said("a", 0, "a" * 50), said("a", 105, "aa"), said("b", 110, "bb"))


def test_it_waits_after_its_own_last_message() -> None:
    talk = said("a", 0), said("a", 110, "aaaa")
    assert not is_unequal(*talk, wrote=81)
    assert is_unequal(*talk, wrote=80)


def test_the_bot_itself_does_not_count() -> None:
    talk = said("a", 0), said("c", 90, "c" * 40), said("a", 105, "a"), said("b", 110, "b")
    assert not is_unequal(*talk, bot="c")
    assert is_unequal(*talk)
