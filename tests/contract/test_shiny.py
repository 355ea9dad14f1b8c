"""What we need of Shiny and shinychat beyond their promises: it exists, and does what we think."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from weakref import ref

import httpx
import pytest
import shiny
import uvicorn
from htmltools import HTML, HTMLDependency, TagList, tags
from shiny import App, Inputs, Outputs, Session, reactive, render, ui
from shiny.bookmark import serializer_unserializable
from shiny.reactive._core import _reactive_environment as environment
from shiny.reactive._core import get_current_context
from shiny.reactive._reactives import Effect_
from shiny.session import session_context
from shinychat import message_content, output_markdown_stream
from starlette.routing import Mount
from websockets.asyncio.client import connect

from shiny_labchat import garbage
from shiny_labchat.chat import install, shiny_internals
from shiny_labchat.chat.static_files import CompressedFiles
from shiny_labchat.chat.streams import StreamTask
from shiny_labchat.chat.waiting import can_wait, wait
from shiny_labchat.gateway import endpoint
from shiny_labchat.gateway.multiplexing import Multiplexer
from shiny_labchat.lab.lab import Lab


class Page:
    """One real session of a real app: both of its ends."""

    def __init__(
        self,
        *,
        app: App,
        sessions: asyncio.Queue[Session],
        session: Session,
        port: int,
        frames: asyncio.Queue[Any],
        socket: Any,
    ) -> None:
        self.app = app
        self._sessions = sessions
        self.session: Any = session
        self.port = port
        self.frames = frames
        self._socket = socket

    async def update(self, **inputs: object) -> None:
        """Send inputs that have changed."""
        await self._socket.send(json.dumps({"method": "update", "data": inputs}))

    async def hears(self, key: str) -> Any:
        """The next frame of Shiny's that has something under `key`."""
        async with asyncio.timeout(10):
            while True:
                frame = await self.frames.get()
                if frame.get(key):
                    return frame[key]

    async def is_flushed(self) -> None:
        """Wait for the next flush, whether there was something to be sent or not."""
        async with asyncio.timeout(10):
            while "values" not in await self.frames.get():
                pass

    def forget(self) -> None:
        """Forget the frames that have come."""
        while not self.frames.empty():
            self.frames.get_nowait()

    def another(self, **inputs: object) -> AbstractAsyncContextManager[Page]:
        """Open another page of this app, with these inputs."""
        return _visit(self.app, self.port, self._sessions, inputs)

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(f"http://127.0.0.1:{self.port}/{path}")


@asynccontextmanager
async def page(
    server: Any = None, *, search: str = "", inputs: dict[str, Any] | None = None
) -> AsyncIterator[Page]:
    """Open a page of an app that is served in this process, at an address that asks for this."""
    sessions: asyncio.Queue[Session] = asyncio.Queue()

    def app_server(input: Inputs, output: Outputs, session: Session) -> None:
        if server is not None:
            server(input, output, session)
        sessions.put_nowait(session)

    drawn = ui.page_fluid(ui.output_text("shown"))
    app = App(lambda _: drawn, app_server, bookmark_store="url")
    config = uvicorn.Config(app, port=0, log_level="warning", ws="websockets-sansio")
    web = uvicorn.Server(config)
    serving = asyncio.create_task(web.serve())
    try:
        while not web.started:
            await asyncio.wait([serving], timeout=0.01)
        port: int = web.servers[0].sockets[0].getsockname()[1]
        data = {".clientdata_url_search": search} | (inputs or {})
        async with _visit(app, port, sessions, data) as opened:
            yield opened
    finally:
        web.should_exit = True
        await serving


@asynccontextmanager
async def _visit(
    app: App, port: int, sessions: asyncio.Queue[Session], inputs: dict[str, Any]
) -> AsyncIterator[Page]:
    async with connect(f"ws://127.0.0.1:{port}/websocket/", proxy=None) as socket:
        frames: asyncio.Queue[Any] = asyncio.Queue()
        data = {".clientdata_output_shown_hidden": False} | inputs
        await socket.send(json.dumps({"method": "init", "data": data}))
        reading = asyncio.create_task(_read(socket, frames))
        yield Page(
            app=app,
            sessions=sessions,
            session=await asyncio.wait_for(sessions.get(), 10),
            port=port,
            frames=frames,
            socket=socket,
        )
        reading.cancel()


async def _read(socket: Any, frames: asyncio.Queue[Any]) -> None:
    async for raw in socket:
        frames.put_nowait(json.loads(raw))


# ── the gateway's route ──


def test_every_app_gets_the_gateway_as_its_first_route() -> None:
    assert getattr(shiny.App.init_starlette_app, "__labchat__", False)
    app = App(ui.page_fluid(), None)
    assert app.starlette_app.router.routes[0].path == endpoint.PATH  # pyright: ignore


def test_the_route_to_its_sessions_has_channels_in_it() -> None:
    [route] = shiny_internals.session_routes(App(ui.page_fluid(), None).starlette_app)
    assert isinstance(route.app, Multiplexer)


def test_installing_twice_adds_one_route() -> None:
    install.install()
    routes = App(ui.page_fluid(), None).starlette_app.router.routes
    assert [getattr(route, "path", None) for route in routes].count(endpoint.PATH) == 1


async def test_an_app_without_the_route_gets_it_with_its_first_session() -> None:
    async with page() as opened:
        routes = opened.app.starlette_app.router.routes
        del routes[0]
        for _ in range(2):
            install.ensure_route(opened.session)
        paths = [getattr(route, "path", None) for route in routes]
        assert paths.count(endpoint.PATH) == 1 and paths[0] == endpoint.PATH


async def test_an_app_knows_its_sessions_and_a_session_its_app() -> None:
    async with page() as opened:
        assert shiny_internals.app_of(opened.session) is opened.app
        assert list(opened.app._sessions.values()) == [opened.session]
        assert opened.session._is_closed() is False
        session = opened.session
    assert session._is_closed() is True


# ── bookmarks ──


@pytest.mark.parametrize(
    ("search", "values"),
    [
        ("", {}),
        ('?a=1&_values_&chat--place="x"', {"chat--place": "x"}),
        ('?_values_&chat--place="x', {}),
        ("?_values_&_values_", None),
    ],
)
async def test_a_page_knows_the_bookmark_it_was_opened_with_and_whether_it_could_be_read(
    search: str, values: dict[str, str] | None
) -> None:
    async with page(search=search) as opened:
        assert shiny_internals.restored(opened.session) == values


# ── UI inside a message ──


async def test_ui_is_rendered_and_its_files_are_served(tmp_path: Any) -> None:
    (tmp_path / "it.js").write_text("// it")
    made = HTMLDependency("it", "1.0", source={"subdir": str(tmp_path)}, script={"src": "it.js"})
    async with page() as opened:
        html, deps = shiny_internals.render(opened.session, TagList(tags.b("bold"), made))
        assert html == "<b>bold</b>"
        [dep] = deps
        assert (dep["name"], dep["source"]) == ("it", {"subdir": str(tmp_path)})
        answer = await opened.get(dep["script"][0]["src"])
        assert (answer.status_code, answer.text) == (200, "// it")


async def test_files_of_an_older_message_can_be_served_again(tmp_path: Any) -> None:
    (tmp_path / "it.js").write_text("// it")
    async with page() as opened:
        path = "lib/it-1.0/it.js"
        assert (await opened.get(path)).status_code == 404
        dep = {"name": "it", "version": "1.0", "source": {"subdir": str(tmp_path)}}
        shiny_internals.remount(opened.session, dep)
        assert (await opened.get(path)).text == "// it"


# ── flushing ──


async def test_what_waits_to_be_sent_is_seen_and_sent_by_a_flush() -> None:
    async with page() as opened:
        session = opened.session
        await opened.is_flushed()
        assert not shiny_internals._is_due(session)
        waiting = session._outbound_message_queues
        assert not (waiting.values or waiting.errors or waiting.input_messages)
        with session_context(session):
            ui.update_text("name", value="Ann")
        assert waiting.input_messages and shiny_internals._is_due(session)
        await shiny_internals.flush(session)
        [message] = await opened.hears("inputMessages")
        assert message["id"] == "name" and message["message"]["value"] == "Ann"
        assert not shiny_internals._is_due(session)


async def test_callbacks_for_after_the_flush_count_as_waiting() -> None:
    async with page() as opened:
        await opened.is_flushed()
        flushed = asyncio.Event()

        async def done() -> None:
            flushed.set()

        opened.session.on_flushed(done, once=True)
        assert shiny_internals._is_due(opened.session)
        await shiny_internals.flush(opened.session)
        await asyncio.wait_for(flushed.wait(), 10)


async def test_a_value_set_from_outside_is_shown_after_a_flush() -> None:
    name: reactive.Value[str] = reactive.Value("nobody")

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        @render.text
        def shown() -> str:
            return name()

    async with page(server) as opened:
        assert (await opened.hears("values"))["shown"] == "nobody"
        name.set("Ann")
        assert not environment._pending_flush_queue.empty()
        assert shiny_internals._is_due(opened.session)
        shiny_internals.flush_soon(opened.session)
        assert (await opened.hears("values"))["shown"] == "Ann"
        assert environment._pending_flush_queue.empty()


async def test_a_flush_runs_what_was_invalidated() -> None:
    name: reactive.Value[str] = reactive.Value("a")
    seen: list[str] = []

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        @reactive.effect
        def _() -> None:
            seen.append(name())

    async with page(server) as opened:
        await opened.is_flushed()
        name.set("b")
        await shiny_internals.flush(opened.session)
        assert seen == ["a", "b"]


async def test_a_page_that_comes_or_sends_an_input_costs_the_others_no_frame() -> None:
    ones: reactive.Value[int] = reactive.Value(0)

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        @render.text
        def shown() -> str:
            return str(ones())

        @reactive.effect
        def _() -> None:
            ones.set(max(input["one"](), ones._value))

    async with page(server, inputs={"one": 0}) as quiet:
        assert (await quiet.hears("values"))["shown"] == "0"
        async with quiet.another(one=0) as busy:
            await busy.is_flushed()
            quiet.forget()
            for n in range(5):
                await busy.update(other=n)
                await busy.is_flushed()  # who asks is answered, though nothing has changed
            async with quiet.another(one=0) as third:
                await third.is_flushed()
            assert quiet.frames.empty()
            await busy.update(one=1)
            assert (await quiet.hears("values"))["shown"] == "1"


async def test_the_end_of_each_session_is_told_when_its_app_has_it_no_more() -> None:
    left: list[int] = []
    async with page() as opened:
        shiny_internals.count_ends(left.append)
        await _come_and_go(opened)
        async with asyncio.timeout(10):
            while not left:
                await asyncio.to_thread(lambda: None)
        assert left == [1]


async def test_the_end_of_each_socket_of_ours_is_noted() -> None:
    async with page() as opened:
        before = garbage.leftovers.number
        address = f"ws://127.0.0.1:{opened.port}{endpoint.PATH}"
        for _ in range(3):
            async with connect(address, proxy=None) as socket:
                await socket.send("no hello")
                await socket.wait_closed()
        async with asyncio.timeout(10):
            while garbage.leftovers.number < before + 3:
                await asyncio.to_thread(lambda: None)


def test_ended_sessions_are_collected_though_an_earlier_event_loop_ended_before_it_was_done() -> (
    None
):
    sessions = garbage.Leftovers(least=1, delay=1)

    async def end(wait: float) -> None:
        sessions.ended(left=0)
        await asyncio.wait([asyncio.create_task(asyncio.Event().wait())], timeout=wait)

    asyncio.run(end(0))
    assert sessions.number == 1
    asyncio.run(end(3))
    assert sessions.number == 0


async def test_ended_sessions_are_collected_when_there_are_enough() -> None:
    thresholds = gc.get_threshold()
    gc.set_threshold(1_000_000)
    sessions = garbage.Leftovers(least=5, delay=0.2)
    try:
        async with page() as opened:
            shiny_internals.count_ends(sessions.ended)
            gone = [await _come_and_go(opened) for _ in range(4)]
            async with asyncio.timeout(10):
                while sessions.number < 4:
                    await asyncio.to_thread(lambda: None)
            assert all(each() is not None for each in gone)
            gone.append(await _come_and_go(opened))
            async with asyncio.timeout(10):
                while any(each() is not None for each in gone):
                    await asyncio.to_thread(lambda: None)
    finally:
        gc.set_threshold(*thresholds)


async def _come_and_go(opened: Page) -> ref[Session]:
    async with opened.another() as other:
        await other.is_flushed()
        return ref(other.session)


async def test_a_reader_can_be_invalidated_from_outside() -> None:
    contexts: list[Any] = []
    ended: list[int] = []

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        @reactive.effect
        def _() -> None:
            context = get_current_context()
            contexts.append(context)
            context.on_invalidate(lambda: ended.append(context.id))

    async with page(server) as opened:
        await opened.is_flushed()
        contexts[0].invalidate()
        await shiny_internals.flush(opened.session)
        assert len(contexts) == 2 and ended == [contexts[0].id] != [contexts[1].id]


# ── inputs ──

BACK = {
    "go:shiny.action": 3,
    "said": "hello",
    ".clientdata_labchat_events": ["said"],
    "plain": "hello",
}
"""What a page says first that was there before: a pressed button, a sent text, another input."""


async def test_it_is_known_what_runs_again_when_what_it_reads_changes() -> None:
    found: dict[str, bool] = {}

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        value = reactive.value(0)

        def look(where: str) -> None:
            value()  # what is read first makes no difference
            found[where] = shiny_internals.runs_again()

        @reactive.calc
        def calculation() -> int:
            look("calculation")
            with reactive.isolate():
                look("isolated in a calculation")
            return 1

        @reactive.effect
        def _() -> None:
            look("effect")
            with reactive.isolate():
                look("isolated")
                calculation()

        @reactive.effect
        @reactive.event(value, ignore_none=False)
        def _() -> None:
            look("event")

        @render.text
        def shown() -> str:
            look("output")
            return ""

    async with page(server, inputs={".clientdata_output_shown_hidden": False}) as opened:
        await opened.is_flushed()
    assert not shiny_internals.runs_again()
    runs = {"calculation", "effect", "output"}
    assert {where for where, again in found.items() if again} == runs
    assert set(found) == {*runs, "isolated", "isolated in a calculation", "event"}


async def test_effects_wait_where_they_may_have_to_and_others_run_meanwhile() -> None:
    begun, goes_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    could: list[bool] = []

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        @reactive.effect
        def _() -> None:
            could.append(can_wait())
            begun.set()
            if can_wait():
                wait(goes_on.wait())
                done.set()

    run = Effect_._run
    try:
        shiny_internals.let_effects_wait(lambda session: not could)
        async with page(server):
            await asyncio.wait_for(begun.wait(), 10)
            assert could == [True] and not done.is_set()
            goes_on.set()
            await asyncio.wait_for(done.wait(), 10)
        async with page(server) as opened:
            await opened.is_flushed()
            assert could == [True, False]
    finally:
        Effect_._run = run


async def test_events_that_come_back_have_their_values_and_fire_nothing_until_they_happen() -> None:
    fired: list[str] = []

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        def note(name: str, read: Any) -> None:
            @reactive.effect
            @reactive.event(read)
            def _() -> None:
                fired.append(f"{name} {read()}")

        note("go", input.go)
        note("said", input.said)
        note("plain", input.plain)
        note("either", lambda: input.go() if input.go() > 3 else input.go())

        @render.text
        @reactive.event(input.go)
        def shown() -> str:
            return f"{input.go()} {input.said()}"

    async with page(server, inputs=BACK) as opened:
        assert (await opened.hears("values"))["shown"] == "3 hello"
        assert fired == ["plain hello"]
        await opened.update(**{"go:shiny.action": 4})
        assert (await opened.hears("values"))["shown"] == "4 hello"
        await opened.update(said="hello")
        await opened.is_flushed()
        assert fired == ["plain hello", "go 4", "either 4", "said hello"]


async def test_an_input_that_came_back_and_is_set_from_here_is_an_event() -> None:
    fired: list[str] = []
    has_fired = asyncio.Event()

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        @reactive.effect
        @reactive.event(input.said)
        def _() -> None:
            fired.append(input.said())
            has_fired.set()

    async with page(server, inputs=BACK) as opened:
        await opened.is_flushed()
        assert fired == []
        shiny_internals.set_input(opened.session, "said", "new")
        await asyncio.wait_for(has_fired.wait(), 10)
        assert fired == ["new"]


async def test_a_session_whose_calculations_read_what_came_back_is_freed_after_its_end() -> None:
    def server(input: Inputs, output: Outputs, session: Session) -> None:
        @reactive.calc
        def pressed() -> str:
            return f"{input.go()} {input.said()}"

        @render.text
        def shown() -> str:
            return pressed()

    async with page(server, inputs=BACK) as opened:
        assert (await opened.hears("values"))["shown"] == "3 hello"
        session = ref(opened.session)
        del opened
    async with asyncio.timeout(20):
        while session() is not None:
            await asyncio.to_thread(gc.collect)


async def test_an_input_can_be_set_from_here_and_each_value_of_it_is_an_event() -> None:
    seen: list[str] = []
    all_seen = asyncio.Event()
    read: list[Any] = []

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        read.append(input.said)
        if len(read) > 1:
            return

        @reactive.effect
        @reactive.event(input.said)
        def _() -> None:
            seen.append(input.said())
            if len(seen) == 4:
                all_seen.set()

    async with page(server) as opened, page(server) as other:
        await opened.is_flushed()
        for text in ("a", "b", "b", "c"):
            shiny_internals.set_input(opened.session, "said", text)
            shiny_internals.set_input(other.session, "said", text)  # nobody depends on it
        await asyncio.wait_for(all_seen.wait(), 10)
        assert seen == ["a", "b", "b", "c"]
        with reactive.isolate():
            assert read[0]() == read[1]() == "c"


KNOWN_INPUTS = {
    "input_action_button",
    "input_action_link",
    "input_bookmark_button",
    "input_checkbox",
    "input_checkbox_group",
    "input_code_editor",
    "input_dark_mode",
    "input_date",
    "input_date_range",
    "input_file",
    "input_numeric",
    "input_password",
    "input_radio_buttons",
    "input_select",
    "input_selectize",
    "input_slider",
    "input_submit_textarea",
    "input_switch",
    "input_task_button",
    "input_text",
    "input_text_area",
    "toolbar_input_button",
    "toolbar_input_select",
}


def test_every_input_of_shinys_is_known_to_be_an_event_or_none() -> None:
    """For a new one: does it come back as an `ActionButtonValue`, or with `priority: "event"`?"""
    found = {name for name in dir(ui) if name.startswith(("input_", "toolbar_input_"))}
    assert found == KNOWN_INPUTS


async def test_every_page_has_what_is_put_on_pages() -> None:
    async with page() as opened:
        drawn = (await opened.get("")).text
        assert drawn.count("labchat.js") == 1 and "labchat.css" in drawn


async def test_what_an_app_mounts_at_its_root_are_its_static_files() -> None:
    async with page() as opened:
        mounted = [
            route.app
            for route in opened.app.starlette_app.router.routes
            if isinstance(route, Mount) and route.path == ""
        ]
        assert len(mounted) == 1 and isinstance(mounted[0], CompressedFiles)
        drawn = await opened.get("")  # from now on the app serves what the page needs
        assert drawn.status_code == 200 and "content-encoding" not in drawn.headers
        script = await opened.get("lib/shiny-" + shiny.__version__ + "/shiny.js")
        assert script.status_code == 200 and script.headers["content-encoding"] == "gzip"


async def test_what_a_page_may_load_is_served() -> None:
    async with page() as opened:
        needed = TagList(*output_markdown_stream("x").get_dependencies())
        deps = shiny_internals.loadable(opened.session, needed)
        for script in (script for dep in deps for script in dep["script"]):
            assert (await opened.get(script["src"])).status_code == 200
        assert {dep["name"] for dep in deps} == {"shinychat"}


async def test_effects_have_priorities_and_can_be_destroyed() -> None:
    order: list[str] = []
    made: list[Effect_] = []

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        made.append(reactive.effect(priority=0)(lambda: order.append("later")))
        made.append(reactive.effect(priority=999_999)(lambda: order.append("first")))

    async with page(server) as opened:
        await opened.is_flushed()
        assert order == ["first", "later"]
    for effect in made:
        effect.destroy()


async def test_a_bookmark_leaves_out_what_it_is_told_to() -> None:
    async with page() as opened:
        inputs = opened.session.root_scope().input
        inputs.set_serializer("secret", serializer_unserializable)
        inputs["secret"], inputs["plain"] = reactive.Value("key"), reactive.Value(1)
        assert await inputs._serialize(exclude=[], state_dir=None) == {"plain": 1}


# ── shinychat ──


class Card:
    """A type of an app's own."""


def test_message_content_gives_segments() -> None:
    segment: Any
    [segment] = message_content("**b**").segments
    assert (segment.content, segment.content_type) == ("**b**", "markdown")
    html: Any
    [html] = message_content(HTML("<b>")).segments
    assert (html["content"] if isinstance(html, dict) else html.content) == "<b>"


def test_the_markdown_element_comes_with_what_it_needs() -> None:
    names = {dep.name for dep in output_markdown_stream("x").get_dependencies()}
    assert any("markdown" in name or "chat" in name for name in names), names


def test_registered_types_have_segments() -> None:
    @message_content.register
    def _(message: Card) -> Any:
        return message_content("a card")

    segment: Any
    [segment] = message_content(Card()).segments
    assert segment.content == "a card"


def test_values_can_be_made_without_the_search_for_a_name() -> None:
    with shiny_internals.without_names():
        quick = reactive.Value(1)
    slow = reactive.Value(1)
    assert (vars(quick)["_name"], vars(slow)["_name"]) == (None, "slow")
    held = reactive.Value(StreamTask(), name="held")
    with reactive.isolate():
        assert vars(held.get().status)["_name"] is None, "that would be found in the line above"


async def test_a_session_keeps_nothing_of_the_streams_that_have_ended() -> None:
    async def told() -> str:
        return "all of it"

    async with page() as opened:
        streams = [asyncio.ensure_future(told()) for _ in range(20)]
        with session_context(opened.session):
            tasks = [StreamTask(each) for each in streams]
        kept = sum(
            len(each._callbacks) for each in opened.session._destroy_callbacks_by_ns.values()
        )
        assert kept < len(tasks)
        with reactive.isolate():
            assert tasks[0].status() == "running"
        ended = ref(tasks.pop(0))
        await asyncio.gather(*streams)
        while ended() is not None:
            await asyncio.to_thread(gc.collect)


def test_a_lab_is_made_where_no_session_is() -> None:
    with pytest.raises(RuntimeError):
        shiny.session.require_active_session(None)
    assert Lab("sqlite:///x.db").room("r").id == "r"
