"""Rules for how people talk, over real sockets: what is refused, and what no frame says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shiny_labchat import Room, Rules
from tests.support.client import Browser

from .conftest import Come, log_of


async def says_until_refused(person: Browser) -> str:
    """Send message after message; give the code of the refusal."""
    while True:
        before = len(person.stored)
        await person.send("hello")
        await person.until(lambda n=before: len(person.stored) > n or bool(refusals(person)))
        if found := refusals(person):
            return found[0]


def refusals(person: Browser) -> list[str]:
    return [frame["code"] for frame in person.frames if frame["t"] == "refused"]


async def test_the_last_message_is_from_before_the_moment_of_closing(
    come: Come, room: Room
) -> None:
    """Also for who sends without a pause, and before any timer has closed the room."""
    closes = datetime.now(UTC) + timedelta(seconds=2)
    await room.configure(rules=Rules(rate=None, closes_at=closes))
    async with come("ann") as ann:
        assert await says_until_refused(ann) == "closed"
    said = [event.at for event in await log_of(room) if event.kind == "message"]
    assert said and max(said) < closes.timestamp() * 1e6
    assert len(ann.stored) == len(said), "what was acknowledged is what is stored"


async def test_the_message_after_the_last_is_refused_with_its_reason(
    come: Come, room: Room
) -> None:
    await room.configure(rules=Rules(rate=None, max_messages=3))
    async with come("ann") as ann, come("bob") as bob:
        assert await says_until_refused(ann) == "too_many"
        assert len(ann.stored) == 3
        await bob.says("mine")


async def test_no_frame_says_who_types_or_is_here_where_rules_say_so(
    come: Come, room: Room
) -> None:
    await room.add_member("eve", role="experimenter")
    await room.configure(rules=Rules(rate=None, typing=False, presence=False))
    async with come("ann") as ann, come("bob") as bob, come("eve") as eve:
        await eve.hears("presence", n=3)
        await bob.tell(t="typing")
        await eve.tell(t="typing")
        await bob.says("hi")
        await ann.sees("hi")
        await eve.sees("hi")
        await ann.settles()
        await eve.settles()
    hidden = {"presence", "here", "typing"}
    assert not hidden & {frame["t"] for frame in (*ann.frames, *bob.frames)}
    typing = [frame["who"] for frame in eve.frames if frame["t"] == "typing"]
    assert all(h == eve.welcome["you"]["h"] for who in typing for h, _ in who)


async def test_the_turn_is_known_to_all_as_soon_as_a_message_is_seen(
    come: Come, room: Room
) -> None:
    await room.add_member("ann")
    await room.configure(rules=Rules(rate=None, turns="round_robin", turn_seconds=3600))
    async with come("ann") as ann, come("bob") as bob:
        assert await bob.tries("me first") == "not_your_turn"
        await ann.says("one")
        await bob.says("two")
        await ann.sees("one", "two")
        await ann.says("three")
        assert await ann.tries("four") == "not_your_turn"
    turns = [event.member for event in await log_of(room) if event.kind == "turn"]
    assert turns[-3:] == ["bob", "ann", "bob"]
