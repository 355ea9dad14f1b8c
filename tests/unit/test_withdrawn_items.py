"""What frames and conversations have of messages whose author has withdrawn."""

from __future__ import annotations

import json
from typing import Any

from shiny_labchat import protocol
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.withdrawal import Renaming, rewritten
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.live.window import Window

SEED = "seed"


def message(seq: int, member: str, **more: Any) -> Event:
    said = {
        "role": "user",
        "h": f"h-{member}",
        "name": member.title(),
        "parts": [("text", "words")],
    }
    return Event(seq, 1_000_000, "message", member, {**said, **more})


def blank(event: Event) -> Event:
    return rewritten(event, Renaming("ann", "withdrawn-0123456789abcdef"))


def test_the_item_of_a_withdrawn_message_has_neither_name_nor_text() -> None:
    item = protocol.item(blank(message(2, "ann", icon="<svg/>")), SEED)
    assert item is not None
    shown = json.loads(item)
    assert shown == {"id": shown["id"], "h": "h-ann", "at": 1000, "withdrawn": True}


def test_a_withdrawal_is_an_item_with_a_handle_alone() -> None:
    event = Event(9, 1, "withdrawn", "withdrawn-0123456789abcdef", {"messages": [2], "h": "h-ann"})
    item = json.loads(protocol.item(event, SEED) or "")
    assert item == {"k": "withdrawn", "id": item["id"], "h": "h-ann"}
    quoted = event._replace(data={**event.data, "quotes": True})
    assert json.loads(protocol.item(quoted, SEED) or "")["anew"] is True


def test_a_withdrawal_of_somebody_who_was_no_member_is_not_shown() -> None:
    assert protocol.item(Event(9, 1, "withdrawn", "x", {"messages": []}), SEED) is None


def test_a_window_has_withdrawals_for_those_who_come_back() -> None:
    window = Window(SEED)
    window.keep([blank(message(2, "ann")), Event(3, 1, "withdrawn", "x", {"h": "h-ann"})])
    assert [event.kind for event, _ in window.after(2)] == ["withdrawn"]


def test_a_conversation_shows_people_blank_messages_and_models_none() -> None:
    said = Conversation([blank(message(2, "ann")), message(3, "bob")])
    assert [each.content for each in said.public(0)] == ["", "words"]
    assert [each.withdrawn for each in said.public(0)] == [True, False]
    assert [each.content for each in said.told(0)] == ["words"]


def test_a_conversation_that_is_closed_has_nothing_and_takes_nothing_in() -> None:
    said = Conversation([message(2, "ann")])
    said.close()
    said.add([message(3, "bob")])
    assert said.is_outdated and said.public(0) == () and said.size == 0
