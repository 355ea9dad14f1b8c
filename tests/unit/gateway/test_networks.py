"""In a room with a network each page is sent what its person hears, and not a byte of the rest."""

from __future__ import annotations

import json
import shutil
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.domain.commands import Post
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.live.room import LiveRoom
from tests.unit.gateway.test_socket import WAYS, Page
from tests.unit.gateway.test_unseen import HIDDEN as HIDDEN_ANYWHERE
from tests.unit.gateway.test_unseen import SHOWN, Run

pytestmark = pytest.mark.anyio
NAMES = "ann", "bob", "eve", "dan"
EDGES = tuple((one, other) for one in NAMES for other in NAMES if one != other)
SHAPES: dict[Any, set[tuple[str, str]]] = {
    "full": set(EDGES),
    "none": set(),
    "ring": {edge for edge in EDGES if {*edge} not in ({"ann", "eve"}, {"bob", "dan"})},
    "star:eve": {edge for edge in EDGES if "eve" in edge},
}

who = st.sampled_from(NAMES)
steps = st.lists(
    st.tuples(st.sampled_from(["say", "say", "post", "speak", "type", "leave", "come"]), who)
    | st.tuples(st.just("tell"), st.tuples(who, st.lists(who, max_size=2)))
    | st.tuples(st.sampled_from(["connect", "disconnect"]), st.sampled_from(EDGES))
    | st.tuples(st.just("shape"), st.sampled_from([*SHAPES]))
    | st.tuples(st.sampled_from(["announce", "more", "end", "note"]), st.none()),
    max_size=16,
)


class Talk:
    """
    A talk in a room whose network changes, and what each of them is to be sent.

    Attributes
    ----------
    pages
        The open pages.
    heard
        By name, the texts that somebody hears, in order.
    known
        By name, those who may be named in what somebody is sent.
    """

    def __init__(self, room: Room, live: LiveRoom, way: str, edges: set[tuple[str, str]]) -> None:
        self.pages: dict[str, Page] = {}
        self.heard: dict[str, list[str]] = {name: [] for name in NAMES}
        self.known: dict[str, set[str]] = {name: {name} for name in NAMES}
        self.edges = {*edges}
        self.noted: dict[str, tuple[str, dict[str, Any]]] = {}
        self._room, self._live, self._way = room, live, way
        self._speakers: list[tuple[RoomStream, str]] = []
        self._said = 0
        self.learn()

    async def come(self, name: str) -> None:
        if name not in self.pages:
            self.pages[name] = WAYS[self._way](self._room, self._live, name)
            await self.pages[name].hears("welcome")

    def hear(self, author: str | None, audience: list[str] | None = None) -> str:
        """A further text, which those hear who are to hear it."""
        self._said += 1
        text = f"text-{self._said}."
        for name in NAMES:
            is_heard = author in (None, name) or (author, name) in self.edges
            if is_heard if audience is None else name in (author, *audience):
                self.heard[name].append(text)
                self.known[name].add(author or name)
        return text

    def learn(self) -> None:
        """Note who is shown to whom now."""
        for speaker, hearer in self.edges:
            self.known[hearer].add(speaker)

    async def does(self, what: str, of: Any) -> None:
        match what:
            case "say" if of in self.pages:
                await self.pages[of].says(self.hear(of))
            case "say" | "post":
                await self._room.post(self.hear(of), author=of)
            case "tell":
                author, audience = of
                text = self.hear(author, audience)
                await self._room.post(text, author=author, audience=audience)
            case "announce":
                await self._room.announce(self.hear(None))
            case "connect" | "disconnect":
                change = self._room.connect if what == "connect" else self._room.disconnect
                (self.edges.add if what == "connect" else self.edges.discard)(of)
                await change(*of)
            case "shape":
                self.edges = {*SHAPES[of]}
                await self._room.configure(network=of)
            case "come":
                await self.come(of)
            case "leave" if of in self.pages:
                await self.pages.pop(of).leave()
            case "type":
                self._live.presence.type(of)
            case "note":
                for name, page in self.pages.items():
                    await page.settles()
                    self.noted[name] = page.upto, deepcopy(page.items)
            case _:
                await self._stream(what, of)
        self.learn()

    async def _stream(self, what: str, of: str) -> None:
        match what:
            case "speak":
                text = self.hear(of)
                stream = await RoomStream.open(self._room, Post([], "user", of), None)
                assert stream is not None
                self._speakers.append((stream, text))
            case "more" if self._speakers:
                stream, text = self._speakers[-1]
                if not stream.text:
                    await stream.append([("text", text)])
            case "end" if self._speakers:
                await self._end(*self._speakers.pop())
            case _:
                pass

    async def _end(self, stream: RoomStream, text: str) -> None:
        if not stream.text:
            await stream.append([("text", text)])
        await stream.close("done")

    async def end(self) -> None:
        for stream, text in self._speakers:
            await self._end(stream, text)
        self._speakers.clear()


async def _each_is_sent_what_they_hear(lab: Lab, way: str, shape: str, steps: list[Any]) -> None:
    room = await lab.create_room("r", study="s", rules=Rules(rate=None), network=shape)
    for name in NAMES:
        await room.add_member(name, name.title())
    live = await Runtime.of(lab.log).live.open(room.key)
    live.presence.here._every = 0.01
    handles = {m.member: m.handle for m in live.state.members()}
    talk = Talk(room, live, way, SHAPES[shape])
    for name in NAMES:
        await talk.come(name)
    seen = [(name, page) for name, page in talk.pages.items()]
    for step in steps:
        await talk.does(*step)
        seen += [each for each in talk.pages.items() if each not in seen]
    await talk.end()
    late = {name: Page(room, live, name) for name in NAMES}
    for name, page in late.items():
        await page.hears("welcome")
        for each in (page, talk.pages.get(name, page)):
            await each.settles()
            assert each.texts == talk.heard[name]
    for name, page in [*late.items(), *talk.pages.items()]:
        here = [handles[each] for each in NAMES if each == name or (each, name) in talk.edges]
        await page.until(lambda page=page, here=here: shown_here(page) == sorted(here))
    seen += late.items()
    for name, (after, items) in talk.noted.items():
        again = Page(room, live, name, after)
        again.items = items
        await again.hears("welcome")
        await again.settles()
        assert again.texts == talk.heard[name]
        seen.append((name, again))
    for name, page in seen:
        sent = json.dumps(page.frames)
        texts = (f"text-{n}." for n in range(1, 20))
        unheard = [text for text in texts if text not in talk.heard[name]]
        strangers = [handles[each] for each in NAMES if each not in talk.known[name]]
        assert [each for each in (*unheard, *strangers) if each in sent] == []
    for page in {page for _, page in seen}:
        if not page.ended.done():
            await page.leave()
    live.leave()


def shown_here(page: Page) -> list[str]:
    """The handles of those whom a page shows as here."""
    shown = [frame for frame in page.frames if frame["t"] == "presence"]
    if not shown or shown[-1]["n"] != len(shown[-1]["who"]):
        return []
    return sorted(person[0] for person in shown[-1]["who"])


@settings(max_examples=settings().max_examples // 2)
@given(st.sampled_from(list(WAYS)), st.sampled_from([*SHAPES]), steps)
async def test_each_page_is_sent_exactly_what_its_person_hears(
    empty_database: Path, way: str, shape: str, steps: list[Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty_database, path := Path(folder) / "lab.db")
        lab = Lab(f"sqlite:///{path}")
        await _each_is_sent_what_they_hear(lab, way, shape, steps)
        lab.log.close()


async def test_a_page_forgets_whom_it_was_shown_once_all_hear_all_and_nobody_is_shown(
    lab: Lab,
) -> None:
    room = await lab.create_room("r", study="s", rules=Rules(rate=None), network="ring")
    for name in NAMES:
        await room.add_member(name, name.title())
    live = await Runtime.of(lab.log).live.open(room.key)
    bob, ann = Page(room, live, "bob"), Page(room, live, "ann")
    await bob.until(lambda: len(shown_here(bob)) == 2)
    live.presence.type("ann")
    await bob.until(lambda: any(f["t"] == "typing" and f["who"] for f in bob.frames))
    hidden = Rules(rate=None, presence=False, typing=False)
    await room.configure(network="full", rules=hidden)
    await bob.settles()
    for t, shown in (("presence", "who"), ("typing", "who")):
        last = [frame for frame in bob.frames if frame["t"] == t][-1]
        assert last[shown] == []
    for page in (bob, ann):
        await page.leave()
    live.leave()


async def test_a_state_is_not_sent_anew_because_time_has_passed(lab: Lab) -> None:
    """It would say when others come or write, who are not heard."""
    rules = Rules(rate=None, duration=3600, turns="code")
    room = await lab.create_room("r", study="s", rules=rules, network="none")
    for name in NAMES:
        await room.add_member(name, name.title())
    await room.start()
    await room.pass_turn("ann")
    live = await Runtime.of(lab.log).live.open(room.key)
    bob = Page(room, live, "bob")
    await bob.hears("welcome")
    await room.pass_turn("dan")
    await room.add_member("eve", "Other name")
    await bob.settles()
    assert [frame for frame in bob.frames if frame["t"] == "state"] == []
    await room.extend(60)
    await bob.settles()
    [told] = [frame for frame in bob.frames if frame["t"] == "state"]
    assert told["state"]["clock"]["left"] > bob.welcome["state"]["clock"]["left"]
    await bob.leave()
    live.leave()


# ── as if there was nothing else ──

UNHEARD = "post unheard", "speak unheard", "type unheard", "come unheard", "connect others"
NETWORK = {"eve": ["bob"], "bob": ["eve", "ann"]}
"""Bob hears Eve; Ann hears Bob, and nobody hears Ann."""


class NetworkRun(Run):
    """As `Run`, in a room in which Bob does not hear Ann."""

    def __init__(self, lab: Lab, way: str) -> None:
        super().__init__(lab, way, NETWORK)
        self._streams_of_ann: list[RoomStream] = []
        self._pages_of_ann: list[Page] = []

    async def do(self, room: Room, live: LiveRoom, bob: Page, step: str) -> None:
        match step:
            case "post unheard":
                await room.post("Ann says", author="ann")
            case "speak unheard" if not self._streams_of_ann:
                stream = await RoomStream.open(room, Post([], "user", "ann"), None)
                assert stream is not None
                self._streams_of_ann.append(stream)
            case "speak unheard":
                await self._streams_of_ann[-1].append([("text", "Ann says")])
                await self._streams_of_ann.pop().close("done")
            case "type unheard":
                live.presence.type("ann")
            case "come unheard" if not self._pages_of_ann:
                self._pages_of_ann.append(Page(room, live, "ann"))
                await self._pages_of_ann[-1].hears("welcome")
            case "come unheard":
                await self._pages_of_ann.pop().leave()
            case "connect others":
                is_on = live.state.hears("eve", "ann")
                await (room.disconnect if is_on else room.connect)({"ann": ["eve"]})
            case _:
                await super().do(room, live, bob, step)
                return
        await bob.settles()

    async def tidy(self) -> None:
        for stream in self._streams_of_ann:
            await stream.close("done")
        for page in self._pages_of_ann:
            await page.leave()
        await super().tidy()


@settings(max_examples=settings().max_examples // 4)
@given(
    st.sampled_from(list(WAYS)),
    st.lists(st.sampled_from((*SHOWN, *HIDDEN_ANYWHERE, *UNHEARD)), max_size=14),
)
async def test_what_is_not_heard_changes_nothing_of_what_is_sent(
    empty_database: Path, way: str, steps: list[str]
) -> None:
    sent = list[Any]()
    for some in (steps, [step for step in steps if step in SHOWN]):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(empty_database, path := Path(folder) / "lab.db")
            lab = Lab(f"sqlite:///{path}")
            run = NetworkRun(lab, way)
            sent.append(await run.sent(some))
            assert "Ann" not in json.dumps(run.frames)
            lab.log.close()
    assert sent[0] == sent[1]
