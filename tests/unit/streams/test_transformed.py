"""A stream of which something else is shown than is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from shiny_labchat.domain.events import Event, Part
from shiny_labchat.streams.commits import TICK
from shiny_labchat.streams.content import Position, StreamContent
from shiny_labchat.streams.transformed import TransformedStream, with_text


class Told:
    """Keeps what a transform was called with, and gives what `make` makes of it."""

    def __init__(self, make: Callable[[str], str | None] = str.upper) -> None:
        self.calls: list[tuple[str, str, bool]] = []
        self._make = make

    async def __call__(self, content: str, chunk: str, done: bool) -> Part | None:
        self.calls.append((content, chunk, done))
        made = self._make(content)
        return None if made is None else ("markdown", made)


class Shown:
    """A stream of which something else is shown than is said."""

    def __init__(self, told: Callable[[str, str, bool], Awaitable[Part | None]]) -> None:
        self.stream = StreamContent(Event(1, 0, "message", None, {"live": True}))
        self.retelling = TransformedStream(self.stream, told, self._ring)
        self._bell = asyncio.Event()

    def _ring(self) -> None:
        self._bell.set()

    @property
    def parts(self) -> list[Part]:
        return self.stream.parts

    async def say(self, *parts: Part, deps: Sequence[dict[str, str]] = ()) -> None:
        """Say something, and wait until something else is shown."""
        self._bell.clear()
        self.retelling.add(parts, deps)
        async with asyncio.timeout(10):
            await self._bell.wait()


async def test_it_is_called_with_all_so_far_what_came_and_whether_that_is_all() -> None:
    told = Told()
    shown = Shown(told)
    for word in ("one ", "two"):
        await shown.say(("markdown", word))
    assert await shown.retelling.end()
    assert told.calls == [("one ", "one ", False), ("one two", "two", False), ("one two", "", True)]
    assert shown.parts == [("markdown", "ONE TWO")]
    assert shown.retelling.original == "one two"


async def test_it_is_called_once_a_tick_however_much_is_said() -> None:
    told = Told()
    shown = Shown(told)
    began = asyncio.get_running_loop().time()
    for n in range(20_000):
        if n % 1_000:
            shown.retelling.add([("markdown", f"word{n} ")], ())
        else:
            await shown.say(("markdown", f"word{n} "))
    assert await shown.retelling.end()
    took = asyncio.get_running_loop().time() - began
    assert len(told.calls) <= took / TICK + 2
    assert "".join(chunk for _, chunk, _ in told.calls) == shown.retelling.original
    assert [done for *_, done in told.calls] == [False] * (len(told.calls) - 1) + [True]
    assert shown.parts == [("markdown", shown.retelling.original.upper())]


async def test_what_only_grows_is_sent_once() -> None:
    shown = Shown(Told())
    for n in range(10):
        await shown.say(("markdown", f"word{n} "))
    await shown.retelling.end()
    assert shown.stream.end == Position(0, 10)


async def test_what_is_made_otherwise_takes_the_place_of_what_was_shown() -> None:
    shown = Shown(Told(lambda text: text[::-1]))
    await shown.say(("markdown", "ab"))
    await shown.say(("markdown", "cd"))
    assert shown.parts == [("markdown", "dcba")] and shown.stream.end.edition == 1


async def test_none_leaves_what_is_shown_and_in_the_end_withholds_it() -> None:
    shown = Shown(Told(lambda text: None if "no" in text else text))
    await shown.say(("thinking", "hm"), ("markdown", "yes, "))
    await shown.say(("markdown", "no"))
    assert shown.parts == [("thinking", "hm"), ("markdown", "yes, ")]
    assert not await shown.retelling.end()
    assert shown.parts == [] and shown.retelling.original == "yes, no"


async def test_what_is_taken_back_is_taken_back_from_what_is_shown() -> None:
    told = Told()
    shown = Shown(told)
    await shown.say(("markdown", "a"))
    checkpoint = shown.retelling.said.end.pieces
    await shown.say(("markdown", "b"))
    shown.retelling.truncate(checkpoint)
    await shown.say()
    assert shown.parts == [("markdown", "A")] and told.calls[-1] == ("a", "", False)


async def test_thoughts_and_tools_are_shown_as_they_are() -> None:
    told = Told()
    shown = Shown(told)
    request = ("tool_request", {"request_id": "1"})
    for part in (("thinking", "hm"), ("markdown", "Let me look. "), request, ("markdown", "Five")):
        await shown.say(part, deps=[{"name": "dep"}] if part == request else ())
    await shown.retelling.end()
    assert shown.parts == [("thinking", "hm"), ("markdown", "LET ME LOOK. FIVE"), request]
    assert shown.stream.deps == [{"name": "dep"}]
    assert [chunk for _, chunk, _ in told.calls] == ["Let me look. ", "Five", ""]


async def test_what_fails_is_raised_at_the_next_chunk_and_at_the_end() -> None:
    asked = asyncio.Event()

    def make(text: str) -> str:
        if text == "ab":
            asked.set()
            raise ZeroDivisionError
        return text

    shown = Shown(Told(make))
    await shown.say(("markdown", "a"))
    shown.retelling.add([("markdown", "b")], ())
    await asked.wait()
    with pytest.raises(ZeroDivisionError):
        shown.retelling.add([("markdown", "c")], ())
    with pytest.raises(ZeroDivisionError):
        await shown.retelling.end()


async def test_half_a_character_is_not_shown() -> None:
    shown = Shown(Told(lambda text: text[:-1] + "\ud83d\0"))
    await shown.say(("markdown", "ab"))
    assert shown.parts == [("markdown", "a\ufffd")]


def test_the_text_stands_where_text_began() -> None:
    parts: list[Part] = [("thinking", "hm"), ("markdown", "a"), ("web_fetch", {}), ("html", "b")]
    assert with_text(parts, ("html", "c")) == [("thinking", "hm"), ("html", "c"), ("web_fetch", {})]
    assert with_text(parts, None) == [("thinking", "hm"), ("web_fetch", {})]
    assert with_text([], ("markdown", "c")) == [("markdown", "c")]
