"""What a study's server says is drawn, and what a person does there is said to it once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect

from tests.browser._axe import faults
from tests.browser._hidden import hide, own_browser
from tests.browser._people import Person
from tests.browser._screens import SCREENS, STOP
from tests.browser._study_page import StudyPage
from tests.browser.conftest import Noise, People, Serve
from tests.browser.test_themes import themes, unreadable

APP = "study_pages.py"
Opened = Callable[..., StudyPage]
PHONE = {"viewport": {"width": 320, "height": 640}}
STOP_BUTTON = STOP["label"]


@pytest.fixture
def opened(people: People) -> Opened:
    """Opens the page of a study, and waits until it has its socket."""

    def open(**asked: Any) -> StudyPage:
        (ann,) = people(1, APP, settled=False, **asked)
        return StudyPage(ann).is_connected()

    return open


# ── what is drawn ──


@pytest.mark.parametrize("name", [name for name in SCREENS if name != "none"])
def test_a_screen_says_all_that_the_server_says(name: str, opened: Opened) -> None:
    ann, screen = opened(), SCREENS[name]
    ann.shows(name)
    for line in screen.get("lines", ()):
        expect(ann.view.get_by_text(line, exact=True)).to_be_visible()
    for button in screen.get("buttons", ()):
        expect(ann.button(button["label"])).to_be_visible()
    for item in screen.get("items", ()):
        expect(ann.view.get_by_role("checkbox", name=item["text"])).not_to_be_checked()
    expect(ann.button(STOP_BUTTON)).to_have_count(1 if "stop" in screen else 0)
    expect(ann.page.get_by_role("dialog")).to_have_count(0)


def test_axe_finds_nothing_serious_on_any_screen_nor_in_a_question(opened: Opened) -> None:
    ann = opened()
    for name in SCREENS:
        ann.shows(name)
        assert (name, faults(ann.person)) == (name, set())
    ann.shows("waiting")
    ann.button(STOP_BUTTON).click()
    assert faults(ann.person) == set()


def test_on_a_phone_nothing_is_cut_off_and_buttons_are_large(opened: Opened) -> None:
    ann = opened(device=PHONE)
    for name in SCREENS:
        ann.shows(name)
        assert ann.page.evaluate("() => document.documentElement.scrollWidth") <= 320, name
        for button in ann.view.get_by_role("button").all():
            assert button.evaluate("button => button.offsetHeight") >= 44


@pytest.mark.long
def test_every_word_of_a_study_can_be_read_in_every_theme(opened: Opened) -> None:
    ann = opened(device={"reduced_motion": "reduce"})
    found: dict[str, dict[str, float]] = {}
    for theme in themes(ann.person):
        for name in ("consent", "waiting", "ended"):
            ann.shows(name)
            found[f"{theme}, {name}"] = unreadable(ann.view, least=3)
    assert {theme: words for theme, words in found.items() if words} == {}


def test_a_screen_is_there_again_after_a_reload(opened: Opened) -> None:
    ann = opened()
    ann.shows("ended")
    ann.page.reload()
    expect(ann.view.get_by_text("C1ABC7QX")).to_be_visible()
    expect(ann.page.get_by_role("link", name="Go back with this code")).to_have_attribute(
        "href", "labchat/end/abc"
    )


def test_markup_in_the_servers_words_stays_text(opened: Opened) -> None:
    ann = opened()
    ann.shows("moment", lines=["<b id=bold>one</b>"], contact="<img src=x>")
    expect(ann.view.get_by_text("<b id=bold>one</b>")).to_be_visible()
    expect(ann.page.locator("#bold, img")).to_have_count(0)


def test_a_link_in_the_developers_words_leaves_the_page_open(opened: Opened) -> None:
    ann = opened()
    ann.shows("consent")
    link = ann.view.get_by_role("link", name="What becomes of your data")
    expect(link).to_have_attribute("target", "_blank")


def test_a_page_that_could_not_be_loaded_says_so(people: People, noise: Noise) -> None:
    noise.expects("labchat.js|ERR_FAILED")
    (ann,) = people(1, APP, settled=False)
    ann.page.route("**/labchat.js", lambda route: route.abort())
    ann.page.reload()
    expect(ann.page.get_by_role("alert").get_by_text("Please reload it.")).to_be_visible()


# ── what a person does ──


def test_somebody_consents_with_the_keyboard_alone(opened: Opened) -> None:
    ann = opened()
    ann.shows("consent")
    ann.page.get_by_role("link", name="What becomes of your data").focus()
    for key in ("Tab", "Space", "Tab", "Tab", "Enter"):
        ann.page.keyboard.press(key)
    (frame,) = ann.hears(1)
    assert frame["do"] == "consent" and frame["version"] == "2026-11"
    assert frame["answers"] == {"adult": True, "share": False}


def test_what_one_has_to_agree_to_is_marked_and_nothing_is_sent(opened: Opened) -> None:
    ann = opened()
    ann.shows("consent")
    accept = ann.button("I agree to take part")
    accept.click()
    adult = ann.view.get_by_role("checkbox", name="I am at least 18")
    expect(adult).to_be_focused()
    expect(adult).to_have_attribute("aria-invalid", "true")
    expect(ann.view.get_by_role("alert")).to_have_text(re.compile("agree to what is marked"))
    assert ann.heard() == []
    adult.check()
    accept.click()
    assert ann.hears(1)[0]["answers"] == {"adult": True, "share": False}
    expect(ann.view.get_by_role("alert")).to_be_empty()


def test_a_double_click_is_sent_once(opened: Opened) -> None:
    ann = opened()
    ann.told(answers=False)
    ann.shows("ready")
    ann.button("I am here").dblclick()
    ann.told(frames=[{"t": "ping"}])  # what comes after the clicks
    ann.hears(1, "pong")
    assert [frame["do"] for frame in ann.heard()] == ["ready"]
    expect(ann.button("I am here")).to_have_attribute("aria-disabled", "true")


def test_a_refusal_is_said_and_one_can_try_again(opened: Opened) -> None:
    ann = opened()
    ann.told(refuses=["It is too late."])
    ann.shows("ready")
    ann.button("I am here").click()
    expect(ann.view.get_by_role("alert")).to_have_text("It is too late.")
    ann.button("I am here").click()
    ann.hears(2)


def test_a_question_is_asked_before_somebody_leaves(opened: Opened) -> None:
    ann = opened()
    ann.shows("waiting")
    ann.button("Stop waiting").click()
    dialog = ann.page.get_by_role("dialog", name="Do you want to stop waiting?")
    expect(dialog.get_by_role("button", name="Go on waiting")).to_be_focused()
    ann.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(ann.button("Stop waiting")).to_be_focused()
    assert ann.heard() == []
    ann.button("Stop waiting").click()
    dialog.get_by_role("button", name="Stop waiting").click()
    assert [frame["do"] for frame in ann.hears(1)] == ["leave"]


@pytest.mark.parametrize(("choice", "is_deleted"), [("keep", False), ("delete", True)])
def test_who_stops_says_what_becomes_of_their_data(
    choice: str, is_deleted: bool, opened: Opened
) -> None:
    ann = opened()
    ann.shows("moment")
    ann.button(STOP_BUTTON).click()
    expect(ann.page.get_by_role("dialog").get_by_text(STOP["limits"])).to_be_visible()
    ann.button(STOP[choice]).click()
    (frame,) = ann.hears(1)
    assert (frame["do"], frame["delete"]) == ("stop", is_deleted)


@pytest.mark.parametrize(("answer", "keep"), [("Yes, keep", True), ("No, delete", False)])
def test_it_is_asked_whether_data_may_be_kept(answer: str, keep: bool, opened: Opened) -> None:
    ann = opened()
    ann.shows("ended")
    asked = ann.view.get_by_role("group", name="May we keep your data?")
    asked.get_by_role("button", name=answer).click()
    (frame,) = ann.hears(1)
    assert (frame["do"], frame["keep"]) == ("debriefed", keep)


def test_the_code_is_copied(opened: Opened) -> None:
    ann = opened(device={"permissions": ["clipboard-read", "clipboard-write"]})
    ann.shows("ended")
    ann.button("Copy the code").click()
    expect(ann.button("The code is copied.")).to_be_visible()
    assert ann.page.evaluate("() => navigator.clipboard.readText()") == "C1ABC7QX"
    expect(ann.button("Copy the code")).to_be_visible()


# ── drawn anew ──


def test_drawn_anew_by_an_output_it_stays_as_it_is(opened: Opened) -> None:
    ann = opened()
    ann.shows("consent")
    box = ann.view.get_by_role("checkbox", name="My words")
    box.check()
    box.evaluate("box => (window.box = box)")
    ann.page.evaluate("() => document.getElementById('redraw').click()")
    expect(ann.page.locator(".holder.at-1 > labchat-study")).to_have_count(1)
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    assert box.evaluate("box => box === window.box")


def test_lines_that_change_leave_the_rest_and_the_focus_alone(opened: Opened) -> None:
    ann = opened()
    ann.shows("waiting")
    ann.button("Stop waiting").focus()
    ann.shows("waiting", lines=["People here: 2 of 3"])
    expect(ann.view.get_by_role("status").get_by_text("People here: 2 of 3")).to_be_attached()
    expect(ann.button("Stop waiting")).to_be_focused()


def test_the_focus_goes_on_to_what_has_to_be_pressed_soon(opened: Opened) -> None:
    ann = opened()
    ann.shows("waiting")
    ann.button("Stop waiting").focus()
    ann.shows("ready")
    expect(ann.button("I am here")).to_be_focused()
    ann.shows("moment")
    expect(ann.view.get_by_role("heading", name="One moment")).to_be_focused()


# ── without an element ──


def test_one_can_stop_where_nothing_draws_the_study(opened: Opened) -> None:
    ann = opened(show="chat")
    ann.told(screen=SCREENS["none"])
    expect(ann.button(STOP_BUTTON)).to_be_visible()
    ann.page.evaluate("() => document.getElementById('swap').click()")
    expect(ann.page.locator("labchat-study")).to_have_count(1)
    expect(ann.page.locator(".labchat-study-foot")).to_have_count(0)
    expect(ann.button(STOP_BUTTON)).to_have_count(1)


def test_what_needs_an_answer_is_asked_wherever_one_is(opened: Opened) -> None:
    ann = opened(show="chat")
    ann.told(screen=SCREENS["idle"])
    dialog = ann.page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="I am still here")).to_be_focused()
    assert faults(ann.person) == set()
    ann.page.keyboard.press("Escape")
    ann.page.keyboard.press("Enter")
    assert [frame["do"] for frame in ann.hears(1)] == ["confirm"]
    ann.told(screen=SCREENS["none"])
    expect(dialog).to_have_count(0)
    expect(ann.button(STOP_BUTTON)).to_be_visible()


def test_no_end_is_without_a_page(opened: Opened) -> None:
    ann = opened(show="chat")
    ann.shows("ended")
    expect(ann.view.get_by_text("C1ABC7QX")).to_be_visible()


# ── the connection ──


def test_what_was_pressed_without_a_connection_is_sent_with_one_id(opened: Opened) -> None:
    ann = opened()
    ann.told(answers=False)
    ann.shows("ready")
    ann.button("I am here").click()
    ann.hears(1)
    ann.told(drop=True, answers=True)
    first, again = ann.hears(2)
    assert first == again
    hellos = ann.heard("hello")[:2]  # the session gives another ticket when it is asked later
    assert [("ticket" in hello) for hello in hellos] == [True, False]
    expect(ann.button("I am here")).not_to_have_attribute("aria-disabled", "true")


def test_a_ticket_that_is_not_valid_any_more_is_replaced(opened: Opened) -> None:
    ann = opened()
    ann.shows("waiting")
    ann.told(frames=[{"t": "bye", "code": "ticket", "say": "Too late.", "again": False}])
    hellos = ann.hears(2, "hello")
    assert all("ticket" in hello for hello in hellos)
    ann.shows("moment")
    expect(ann.view.get_by_text("Too late.")).to_have_count(0)


def test_why_somebody_is_not_let_in_is_said(people: People) -> None:
    (ann,) = people(1, APP, settled=False, refused="There is no place left.")
    expect(ann.page.get_by_role("alert")).to_have_text("There is no place left.")


def test_why_the_server_ended_the_connection_is_said(opened: Opened) -> None:
    ann = opened()
    ann.shows("waiting")
    ann.told(frames=[{"t": "bye", "code": "revoked", "say": "You are out.", "again": False}])
    expect(ann.view.get_by_role("alert")).to_have_text("You are out.")


def test_a_lost_connection_is_said_until_it_is_back(
    serve: Serve, people: People, noise: Noise
) -> None:
    noise.expects("ERR_CONNECTION_REFUSED")
    server = serve(APP)
    (person,) = people(1, server, settled=False)
    ann = StudyPage(person).is_connected()
    ann.shows("waiting")
    server.kill()
    expect(ann.view.get_by_text("Connection lost. Trying again…")).to_be_visible()
    server.start()
    expect(ann.view.get_by_text("Connection lost")).to_have_count(0)
    ann.is_connected().shows("moment")


def test_a_hidden_page_answers_at_once(
    playwright: Playwright,
    browser_type_launch_args: dict[str, Any],
    tmp_path: Path,
    shared: Serve,
    room: str,
) -> None:
    chromium = browser_type_launch_args.get("executable_path", playwright.chromium.executable_path)
    with own_browser(playwright, chromium, tmp_path) as page:
        page.goto(f"http://127.0.0.1:{shared(APP).port}/?room={room}")
        ann = StudyPage(Person(page))
        while not ann.heard("hello"):
            page.evaluate("() => new Promise(requestAnimationFrame)")
        hide(page)
        ann.told(frames=[{"t": "ping"}])
        while not (pongs := ann.heard("pong")):
            page.evaluate("() => 1")
        assert pongs[0]["hidden"] > 0


# ── the clock, and what calls somebody ──


def test_the_clock_counts_down_once_a_second_and_decides_nothing(opened: Opened) -> None:
    ann = opened()
    ann.page.evaluate(_NOTE_CLOCK)
    ann.shows("waiting", clock={"left": 3400, "text": "At most {time} left"})
    timer = ann.view.get_by_role("timer")
    expect(timer).to_have_text("At most 0 minutes left")
    texts = ann.page.evaluate("() => window.texts")
    assert texts == [f"At most {time} left" for time in
                     ("4 seconds", "3 seconds", "2 seconds", "1 second", "0 minutes")]  # fmt: skip
    expect(ann.button("Stop waiting")).to_be_visible()


def test_somebody_is_called_once_by_sound_and_by_the_title(opened: Opened) -> None:
    ann = opened(script=_NOTE_SOUND)
    ann.shows("waiting")
    ann.view.get_by_role("heading").click()  # browsers let only pages sound that are used
    ann.person.looks_away()
    ann.shows("ready")
    ann.shows("ready", lines=["Once more"])
    ann.page.wait_for_function("() => window.tones === 2")
    ann.page.wait_for_function("() => document.title === 'Your group is ready'")
    ann.page.wait_for_function("() => document.title === 'A study'")
    ann.page.wait_for_function("() => document.title === 'Your group is ready'")
    ann.person.looks_back()
    expect(ann.page).to_have_title("A study")
    assert ann.page.evaluate("() => window.tones") == 2


def test_who_allows_it_is_notified(opened: Opened) -> None:
    ann = opened(script=_NOTIFICATIONS)
    ann.shows("waiting")
    ann.button("Notify me when my group is ready").click()
    expect(ann.button("Notify me when my group is ready")).to_have_count(0)
    ann.person.looks_away()
    ann.shows("ready")
    assert ann.page.evaluate("() => window.notified") == ["Your group is ready"]


def test_who_has_forbidden_it_is_not_asked(opened: Opened) -> None:
    ann = opened(script=_NOTIFICATIONS.replace('"default"', '"denied"'))
    ann.shows("waiting")
    expect(ann.button("Notify me when my group is ready")).to_have_count(0)
    ann.person.looks_away()
    ann.shows("ready")
    assert ann.page.evaluate("() => window.notified") == []


_NOTE_CLOCK = """() => {
  window.texts = [];
  new MutationObserver(() => {
    const text = document.querySelector("[role=timer]")?.textContent;
    if (text && text !== window.texts.at(-1)) window.texts.push(text);
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""
_NOTE_SOUND = """
  window.tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...given) {
    window.tones += 1;
    return start.apply(this, given);
  };
"""
_NOTIFICATIONS = """
  window.notified = [];
  window.Notification = class {
    static permission = "default";
    static async requestPermission() {
      return (this.permission = "granted");
    }
    constructor(words) {
      window.notified.push(words);
    }
    close() {}
  };
"""
"""What a browser with windows has: one without never shows any, and forbids them all."""
