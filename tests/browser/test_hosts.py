"""Hosts that let no websocket of the chat's own through: its frames go over Shiny's connection."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser._participants import Participant
from tests.browser._people import Person
from tests.browser.conftest import Behind, Noise, People, Serve
from tests.support.reverse_proxy import ReverseProxy

FINDS_OUT_WITHIN = 3000
"""In milliseconds."""

CLOCK = """(() => {
  window.took = null;
  window.dialled = null;
  window.own = [];
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    const isHello = String(data).includes('\\\\"t\\\\":\\\\"hello\\\\"');
    if (isHello && window.dialled !== null) window.took ??= performance.now() - window.dialled;
    return send.call(this, data);
  };
  window.WebSocket = class extends WebSocket {
    constructor(url) {
      const isOwn = String(url).includes("labchat/ws");
      if (isOwn) window.dialled ??= performance.now();
      super(url);
      if (isOwn) window.own.push(this);
    }
  };
})();"""
"""Tells how long after the first try of a websocket the page said hello over Shiny's connection."""
IN_A_HURRY = "Math.random = () => 0;"
"""Pauses are as short as chance can make them."""


@pytest.fixture(autouse=True)
def expects_noise(noise: Noise) -> None:
    noise.expects("WebSocket connection to|ERR_CONNECTION|ERR_EMPTY_RESPONSE|502")


def through(people: People, proxy: ReverseProxy, script: str = CLOCK, **asked: str) -> Person:
    (person,) = people(1, proxy, script=script, **asked)
    return person


def found_out(person: Person) -> float:
    return person.page.wait_for_function("() => window.took").json_value()


@pytest.mark.parametrize(("how", "prefix"), [("refuse", "/pilot"), ("hold", "")])
def test_where_its_websocket_is_refused_the_chat_finds_another_way_in_three_seconds(
    people: People, serve: Serve, behind: Behind, how: Literal["refuse", "hold"], prefix: str
):
    app = serve("away.py")
    proxy = behind(app.port, prefix=prefix)
    proxy.chats = how
    ann, (bob,) = through(people, proxy), people(1, app)
    assert found_out(ann) < FINDS_OUT_WITHIN
    ann.says("one")
    bob.sees("one", by=ann)
    bob.says("two")
    ann.says("count", "three")
    ann.sees_only("one", "two", "count", "three")
    ann.reads("count", "counted 1")
    ann.reloads()
    for person in (ann, bob):
        person.sees_only("one", "two", "count", "three")
    assert any("at labchat/ws did not get through" in line for line in app.log)


def test_a_websocket_that_is_refused_in_the_middle_loses_nothing(
    people: People, serve: Serve, behind: Behind, organiser: Organiser
):
    app = serve("away.py")
    proxy = behind(app.port)
    ann, (bob,) = through(people, proxy), people(1, app)
    ann.says("before")
    proxy.chats = "refuse"
    bob.says("just before")
    ann.sees("just before")
    ann.page.evaluate("() => { window.dialled = performance.now(); }")
    organiser.does(proxy.cut_chats())
    bob.says("just after")
    assert found_out(ann) < FINDS_OUT_WITHIN
    ann.says("after")
    for person in (ann, bob):
        person.sees_only("before", "just before", "just after", "after")
    assert proxy.open_chats == 0


def test_when_websockets_get_through_again_the_chat_has_its_own(
    people: People, serve: Serve, behind: Behind
):
    app = serve("away.py")
    proxy = behind(app.port)
    proxy.chats = "refuse"
    ann, (bob,) = through(people, proxy, CLOCK + IN_A_HURRY), people(1, app)
    ann.says("before")
    proxy.chats = "pass"
    ann.page.wait_for_function("() => own.at(-1).readyState === WebSocket.OPEN")
    bob.says("after")
    ann.says("count", "at last")
    for person in (ann, bob):
        person.sees_only("before", "after", "count", "at last")
    ann.stands("open")
    ann.reads("count", "counted 1")


def test_after_a_restart_all_is_there_and_what_was_unsent_is_sent_once(
    people: People, serve: Serve, behind: Behind, room: str, organiser: Organiser
):
    app = serve("away.py")
    proxy = behind(app.port)
    proxy.chats = "refuse"
    ann = through(people, proxy)
    ann.says("before")
    app.kill()
    ann.stands("reconnecting")
    ann.tries("unsent")
    organiser.does(organiser.room(app, room).post("missed"))
    app.start()
    ann.stands("open")
    ann.sees_only("before", "missed", "unsent")
    ann.says("count")
    ann.reads("count", "counted 1")
    assert proxy.open_chats == 0


BARE = """addEventListener("DOMContentLoaded", () => {
  const connect = () => {
    const inner = new WebSocket(`ws://${location.host}/websocket/`);
    const outer = {
      send: (data) => inner.send(data),
      close: (...why) => inner.close(...why),
      get readyState() { return inner.readyState; },
      get protocol() { return inner.protocol; },
      allowReconnect: true,
    };
    for (const name of ["onopen", "onmessage", "onclose", "onerror"])
      inner[name] = (event) => outer[name]?.(event);
    return outer;
  };
  window.Shiny.createSocket = connect;
});"""
"""Shiny's connection is no websocket, but has the few methods that the page of a host gives it."""


@pytest.mark.parametrize("how", ["pass", "refuse"])
def test_the_connection_that_a_hosts_page_makes_for_shiny_will_do(
    people: People, serve: Serve, behind: Behind, how: Literal["pass", "refuse"]
):
    """As that of Posit Connect and shinyapps.io."""
    app = serve("away.py")
    proxy = behind(app.port)
    proxy.chats = how
    ann, (bob,) = through(people, proxy, CLOCK + BARE), people(1, app)
    ann.says("count", "hello")
    ann.reads("count", "counted 1")
    bob.sees_only("count", "hello")
    bob.says("hello, too")
    ann.sees_only("count", "hello", "hello, too")


def test_a_long_conversation_comes_in_pieces(
    people: People, serve: Serve, behind: Behind, room: str, organiser: Organiser
):
    app = serve("room.py")
    proxy = behind(app.port)
    proxy.chats = "refuse"
    texts = [f"{n} " + 'ä\U0001f600"\\' * 900 for n in range(20)]
    for text in texts:
        organiser.does(organiser.room(app, room).post(text))
    ann = through(people, proxy)
    ann.sees_only(*texts)
    ann.says("so much")
    expect(ann.chat.loc_message("so much")).to_be_visible()


def test_a_whole_study_goes_over_shinys_connection(people: People, serve: Serve, behind: Behind):
    proxy = behind(serve("core_study.py").port)
    proxy.chats = "refuse"
    came = people(2, proxy, settled=False)
    ann, bob = (Participant(each.page, each.chat.id) for each in came)
    for each in (ann, bob):
        each.consents()
        each.fills("Your age", "30")
        each.presses_button("Go on")
    for each in (ann, bob):
        each.is_in_group()
    ann.says("hello")
    bob.sees("hello", by=ann)
    for each in (ann, bob):
        each.fills("Why?", "Because.")
        each.presses_button("Finish")
        each.reads_in_study("DONE-1")
    assert proxy.open_chats == 0
