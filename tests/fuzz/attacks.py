"""Attackers, some of them members: they send whatever a socket can carry."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed, WebSocketException

from shiny_labchat.protocol import VERSION
from tests.fuzz.frames import masked, upgrade
from tests.support.client import Browser, browser
from tests.support.page import fetch_key

if TYPE_CHECKING:
    from tests.fuzz.world import World

__all__ = ["ATTACKS", "attack"]

PATIENCE = 15.0
"""How long one attack may take, in seconds."""


# ── the attacks ──────────────────────────────────────────────────────────────────────────────


async def as_member(world: World, member: str) -> None:
    """Valid and mutated frames of a member's, until thrown out."""
    room = world.rng.choice(world.rooms)
    raw = await world.ticket(room, member)
    compression = world.rng.choice((None, "deflate"))
    async with browser(world.port, compression=compression) as mallory:
        await mallory.hello(ticket=raw)
        world.tokens.append({"ticket": raw})
        others = [seat[0] for seat in mallory.frames[-1].get("who", [])]
        world.frames.known = {"handles": others, "cids": list(world.cids), "tokens": [raw]}
        for _ in range(world.rng.randint(1, 25)):
            frame = world.frames.frame()
            world.note(member, frame, "as_member")
            await mallory.socket.send(frame)
        await listens(mallory, world.rng.uniform(0, 1))
        if world.rng.random() < 0.3:
            mallory.socket.transport.abort()


async def before_any_hello(world: World, member: str) -> None:
    """Frames before any hello."""
    async with browser(world.port) as stranger:
        frame = world.frames.frame()
        world.note("", frame, "before_any_hello")
        await stranger.socket.send(frame)
        await stranger.ends()
        assert not stranger.welcome, "let in without a ticket"


async def with_bad_tokens(world: World, member: str) -> None:
    """Tickets that were used, have run out, are revoked, or are something else."""
    bad = world.rng.choice(world.tokens)
    if world.rng.random() < 0.3:
        [raw] = bad.values()
        bad = {world.rng.choice(("ticket", "resume")): world.frames.garbled(raw)}
    async with browser(world.port) as stranger:
        frame = json.dumps({"t": "hello", "v": VERSION, "after": world.frames.id(), **bad})
        world.note("", frame, "with_bad_tokens")
        await stranger.socket.send(frame)
        await stranger.ends()
        assert not stranger.welcome, f"let in with {bad}"


async def with_others_tokens(world: World, member: str) -> None:
    """A resume token opens its own room as its own member, whatever is said with it."""
    room, other = world.rng.sample(world.rooms, 2)
    async with browser(world.port) as one:
        welcome = await one.hello(ticket=await world.ticket(room, member))
    claims = {"room": other.id, "study": "tests", "member": "secret-p00", "h": "x", "page": "x"}
    async with browser(world.port) as two:
        again = await comes_back(world, two, welcome["resume"], **claims)
        assert again["you"] == welcome["you"], "became somebody else"


async def comes_back(world: World, who: Browser, token: str, **claims: object) -> dict[str, Any]:
    """With a resume token, and a position that may be anything; gives the welcome."""
    await who.tell(t="hello", v=VERSION, resume=token, after=world.frames.stream(), **claims)
    heard = await who.socket.recv()  # what is owed after a wild position is nobody's to draw
    check_told(heard)
    return json.loads(str(heard).split("\n", 1)[0])


async def meddles_with_streams(world: World, member: str) -> None:
    """Stop somebody else's, speak in it or end it, and come back at wild positions."""
    room, id = world.rng.choice(world.streams or [(world.rooms[0], "x")])
    async with browser(world.port) as mallory:
        welcome = await mallory.hello(ticket=await world.ticket(room, member))
        world.frames.streams = [id, *(i["id"] for i in welcome["e"] if i.get("live"))]
        for stream in world.frames.streams * 3:
            world.note(member, f"stop {stream}", "meddles_with_streams")
            await mallory.tell(t="stop", id=stream)
        await listens(mallory, world.rng.uniform(0, 0.5))
        with suppress(ConnectionClosed):  # thrown out for it
            for _ in range(5):
                frame = world.frames.forged_frame()
                world.note(member, frame, "meddles_with_streams")
                await mallory.socket.send(frame)
            await listens(mallory, 0.2)
    for _ in range(world.rng.randint(1, 4)):
        async with browser(world.port) as again:
            positions = {"has": {id: [2**53, -1]}, "streams": [[id, -1, 10**9]]}
            await comes_back(world, again, welcome["resume"], **positions)
            await again.tell(t="stop", id=id)
            await listens(again, world.rng.uniform(0, 0.5))


async def floods(world: World, member: str) -> None:
    """Very many frames at once, read by nobody, and gone in the middle."""
    raw = await world.ticket(world.rng.choice(world.rooms), member)
    async with browser(world.port, max_queue=1) as mallory:
        await mallory.hello(ticket=raw)
        frames = [world.frames.valid_frame() for _ in range(world.rng.randint(50, 400))]
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                for frame in frames:
                    world.note(member, frame, "floods")
                    await mallory.socket.send(frame)
        mallory.socket.transport.abort()


async def handshakes_oddly(world: World, member: str) -> None:
    """What is hardly HTTP, and sockets that never come to anything."""
    head = world.frames.garbled_bytes(upgrade(world.port, world.frames.headers()))
    world.note("", head, "handshakes_oddly")
    reader, writer = await world.raw(head)
    if world.rng.random() < 0.5:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await reader.read(4096)
        writer.transport.abort()


async def speaks_raw(world: World, member: str) -> None:
    """Frames as no library sends them."""
    raw = await world.ticket(world.rng.choice(world.rooms), member)
    reader, writer = await world.raw(upgrade(world.port))
    async with asyncio.timeout(5):
        await reader.readuntil(b"\r\n\r\n")
    if world.rng.random() < 0.7:
        hello = json.dumps({"t": "hello", "v": VERSION, "after": "", "ticket": raw})
        writer.write(masked(hello.encode(), 1))
    for _ in range(world.rng.randint(1, 8)):
        if writer.is_closing():
            return
        text, frames = world.frames.raw_frames()
        world.note(member, text, "")
        world.note(member, frames, "speaks_raw")
        writer.write(frames)
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await writer.drain()
            while heard := await reader.read(65_536):
                check_told(heard)
    if world.rng.random() < 0.5:
        writer.transport.abort()


async def opens_pages(world: World, member: str) -> None:
    """A page of Shiny's whose element asks oddly."""
    async with browser(world.port, path="/websocket/") as page:
        hello = world.frames.value(0)
        if world.rng.random() < 0.5:
            own = await fetch_key(world.port)
            hello = {"page": world.frames.value(1), "key": own, "browser": "b" * 20, "tab": hello}
        search = world.rng.choice(("", "?labchat=x", "?labchat=%00&labchat", "?" + "a=&" * 500))
        data = {".clientdata_url_search": search, "chat_hello": hello}
        data |= {f".clientdata_url_{n}": "" for n in ("hash", "hash_initial", "hostname", "port")}
        data |= {".clientdata_url_pathname": "/", ".clientdata_url_protocol": "http:"}
        frame = json.dumps({"method": "init", "data": data})
        world.note("", frame, "opens_pages")
        await page.socket.send(frame)
        async with asyncio.timeout(5):
            while (heard := await page.socket.recv()) and '"labchat"' not in str(heard):
                check_told(heard)


Attack = Callable[["World", str], Awaitable[None]]
ATTACKS: dict[Attack, int] = {
    as_member: 30, before_any_hello: 12, with_bad_tokens: 12, with_others_tokens: 6, floods: 4,
    handshakes_oddly: 12, speaks_raw: 20, opens_pages: 2, meddles_with_streams: 10,
}  # fmt: skip


async def listens(mallory: Browser, seconds: float) -> None:
    """Hear what there is to hear for so long; nothing of it may be a secret."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                check_told(await mallory.socket.recv())


def check_told(heard: object) -> None:
    assert "secret-" not in str(heard), f"was told a secret: {heard}"


async def attack(world: World, member: str) -> None:
    """One attack after another."""
    attacks, weights = list(ATTACKS), list(ATTACKS.values())
    while not world.over.is_set():
        [how] = world.rng.choices(attacks, weights)
        world.counts[how.__name__] += 1
        with suppress(ConnectionClosed, WebSocketException, OSError, EOFError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await how(world, member)
