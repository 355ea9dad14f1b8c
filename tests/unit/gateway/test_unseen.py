"""Nobody can tell from what they are sent whether there is anything that they are not shown."""

from __future__ import annotations

import asyncio
import json
import re
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
from shiny_labchat.domain.opaque import seq_of
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.live.room import LiveRoom
from tests.support.client import PATIENCE
from tests.unit.gateway.test_socket import NAMES, WAYS, Page

pytestmark = pytest.mark.anyio
BESIDE = {"presence", "here", "typing", "checked"}
"""Frames that come when there is time for them."""
SHOWN = "post", "say", "speak", "more", "end", "clear all"
HIDDEN = "whisper", "record", "clear", "speak aside", "more aside", "end aside", "rename"

steps = st.lists(st.sampled_from((*SHOWN, *HIDDEN)), max_size=14)


class Run:
    """
    What is done in a room of a lab of its own, and what a member is sent.

    Parameters
    ----------
    lab
        The lab.
    way
        How sockets are sent what is new.
    network
        Who hears whom in the room.

    Attributes
    ----------
    frames
        All that bob was sent, as it was.
    """

    def __init__(self, lab: Lab, way: str, network: Any = None) -> None:
        self._lab = lab
        self._way = way
        self.frames: list[list[Any]] = []
        self._network = network
        self._streams: dict[bool, list[RoomStream]] = {True: [], False: []}
        self._said = 0

    async def sent(self, steps: list[str]) -> list[Any]:
        """All that bob is sent meanwhile, when he comes back, and when he comes anew."""
        room = await self.made()
        live = await Runtime.of(self._lab.log).live.open(room.key)
        bob = WAYS[self._way](room, live, "bob")
        await bob.hears("welcome")
        for step in steps:
            await self.do(room, live, bob, step)
        found = [bob.frames]
        for after in (bob.upto, ""):
            late = Page(room, live, "bob", after)
            late.items = deepcopy(bob.items) if after else {}
            await late.hears("welcome")
            await late.settles()
            found.append(late.frames)
            await late.leave()
        await self.tidy()
        self.frames = found
        await bob.leave()
        live.leave()
        members = [*(await room.state()).memberships.values()]
        handles = {each.handle: each.member for each in reversed(members)}  # the first in a place
        return [without_chance(frames, live.state.seed, handles) for frames in found]

    async def made(self) -> Room:
        """The room, with all who are there from the beginning."""
        rules = Rules(rate=None)
        room = await self._lab.create_room("r", study="s", rules=rules, network=self._network)
        for name in NAMES:
            await room.add_member(name, name.title())
        return room

    async def tidy(self) -> None:
        """End what is still open."""
        for speaker in (*self._streams[True], *self._streams[False]):
            await speaker.close("done")

    async def do(self, room: Room, live: LiveRoom, bob: Page, step: str) -> None:
        """One step."""
        is_aside = step.endswith(" aside")
        speakers, audience = self._streams[is_aside], ["ann"] if is_aside else None
        self._said += step in SHOWN
        match step.removesuffix(" aside"):
            case "post":
                await room.post(f"{self._said}", author="eve")
            case "say":
                await bob.says(f"{self._said}", f"cid-{self._said}")
            case "whisper":
                await room.post("psst", author="eve", audience=["ann"])
            case "record":
                await room.record("note", 1)
            case "rename":
                await room.add_member("ann", f"Ann {len(bob.frames)}")
            case "clear":
                await room.clear("ann")
            case "clear all":
                await room.clear()
            case "speak":
                speaker = await RoomStream.open(room, Post([], audience=audience), None)
                assert speaker is not None
                speakers.append(speaker)
            case "more" if speakers:
                await speakers[-1].append([("markdown", "word ")])
                await _is_shown(live, speakers[-1])
            case "end" if speakers:
                await speakers.pop().close("done")
            case _:
                pass
        await bob.settles()


async def _is_shown(live: LiveRoom, speaker: RoomStream) -> None:
    stream = live.streams.open[speaker.seq]
    async with asyncio.timeout(PATIENCE):
        while stream.shown != stream.end:
            await asyncio.to_thread(int)


def without_chance(frames: list[Any], seed: str, handles: dict[str, str]) -> list[Any]:
    """Frames with ids by order, people by name, and no times."""
    told = [frame for frame in frames if frame["t"] not in BESIDE]
    text = re.sub(r'"at": \d+', '"at": 0', json.dumps(told))
    for handle, member in handles.items():
        text = text.replace(f'"{handle}"', f'"of {member}"')
    ids = [id for id in re.findall(r'"([\w-]{11})"', text) if seq_of(seed, id)]
    for n, id in enumerate(dict.fromkeys(ids)):
        text = text.replace(f'"{id}"', f'"id {n}"')
    return json.loads(text)


@settings(max_examples=settings().max_examples // 4)
@given(st.sampled_from(list(WAYS)), steps)
async def test_what_is_not_shown_changes_nothing_of_what_is_sent(
    empty_database: Path, way: str, steps: list[str]
) -> None:
    sent = list[Any]()
    for some in (steps, [step for step in steps if step in SHOWN]):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(empty_database, path := Path(folder) / "lab.db")
            lab = Lab(f"sqlite:///{path}")
            sent.append(await Run(lab, way).sent(some))
            lab.log.close()
    assert sent[0] == sent[1]
