"""A stream of which something else is shown than is said."""

from __future__ import annotations

from shiny_labchat._domain import Event, Part
from shiny_labchat._retelling import Retelling, with_text
from shiny_labchat._streams import OpenStream


class Told:
    """Keeps what a transform was called with, and gives what `make` makes of it."""

    def __init__(self, make: object = str.upper) -> None:
        self.calls: list[tuple[str, str, bool]] = []
        self._make = make

    async def __call__(self, content: str, chunk: str, done: bool) -> Part | None:
        self.calls.append((content, chunk, done))
        assert callable(self._make)
        made = self._make(content)
        return None if made is None else ("markdown", made)


def stream() -> OpenStream:
    return OpenStream(Event(1, 0, "message", None, {"live": True}))


async def test_it_is_called_with_all_so_far_what_came_and_whether_that_is_all() -> None:
    shown, told = stream(), Told()
    retelling = Retelling(shown, told)
    for word in ("one ", "two"):
        await retelling.add([("markdown", word)], ())
    assert await retelling.end()
    assert told.calls == [("one ", "one ", False), ("one two", "two", False), ("one two", "", True)]
    assert shown.parts == [("markdown", "ONE TWO")]
    assert retelling.original == "one two"


async def test_what_only_grows_is_sent_once() -> None:
    shown = stream()
    retelling = Retelling(shown, Told())
    editions = set[int]()
    for n in range(100):
        await retelling.add([("markdown", f"word{n} ")], ())
        editions.add(shown.end.edition)
    await retelling.end()
    assert editions == {0} and shown.end.pieces == 100


async def test_what_is_made_otherwise_takes_the_place_of_what_was_shown() -> None:
    shown = stream()
    retelling = Retelling(shown, Told(lambda text: text[::-1]))
    await retelling.add([("markdown", "ab")], ())
    await retelling.add([("markdown", "cd")], ())
    assert shown.parts == [("markdown", "dcba")] and shown.end.edition == 1


async def test_none_leaves_what_is_shown_and_in_the_end_withholds_it() -> None:
    shown = stream()
    retelling = Retelling(shown, Told(lambda text: None if "no" in text else text))
    await retelling.add([("thinking", "hm"), ("markdown", "yes, ")], ())
    await retelling.add([("markdown", "no")], ())
    assert shown.parts == [("thinking", "hm"), ("markdown", "yes, ")]
    assert not await retelling.end()
    assert shown.parts == [] and retelling.original == "yes, no"


async def test_what_is_taken_back_is_taken_back_from_what_is_shown() -> None:
    shown, told = stream(), Told()
    retelling = Retelling(shown, told)
    await retelling.add([("markdown", "a")], ())
    checkpoint = retelling.said.end.pieces
    await retelling.add([("markdown", "b")], ())
    retelling.said.keep(checkpoint)
    await retelling.add([], ())
    assert shown.parts == [("markdown", "A")] and told.calls[-1] == ("a", "", False)


async def test_thoughts_and_tools_are_shown_as_they_are() -> None:
    shown, told = stream(), Told()
    retelling = Retelling(shown, told)
    request = ("tool_request", {"request_id": "1"})
    for part in (("thinking", "hm"), ("markdown", "Let me look. "), request, ("markdown", "Five")):
        await retelling.add([part], [{"name": "dep"}] if part == request else ())
    await retelling.end()
    assert shown.parts == [("thinking", "hm"), ("markdown", "LET ME LOOK. FIVE"), request]
    assert shown.deps == [{"name": "dep"}]
    assert [chunk for _, chunk, _ in told.calls] == ["Let me look. ", "Five", ""]


def test_the_text_stands_where_text_began() -> None:
    parts: list[Part] = [("thinking", "hm"), ("markdown", "a"), ("web_fetch", {}), ("html", "b")]
    assert with_text(parts, ("html", "c")) == [("thinking", "hm"), ("html", "c"), ("web_fetch", {})]
    assert with_text(parts, None) == [("thinking", "hm"), ("web_fetch", {})]
    assert with_text([], ("markdown", "c")) == [("markdown", "c")]
