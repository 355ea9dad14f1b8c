"""Whatever changes while people talk, each page is sent what its person may hear, and no more."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiny_labchat import Lab, Room
from shiny_labchat.domain.commands import Post
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.live.room import LiveRoom
from tests.unit.gateway.groups import group_of, is_up_to_date, name_of, replace
from tests.unit.gateway.test_networks import shown_here
from tests.unit.gateway.test_socket import WAYS, Page

pytestmark = pytest.mark.anyio
MANY = 1_000 if os.environ.get("LABCHAT_LONG") == "1" else 25
PEOPLE = "ann", "bob", "eve", "dan"
LATE = "fay"
"""Who joins while the others talk."""
ALL = *PEOPLE, LATE
SHAPES = "full", "none", "ring", "star:eve"

who = st.sampled_from(ALL)
pairs = st.tuples(who, who).filter(lambda pair: pair[0] != pair[1])
rules_of_rooms = st.fixed_dictionaries(
    {
        "presence": st.booleans(),
        "typing": st.booleans(),
        "history": st.sampled_from(["all", "joined"]),
        "turns": st.sampled_from([None, "round_robin", "code"]),
        "turn_seconds": st.just(3600),
        "duration": st.sampled_from([None, 3600]),
    }
)
steps_in_rooms = st.lists(
    st.tuples(st.sampled_from(["say", "say", "post", "speak", "type", "leave", "come"]), who)
    | st.tuples(st.sampled_from(["turn", "clear"]), who)
    | st.tuples(st.just("replace"), st.sampled_from(PEOPLE))
    | st.tuples(st.just("tell"), st.tuples(who, st.lists(who, max_size=2)))
    | st.tuples(st.sampled_from(["connect", "disconnect"]), pairs)
    | st.tuples(st.just("shape"), st.sampled_from(SHAPES))
    | st.tuples(st.sampled_from(["retract"]), st.integers(0, 9))
    | st.tuples(st.sampled_from(["arrive", "announce", "more", "end", "note"]), st.none()),
    max_size=20,
)


def edges_of(shape: str, order: list[str]) -> set[tuple[str, str]]:
    """Who speaks to whom in a shape, among people in the order in which they joined."""
    every = {(one, other) for one in order for other in order if one != other}
    if shape == "ring":
        sides = [*pairwise(order), (order[-1], order[0])]
        return every & {*sides, *((other, one) for one, other in sides)}
    if shape.startswith("star"):
        return {edge for edge in every if "eve" in edge}
    return every if shape == "full" else set()


@dataclass
class Said:
    """A message: its text, and who hears it; None: all, whoever comes later too."""

    text: str
    author: str | None
    hearers: frozenset[str] | None
    is_retracted: bool = False


class Talk:
    """
    A talk in a room in which everything changes, and what each page is to be sent.

    Attributes
    ----------
    pages
        The open pages.
    everything
        All pages that there were, with the names of whose they are.
    told
        By name, the texts and the names of others that may be in what somebody was sent.
    """

    def __init__(self, lab: Lab, room: Room, live: LiveRoom, way: str, rules: Any) -> None:
        self.pages: dict[str, Page] = {}
        self.everything: list[tuple[str, Page]] = []
        self.told: dict[str, set[str]] = {name: {name} for name in ALL}
        self.noted: dict[str, tuple[str, dict[str, Any]]] = {}
        self.rules = rules
        self._lab, self._room, self._live, self._way = lab, room, live, way
        self._order = [each.member for each in live.state.memberships.values()]
        self._shape, self._changed = "full", dict[tuple[str, str], bool]()
        self._said = list[Said]()
        self._from: dict[str, int] = dict.fromkeys(PEOPLE, 0)
        self._bots: dict[str, str] = {}
        self._speakers: list[tuple[RoomStream, Said]] = []

    @property
    def here(self) -> list[str]:
        """Those who are there themselves."""
        return [name for name in self._order if name not in self._bots]

    @property
    def edges(self) -> set[tuple[str, str]]:
        found = edges_of(self._shape, self._order)
        found |= {edge for edge, is_there in self._changed.items() if is_there}
        return found - {edge for edge, is_there in self._changed.items() if not is_there}

    @property
    def is_full(self) -> bool:
        return self._shape == "full" and all(self._changed.values())

    def heard(self, name: str) -> list[str]:
        """The texts that somebody's page is to show."""
        said = enumerate(self._said)
        return [each.text for n, each in said if not each.is_retracted and self._hears(name, n)]

    def _hears(self, name: str, n: int) -> bool:
        each = self._said[n]
        return n >= self._from[name] and (each.hearers is None or name in each.hearers)

    def page_of(self, name: str, after: str = "") -> Page:
        page = WAYS[self._way](self._room, self._live, self.id_of(name), after)
        self.everything.append((name, page))
        return page

    async def come(self, name: str) -> None:
        if name in self.here and name not in self.pages:
            self.pages[name] = self.page_of(name)
            await self.pages[name].hears("welcome")

    def id_of(self, name: str) -> str:
        return self._bots.get(name, name)

    def say(self, author: str | None, audience: list[str] | None = None) -> Said:
        """A further message, which those hear who are to hear it."""
        hearers: frozenset[str] | None = None
        if audience is not None:
            hearers = frozenset([*audience, author or ""])
        elif author is not None and not self._is_heard_by_all(author):
            hearers = frozenset([author, *(to for one, to in self.edges if one == author)])
        said = Said(f"text-{len(self._said) + 1}.", author, hearers)
        self._said.append(said)
        for name in self.here:
            if self._hears(name, len(self._said) - 1):
                self.told[name] |= {said.text, author or name}
        return said

    def _is_heard_by_all(self, author: str) -> bool:
        """Whether a message is for all by the network, and is read by whoever comes later."""
        is_limited = any(not on and edge[0] == author for edge, on in self._changed.items())
        return self._shape == "full" and not is_limited

    def learn(self) -> None:
        """Note who is shown to whom now, and what was said to all before they came."""
        for speaker, hearer in self.edges:
            self.told[hearer].add(speaker)
        for name in self.here:
            for n, said in enumerate(self._said):
                if said.hearers is None and self._hears(name, n) and not said.is_retracted:
                    self.told[name] |= {said.text, said.author or name}

    # ── steps ──

    async def does(self, what: str, of: Any) -> None:
        people = {"tell": lambda: [of[0], *of[1]], "connect": lambda: [*of]}
        people["disconnect"] = people["connect"]
        about = people.get(what, lambda: [of])()
        if any(each in ALL and each not in self._order for each in about):
            return  # nobody who is not there yet
        match what:
            case "say" | "post" | "tell" | "speak":
                await self._speak(what, of)
            case "connect" | "disconnect" | "shape":
                await self._relate(what, of)
            case "retract":
                await self._retract(of)
            case "replace" if of in self.here and len([*self.here]) > 2:
                await self._replace(of)
            case "leave" if of in self.pages:
                await self.pages.pop(of).leave()
            case _:
                await self._does(what, of)
        self.learn()

    async def _does(self, what: str, of: Any) -> None:
        match what:
            case "announce":
                await self._room.announce(self.say(None).text)
            case "come":
                await self.come(of)
            case "type":
                self._live.presence.type(self.id_of(of))
            case "turn" if self.rules["turns"]:
                await self._room.pass_turn(self.id_of(of))
            case "clear" if of in self.here:
                self._from[of] = len(self._said)
                await self._room.clear(of)
            case "arrive" if LATE not in self._order:
                await self._room.add_member(LATE, name_of(LATE))
                self._order.append(LATE)
                is_late = self.rules["history"] == "joined"
                self._from[LATE] = len(self._said) if is_late else 0
            case "note":
                for name, page in self.pages.items():
                    await page.settles()
                    self.noted[name] = page.upto, deepcopy(page.items)
            case "more" if self._speakers:
                stream, said = self._speakers[-1]
                if not stream.text:
                    await stream.append([("text", said.text)])
            case "end" if self._speakers:
                await self._end(*self._speakers.pop())
            case _:
                pass

    async def _speak(self, what: str, of: Any) -> None:
        author, audience = of if what == "tell" else (of, [])
        id = self.id_of(author)
        if self.rules["turns"]:
            await self._room.pass_turn(id)
        if what == "tell":
            to = [self.id_of(each) for each in audience]
            text = self.say(author, audience).text
            await self._room.post(text, author=id, audience=to)
        elif what == "speak":
            said, post = self.say(author), Post([], "user", id)
            stream = await RoomStream.open(self._room, post, None)
            assert stream is not None
            self._speakers.append((stream, said))
        elif author in self._bots:
            text = self.say(author).text
            post = Post([("text", text)], "user", id, cid=f"bot:{text}", hides_cid=True)
            await self._room.submit(post)
        elif what == "say" and author in self.pages:
            await self.pages[author].says(self.say(author).text)
        else:
            await self._room.post(self.say(author).text, author=author)

    async def _end(self, stream: RoomStream, said: Said) -> None:
        if not stream.text:
            await stream.append([("text", said.text)])
        await stream.close("done")

    async def _relate(self, what: str, of: Any) -> None:
        if what == "shape":
            self._shape, self._changed = of, {}
            hub = f"star:{self.id_of('eve')}"
            await self._room.configure(network=hub if of.startswith("star") else of)
            return
        self._changed[of] = what == "connect"
        change = self._room.connect if what == "connect" else self._room.disconnect
        await change(*map(self.id_of, of))

    async def _retract(self, n: int) -> None:
        said = {message.content: message for message in await self._room.messages()}
        found = [each for each in self._said if each.text in said]
        if found:
            found[n % len(found)].is_retracted = True
            await self._room.retract(said[found[n % len(found)].text])
            await is_up_to_date(self._room, self._live)

    async def _replace(self, name: str) -> None:
        page = self.pages.pop(name, None)
        self._bots[name] = await replace(self._lab, name)
        self.noted.pop(name, None)
        if page is not None:
            assert await page.ended == "removed"

    async def end(self) -> None:
        for each in self._speakers:
            await self._end(*each)
        self._speakers.clear()
        self.learn()


async def _each_is_sent_what_they_hear(
    lab: Lab, way: str, shape: str, rules: Mapping[str, Any], steps: list[Any]
) -> None:
    room = await group_of(lab, PEOPLE, **rules)
    live = await Runtime.of(lab.log).live.open(room.key)
    live.presence.here._every = 0.01
    talk = Talk(lab, room, live, way, rules)
    await talk.does("shape", shape)
    for name in PEOPLE:
        await talk.come(name)
    for step in steps:
        await talk.does(*step)
    await talk.end()
    late = {name: talk.page_of(name) for name in talk.here}
    for name, page in late.items():
        await page.hears("welcome")
        for each in (page, talk.pages.get(name, page)):
            await each.settles()
            assert each.texts == talk.heard(name)
        assert not any(json.dumps(text) in json.dumps(page.frames) for text in gone(talk, name))
    for name, (after, items) in talk.noted.items():
        again = talk.page_of(name, after)
        again.items = items
        await again.hears("welcome")
        await again.settles()
        assert again.texts == talk.heard(name)
    await _each_is_shown_who_is_here(talk, live, late)
    _nobody_was_sent_more(talk, live)
    for _, page in talk.everything:
        if not page.ended.done():
            await page.leave()
    await is_up_to_date(room, live)
    live.leave()


def gone(talk: Talk, name: str) -> list[str]:
    """The texts that nobody who comes now is sent."""
    return [each.text for each in talk._said if each.text not in talk.heard(name)]


async def _each_is_shown_who_is_here(talk: Talk, live: LiveRoom, late: Mapping[str, Page]) -> None:
    handles = {each.member: each.handle for each in live.state.memberships.values()}
    for name, page in [*late.items(), *talk.pages.items()]:
        heard = [each for each in talk.here if each == name or (each, name) in talk.edges]
        here = sorted(handles[each] for each in heard) if talk.rules["presence"] else []
        await page.until(lambda page=page, here=here: shown_here(page) == here)


def _nobody_was_sent_more(talk: Talk, live: LiveRoom) -> None:
    members = live.state.memberships.values()
    handles = {each.member: each.handle for each in members}
    bots = [each.member for each in members if each.is_bot]
    for name, page in talk.everything:
        sent, told = json.dumps(page.frames), talk.told[name]
        texts = (each.text for each in talk._said)
        strangers = [each for each in ALL if each in handles and each not in told]
        unheard = [text for text in texts if text not in told]
        unheard += [handles[each] for each in strangers] + [name_of(each) for each in strangers]
        assert [each for each in (*unheard, *bots) if each in sent] == []
        typing = [frame for frame in page.frames if frame["t"] == "typing" and frame["who"]]
        assert talk.rules["typing"] or not typing


@settings(max_examples=MANY)
@given(st.sampled_from(list(WAYS)), st.sampled_from(SHAPES), rules_of_rooms, steps_in_rooms)
async def test_each_page_is_sent_exactly_what_its_person_may_hear(
    empty_database: Path, way: str, shape: str, rules: dict[str, Any], steps: list[Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty_database, path := Path(folder) / "lab.db")
        lab = Lab(f"sqlite:///{path}")
        await _each_is_sent_what_they_hear(lab, way, shape, rules, steps)
        lab.log.close()
