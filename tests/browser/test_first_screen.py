"""A chat can be read and written before the renderer of markdown has come, which is large."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Route, expect

from shiny_labchat import Room
from tests.browser._line import RENDERER, Loaded, held
from tests.browser._organiser import Organiser
from tests.browser._people import Person
from tests.browser.conftest import Noise, Serve
from tests.browser.test_streams import HEARS, content, ended, grows, heard
from tests.support.workers import Served

MAX_REQUESTS = 24
MAX_SIZE = 430_000
"""What the first screen may cost, in bytes; Shiny's own page costs three quarters of it."""

LISTENS = """window.read = []; addEventListener("DOMContentLoaded", () => {
  const isRead = (node) => !["off", null].includes(
    node.closest?.("[aria-live]")?.getAttribute("aria-live") ?? null);
  new MutationObserver((changes) => {
    // as a screen reader: in a moment, when it is known what of it is to be read
    requestAnimationFrame(() => {
      for (const { target, addedNodes } of changes)
        if (isRead(target)) read.push(...[...addedNodes]
          .filter((node) => node.isConnected && isRead(node.parentElement))
          .map((node) => node.textContent));
    });
  }).observe(document, { childList: true, subtree: true });
});"""
"""What a screen reader is told of, text by text."""

Opens = Callable[..., Person]


@pytest.fixture(params=["source", "wheel"])
def either(request: pytest.FixtureRequest, shared: Serve) -> Serve:
    """Apps of the source tree, and of the wheel."""
    return shared if request.param == "source" else request.getfixturevalue("from_wheel")


@pytest.fixture
def context(browser: Browser, noise: Noise) -> Iterator[BrowserContext]:
    """A browser that has been nowhere before."""
    new = browser.new_context()
    noise.listen(new)
    yield new
    noise.unlisten(new)
    new.close()
    assert noise.unexpected() == []


@pytest.fixture
def opens(context: BrowserContext, room: str) -> Opens:
    def open_page(
        server: Served, loaded: Loaded | None = None, *, script: str = "", **asked: str
    ) -> Person:
        page = context.new_page()
        if script:
            page.add_init_script(script)
        if loaded:
            loaded.watch(page)
        person = Person(page)
        person.opens(f"http://127.0.0.1:{server.port}/?{urlencode({'room': room, **asked})}")
        person.is_in()
        return person

    return open_page


def raw(person: Person, words: str) -> Locator:
    return person.page.locator(".labchat-text", has_text=words)


# ── what is loaded ──


def test_the_first_screen_is_a_few_compressed_files(from_wheel: Serve, opens: Opens):
    loaded = Loaded()
    ann = opens(from_wheel("room.py"), loaded)
    ann.says("hello")
    loading = [url for url in loaded.urls if not RENDERER.search(url)]
    assert len(loading) <= MAX_REQUESTS, loading
    ours = {url.rpartition("/")[2] for url in loading if "/shiny-labchat-" in url}
    assert ours == {"labchat.js", "labchat.css", "unloaded.js"}
    if not loaded.renderers:  # on a slow machine it is loaded by then
        assert loaded.size <= MAX_SIZE


def test_in_a_source_tree_all_modules_are_asked_for_at_once(shared: Serve, opens: Opens):
    ann = opens(shared("room.py"))
    times = ann.page.evaluate(
        "() => performance.getEntriesByType('resource').map(({ name, startTime, responseEnd }) => "
        "[name, startTime, responseEnd]).filter(([name]) => /shiny-labchat-.*[.]js$/.test(name))"
    )
    assert len(times) > 40
    [imports] = [end for name, _, end in times if name.endswith("/labchat.js")]
    late = [name for name, start, _ in times if start > imports]
    assert late == [], "these are asked for only once labchat.js has come, which imports them"


def test_the_renderer_is_loaded_when_the_room_is_there_and_the_page_is_idle(
    either: Serve, opens: Opens
):
    loaded = Loaded()
    ann = opens(either("room.py"), loaded)
    ann.waits_until(lambda: bool(loaded.renderers))
    assert loaded.happened == ["welcome", "request"]
    ann.says("hello")
    ann.reloads()
    ann.sees("hello")


def test_files_that_never_change_are_asked_for_once(from_wheel: Serve, opens: Opens):
    ann = opens(from_wheel("room.py"))
    loaded = Loaded()
    loaded.watch(ann.page)
    ann.reloads()
    ann.says("hello")
    cached = (
        "() => performance.getEntriesByType('resource').filter(({ transferSize }) => "
        "!transferSize).map(({ name }) => name.split('/').at(-1))"
    )
    assert {"labchat.js", "labchat.css", "unloaded.js"} <= set(ann.page.evaluate(cached))


# ── before it is there ──


def test_people_talk_before_the_renderer_is_there(
    either: Serve, context: BrowserContext, opens: Opens, room: str, organiser: Organiser
):
    let_it_come = held(context)
    server = either("room.py")
    programme = organiser.room(server, room)
    ann, bob = (opens(server, identity="tab") for _ in range(2))
    organiser.does(programme.post("Some **bold** words", markdown=True))
    for person in (ann, bob):
        expect(raw(person, "Some **bold** words")).to_be_visible()
    ann.says("first")
    bob.sees("first", by=ann)
    organiser.does(programme.post("- one\n- two", markdown=True))
    bob.says("second")
    said = ["Some **bold** words", "first", "- one\n- two", "second"]
    ann.waits_until(lambda: ann.texts() == said)
    let_it_come()
    for person in (ann, bob):
        expect(person.page.locator(".labchat-markdown strong")).to_have_text("bold")
        expect(person.page.locator(".labchat-markdown li")).to_have_text(["one", "two"])
        person.sees("Some bold words", "first", "second")
        expect(raw(person, "**bold**")).to_have_count(0)


def test_a_stream_grows_as_its_text_and_goes_on_rendered(
    either: Serve, context: BrowserContext, opens: Opens
):
    let_it_come = held(context)
    ann = opens(either("streams.py"), script=HEARS)
    ann.says("open Oracle", "Oracle says Some **bold**")
    grows(ann, "Oracle", "Some **bold**")
    ann.says("Oracle says  and")
    grows(ann, "Oracle", "Some **bold** and")
    let_it_come()
    grows(ann, "Oracle", "Some bold and")
    ann.says("Oracle says  *more*", "Oracle ends")
    ended(ann, "Oracle", "Some bold and more")
    ann.waits_until(lambda: heard(ann) == ["Oracle\nSome bold and more"])


def test_a_stream_that_ends_before_the_renderer_is_there_is_heard_once(
    shared: Serve, context: BrowserContext, opens: Opens
):
    let_it_come = held(context)
    ann = opens(shared("streams.py"), script=LISTENS)
    ann.says("open Oracle")
    ann.says("Oracle says Some **good** words", "Oracle ends")
    ended(ann, "Oracle", "Some **good** words")
    said = "Oracle\nSome **good** words"
    ann.waits_until(lambda: said in _read(ann, "good"))
    let_it_come()
    expect(content(ann, "Oracle").locator("strong")).to_be_visible()
    ann.says("afterwards")
    ann.waits_until(lambda: bool(_read(ann, "afterwards")))
    assert [words for words in _read(ann, "good") if "Oracle says" not in words] == [said]


def test_a_screen_reader_hears_a_message_once_though_it_is_drawn_twice(
    shared: Serve, context: BrowserContext, opens: Opens, room: str, organiser: Organiser
):
    let_it_come = held(context)
    server = shared("room.py")
    programme = organiser.room(server, room)
    ann = opens(server, script=LISTENS)
    ann.says("hello")  # what was there before she came is not read aloud; this is
    organiser.does(programme.post("Some **bold** words", markdown=True))
    expect(raw(ann, "**bold**")).to_be_visible()
    ann.waits_until(lambda: len(_read(ann, "bold")) == 1)
    let_it_come()
    expect(ann.page.locator(".labchat-markdown strong")).to_be_visible()
    organiser.does(programme.post("afterwards"))
    ann.waits_until(lambda: bool(_read(ann, "afterwards")))
    assert len(_read(ann, "bold")) == 1
    expect(ann.page.locator(".labchat-markdown[aria-live]")).to_have_count(0)


def _read(person: Person, words: str) -> list[str]:
    return [text for text in person.page.evaluate("() => window.read") if words in text]


def test_what_is_read_does_not_move_when_it_is_rendered(
    shared: Serve, context: BrowserContext, opens: Opens, room: str, organiser: Organiser
):
    let_it_come = held(context)
    server = shared("room.py")
    organiser.does(_fill(organiser.room(server, room)))
    ann = opens(server)
    expect(raw(ann, "# Number 29")).to_be_visible()
    box = ann.chat.loc_message(re.compile("Number 15"))
    box.evaluate("(message) => message.scrollIntoView({ block: 'start' })")
    expect(ann.chat.loc_new).to_be_visible()
    before = box.bounding_box()
    let_it_come()
    expect(ann.page.locator(".labchat-markdown h1")).to_have_count(30)
    after = box.bounding_box()
    assert before and after and abs(after["y"] - before["y"]) <= 3


def test_who_is_at_the_bottom_stays_there_when_it_is_rendered(
    shared: Serve, context: BrowserContext, opens: Opens, room: str, organiser: Organiser
):
    let_it_come = held(context)
    server = shared("room.py")
    organiser.does(_fill(organiser.room(server, room)))
    ann = opens(server)
    expect(raw(ann, "# Number 29")).to_be_visible()
    let_it_come()
    expect(ann.page.locator(".labchat-markdown h1")).to_have_count(30)
    ann.waits_until(ann.is_at_the_bottom)


async def _fill(room: Room) -> None:
    await room.create()
    for number in range(30):
        await room.post(f"# Number {number}\n\n- one\n- two\n\n> words\n\nend", markdown=True)


def test_what_an_app_trusts_is_shown_as_its_text_and_then_as_written(
    shared: Serve, context: BrowserContext, opens: Opens
):
    let_it_come = held(context)
    ann = opens(shared("trusted.py"))
    expect(ann.page.locator("[data-trusted] .labchat-text")).to_have_text(
        ["<i class='shown'>shown</i>", "<i class='first'>first</i>"]
    )
    let_it_come()
    expect(ann.page.locator("i.shown")).to_have_text("shown")
    expect(ann.page.locator("i.first")).to_have_text("first")
    expect(ann.page.locator("[data-trusted] .labchat-text")).to_have_count(0)


def test_a_renderer_that_could_not_be_loaded_is_asked_for_again(
    shared: Serve, context: BrowserContext, opens: Opens, noise: Noise
):
    noise.expects("ERR_FAILED")
    failed: list[str] = []

    def fail_once(route: Route) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.abort()

    context.route(RENDERER, fail_once)
    ann = opens(shared("streams.py"))
    expect(raw(ann, "Hello")).to_be_visible()
    ann.says("open Oracle", "Oracle says Some **bold**", "Oracle ends")
    expect(content(ann, "Oracle").locator("strong")).to_have_text("bold")
    assert len(failed) == 1
