"""The frames: what is let in, and what is let out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from shiny_labchat import protocol
from shiny_labchat.domain.commands import (
    REPLY,
    AdvanceRoom,
    Clear,
    Close,
    Configure,
    Join,
    Mute,
    Post,
    PressDone,
    Record,
    Remove,
    Say,
)
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.opaque import id_of
from shiny_labchat.domain.rules import Rules
from shiny_labchat.errors import SENTENCES, BadFrame
from shiny_labchat.words import ENGLISH, Words
from tests.unit.pure_room import SECOND, PureRoom

HELLO = {"t": "hello", "v": 3, "ticket": "T", "after": ""}
SEND = {"t": "send", "cid": "c", "text": "hi"}


def refused(raw: str) -> str | None:
    """The code that a frame is refused with; None: it is one of ours."""
    try:
        protocol.decode(raw)
    except BadFrame as exc:
        assert exc.say == SENTENCES[exc.code]
        return exc.code
    return None


# ── in ──

no_surrogates = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["t", "v", "cid", "text", "after", "x"]), inner, max_size=5
        )
    ),
    max_leaves=12,
)


@given(no_surrogates)
def test_a_send_arrives_as_it_was_written(text: str) -> None:
    raw = json.dumps({**SEND, "text": text})
    assert protocol.decode(raw) == protocol.Send("c", text)
    assert protocol.decode(json.dumps({**SEND, "text": text}, ensure_ascii=False)).text == text  # pyright: ignore


def test_every_frame_of_a_browser_is_read() -> None:
    frames = {
        json.dumps(HELLO): protocol.Hello("T", False),
        '{"t":"hello","v":3,"resume":"R","after":"ID"}': protocol.Hello("R", True, "ID"),
        json.dumps(SEND): protocol.Send("c", "hi"),
        '{"t":"typing"}': protocol.Typing(),
        '{"t":"older","before":"ID"}': protocol.Older("ID"),
        '{"t":"stop","id":"ID"}': protocol.Stop("ID"),
        '{"t":"check"}': protocol.Check(),
        '{"t":"check","new":"field"}': protocol.Check(),
        '{"t":"pong","hidden":0,"quiet":1200}': protocol.Pong(0, 1200),
        '{"t":"confirm","id":"ID"}': protocol.Confirm("ID"),
    }
    for raw, frame in frames.items():
        assert protocol.decode(raw) == frame


@pytest.mark.parametrize("key", ["t", "cid", "text"])
@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["send"]])
def test_a_send_lacking_anything_is_no_frame(key: str, value: object) -> None:
    assert refused(json.dumps({**SEND, key: value})) == "bad_frame"
    assert refused(json.dumps({k: v for k, v in SEND.items() if k != key})) == "bad_frame"


@pytest.mark.parametrize("after", [-1, 1.0, True, None, 2**53, ["x"], {}, "x" * 65])
def test_a_cursor_is_an_id(after: object) -> None:
    assert refused(json.dumps({**HELLO, "after": after})) == "bad_frame"
    assert refused(json.dumps({"t": "older", "before": after})) == "bad_frame"
    assert refused(json.dumps({"t": "stop", "id": after})) == "bad_frame"


@pytest.mark.parametrize("value", [-1, 1.0, True, None, 2**53, "1", [], {}])
def test_how_long_a_page_was_hidden_is_a_whole_number(value: object) -> None:
    for name in ("hidden", "quiet"):
        pong = {"t": "pong", "hidden": 0, "quiet": 0}
        assert refused(json.dumps({**pong, name: value})) == "bad_frame"


@pytest.mark.parametrize("version", [0, 4, "1", None, True, 1.0, -1])
def test_another_version_is_refused(version: object) -> None:
    assert refused(json.dumps({**HELLO, "v": version})) == "bad_frame"


def test_a_page_of_an_earlier_version_is_told_to_reload() -> None:
    earlier = {"t": "hello", "v": 1, "resume": "R", "after": 41, "can": ["here"]}
    assert refused(json.dumps(earlier)) == "old_page"


def test_ids_and_tokens_have_a_longest_length() -> None:
    assert refused(json.dumps({**SEND, "cid": "c" * 64})) is None
    assert refused(json.dumps({**SEND, "cid": "c" * 65})) == "bad_frame"
    assert refused(json.dumps({**HELLO, "ticket": "c" * 129})) == "bad_frame"


def test_a_frame_has_a_longest_length() -> None:
    room_for = protocol.MAX_FRAME - len(json.dumps({**SEND, "text": ""}))
    assert refused(json.dumps({**SEND, "text": "x" * room_for})) is None
    assert refused(json.dumps({**SEND, "text": "x" * (room_for + 1)})) == "too_big"


@pytest.mark.parametrize(
    "raw",
    ["", " ", "null", "[]", "1", '"send"', "{", "NaN", '{"t":"send"', "\0", "\ud800", '{"t":NaN}'],
)
def test_what_is_no_object_of_ours_is_refused(raw: str) -> None:
    assert refused(raw) == "bad_frame"


@pytest.mark.parametrize("depth", [10, 300, *range(900, 1010, 3), 5_000, 40_000])
def test_deep_nesting_is_refused_and_harms_nothing(depth: int) -> None:
    assert refused("[" * depth + "]" * depth) == "bad_frame"
    assert refused('{"t":' * depth + "1" + "}" * depth) == "bad_frame"
    assert refused('{"t":' + "[" * depth + "]" * depth + "}") == "bad_frame"
    assert refused('{"t":"hello","v":' + "[" * depth + "]" * depth + "}") == "bad_frame"


@pytest.mark.parametrize("digits", [30, 4_299, 4_300, 4_301, 100_000])
def test_huge_numbers_are_refused_and_harm_nothing(digits: int) -> None:
    for field in ("t", "v", "after"):
        raw = json.dumps({**HELLO, field: 0}).replace(f'"{field}": 0', f'"{field}": {"9" * digits}')
        assert refused(raw) == "bad_frame"


@given(st.text())
def test_any_text_is_a_frame_or_a_bad_frame(raw: str) -> None:
    refused(raw)


@given(st.binary())
def test_any_bytes_read_as_text_are_a_frame_or_a_bad_frame(raw: bytes) -> None:
    refused(raw.decode("utf-8", "replace"))
    refused(raw.decode("latin-1"))


@given(st.dictionaries(st.sampled_from(["t", "v", "cid", "text", "ticket"]), json_values))
def test_any_json_is_a_frame_or_a_bad_frame(value: dict[str, object]) -> None:
    refused(json.dumps(value))


@given(
    st.sampled_from(["send", "hello", "older", "typing", "check", "pong", "confirm"]),
    json_values,
    json_values,
)
def test_any_values_in_a_frame_make_a_frame_or_a_bad_frame(t: str, a: object, b: object) -> None:
    refused(json.dumps({"t": t, "v": 1, "cid": a, "text": b, "ticket": a, "after": b, "before": a}))


@pytest.mark.parametrize("odd", ["\ud800", "a\udfffb", "\0", "\n"])
def test_an_id_or_a_token_is_printable(odd: str) -> None:
    """Such an id can neither be stored nor sent back."""
    assert refused(json.dumps({**SEND, "cid": odd})) in ("bad_frame", "bad_text")


# ── out ──


def a_full_room() -> PureRoom:
    room = PureRoom(rules=Rules(rate=None))
    room.does(Configure("s", title="Title"))
    for member in ("SECRET-a", "SECRET-b"):
        room.does(Join(member, f"h{member[-1]}", pseudonym=f"Name {member[-1]}"))
    room.does(Say("SECRET-a", "hello", "SECRET-cid", "SECRET-page"))
    room.does(Post([("markdown", "**b**")], "assistant", icon="<svg/>", name="Bot"))
    room.does(Post([("text", "psst")], member="SECRET-b", audience=["SECRET-a"]))
    room.does(
        Post([("html", "<b>")], deps=[{"name": "d", "version": "1", "source": "SECRET-folder"}])
    )
    room.does(Record("SECRET-kind", "SECRET-value", "SECRET-a"))
    room.does(Mute("SECRET-b"))
    room.does(Clear("SECRET-a"))
    room.does(Close("enough"))
    room.does(Remove("SECRET-b"))
    return room


def every_frame(room: PureRoom) -> list[str]:
    seats = list(room.state.memberships.values())
    items = [item for event in room.log if (item := protocol.item(event, "seed")) is not None]
    frames = [protocol.events(items), protocol.older(items, True), protocol.checked()]
    frames += [
        protocol.presence(9, seats),
        protocol.here(9, seats, ["h"]),
        protocol.typing(seats),
        protocol.acks([("c", "ID")]),
    ]
    frames += [protocol.refused("c", "muted", SENTENCES["muted"])]
    frames += [protocol.bye("removed", SENTENCES["removed"])]
    for seat in seats:
        frames.append(protocol.state(room.state, seat, ENGLISH))
        frames.append(protocol.welcome(room.state, seat, ENGLISH, "R", items, False, True))
    return frames


def test_every_frame_is_one_json_object_with_a_type() -> None:
    for frame in every_frame(a_full_room()):
        assert isinstance(json.loads(frame)["t"], str)


def test_no_frame_has_an_id_of_a_person_a_page_a_study_or_a_folder() -> None:
    for frame in every_frame(a_full_room()):
        assert "SECRET" not in frame


def test_the_record_of_a_study_is_shown_to_nobody() -> None:
    kinds = ("recorded", "joined", "changed", "removed", "closed", "opened", "configured")
    for kind in (*kinds, "composed", "revoked"):
        assert protocol.item(Event(1, 0, kind, "a", {"x": 1}), "seed") is None


@given(no_surrogates, no_surrogates)
def test_text_and_name_arrive_as_they_are(text: str, name: str) -> None:
    data = {"role": "user", "h": "h", "name": name, "parts": [("text", text)]}
    shown = protocol.item(Event(3, 5_000, "message", "m", data), "seed")
    assert shown is not None
    item = json.loads(protocol.events([shown]))["e"][0]
    assert item == {"id": id_of("seed", 3), "h": "h", "name": name, "at": 5, "text": text}


def test_one_frame_takes_many_items() -> None:
    frame = json.loads(protocol.events(['{"id":"7"}', '{"id":"9"}']))
    assert frame == {"t": "events", "e": [{"id": "7"}, {"id": "9"}]}


def test_browsers_are_not_told_the_ids_that_name_other_messages() -> None:
    data = {"role": "assistant", "h": None, "name": None, "parts": [("markdown", "yes")]}
    for id, shown in (("mine", "mine"), (f"{REPLY}chat:7", None)):
        made = protocol.item(Event(9, 0, "message", None, {**data, "id": id}), "seed")
        assert made is not None and json.loads(made).get("as") == shown


def shown(room: PureRoom, member: str = "a", words: Words = ENGLISH) -> dict[str, Any]:
    seat = room.state.memberships[member]
    return json.loads(protocol.state(room.state, seat, words, room.now))["state"]


def timed(**rules: Any) -> PureRoom:
    return PureRoom(rules=Rules(rate=None, duration=300, **rules), members="ab")


def test_a_state_says_how_much_time_is_left_and_whether_it_runs() -> None:
    room = timed(starts="all_present", on_gone="wait", warn=(60,))
    assert "clock" not in shown(room) and shown(room)["code"] == "not_yet"
    room.does(AdvanceRoom(frozenset("a")))
    room.now += 10 * SECOND
    waiting = "It begins when everybody is here, in {time} at the latest."
    assert shown(room)["clock"] == {"is": "waiting", "left": 20_000, "text": waiting}
    room.does(AdvanceRoom(frozenset("ab")))
    running = {"is": "running", "left": 300_000, "text": "{time} left"}
    assert shown(room)["clock"] == running and shown(room)["write"]
    room.now += 240 * SECOND
    room.does(AdvanceRoom())
    assert shown(room)["clock"] == {**running, "left": 60_000, "say": "1 minute left"}
    room.does(AdvanceRoom(frozenset("a"), frozenset("b")))
    room.now += 500 * SECOND
    clock = shown(room)["clock"]
    assert (clock["is"], clock["left"]) == ("paused", 60_000) and "stands still" in clock["say"]


@pytest.mark.parametrize(
    ("reason", "words"),
    [("time", "The time is over."), ("all_done", None), ("group_dissolved", None), ("x", "x")],
)
def test_a_state_says_why_a_room_is_closed_in_words(reason: str, words: str | None) -> None:
    room = timed()
    room.does(Close(reason))
    assert shown(room).get("reason") == words and "clock" not in shown(room)


def test_a_state_says_what_is_left_to_do_and_who_is_done_to_themselves_only() -> None:
    room = timed(min_messages=2)
    assert shown(room)["gate"] == "You can go on when you have written 2 more messages."
    room.says("a")
    assert shown(room)["gate"] == "You can go on when you have written 1 more message."
    room.says("a")
    assert "gate" not in shown(room) and "done" not in shown(room)
    room.does(PressDone("a"))
    assert shown(room)["done"] == "You are done here."
    assert "done" not in shown(room, "b") and "gate" in shown(room, "b")


def test_a_room_without_rules_for_its_time_is_told_nothing_of_one() -> None:
    assert shown(PureRoom(members="a")).keys() == {"is", "write", "name", "title"}


def test_a_state_says_whether_one_may_write_and_why_not() -> None:
    room = PureRoom(members="ab")
    assert shown(room)["write"] is True
    room.does(Mute("a"))
    assert (shown(room)["code"], shown(room, "b")["write"]) == ("muted", True)
    room.does(Close("bye"))
    assert (shown(room)["is"], shown(room)["code"], shown(room)["reason"]) == (
        "closed", "closed", "bye",
    )  # fmt: skip
    room.does(Remove("a"))
    assert (shown(room)["is"], shown(room)["code"]) == ("removed", "removed")


def test_every_code_that_closes_a_socket_has_a_sentence() -> None:
    assert set(protocol.CLOSE_CODES) <= set(SENTENCES)


@given(st.integers(0, 70_000) | st.sampled_from([125, 126, 65_535, 65_536]), st.sampled_from("aé"))
def test_a_text_frame_is_what_a_websocket_library_makes_of_it(length: int, letter: str) -> None:
    text = letter * length
    made = Frame(Opcode.TEXT, text.encode()).serialize(mask=False, extensions=[])
    assert protocol.text_frame(text) == made
