"""Nobody can tell from what they are sent what others say, do, or become, whom they do not hear."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.domain.commands import Post
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.live.room import LiveRoom
from tests.unit.gateway.groups import group_of, is_up_to_date, name_of, replace
from tests.unit.gateway.test_socket import WAYS, Page
from tests.unit.gateway.test_unseen import HIDDEN, SHOWN, Run

pytestmark = pytest.mark.anyio
MANY = 1_000 if os.environ.get("LABCHAT_LONG") == "1" else 15
PEOPLE = "ann", "bob", "eve", "dan"
NETWORK = {"eve": ["bob", "dan"], "bob": ["eve", "ann", "dan"], "ann": ["dan"], "dan": ["ann"]}
"""Bob hears Eve only, and Eve hears Bob only."""
HEARD = *SHOWN, "retract heard", "turn to eve", "turn to bob"
UNHEARD = (
    *("post unheard", "speak unheard", "type unheard", "come unheard", "connect others"),
    *("retract unheard", "replace ann", "replace eve", "turn among others", "name unheard"),
)


class GroupRun(Run):
    """As `Run`, in a group with a time and turns, whose people are replaced one by one."""

    def __init__(self, lab: Lab, way: str, **rules: Any) -> None:
        super().__init__(lab, way)
        self._rules = rules
        self._streams_of_ann: list[RoomStream] = []
        self._pages_of_dan: list[Page] = []
        self._bots: dict[str, str] = {}
        self._posts: dict[str, list[int]] = {"eve": [], "ann": []}

    async def made(self) -> Room:
        room = await group_of(self._lab, PEOPLE, **self._rules)
        await room.configure(network=NETWORK)
        if self._rules["duration"]:
            await room.start()  # or else it starts at some moment by itself
        if self._takes_turns:
            await room.pass_turn("ann")
        return room

    async def do(self, room: Room, live: LiveRoom, bob: Page, step: str) -> None:
        what, _, of = step.partition(" ")
        match what, of:
            case "post", ("" | "unheard"):
                self._said += not of
                await self._post(room, "ann" if of else "eve", "of ann" if of else f"{self._said}")
            case "retract", ("heard" | "unheard"):
                if posts := self._posts["eve" if of == "heard" else "ann"]:
                    await room.retract(posts.pop())
            case "replace", _ if of not in self._bots:
                self._bots[of] = await replace(self._lab, of)
            case "turn", _ if self._takes_turns:
                await self._pass_turn(room, live, of)
            case "speak", "unheard" if "ann" not in self._bots or not self._takes_turns:
                await self._speak_unheard(room)
            case "connect", "others":
                is_on = live.state.hears(self._id("dan"), self._id("ann"))
                change = room.disconnect if is_on else room.connect
                await change(self._id("ann"), self._id("dan"))
            case "type", "unheard":
                live.presence.type(self._id("ann"))
            case "come", "unheard":
                await self._come(room, live)
            case "name", "unheard":
                await room.add_member("dan", f"{name_of('dan')} {len(bob.frames)}")
            case "whisper" | "rename", _:
                pass  # to and of Ann, who may be gone
            case "clear" | "say", "":
                await self._in_turn(room, live, bob, step)
                return
            case (("replace" | "turn"), _):
                pass
            case _:
                await super().do(room, live, bob, step)
                return
        await is_up_to_date(room, live)
        await bob.settles()

    async def _in_turn(self, room: Room, live: LiveRoom, bob: Page, step: str) -> None:
        """Bob speaks when he has the turn, and is refused otherwise; nobody clears their view."""
        if step == "clear":
            await bob.settles()
        elif self._takes_turns and live.state.turn.member != "bob":
            self._said += 1
            cid = await bob.send("not yet", f"not-{self._said}")
            assert (await bob.hears("refused", cid=cid))["code"] == "not_your_turn"
        else:
            await super().do(room, live, bob, step)

    @property
    def _takes_turns(self) -> bool:
        return self._rules.get("turns") == "code"

    def _id(self, name: str) -> str:
        return self._bots.get(name, name)

    async def _post(self, room: Room, name: str, text: str) -> None:
        """Somebody speaks, or the bot in their place; as a bot may, only when it is their turn."""
        id, state = self._id(name), await room.state()
        if not self._takes_turns or state.turn.member == id:
            self._posts[name].append((await room.post(text, author=id)).seq)

    async def _pass_turn(self, room: Room, live: LiveRoom, of: str) -> None:
        turn = live.state.turn.member
        if of != "among others":
            await room.pass_turn(self._id(of.removeprefix("to ")))
        elif turn in (self._id("ann"), "dan"):
            await room.pass_turn("dan" if turn == self._id("ann") else self._id("ann"))

    async def _speak_unheard(self, room: Room) -> None:
        if self._streams_of_ann:
            await self._streams_of_ann[-1].append([("text", "of ann")])
            await self._streams_of_ann.pop().close("done")
            return
        stream = await RoomStream.open(room, Post([], "user", self._id("ann")), None)
        assert stream is not None
        self._streams_of_ann.append(stream)

    async def _come(self, room: Room, live: LiveRoom) -> None:
        if self._pages_of_dan:
            await self._pages_of_dan.pop().leave()
            return
        self._pages_of_dan.append(Page(room, live, "dan"))
        await self._pages_of_dan[-1].hears("welcome")

    async def tidy(self) -> None:
        for stream in self._streams_of_ann:
            await stream.close("done")
        for page in self._pages_of_dan:
            await page.leave()
        await super().tidy()


async def _sent_in(
    empty_database: Path, make: Callable[[Lab], Run], steps: list[str]
) -> tuple[list[Any], str]:
    """What Bob is sent in a lab of its own; without what is different by chance, and as it was."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty_database, path := Path(folder) / "lab.db")
        lab = Lab(f"sqlite:///{path}")
        run = make(lab)
        sent = await run.sent(steps)
        lab.log.close()
    return [_without_times(each) for each in sent], json.dumps(run.frames)


def _without_times(frames: Any) -> Any:
    """Frames without how long something lasts yet, and without those that ask for a sign."""
    if isinstance(frames, list):
        return [_without_times(each) for each in frames if each != {"t": "ping"}]
    if isinstance(frames, dict):
        return {key: _without_times(each) for key, each in frames.items() if key != "left"}
    return frames


rules_of_groups = st.fixed_dictionaries(
    {
        "duration": st.sampled_from([None, 3600]),
        "turns": st.sampled_from([None, "code"]),
        "presence": st.booleans(),
        "typing": st.booleans(),
        "history": st.sampled_from(["all", "joined"]),
    }
)


@settings(max_examples=MANY)
@given(
    st.sampled_from(list(WAYS)),
    rules_of_groups,
    st.lists(st.sampled_from((*HEARD, *HIDDEN, *UNHEARD)), max_size=14),
)
async def test_what_is_not_heard_and_who_is_replaced_changes_nothing_of_what_is_sent(
    empty_database: Path, way: str, rules: dict[str, Any], steps: list[str]
) -> None:
    """Also that a bot takes the place of somebody whom one hears."""
    without = [step for step in steps if step in HEARD]
    both = [
        await _sent_in(empty_database, lambda lab: GroupRun(lab, way, **rules), some)
        for some in (steps, without)
    ]
    assert both[0][0] == both[1][0]
    for _, frames in both:
        assert not any(word in frames for word in (name_of("ann"), name_of("dan"), "of ann"))
        assert "stand-in" not in frames


# ── who comes later ──

BEFORE = "end before", "stop before", "retract before", "retract stream", "withdraw before"


class LateRun(Run):
    """As `Run`, in a room where Bob reads nothing that was said before he came; Dan had spoken."""

    def __init__(self, lab: Lab, way: str, *, is_empty: bool) -> None:
        super().__init__(lab, way)
        self._is_empty = is_empty
        self._before: list[RoomStream] = []
        self._said_before: list[int] = []

    async def made(self) -> Room:
        rules = Rules(rate=None, history="joined")
        room = await self._lab.create_room("r", study="s", rules=rules)
        for name in ("ann", "eve", "dan"):
            await room.add_member(name, name.title())
        if not self._is_empty:
            self._said_before = [(await room.post("old", author="dan")).seq for _ in range(2)]
            await room.remove_member("dan")
            for _ in range(2):
                stream = await RoomStream.open(room, Post([], "user", "eve"), None)
                assert stream is not None
                await stream.append([("text", "old words")])
                self._before.append(stream)
        await room.add_member("bob", "Bob")
        return room

    async def do(self, room: Room, live: LiveRoom, bob: Page, step: str) -> None:
        match step:
            case "end before" | "stop before" if self._before:
                await self._before.pop().close("done" if step == "end before" else "stopped")
            case "retract stream" if self._before:
                await room.retract(self._before.pop().seq)
            case "retract before" if self._said_before:
                await room.retract(self._said_before.pop())
            case "withdraw before" if live.state.memberships.get("dan") and not self._is_empty:
                await self._lab.withdraw("dan", study="s")
            case _ if step in BEFORE:
                pass
            case _:
                await super().do(room, live, bob, step)
                return
        await is_up_to_date(room, live)
        await bob.settles()

    async def tidy(self) -> None:
        for stream in self._before:
            await stream.close("done")
        await super().tidy()


@settings(max_examples=MANY)
@given(
    st.sampled_from(list(WAYS)),
    st.lists(st.sampled_from((*SHOWN, *BEFORE)), max_size=12),
)
async def test_what_was_said_before_somebody_came_changes_nothing_of_what_they_are_sent(
    empty_database: Path, way: str, steps: list[str]
) -> None:
    """Where `history` is "joined": neither its end, nor that it is retracted or withdrawn."""
    sent, _ = await _sent_in(empty_database, lambda lab: LateRun(lab, way, is_empty=False), steps)
    alone, _ = await _sent_in(
        empty_database,
        lambda lab: LateRun(lab, way, is_empty=True),
        [step for step in steps if step in SHOWN],
    )
    assert sent == alone
