"""Channels in a connection of ASGI functions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shiny_labchat.gateway.channel import INPUT, PIECE, WINDOW
from shiny_labchat.gateway.multiplexing import CHANNELS_EACH, MAX_WAITING_FOR_SHINY, Multiplexer

Told = dict[str, Any]
LONG = "".join(f"{n} " for n in range(20_000))


class Page:
    """The other end of the connection, and what an app in the place of Shiny gets of it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.shiny: list[Message] = []
        self.may_read = asyncio.Event()
        self.is_closed = False
        self._up: asyncio.Queue[Message] = asyncio.Queue()
        self._bell = asyncio.Event()

    def say(self, what: object) -> None:
        self.send(json.dumps({"method": "update", "data": {INPUT: what}}, separators=(",", ":")))

    def send(self, text: str) -> None:
        self.put({"type": "websocket.receive", "text": text})

    def put(self, message: Message) -> None:
        self._up.put_nowait(message)

    def leave(self) -> None:
        self._up.put_nowait({"type": "websocket.disconnect", "code": 1001})

    @property
    def unread(self) -> int:
        return self._up.qsize()

    def told(self, id: str = "a") -> list[Told]:
        all = [json.loads(raw)["custom"]["labchat_channel"] for raw in self.sent]
        return [each for each in all if each["channel"] == id]

    def frames(self, id: str = "a") -> list[str]:
        """What a page makes of the pieces."""
        whole, text = list[str](), ""
        for each in self.told(id):
            if "text" in each:
                text = (text if each.get("part") else "") + each["text"]
                if not each.get("more"):
                    whole.append(text)
        return whole

    async def until(self, is_so: Any) -> None:
        async with asyncio.timeout(10):
            while not is_so():
                self._bell.clear()
                await self._bell.wait()

    async def settles(self) -> None:
        """Everything that can go on without the page has gone on."""
        loop = asyncio.get_running_loop()
        for _ in range(200):
            turn = loop.create_future()
            loop.call_soon(turn.set_result, None)
            await turn

    async def receive(self) -> Message:
        return await self._up.get()

    async def take(self, message: Message) -> None:
        if self.is_closed:
            raise RuntimeError("nothing may be sent after websocket.close")
        self.sent.append(message["text"])
        self._bell.set()

    async def as_shiny(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            await self.may_read.wait()
            self.shiny.append(await receive())
            self._bell.set()
            if self.shiny[-1]["type"] == "websocket.disconnect":
                return


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends back what it gets; "long": something long; "end": no more."""
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif message["text"] == "end":
            await send({"type": "websocket.close", "code": 4000})
        else:
            text = LONG if message["text"] == "long" else message["text"]
            await send({"type": "websocket.send", "text": text})


async def impatient(scope: Scope, receive: Receive, send: Send) -> None:
    """Gives up a long frame, and says why."""
    await send({"type": "websocket.accept"})
    try:
        async with asyncio.timeout(0.05):
            await send({"type": "websocket.send", "text": LONG})
    except TimeoutError:
        await send({"type": "websocket.close", "code": 4001})


ENDPOINTS: Mapping[str, ASGIApp] = {"/echo": echo, "/impatient": impatient}


@asynccontextmanager
async def connected(
    *, reads: bool = True, endpoints: Mapping[str, ASGIApp] = ENDPOINTS
) -> AsyncIterator[Page]:
    page = Page()
    if reads:
        page.may_read.set()
    app = Multiplexer(page.as_shiny, endpoints)
    serving = asyncio.create_task(app({"type": "websocket"}, page.receive, page.take))
    try:
        yield page
    finally:
        page.may_read.set()
        page.leave()
        async with asyncio.timeout(10):
            await serving


async def test_a_channel_is_as_a_websocket() -> None:
    async with connected() as page:
        page.say({"channel": "a", "open": "/echo"})
        page.say({"channel": "a", "text": "one"})
        page.say({"channel": "a", "text": 'two "2"\n\u2028\U0001f600'})
        page.say({"channel": "a", "text": "end"})
        await page.until(lambda: "close" in str(page.told()))
    first, *_, last = page.told()
    assert first == {"channel": "a", "open": True}
    assert page.frames() == ["one", 'two "2"\n\u2028\U0001f600']
    assert last == {"channel": "a", "close": 4000}
    assert [message["type"] for message in page.shiny] == ["websocket.disconnect"]


async def test_what_is_of_no_channel_is_shinys_in_order() -> None:
    async with connected() as page:
        for n in range(3):
            page.send(f'{{"method":"update","data":{{"n":{n}}}}}')
            page.say({"channel": "a", "open": "/echo"})
        await page.until(lambda: len(page.shiny) == 3)
    assert [json.loads(m["text"])["data"]["n"] for m in page.shiny[:3]] == [0, 1, 2]


async def test_channels_go_on_while_shiny_reads_nothing() -> None:
    async with connected(reads=False) as page:
        page.send("{}")
        page.say({"channel": "a", "open": "/echo"})
        page.say({"channel": "a", "text": "one"})
        await page.until(lambda: page.frames() == ["one"])
        assert page.shiny == []


async def test_a_page_that_confirms_nothing_is_sent_little_and_all_of_it_later() -> None:
    async with connected() as page:
        for id in ("a", "b"):
            page.say({"channel": id, "open": "/echo"})
            page.say({"channel": id, "text": "long"})
        await page.settles()
        assert sum(map(len, page.sent)) <= WINDOW + 2 * 100
        assert page.frames() == page.frames("b") == []
        while not (page.frames("a") and page.frames("b")):
            before = len(page.sent)
            page.say({"has": before})
            await page.until(lambda before=before: len(page.sent) > before)
            assert sum(map(len, page.sent[before:])) <= WINDOW
        assert page.frames("a") == page.frames("b") == [LONG]
        assert max(len(each.get("text", "")) for each in page.told()) == PIECE


async def test_a_frame_that_was_given_up_is_forgotten() -> None:
    async with connected() as page:
        page.say({"channel": "a", "open": "/impatient"})
        await page.until(lambda: "close" in page.told()[-1] if page.told() else False)
        assert page.frames() == []
        assert page.told()[-1]["close"] == 4001


async def test_a_channel_that_waits_ends_with_the_connection() -> None:
    async with connected() as page:
        page.say({"channel": "a", "open": "/echo"})
        page.say({"channel": "a", "text": "long"})
        await page.settles()
        sent = len(page.sent)
    assert len(page.sent) == sent


async def test_a_page_opens_only_what_there_is_and_not_too_much_of_it() -> None:
    async with connected() as page:
        page.say({"channel": "x", "open": "/websocket/"})
        for n in range(CHANNELS_EACH + 5):
            page.say({"channel": f"{n}", "open": "/echo"})
        await page.settles()
        assert len(page.sent) == CHANNELS_EACH
        page.say({"channel": "0", "close": 1000})
        await page.settles()
        page.say({"channel": "late", "open": "/echo"})
        await page.until(lambda: bool(page.told("late")))


async def test_what_waits_for_shiny_is_bounded() -> None:
    async with connected(reads=False) as page:
        for _ in range(20):
            page.send("x" * (MAX_WAITING_FOR_SHINY // 4))
        await page.settles()
        assert page.unread == 16
        page.may_read.set()
        await page.until(lambda: len(page.shiny) == 20)


@pytest.mark.parametrize("small", [{"bytes": b"x" * 50_000}, {"text": ""}, {"text": "x"}])
async def test_what_waits_for_shiny_is_bounded_whatever_it_is(small: Message) -> None:
    async with connected(reads=False) as page:
        for _ in range(5_000):
            page.put({"type": "websocket.receive", **small})
        await page.settles()
        assert page.unread > 2_000
        page.may_read.set()
        await page.until(lambda: len(page.shiny) == 5_000)


async def test_a_channel_that_is_sent_more_than_it_reads_is_ended_however_small_it_is() -> None:
    read = asyncio.Event()
    got = list[Message]()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await read.wait()
        while not got or got[-1]["type"] != "websocket.disconnect":
            got.append(await receive())

    async with connected(endpoints={"/slow": slow}) as page:
        page.say({"channel": "a", "open": "/slow"})
        for _ in range(20_000):
            page.say({"channel": "a", "text": ""})
        while page.unread:
            await page.settles()
        read.set()
        await page.until(lambda: bool(page.told()))
        assert len(got) < 10_000


async def test_no_page_says_that_the_server_stops() -> None:
    got = list[Message]()

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        while not got or got[-1]["type"] != "websocket.disconnect":
            got.append(await receive())

    async with connected(endpoints={"/e": endpoint}) as page:
        page.say({"channel": "a", "open": "/e"})
        page.say({"channel": "a", "close": 1012})
        await page.until(lambda: bool(page.told()))
        assert got[-1]["code"] == 1000


async def test_a_connection_that_the_app_has_closed_is_as_one_that_was_lost() -> None:
    """A server takes nothing more for it, and says so by another error."""
    errors = list[BaseException]()

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            try:
                await send({"type": "websocket.send", "text": str(message)})
            except Exception as exc:
                errors.append(exc)

    async with connected(endpoints={"/e": endpoint}) as page:
        page.say({"channel": "a", "open": "/e"})
        await page.until(lambda: bool(page.told()))
        page.is_closed = True
        page.say({"channel": "a", "text": "late"})
        await page.settles()
        assert [type(exc) for exc in errors[-1:]] == [ConnectionResetError]


@pytest.mark.parametrize(
    "odd",
    [None, [], {"has": -1}, {"has": 10**30}, {"channel": 1, "open": "/echo"}, {"channel": "a"},
     {"channel": "x" * 41, "open": "/echo"}, {"channel": "b", "text": "no such"}],
)  # fmt: skip
async def test_what_cannot_be_read_is_as_not_sent(odd: object) -> None:
    async with connected() as page:
        page.say({"channel": "a", "open": "/echo"})
        page.say(odd)
        page.send(f'{{"method":"update","data":{{"{INPUT}":')
        page.say({"channel": "a", "text": "one"})
        await page.until(lambda: page.frames() == ["one"])
