"""The rules, each as a test."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Refused
from shiny_labchat.domain.commands import (
    Change,
    Clear,
    Close,
    Command,
    Configure,
    Disclose,
    Join,
    Mute,
    Open,
    Post,
    Record,
    Remove,
    Say,
    SendAway,
)
from shiny_labchat.domain.decide import (
    check_text,
    clock,
    decide,
    members,
    messages,
    presence,
    retraction,
    room,
    streams,
    triggers,
    turns,
)
from shiny_labchat.domain.membership import ROLES, Role
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import RoomState, fold
from tests.unit.pure_room import SECOND, PureRoom


def post(member: str | None = None, text: str = "hi", **more: object) -> Post:
    return Post([("text", text)], member=member, **more)  # pyright: ignore[reportArgumentType]


def test_each_command_has_one_rule() -> None:
    families = clock, members, messages, streams, retraction, room, presence, turns, triggers
    ruled = [command for family in families for command in family.RULES]
    assert Counter(ruled) == Counter(get_args(Command))


# ── writing ──


def test_a_member_may_speak() -> None:
    room = PureRoom(members="a")
    assert room.says("a") is None
    assert room.log[-1].data["parts"] == [("text", "hi")]


@pytest.mark.parametrize("command", [Say("x", "hi", "c", "p"), post("x"), Mute("x"), Remove("x")])
def test_a_stranger_is_no_member(command: Command) -> None:
    assert PureRoom(members="a").refuses(command) == "not_member"


@pytest.mark.parametrize("command", [Say("a", "hi", "c", "p"), post("a"), Mute("a"), Change("a")])
def test_who_was_removed_can_do_nothing_more(command: Command) -> None:
    room = PureRoom(members="a")
    room.does(Remove("a"))
    assert room.refuses(command) == "removed"


def test_nobody_speaks_in_a_closed_room() -> None:
    room = PureRoom(members="a")
    room.does(Close("time is up"))
    assert room.says("a") == "closed"
    assert room.refuses(post("a")) == "closed"
    assert room.state.reason == "time is up"


def test_the_programme_speaks_even_in_a_closed_room() -> None:
    room = PureRoom()
    room.does(Close())
    assert room.refuses(post()) is None


def test_who_is_muted_may_not_speak_until_unmuted() -> None:
    room = PureRoom(members="ab")
    room.does(Mute("a"))
    assert room.says("a") == "muted"
    assert room.says("b") is None
    room.does(Mute("a", on=False))
    assert room.says("a") is None


@pytest.mark.parametrize("role", ROLES)
def test_only_observers_may_not_write_unless_the_room_says_otherwise(role: str) -> None:
    room = PureRoom(members="a")
    room.does(Change("a", role=role))  # pyright: ignore[reportArgumentType]
    assert room.says("a") == ("read_only" if role == "observer" else None)


@pytest.mark.parametrize("role", ROLES)
def test_a_room_may_let_one_role_write_only(role: str) -> None:
    room = PureRoom(members="a")
    room.does(Configure("", write=("experimenter",)))
    room.does(Change("a", role=role))  # pyright: ignore[reportArgumentType]
    assert room.says("a") == (None if role == "experimenter" else "read_only")


@pytest.mark.parametrize("text", ["", " ", "\n\t \r\n", "\u00a0\u2003\u3000"])
def test_nothing_but_space_is_empty(text: str) -> None:
    assert PureRoom(members="a").says("a", text) == "empty"


@pytest.mark.parametrize("text", ["\0", "a\0b", "\x1b[1m", "\x7f", "\x85", "\ud800", "x\udfff"])
def test_control_characters_and_lone_surrogates_are_refused(text: str) -> None:
    assert PureRoom(members="a").says("a", text) == "bad_text"


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_all_other_text_may_be_said(text: str) -> None:
    check_text(text + "\t\r\n")


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), min_size=2), st.booleans())
def test_lines_end_as_in_files_of_tables_whatever_a_page_sends(
    lines: list[str], waits: bool
) -> None:
    said: set[str] = set()
    for line_end in ("\n", "\r\n", "\r"):
        room = PureRoom(rules=Rules(max_length=10**6, rate=None), members="a")
        room.does(Say("a", f"x{line_end.join(lines)}", "c", "p", waits=waits))
        data = room.log[-1].data
        said.add(data["text"] if waits else data["parts"][0][1])
    assert said == {"x" + "\n".join(lines)}


def test_length_counts_in_characters_up_to_the_limit() -> None:
    room = PureRoom(rules=Rules(max_length=3, rate=None), members="a")
    assert room.says("a", "👩🏽‍🚀"[:3]) is None
    assert room.says("a", "abcd") == "too_long"
    with pytest.raises(Refused, match="At most 3 characters"):
        room.does(Say("a", "abcd", "c", "p"))


def test_text_from_code_must_be_storable() -> None:
    room = PureRoom(members="a")
    for text in ("\0", "\ud800"):
        assert room.refuses(post(text=text)) == "bad_text"
        assert room.refuses(post(name=text)) == "bad_text"
        assert room.refuses(Close(text)) == "bad_text"
        assert room.refuses(Configure("", title=text)) == "bad_text"


def test_a_message_carries_what_its_author_was_called_then() -> None:
    room = PureRoom()
    room.joins("a", "Ann")
    room.says("a")
    room.does(Change("a", pseudonym="Anna"))
    room.says("a")
    assert [e.data["name"] for e in room.log if e.kind == "message"] == ["Ann", "Anna"]


def test_the_record_of_a_study_is_kept_and_no_message() -> None:
    room = PureRoom(members="a")
    room.does(Record("guess", {"value": 7}, "a"))
    assert room.log[-1].kind == "recorded"
    assert room.log[-1].data == {"kind": "guess", "value": {"value": 7}}


# ── members ──


def test_joining_twice_changes_nothing() -> None:
    room = PureRoom(members="a")
    assert room.does(Join("a", "other", pseudonym="New")) == []
    assert room.state.memberships["a"].handle == "h-a"


def test_a_page_never_brings_back_who_was_removed() -> None:
    room = PureRoom(members="a")
    room.does(Remove("a"))
    assert room.refuses(Join("a", "h2", by_page=True)) == "removed"
    assert room.refuses(Join("a", "h2")) is None
    assert room.says("a") is None


def test_who_comes_back_keeps_the_handle_others_know() -> None:
    room = PureRoom(members="a")
    room.does(Remove("a"))
    room.does(Join("a", "h2"))
    assert room.state.memberships["a"].handle == "h-a"


def test_what_is_so_already_is_no_event() -> None:
    room = PureRoom(members="ab")
    room.does(Remove("b"))
    before = room.kinds()
    same = [Configure(""), Mute("a", on=False), Change("a"), Open(), Remove("b")]
    assert [room.does(command) for command in same] == [[]] * len(same)
    room.does(Close())
    assert room.does(Close("again")) == []
    assert room.kinds() == [*before, "closed"]


def test_removed_members_are_no_members() -> None:
    room = PureRoom(members="abc")
    room.does(Remove("b"))
    assert [seat.member for seat in room.state.members()] == ["a", "c"]
    assert room.state.membership("b") is None
    assert room.state.membership(None) is None


def test_the_order_of_members_does_not_say_who_is_a_bot() -> None:
    room = PureRoom()
    for member, handle in (("bot", "h2"), ("a", "h3"), ("b", "h1")):
        hidden: dict[str, Any] = {"is_bot": True, "shown": "participant"} if handle == "h2" else {}
        room.does(Join(member, handle, "assistant" if hidden else "participant", **hidden))

    def order(viewer: str) -> list[str]:
        return [seat.member for seat in room.state.members_for(viewer)]

    assert order("a") == ["b", "bot", "a"]
    room.does(Disclose("bot", to=("a",)))
    assert order("a") == ["bot", "a", "b"] and order("b") == ["b", "bot", "a"]
    room.does(Remove("bot"))
    assert order("b") == ["b", "a"], "that it has gone changes nothing"
    assert [seat.member for seat in room.state.members()] == ["a", "b"]


def test_clearing_a_view_is_for_one_and_clearing_the_room_for_all() -> None:
    room = PureRoom(members="ab")
    room.does(Clear("a"))
    assert (room.state.memberships["a"].view_from, room.state.memberships["b"].view_from) == (4, 0)
    assert room.state.cleared == 0
    room.does(Clear())
    assert room.state.cleared == 5


def test_only_members_are_sent_away_and_they_stay_members() -> None:
    room = PureRoom(members="ab")
    room.does(Remove("b"))
    before = room.state
    assert room.does(SendAway("b", ("invite",))) == room.does(SendAway("x", ("invite",))) == []
    (event,) = room.does(SendAway("a", ("invite",)))
    assert (event.kind, event.member, event.data) == ("revoked", "a", {"kinds": ("invite",)})
    assert room.state == before._replace(seq=before.seq + 1)


def test_the_seed_of_a_room_never_changes() -> None:
    room = PureRoom()
    room.does(Configure("other", title="T"))
    assert room.state.seed == "seed"
    assert room.state.title == "T"


# ── pseudonyms in a room ──


def test_generated_pseudonyms_are_unique_in_their_room() -> None:
    room = PureRoom()
    names = {room.joins(f"m{n}") for n in range(300)}
    assert len(names) == 300


def test_a_template_numbers_in_order() -> None:
    room = PureRoom()
    assert [room.joins(m, "Player {n}") for m in "abc"] == ["Player 1", "Player 2", "Player 3"]


def test_a_template_gives_no_number_twice_even_after_a_removal() -> None:
    room = PureRoom()
    room.joins("a", "Player {n}")
    room.joins("b", "Player {n}")
    room.does(Remove("a"))
    assert room.joins("c", "Player {n}") == "Player 3"


def test_the_same_text_twice_is_told_apart() -> None:
    room = PureRoom()
    assert [room.joins(m, "Ann") for m in "abc"] == ["Ann", "Ann 2", "Ann 3"]


def test_nobody_is_told_apart_by_case_or_width_alone() -> None:
    room = PureRoom()
    assert [room.joins(m, t) for m, t in zip("abc", ["Ann", "ANN", "Ａｎｎ"], strict=True)] == [
        "Ann",
        "ANN 2",
        "Ａｎｎ 3",
    ]


def test_a_name_of_nothing_visible_is_generated() -> None:
    assert len(PureRoom().joins("a", "\u200b \u202e").split()) == 2


# ── bots ──


def with_bot(shown: Role | None = "participant", **rules: Any) -> PureRoom:
    room = PureRoom(rules=Rules(**{"rate": None, **rules}), members="a")
    room.does(Join("bot", "h-bot", "assistant", by_page=True, is_bot=True, shown=shown))
    return room


@pytest.mark.parametrize(
    ("text", "code"), [("x" * 11, "too_long"), (" ", "empty"), ("a\x07", "bad_text")]
)
def test_a_bot_that_passes_for_a_person_says_what_a_person_may(text: str, code: str) -> None:
    assert with_bot(max_length=10).refuses(post("bot", text)) == code
    assert with_bot(max_length=10).refuses(post("a", text)) is None, "the app knows who writes"
    assert with_bot(None, max_length=10).refuses(post("bot", text)) is None


def test_a_bot_that_passes_for_a_person_is_no_faster_than_one() -> None:
    room = with_bot(rate=1.0, burst=2)
    assert [room.refuses(post("bot")) for _ in range(3)] == [None, None, "too_fast"]
    room.now += SECOND
    assert room.refuses(post("bot")) is None
    known = with_bot(None, rate=1.0, burst=2)
    assert [known.refuses(post("bot")) for _ in range(3)] == [None] * 3


def test_a_bot_may_write_where_what_it_is_shown_as_may() -> None:
    room = with_bot()
    room.does(Configure("seed", write=("experimenter",)))
    assert room.refuses(post("bot")) == "read_only"
    room.does(Disclose("bot", to=("a",)))
    assert room.refuses(post("bot")) == "read_only", "not all know"
    room.does(Disclose("bot"))
    assert room.refuses(post("bot")) is None


def test_people_and_bots_do_not_take_each_others_places() -> None:
    room = with_bot()
    bot = Join("a", "h", "assistant", by_page=True, is_bot=True)
    assert room.refuses(bot) == room.refuses(Join("bot", "h", by_page=True)) == "taken"
    assert room.refuses(Join("bot", "h")) is None, "an app may name it anew"


# ── all at once ──


def test_after_a_removal_a_closing_or_a_mute_there_is_never_a_message() -> None:
    """10,000 seeded interleavings, each with the log checked against a plain re-reading of it."""
    for seed in range(10_000):
        _check(_interleaved(random.Random(seed)), seed)


def _interleaved(chance: random.Random) -> PureRoom:
    room = PureRoom(members="ab")
    wishes: list[Command] = [Say(chance.choice("ab"), "x", f"c{n}", "p") for n in range(6)]
    wishes += [Remove("a"), Close(), Open(), Mute("b"), Mute("b", on=False)]
    wishes += [post("a"), post("b"), Join("a", "h", by_page=True)]
    chance.shuffle(wishes)
    for command in wishes:
        room.refuses(command)
    return room


def _check(room: PureRoom, seed: int) -> None:
    is_open, silent, gone = True, set[str | None](), set[str | None]()
    for n, event in enumerate(room.log, start=1):
        assert event.seq == n, seed
        match event.kind:
            case "message":
                assert is_open and event.member not in silent | gone, seed
            case "removed":
                gone.add(event.member)
            case "joined":
                assert event.member not in gone, seed
            case "closed" | "opened":
                is_open = event.kind == "opened"
            case "changed":
                (silent.add if event.data["is_muted"] else silent.discard)(event.member)


commands = st.one_of(
    st.builds(Say, st.sampled_from("abcx"), st.text(max_size=5), st.text(max_size=3), st.just("p")),
    st.builds(Join, st.sampled_from("abc"), st.just("h"), st.sampled_from(ROLES)),
    st.builds(Change, st.sampled_from("abcx"), st.sampled_from([None, *ROLES]), st.none()),
    st.builds(Remove, st.sampled_from("abcx")),
    st.builds(Mute, st.sampled_from("abcx"), st.booleans()),
    st.builds(Close, st.none()),
    st.builds(Open),
    st.builds(Clear, st.sampled_from([None, "a", "x"])),
    st.builds(Record, st.text(max_size=3), st.integers(), st.none()),
    st.builds(Configure, st.just("s"), st.just("t"), st.sampled_from([None, ("observer",)])),
)


@given(st.lists(commands, max_size=20))
def test_whatever_is_decided_folds_into_a_gapless_log(wishes: list[Command]) -> None:
    room = PureRoom()
    for command in wishes:
        room.refuses(command)
    assert [event.seq for event in room.log] == list(range(1, len(room.log) + 1))
    again = RoomState()
    for event in room.log:
        again = fold(again, event)
    assert again == room.state


def test_deciding_changes_nothing_by_itself() -> None:
    room = PureRoom(members="a")
    before = room.state
    decide(room.state, Remove("a"), room.now)
    assert room.state == before and room.state.membership("a") is not None
