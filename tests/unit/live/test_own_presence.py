"""Who does not hear somebody is not sent a byte because of them."""

from __future__ import annotations

import json
from typing import Any

from shiny_labchat.live.own_presence import OwnPresence

from .test_presence import Hall


class Viewer:
    """A viewer who hears some of those in a hall."""

    def __init__(self, hall: Hall, heard: set[str], *, shows_typists: bool = False) -> None:
        self.heard = heard
        self._hall = hall
        self._own = OwnPresence(hall.presence, shows_typists=shows_typists)

    async def reads(self) -> list[Any]:
        """What it is sent, once all that was going on has been told."""
        await self._hall.passes()
        typing = self._hall.presence.typing
        if typing._timer is not None:
            typing._timer.cancel()
            typing._renew()
        me = self._hall.members["m0"]
        owed = self._own.owed(me, {"m0", *self.heard}, None, observers=False)
        return [self._named(json.loads(frame)) for frame in owed]

    def _named(self, frame: dict[str, Any]) -> tuple[str, list[str]]:
        return frame["t"], sorted(name for _, name, *_ in frame["who"])


async def test_who_comes_and_goes_is_told_to_those_who_hear_them() -> None:
    hall = Hall(3)
    viewer = Viewer(hall, {"m1"})
    hall.presence.come("m0")
    assert await viewer.reads() == [("presence", ["Name 0"])]
    hall.presence.come("m2")
    assert await viewer.reads() == []
    hall.presence.come("m1")
    assert await viewer.reads() == [("presence", ["Name 0", "Name 1"])]
    hall.presence.go("m2")
    assert await viewer.reads() == []


async def test_who_is_heard_from_now_on_is_shown_and_who_is_not_any_more_is_not() -> None:
    hall = Hall(3)
    viewer = Viewer(hall, {"m1"})
    for member in hall.members:
        hall.presence.come(member)
    hall.presence.type("m2")
    assert await viewer.reads() == [("presence", ["Name 0", "Name 1"])]
    viewer.heard = {"m2"}
    hall.presence.relate()
    assert await viewer.reads() == [("presence", ["Name 0", "Name 2"]), ("typing", ["Name 2"])]
    viewer.heard = set()
    hall.presence.relate()
    assert await viewer.reads() == [("presence", ["Name 0"]), ("typing", [])]
    hall.presence.relate()
    assert await viewer.reads() == []


async def test_typing_is_told_to_those_who_hear_who_types() -> None:
    hall = Hall(3)
    viewer = Viewer(hall, {"m1"})
    await viewer.reads()
    hall.presence.type("m2")
    assert await viewer.reads() == []
    hall.presence.type("m1")
    assert await viewer.reads() == [("typing", ["Name 1"])]
    hall.presence.said("m2")  # and types on: pages that hear it are told again
    assert await viewer.reads() == []
    hall.presence.said("m1")
    assert await viewer.reads() == [("typing", ["Name 1"])]
    hall.presence.stop_typing("m2")
    assert await viewer.reads() == []
    hall.presence.stop_typing("m1")
    assert await viewer.reads() == [("typing", [])]


async def test_a_page_that_shows_somebody_typing_from_before_is_told_who_it_is_now() -> None:
    hall = Hall(3)
    hall.presence.type("m2")
    viewer = Viewer(hall, {"m1"}, shows_typists=True)
    assert ("typing", []) in await viewer.reads()


async def test_what_is_typed_for_some_is_told_to_no_others_who_hear_who_types() -> None:
    hall = Hall(3)
    viewer = Viewer(hall, {"m1"})
    await viewer.reads()
    hall.presence.type("m1", to=["m2"])
    assert await viewer.reads() == []
    hall.presence.type("m1", to=["m0"])
    assert await viewer.reads() == [("typing", ["Name 1"])]
    hall.presence.type("m1", to=["m2"])
    assert await viewer.reads() == [("typing", [])]
