"""Who is here: rosters, and changes of them that lead to the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import protocol
from shiny_labchat.domain.membership import Membership
from shiny_labchat.live.presence import PRESENCE_EVERY, Presence, Seen

ROLES = st.sampled_from(["participant", "observer", "experimenter"])


class Hall:
    """A room's members, and who of them is here; time passes when it is told to."""

    def __init__(self, number: int, bots: int = 0) -> None:
        self.looked_up = 0
        self.members: dict[str, Membership] = {}
        for n in range(number):
            role = "assistant" if n < bots else "participant"
            shown = "participant" if n < bots else None
            self.members[f"m{n}"] = Membership(
                *(f"m{n}", f"{n * 7919 % 10007:08x}", f"Name {n}", role),
                joined=1,
                is_bot=n < bots,
                shown=shown,
            )
        bots_here = [each for each in self.members.values() if each.is_bot]
        self.presence = Presence(self._look_up, lambda: bots_here)

    def _look_up(self, members: Sequence[str]) -> list[Membership]:
        self.looked_up += len(members)
        return [self.members[member] for member in members if member in self.members]

    async def passes(self) -> None:
        """Let the throttle's time pass."""
        self.presence.here._last = float("-inf")
        self.presence.here._timer = None
        self.presence.here._renew()


class Page:
    """A page: it keeps who is here by what it is sent."""

    def __init__(self, hall: Hall, *, observers: bool, viewer: str | None = None):
        self.people: dict[str, tuple[str, str]] = {}
        self.n = 0
        self.frames: list[str] = []
        self.seen: Seen | None = None
        self._hall = hall
        self._as: dict[str, Any] = {"observers": observers}
        self._viewer = viewer

    def reads(self) -> None:
        """Take what it is owed."""
        presence = self._hall.presence
        frames, self.seen = presence.owed(self.seen, self._viewer, **self._as)
        for frame in frames:
            self.frames.append(frame)
            self._take(json.loads(frame))

    def _take(self, frame: dict[str, Any]) -> None:
        self.n = frame["n"]
        if frame["t"] == "presence":
            self.people = {}
        for handle in frame.get("went", ()):
            del self.people[handle]
        for handle, name, role in frame.get("who", frame.get("came", ())):
            self.people[handle] = name, role

    def expected(self) -> tuple[int, dict[str, tuple[str, str]]]:
        """What it must show."""
        viewer, observers = self._viewer, self._as["observers"]
        here = self._hall.presence.present(viewer, observers=observers)
        named = here[: protocol.NAMES_SHOWN]
        return len(here), {m.handle: (m.pseudonym, m.role_for(viewer)) for m in named}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["come", "come", "come", "go", "rename", "become", "remove", "read"]),
        st.integers(0, 129),
        ROLES,
        st.integers(0, 3),
    ),
    max_size=60,
)


async def _pages_show_who_is_here(steps: Any, bots: int, crowd: int) -> None:
    hall = Hall(130, bots)
    for n in range(crowd):
        hall.presence.come(f"m{n}")
    told = hall.members["m0"]
    pages = [Page(hall, observers=observers) for observers in (True, False)]
    if bots:  # one to whom a bot is disclosed
        hall.members["m0"] = told._replace(known_to=("m129",))
        pages.append(Page(hall, observers=True, viewer="m129"))
    here = {f"m{n}" for n in range(crowd)}
    for what, n, role, reader in steps:
        member = f"m{n}"
        match what:
            case "come":
                hall.presence.come(member)
                here.add(member)
            case "go" if member in here:
                hall.presence.go(member)
            case "rename" | "become" if member in hall.members and n >= bots:
                name = f"{hall.members[member].pseudonym}+" if what == "rename" else None
                change = {"pseudonym": name} if name else {"role": role}
                hall.members[member] = hall.members[member]._replace(**change)
                hall.presence.rename(member)
            case "remove" if n >= bots:
                hall.members.pop(member, None)
                hall.presence.rename(member)
            case _:
                await hall.passes()
                pages[reader % len(pages)].reads()
        if what == "go":
            here = set(hall.presence._here)
    await hall.passes()
    for page in pages:
        page.reads()
        assert (page.n, page.people) == page.expected()


@given(STEPS, st.integers(0, 3), st.integers(60, 130))
def test_whatever_a_page_missed_it_shows_who_is_here(steps: Any, bots: int, crowd: int) -> None:
    asyncio.run(_pages_show_who_is_here(steps, bots, crowd))


async def test_a_change_among_hundreds_is_told_as_a_change() -> None:
    hall = Hall(600)
    page = Page(hall, observers=True)
    for n in range(600):
        hall.presence.come(f"m{n}")
    await hall.passes()
    page.reads()
    first = min(hall.members.values(), key=lambda each: each.handle)
    hall.presence.go(first.member)
    hall.looked_up = 0
    await hall.passes()
    page.reads()
    assert len(page.frames[1]) < 250 < 3_000 < len(page.frames[0])
    assert hall.looked_up == 1, "of 600"
    hall.presence.come(first.member)
    hall.presence.go("m7")
    await hall.passes()
    page.reads()
    assert json.loads(page.frames[2])["t"] == "here"
    assert (page.n, page.people) == page.expected()


async def test_what_happens_in_the_throttles_time_is_one_frame() -> None:
    hall = Hall(50)
    page = Page(hall, observers=True)
    for n in range(10):
        hall.presence.come(f"m{n}")
    await hall.passes()
    page.reads()
    for n in range(10, 50):
        hall.presence.come(f"m{n}")
        hall.presence.go(f"m{n - 10}")
    await hall.passes()
    page.reads()
    page.reads()
    assert len(page.frames) == 2
    assert (page.n, page.people) == page.expected()


async def test_who_missed_a_change_is_sent_all_who_are_here() -> None:
    hall = Hall(20)
    page = Page(hall, observers=True)
    for n in range(10):
        hall.presence.come(f"m{n}")
        await hall.passes()
        if n in (0, 1, 9):
            page.reads()
    assert [json.loads(frame)["t"] for frame in page.frames] == ["presence", "here", "presence"]


async def test_who_only_opens_a_second_page_changes_nothing() -> None:
    hall = Hall(5)
    page = Page(hall, observers=True)
    hall.presence.come("m1")
    await hall.passes()
    page.reads()
    hall.presence.come("m1")
    await hall.passes()
    hall.presence.go("m1")
    await hall.passes()
    page.reads()
    assert len(page.frames) == 1


async def test_an_observer_who_comes_is_news_for_those_only_who_are_shown_observers() -> None:
    hall = Hall(5)
    hall.members["m4"] = hall.members["m4"]._replace(role="observer")
    pages = [Page(hall, observers=observers) for observers in (True, False)]
    hall.presence.come("m1")
    await hall.passes()
    for page in pages:
        page.reads()
    hall.presence.come("m4")
    await hall.passes()
    for page in pages:
        page.reads()
    assert [len(page.frames) for page in pages] == [2, 1]
    for page in pages:
        assert (page.n, page.people) == page.expected()


async def test_a_roster_is_made_at_most_so_often() -> None:
    hall = Hall(3)
    told: list[int] = []
    hall.presence.follow(lambda: told.append(hall.presence.here.number))
    loop, begun = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    for number, members in ((1, ["m0"]), (2, ["m1", "m2"])):
        for member in members:
            hall.presence.come(member)
        async with asyncio.timeout(10):
            while len(told) < number:
                await asyncio.wait([loop.create_future()], timeout=0.01)
    assert told == [1, 2]
    assert loop.time() - begun >= 0.9 * PRESENCE_EVERY


async def test_two_with_the_same_handle_harm_nobody() -> None:
    hall = Hall(3)
    hall.members["m2"] = hall.members["m2"]._replace(handle=hall.members["m1"].handle)
    for member in hall.members:
        hall.presence.come(member)
    assert len(hall.presence.present()) == 3
    hall.presence.go("m1")
    assert {each.member for each in hall.presence.present()} == {"m0", "m2"}


async def test_who_has_read_that_somebody_came_reads_again_though_they_left_before_the_next_frame():
    hall, told = Hall(2), list[int]()
    presence = hall.presence
    presence.come("m0")
    await hall.passes()
    presence.follow(lambda: told.append(presence.version))
    seen = presence.version
    presence.come("m1")
    assert len(presence.present()) == 2
    presence.go("m1")
    await hall.passes()
    await checkpoint()
    assert told and told[-1] != seen and len(presence.present()) == 1
    await hall.passes()
    await checkpoint()
    assert len(told) == 1, "nothing has been read since that is not so any more"


async def test_a_change_is_told_once_though_others_may_be_shown_to_somebody_since() -> None:
    hall = Hall(3)
    page = Page(hall, observers=True)
    for member in hall.members:
        hall.presence.come(member)
    await hall.passes()
    page.reads()
    hall.presence.go("m1")
    await hall.passes()
    page.reads()
    told = len(page.frames)
    hall.presence.relate()
    await hall.passes()
    page.reads()
    assert len(page.frames) == told and page.n == 2
    hall.presence.go("m2")
    await hall.passes()
    page.reads()
    assert (page.n, page.people) == page.expected()
