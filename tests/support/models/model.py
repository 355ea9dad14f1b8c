"""A language model of the tests' own: real HTTP and SSE, and it does as it is told."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import count
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from tests.support.models.anthropic_wire import Messages
from tests.support.models.google_wire import Contents
from tests.support.models.openai_wire import Completions, Responses
from tests.support.models.replies import MARKDOWN, Call, Reply, Tool, obeying

__all__ = ["MARKDOWN", "Call", "Model", "Reply", "Tool"]

Wire = Completions | Responses | Messages | Contents
WIRES: dict[str, type[Wire]] = {
    "/chat/completions": Completions,
    "/responses": Responses,
    "/messages": Messages,
    ":generateContent": Contents,
    ":streamGenerateContent": Contents,
}


class Model:
    """
    Serves the APIs that chatlas speaks, on a port of its own, from a thread of its own.

    Begins and ends as a context manager; begun again it has the same port.

    Parameters
    ----------
    script
        What it does with the next requests, or a function that says so. When it is over, or says
        nothing, the request's own words decide: see `obeying`. After a tool's result it says that.

    Attributes
    ----------
    calls
        Every request so far, also refused ones.
    """

    def __init__(self, script: Iterable[Reply] | Callable[[Call], Reply | None] = ()) -> None:
        self.calls: list[Call] = []
        self.port = 0
        self._script = script if callable(script) else None
        self._numbers = count(1)
        self._next = deque(() if callable(script) else script)
        self._fault: Exception | None = None
        self._news = threading.Condition()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """What clients know as the base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def will(self, *replies: Reply) -> None:
        """Do this with the next requests."""
        self._next.extend(replies)

    def go_on(self) -> None:
        """Let those go on that hold."""
        self._loop.call_soon_threadsafe(self._release)

    def forget(self) -> None:
        """Forget all requests, and what was to be done with the next ones."""
        self.calls.clear()
        self._next.clear()

    def until(self, is_so: Callable[[], bool], within: float = 10) -> None:
        """Wait, in another thread than a test's event loop's, until something is so."""
        with self._news:
            assert self._news.wait_for(is_so, within), [(c.text, c.outcome) for c in self.calls]

    # ── its server ──

    def __enter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="critical",  # a reply that breaks off is an error to it
        )
        self._server = uvicorn.Server(config)
        is_up = threading.Event()
        serving = self._serve(self._server, listening, is_up)
        self._thread = threading.Thread(target=asyncio.run, args=(serving,), daemon=True)
        self._thread.start()
        assert is_up.wait(10)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None and self._thread is not None
        self._server.should_exit = True
        self._loop.call_soon_threadsafe(self._closing.set_result, None)
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self._fault is not None:
            raise self._fault

    async def _serve(
        self, server: uvicorn.Server, listening: socket.socket, is_up: threading.Event
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = self._loop.create_future()
        self._held = self._loop.create_future()
        is_up.set()
        await server.serve(sockets=[listening])

    def _release(self) -> None:
        self._held.set_result(None)
        self._held = self._loop.create_future()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._route(scope, receive, send)
        except Exception as exc:
            self._fault = exc
            raise

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path.removeprefix("/v1")
        if path == "/models":
            model = {"id": "tiny", "object": "model", "created": 0, "owned_by": "tests"}
            await _respond(send, 200, {"object": "list", "data": [model]})
        elif path == "/responses/input_tokens":
            asked = Call(0, path, {}, await request.json())
            count = {"object": "response.input_tokens", "input_tokens": asked.tokens[0]}
            await _respond(send, 200, count)
        elif _api(path) in WIRES:
            await self._answer(self._take(path, request, await request.json()), receive, send)
        else:
            await _respond(send, 404, {"error": {"message": f"no {path} here", "type": "tests"}})

    def _take(self, path: str, request: Request, body: Mapping[str, Any]) -> Call:
        call = Call(next(self._numbers), path, dict(request.headers), body)
        call.reply = self._reply_to(call)
        self.calls.append(call)
        self._tell()
        return call

    def _reply_to(self, call: Call) -> Reply:
        if self._next:
            return self._next.popleft()
        reply = (self._script and self._script(call)) or obeying(call.text)
        refused = sum(c.outcome == "refused" and c.text == call.text for c in self.calls)
        if reply.times is not None and refused >= reply.times:
            reply = replace(reply, status=200)
        if call.results and reply.tools:
            given = f"The tool says {', '.join(call.results)}."
            reply = replace(reply, text=given, thinking="", tools=())
        return reply

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    # ── one reply ──

    async def _answer(self, call: Call, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await self._pause(gone, call.reply.wait)
            wire = WIRES[_api(call.path)](call)
            if call.reply.status != 200:
                await self._refuse(call, send)
            elif call.body.get("stream") or "stream" in call.path:
                await self._stream(call, wire, gone, send)
            else:
                call.sent, call.outcome = call.reply.text, "whole"
                await _respond(send, 200, wire.whole())
        except ConnectionError:
            call.outcome = "left"
        finally:
            gone.cancel()
            self._tell()

    async def _refuse(self, call: Call, send: Send) -> None:
        call.outcome = "refused"
        after = call.reply.retry_after
        error = {"message": f"refused with {call.reply.status}", "type": "tests", "code": None}
        headers = {} if after is None else {"retry-after": str(after)}
        await _respond(send, call.reply.status, {"error": error}, headers)

    async def _stream(self, call: Call, wire: Wire, gone: asyncio.Future[None], send: Send) -> None:
        reply = call.reply
        await send(_start(200, {"content-type": "text/event-stream"}))
        await send(_body(wire.begin()))
        for n, (kind, piece) in enumerate(reply.deltas()):
            if n == reply.cut:
                break
            if n == reply.hold:
                call.outcome = "held"
                self._tell()
                await self._pause(gone, math.inf, self._held)
                call.outcome = "open"
            await self._pause(gone, 1 / reply.rate if reply.rate and n else 0)
            await send(_body(wire.delta(kind, piece)))
            call.sent += piece if kind == "text" else ""
            self._tell()
        call.outcome = "whole" if reply.cut is None else "cut"
        if reply.cut is None:
            await send(_body(wire.end(), is_last=True))
        elif reply.how != "close":
            await send(_body("" if reply.how == "end" else wire.error(), is_last=True))
        # Else the server sees a reply without an end, and closes the connection.

    async def _pause(
        self, gone: asyncio.Future[None], seconds: float, until: asyncio.Future[None] | None = None
    ) -> None:
        ends = {gone, self._closing}
        await asyncio.wait(
            ends | ({until} if until else set()),
            timeout=None if seconds == math.inf else seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if any(end.done() for end in ends):
            raise ConnectionError


def _api(path: str) -> str:
    """What a path asks for; Google's has the model's name before it."""
    return path.removeprefix(path.rpartition(":")[0])


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _respond(
    send: Send, status: int, data: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> None:
    await send(_start(status, {"content-type": "application/json", **(headers or {})}))
    await send(_body(json.dumps(data), is_last=True))


def _start(status: int, headers: Mapping[str, str]) -> Message:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": raw}


def _body(text: str, *, is_last: bool = False) -> Message:
    return {"type": "http.response.body", "body": text.encode(), "more_body": not is_last}
