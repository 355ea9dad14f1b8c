"""What sockets are sent, whether each is sent it by itself or all of them in one go."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import Entry
from shiny_labchat.domain.commands import Post
from shiny_labchat.errors import Refused
from shiny_labchat.gateway.socket import Socket
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.protocol import Hello
from shiny_labchat.words import ENGLISH
from tests.support.client import PATIENCE, Browser

pytestmark = pytest.mark.anyio
NAMES = "ann", "bob", "eve"


class Line(asyncio.Transport):
    """A connection of uvicorn's whose bytes go straight to a page."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        super().__init__()
        self._take = take
        self._is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._take(bytes(data))

    def is_closing(self) -> bool:
        return self._is_closed

    def close(self) -> None:
        self._is_closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Page(Browser):
    """
    A page without a network, at any ASGI server.

    Attributes
    ----------
    sent
        The messages that it was sent through ASGI.
    heard
        How many messages it was sent in whatever way.
    ended
        Why its socket has ended.
    """

    def __init__(self, room: Room, live: LiveRoom, member: str, after: str = "") -> None:
        super().__init__(None)  # pyright: ignore[reportArgumentType]
        self.sent = list[str]()
        self.heard = 0
        self.ended = asyncio.get_running_loop().create_future()
        self._entry = Entry(room.log, room.key, member, f"page-of-{member}", "token")
        self._live = live
        self._after = after
        self._came = asyncio.Event()
        self._inbox = asyncio.Queue[dict[str, str]]()
        self._begin()

    def _begin(self) -> None:
        self._inbox.put_nowait({"type": "websocket.connect"})
        self._serving: object = asyncio.create_task(
            self._serve({}, self._inbox.get, self._take_in_turn)
        )

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        code = ""
        try:
            socket = Socket(receive, send, self._entry, self._live, ENGLISH)
            await socket.serve(Hello("token", False, self._after))
        except Refused as exc:
            code = exc.code
        except WebSocketDisconnect:
            pass
        finally:
            self.ended.set_result(code)

    async def _take_in_turn(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.sent.append(message["text"])
            self._hear(message["text"])

    async def tell(self, **frame: object) -> None:
        self._inbox.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    def fill(self, is_full: bool) -> None:
        """Let its connection take nothing for now; only uvicorn's says so."""

    async def leave(self) -> None:
        self._inbox.put_nowait({"type": "websocket.disconnect"})
        await self.ended

    @property
    def written(self) -> int:
        """How many messages it was sent directly."""
        return self.heard - len(self.sent)

    @property
    def shown(self) -> list[tuple[str, Any, str]]:
        """What it shows, in order, but for what only tells who came when."""
        items = self.items.items()
        return [(id, item["parts"], item.get("is", "done")) for id, item in items]

    def _hear(self, frames: str) -> None:
        self.heard += 1
        for frame in frames.split("\n"):
            self._take(json.loads(frame))
        self._came.set()

    async def _receive(self) -> None:
        self._came.clear()
        await self._came.wait()


class UvicornPage(Page):
    """A page at a connection of uvicorn's."""

    def _begin(self) -> None:
        options: dict[str, Any] = {"ws_per_message_deflate": False, "ws_ping_interval": None}
        options |= {"interface": "asgi3", "lifespan": "off", "log_config": None}
        config = uvicorn.Config(self._serve, **options)
        self._connection = WebSocketsSansIOProtocol(config, ServerState(), {})
        self._client = ClientProtocol(parse_uri("ws://localhost/"))
        send_text = self._connection.conn.send_text

        def send(data: Any, fin: bool = True) -> None:
            self.sent.append(bytes(data).decode())
            send_text(data, fin)

        self._connection.conn.send_text = send
        self._connection.connection_made(Line(self._take_bytes))
        self._client.send_request(self._client.connect())
        self._flush()

    def _flush(self) -> None:
        self._connection.data_received(b"".join(self._client.data_to_send()))

    def _take_bytes(self, data: bytes) -> None:
        self._client.receive_data(data)
        for event in self._client.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._hear(bytes(event.data).decode())

    async def tell(self, **frame: object) -> None:
        self._client.send_text(json.dumps(frame).encode())
        self._flush()

    def fill(self, is_full: bool) -> None:
        if is_full:
            self._connection.pause_writing()
        else:
            self._connection.resume_writing()

    async def leave(self) -> None:
        self._connection.connection_lost(None)
        await self.ended


WAYS = {"directly": UvicornPage, "in turn": Page}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How sockets are sent what is new, as the server allows."""
    return request.param


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await made(lab)


async def made(lab: Lab) -> Room:
    room = await lab.create_room("r", study="s", rules=Rules(rate=None))
    for name in NAMES:
        await room.add_member(name)
    return room


@asynccontextmanager
async def pages(room: Room, way: str) -> AsyncIterator[tuple[LiveRoom, dict[str, Page]]]:
    """A page of each member's, which has everything."""
    live = await Runtime.of(room.log).live.open(room.key)
    async with AsyncExitStack() as stack:
        found = {name: WAYS[way](room, live, name) for name in NAMES}
        for page in found.values():
            stack.push_async_callback(page.leave)
            await page.hears("welcome")
            await page.hears("presence", n=len(NAMES))
            await page.settles()
        yield live, found
    live.leave()


def counted(calls: list[Any], function: Callable[..., Any]) -> Any:
    """The function, which notes that it was called."""

    def count(*arguments: Any) -> Any:
        calls.append(arguments)
        return function(*arguments)

    return count


async def test_a_message_for_all_is_one_frame_that_nobody_is_asked_about(
    way: str, room: Room
) -> None:
    """Where the server allows it, not even a task is switched to."""
    made, looked = list[Any](), list[Any]()
    async with pages(room, way) as (live, all_of):
        before = [page.written for page in all_of.values()]
        live.frame = counted(made, live.frame)
        live.streams.owed = counted(looked, live.streams.owed)
        for n in range(10):
            await room.post(f"hello {n}")
            if way == "directly":
                assert all(page.texts[-1] == f"hello {n}" for page in all_of.values())
        for page, had in zip(all_of.values(), before, strict=True):
            await page.settles()
            assert page.written - had == (10 if way == "directly" else 0)
        assert len(made) == (10 if way == "directly" else 30) and looked == []


async def test_a_piece_of_a_stream_is_asked_for_once_for_all(way: str, room: Room) -> None:
    async with pages(room, way) as (live, all_of):
        speaker, asked = await RoomStream.open(room, Post([]), None), list[Any]()
        assert speaker is not None
        for page in all_of.values():
            await page.until(lambda page=page: bool(page.items))
            await page.settles()
        live.streams.owed = counted(asked, live.streams.owed)
        for n in range(3):
            await speaker.append([("markdown", f"{n} ")])
            for page in all_of.values():
                await page.until(lambda page=page, n=n: page.texts[-1].endswith(f"{n} "))
        assert len(asked) == (6 if way == "directly" else 18), "for it, and whether there is more"
        await speaker.close("done")


async def test_who_cannot_take_it_gets_it_later_and_is_among_the_others_again(room: Room) -> None:
    async with pages(room, "directly") as (_, all_of):
        ann, bob = all_of["ann"], all_of["bob"]
        had = ann.written, bob.written
        ann.fill(True)
        for n in range(3):
            await room.post(f"{n}")
        assert bob.texts == ["0", "1", "2"] and ann.texts == []
        ann.fill(False)
        await ann.settles()
        await room.post("3")
        for page in all_of.values():
            await page.settles()
            assert page.texts == ["0", "1", "2", "3"]
        assert (ann.written, bob.written) == (had[0] + 1, had[1] + 4)


async def test_an_acknowledgement_comes_with_the_message(way: str, room: Room) -> None:
    async with pages(room, way) as (_, all_of):
        ann = all_of["ann"]
        assert await ann.says("hello") == [*ann.items][-1]
        assert [frame.count('"t":"acks"') for frame in ann.sent if '"t":"events"' in frame] == [1]
        for page in all_of.values():
            await page.settles()
            assert page.texts == ["hello"]


async def test_a_burst_longer_than_a_frame_or_the_memory_leaves_no_gap(
    way: str, room: Room
) -> None:
    async with pages(room, way) as (_, all_of):
        said = [f"{n} ".ljust(500, "x") for n in range(300)]
        await asyncio.gather(*(room.submit(Post([("text", text)])) for text in said))
        for page in all_of.values():
            await page.settles()
            await page.until(lambda page=page: len(page.texts) >= len(said))
            assert page.texts == said


async def test_who_is_removed_is_sent_nothing_more(way: str, room: Room) -> None:
    async with pages(room, way) as (_, all_of):
        await room.post("before")
        await asyncio.gather(room.post("with"), room.remove_member("eve"), room.post("after"))
        for name in ("ann", "bob"):
            await all_of[name].settles()
            assert all_of[name].texts == ["before", "with", "after"]
        assert await all_of["eve"].ended == "removed"
        assert "after" not in all_of["eve"].texts


steps = st.lists(
    st.tuples(st.just("say"), st.sampled_from(NAMES))
    | st.tuples(st.just("post"), st.integers(1, 3))
    | st.tuples(st.just("whisper"), st.sampled_from(NAMES))
    | st.tuples(st.just("clear"), st.sampled_from(NAMES))
    | st.tuples(st.just("mute"), st.sampled_from(NAMES))
    | st.tuples(st.just("type"), st.sampled_from(NAMES))
    | st.tuples(st.just("full"), st.sampled_from(NAMES))
    | st.tuples(st.just("speak"), st.sampled_from([None, *NAMES]))
    | st.tuples(st.sampled_from(["more", "take back"]), st.integers(0, 2))
    | st.tuples(st.sampled_from(["tick", "end", "close", "open"]), st.none()),
    max_size=16,
)


@pytest.fixture(scope="module")
def labs(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path
) -> Iterator[Callable[[], Lab]]:
    """Makes a lab on a file of its own."""
    folder, made = tmp_path_factory.mktemp("labs"), list[Lab]()

    def make() -> Lab:
        path = folder / f"{len(made)}.db"
        shutil.copy(empty_database, path)
        made.append(Lab(f"sqlite:///{path}"))
        return made[-1]

    yield make
    for lab in made:
        lab.log.close()


@settings(max_examples=settings().max_examples // 2)
@given(st.sampled_from(list(WAYS)), steps)
async def test_who_was_there_shows_what_who_comes_now_is_shown(
    labs: Callable[[], Lab], way: str, steps: list[tuple[str, Any]]
) -> None:
    lab = labs()
    room, speakers = await made(lab), list[RoomStream]()
    async with pages(room, way) as (live, all_of):
        for at, step in enumerate(steps):
            await do(room, all_of, speakers, at, *step)
        for page in all_of.values():
            page.fill(False)
        await shows_alike(room, live, all_of)
        for speaker in speakers:
            await speaker.close("done")
        for name, page in all_of.items():
            late = Page(room, live, name)
            await late.hears("welcome")
            await page.settles()
            await late.settles()
            assert page.shown == late.shown
            await late.leave()
    lab.log.close()


async def shows_alike(room: Room, live: LiveRoom, pages: dict[str, Page]) -> None:
    """Wait until they show of the open streams what who comes now is shown; they grow no more."""
    for name, page in pages.items():
        late = Page(room, live, name)
        await late.hears("welcome")
        async with asyncio.timeout(PATIENCE):
            while page.shown != late.shown:
                await asyncio.to_thread(int)
        await late.leave()


async def do(
    room: Room, pages: dict[str, Page], speakers: list[RoomStream], at: int, step: str, what: Any
) -> None:
    match step:
        case "say":
            await pages[what].send(f"{at}")
        case "post":
            posts = [room.submit(Post([("text", f"{at}.{n}")])) for n in range(what)]
            await asyncio.gather(*posts, return_exceptions=True)
        case "whisper":
            await room.post(f"{at}", audience=[what])
        case "clear":
            await room.clear(what)
        case "mute":
            await room.mute(what)
        case "type":
            await pages[what].tell(t="typing")
        case "full":
            pages[what].fill(at % 2 == 0)
        case "speak":
            whom = None if what is None else [what]
            speaker = await RoomStream.open(room, Post([], audience=whom), None)
            assert speaker is not None
            speakers.append(speaker)
            await speaker.append([("markdown", f"{at}")])
        case "more" if len(speakers) > what:
            await speakers[what].append([("markdown", f" {at}")])
        case "take back" if len(speakers) > what:
            speakers[what].truncate(speakers[what].mark() - 1)
        case "tick":
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.05)
        case "end" if speakers:
            await speakers.pop().close("done")
        case "close" | "open":
            await (room.close() if step == "close" else room.open())
        case _:
            pass
