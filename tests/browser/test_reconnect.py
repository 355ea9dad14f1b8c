"""An open page survives what happens to its connections, its server and its machine."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import pytest
from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser._outage import (
    CABLES,
    SEVERED,
    cut,
    deafen,
    dials,
    is_on_a_new_line,
    mend,
    sleeps,
)
from tests.browser._people import Person
from tests.browser.conftest import Noise, People, Serve

LOST = "The page around the chat has lost its connection. The chat goes on."
LATER = "Automatic answers come when it is back."
RELOAD = "Reload the page to have the rest of it back."
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 700}, "has_touch": True}


@pytest.fixture(autouse=True)
def expects_noise(noise: Noise) -> None:
    noise.expects(SEVERED)


def settles(person: Person) -> None:
    """All that this person has sent until now is handled."""
    answers = person.chat.loc_message("suffix: ").count()
    person.says("read")
    expect(person.chat.loc_message("suffix: ")).to_have_count(answers + 1)


@pytest.mark.parametrize("how", ["kill", pytest.param("stop", marks=pytest.mark.long)])
def test_after_a_restart_the_page_shows_what_it_missed_and_sends_what_was_unsent_once(
    people: People, serve: Serve, room: str, organiser: Organiser, how: Literal["kill", "stop"]
):
    app = serve("away.py")
    ann, bob = people(2, app)
    ann.says("before")
    bob.sees("before")
    getattr(app, how)()
    ann.stands("reconnecting", "Connection lost. Trying again…")
    bob.stands("reconnecting")
    ann.tries("unsent")
    expect(ann.chat.loc_outbox).to_contain_text("Will be sent when the connection is back")
    organiser.does(organiser.room(app, room).post("missed"))
    app.start()
    for person in (ann, bob):
        person.stands("open")
        person.sees_only("before", "missed", "unsent")
    expect(ann.chat.loc_outbox).to_be_hidden()
    expect(ann.page.locator("#shiny-disconnected-overlay")).not_to_be_attached()
    ann.says("count")
    ann.reads("count", "counted 1")


AS_BEFORE = """(() => {
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    const isOld = sessionStorage.getItem("is-old") && typeof data === "string";
    return send.call(this, isOld ? data.replace(/"v":\\d+/, '"v":1') : data);
  };
})()"""
"""While the tab says so, the page says hello as one of protocol 1 does."""


def test_a_page_of_an_earlier_version_is_told_to_reload_and_keeps_what_is_typed(
    people: People, serve: Serve
):
    app = serve("away.py")
    (ann,) = people(1, app, script=AS_BEFORE)
    ann.says("before")
    ann.types("half a thought")
    app.kill()
    ann.stands("reconnecting")
    ann.page.evaluate("() => sessionStorage.setItem('is-old', 'yes')")
    app.start()  # as another version
    ann.stands("gone", "This page is of an earlier version. Please reload it; your text is kept.")
    ann.sees_only("before")
    assert ann.draft == "half a thought"
    ann.page.evaluate("() => sessionStorage.removeItem('is-old')")
    ann.reloads()
    ann.sees_only("before")
    assert ann.draft == "half a thought"


def test_what_a_killed_server_left_unhandled_is_handled_once_by_the_next(
    people: People, serve: Serve
):
    app = serve("away.py")
    (ann,) = people(1, app, script=CABLES)
    ann.says("count")
    ann.reads("count", "counted 1")
    cut(ann, "shiny")
    ann.says("count", "count")  # stored: its own line is well
    app.kill()
    ann.stands("reconnecting")
    ann.tries("count")  # not even sent
    app.start()
    ann.stands("open")
    ann.sees_only("count", "count", "count", "count")
    mend(ann, "shiny")
    ann.reads("count", "counted 3")
    settles(ann)
    ann.reads("count", "counted 3")


def test_what_a_killed_server_had_begun_is_not_handled_again(people: People, serve: Serve):
    app = serve("away.py")
    (ann,) = people(1, app, script=CABLES)
    deafen(ann)  # the page does not hear that it was stored
    ann.tries("count")
    ann.reads("count", "counted 1")
    app.kill()
    ann.stands("reconnecting")
    app.start()
    ann.stands("open")
    ann.sees_only("count")
    expect(ann.page.locator("#shiny-disconnected-overlay")).not_to_be_attached()
    settles(ann)
    ann.reads("count", "counted 0")


def test_what_is_sent_while_only_shiny_is_gone_is_handled_once_when_it_is_back(people: People):
    (ann,) = people(1, "away.py", script=CABLES)
    (bob,) = people(1, "away.py")
    controller = ann.page.locator("#suffix")
    controller.fill("as changed")
    ann.says("count")
    ann.reads("count", "counted 1")
    cut(ann, "shiny")
    ann.says("count", "read")
    bob.sees("read", by=ann)
    mend(ann, "shiny")
    ann.sees("suffix: as changed")  # inputs are what they were
    ann.reads("count", "counted 1")
    settles(ann)
    ann.reads("count", "counted 1")
    bob.reads("count", "counted 0")


def test_while_only_shiny_is_gone_the_chat_goes_on_and_says_so(people: People):
    (ann,) = people(1, "away.py", script=CABLES)
    (bob,) = people(1, "away.py")
    cut(ann, "shiny")
    ann.stands("open", f"{LOST} {LATER}")
    expect(ann.page.locator("#shiny-disconnected-overlay")).to_be_hidden()
    assert opacity(ann, "#suffix") < 1 == opacity(ann, "#chat")
    ann.says("still here")
    bob.sees("still here", by=ann)
    mend(ann, "shiny")
    expect(ann.chat.loc_status).to_have_text("")
    assert opacity(ann, "#suffix") == 1


def opacity(person: Person, selector: str) -> float:
    """As it is seen, with that of all around it."""
    return person.page.locator(selector).evaluate(
        """(element) => {
          let seen = 1;
          for (let at = element; at; at = at.parentElement) seen *= getComputedStyle(at).opacity;
          return seen;
        }"""
    )


def test_on_a_phone_shinys_own_words_do_not_lie_on_the_box(people: People):
    (ann,) = people(1, device=PHONE, script=CABLES)
    cut(ann, "shiny")
    dialog = ann.page.locator(".shiny-notification:has(#shiny-reconnect-text)")
    expect(dialog).to_be_visible()
    shown, box = dialog.bounding_box(), ann.chat.loc_input_container.bounding_box()
    assert shown and box
    assert shown["y"] + shown["height"] <= box["y"]


def test_without_reconnect_the_page_asks_to_be_reloaded_and_the_chat_goes_on(people: People):
    (ann,) = people(1, "away.py", script=CABLES, reconnect="no")
    (bob,) = people(1, "away.py")
    cut(ann, "shiny")
    ann.stands("open", f"{LOST} {RELOAD}")
    expect(ann.page.locator("#shiny-reconnect-text")).not_to_be_attached()
    ann.says("still here")
    bob.says("so am I")
    ann.sees_only("still here", "so am I")
    bob.sees_only("still here", "so am I")
    ann.page.evaluate("() => sessionStorage.clear()")
    ann.reloads()
    ann.sees_only("still here", "so am I")
    expect(ann.chat.loc_status).to_have_text("")


def test_when_shinys_session_is_back_nothing_in_the_chat_moves(people: People):
    (ann,) = people(1, script=CABLES, rate="none")
    (bob,) = people(1, rate="none")
    bob.sends_at_once(*(f"line {n}" for n in range(30)))
    ann.sees("line 29")
    ann.scrolls("up")
    ann.types("a draft")
    expect(ann.chat.loc_status).to_have_text("")
    ann.page.evaluate(_WATCH)
    before = ann.page.evaluate(_STANDING)
    cut(ann, "shiny")
    mend(ann, "shiny")
    ann.waits_until(lambda: is_on_a_new_line(ann, than=1))
    assert ann.page.evaluate("() => changes") == []
    assert ann.page.evaluate(_STANDING) == before
    bob.says("one more")
    ann.sees_only(*(f"line {n}" for n in range(30)), "one more")
    expect(ann.chat.loc_new).to_have_text("1 new message")


_WATCH = """() => {
  const chat = document.getElementById("chat");
  const log = chat.querySelector("[role=log]");
  const typing = chat.querySelector(".labchat-typing");
  const looks = () => chat.innerText.replace(typing.innerText, "") + log.scrollTop;
  const first = looks();
  window.changes = [];
  new MutationObserver((records) => {
    if (looks() !== first) changes.push(looks());
    const inLog = records.filter(({ target }) => log.contains(target));
    const removed = inLog.flatMap(({ removedNodes }) => [...removedNodes]);
    changes.push(...removed.map(({ textContent }) => textContent));
  }).observe(chat, { subtree: true, childList: true, characterData: true, attributes: true });
}"""
_STANDING = """() => {
  const box = document.activeElement;
  const log = document.querySelector("[role=log]");
  return [log.scrollTop, log.clientHeight, box.id, box.value, box.selectionStart];
}"""


def test_after_a_cut_of_its_own_line_the_page_shows_what_it_missed(people: People):
    (ann,) = people(1, script=CABLES)
    (bob,) = people(1)
    cut(ann, "chat")
    ann.tries("unsent")
    bob.says("missed")
    mend(ann, "chat")
    for person in (ann, bob):
        person.sees_only("missed", "unsent")


def test_a_machine_that_slept_does_not_wait_for_a_dead_line(people: People):
    (ann,) = people(1, script=CABLES)
    (bob,) = people(1)
    deafen(ann)
    bob.says("while you slept")
    sleeps(ann)
    expect(ann.chat.loc_message("while you slept")).to_be_visible(timeout=6000)  # a ping: 10 s
    ann.says("good morning")
    bob.sees_only("while you slept", "good morning")


def test_a_lost_line_is_tried_again_after_ever_longer_pauses(people: People):
    (ann,) = people(1, script=CABLES + "; Math.random = () => 0.2;")
    cut(ann, "chat")
    ann.page.wait_for_function("() => cables.chat.length === 5")
    _, *tries = dials(ann)
    pauses = [later - sooner for sooner, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 2 * pauses[0]
    assert pauses[0] < 1  # chance shortens it, so that not all come at once
