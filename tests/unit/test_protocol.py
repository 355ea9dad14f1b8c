"""The frames: what is let in, and what is let out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import protocol
from shiny_labchat.domain.commands import (
    Clear,
    Close,
    Configure,
    Join,
    Mute,
    Post,
    Record,
    Remove,
    Say,
)
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import Membership
from shiny_labchat.errors import SENTENCES, BadFrame
from tests.unit.pure_room import PureRoom

HELLO = {"t": "hello", "v": 1, "ticket": "T", "after": 0}
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
        json.dumps(HELLO): protocol.Hello("T", False, 0),
        '{"t":"hello","v":1,"resume":"R","after":41}': protocol.Hello("R", True, 41),
        json.dumps(SEND): protocol.Send("c", "hi"),
        '{"t":"typing"}': protocol.Typing(),
        '{"t":"older","before":42}': protocol.Older(42),
        '{"t":"ping"}': protocol.Ping(),
        '{"t":"ping","new":"field"}': protocol.Ping(),
    }
    for raw, frame in frames.items():
        assert protocol.decode(raw) == frame


@pytest.mark.parametrize("key", ["t", "cid", "text"])
@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["send"]])
def test_a_send_lacking_anything_is_no_frame(key: str, value: object) -> None:
    assert refused(json.dumps({**SEND, key: value})) == "bad_frame"
    assert refused(json.dumps({k: v for k, v in SEND.items() if k != key})) == "bad_frame"


@pytest.mark.parametrize("after", [-1, 1.0, True, "1", None, 2**53, 10**30, [1]])
def test_a_cursor_is_a_whole_number_a_browser_can_hold(after: object) -> None:
    assert refused(json.dumps({**HELLO, "after": after})) == "bad_frame"
    assert refused(json.dumps({"t": "older", "before": after})) == "bad_frame"


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused(version: object) -> None:
    assert refused(json.dumps({**HELLO, "v": version})) == "bad_frame"


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


@given(st.sampled_from(["send", "hello", "older", "typing", "ping"]), json_values, json_values)
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
    items = [item for event in room.log if (item := protocol.item(event)) is not None]
    frames = [protocol.events(room.state.seq, items), protocol.older(items, True), protocol.pong()]
    frames += [protocol.presence(seats), protocol.typing(seats), protocol.acks([("c", 1)])]
    frames += [protocol.refused("c", "muted", SENTENCES["muted"]), protocol.bye("removed")]
    for seat in seats:
        frames.append(protocol.state(room.state, seat))
        frames.append(protocol.welcome(room.state, seat, "R", room.state.seq, items, False, True))
    return frames


def test_every_frame_is_one_json_object_with_a_type() -> None:
    for frame in every_frame(a_full_room()):
        assert isinstance(json.loads(frame)["t"], str)


def test_no_frame_has_an_id_of_a_person_a_page_a_study_or_a_folder() -> None:
    for frame in every_frame(a_full_room()):
        assert "SECRET" not in frame


def test_the_record_of_a_study_is_shown_to_nobody() -> None:
    kinds = ("recorded", "joined", "changed", "removed", "closed", "opened", "configured")
    for kind in (*kinds, "composed"):
        assert protocol.item(Event(1, 0, kind, "a", {"x": 1})) is None


@given(no_surrogates, no_surrogates)
def test_text_and_name_arrive_as_they_are(text: str, name: str) -> None:
    data = {"role": "user", "h": "h", "name": name, "parts": [("text", text)]}
    shown = protocol.item(Event(3, 5_000, "message", "m", data))
    assert shown is not None
    item = json.loads(protocol.events(3, [shown]))["e"][0]
    assert (item["parts"], item["name"], item["at"]) == ([["text", text]], name, 5)


def test_one_frame_takes_many_items_and_names_their_end() -> None:
    frame = json.loads(protocol.events(9, ['{"seq":7}', '{"seq":9}']))
    assert frame == {"t": "events", "upto": 9, "e": [{"seq": 7}, {"seq": 9}]}


def shown(room: PureRoom, member: str = "a") -> dict[str, Any]:
    return json.loads(protocol.state(room.state, room.state.memberships[member]))["state"]


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


def test_a_presence_frame_does_not_grow_without_bound() -> None:
    seats = [Membership(str(n), f"h{n}", f"N{n}", "participant", joined=1) for n in range(500)]
    frame = json.loads(protocol.presence(seats))
    assert frame["n"] == 500 and len(frame["who"]) == protocol.NAMES_SHOWN


def test_every_code_that_closes_a_socket_has_a_sentence() -> None:
    assert set(protocol.CLOSE_CODES) <= set(SENTENCES)
