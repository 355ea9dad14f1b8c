"""Real pages that are asked whether they are alive: shown, hidden, frozen; and their persons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Playwright, expect

from shiny_labchat import Room
from shiny_labchat.domain.events import Event
from shiny_labchat.store import events_after, find_room
from tests.browser._axe import faults
from tests.browser._hidden import hide, own_browser
from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve

APP = "present.py"
Changes = Callable[[], list[str]]


@pytest.fixture
def asked(organiser: Organiser, shared: Serve, room: str) -> Room:
    """The test's room in the running app, from this process."""
    return organiser.room(shared(APP), room)


@pytest.fixture
def changes(organiser: Organiser, asked: Room) -> Changes:
    """The changes of presence in the test's room, oldest first."""

    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, asked.key)
        return [] if found is None else events_after(conn, found[0], 0, kinds=("presence",))

    return lambda: [event.data["state"] for event in organiser.does(asked.log.read(read))]


@contextmanager
def _becomes(changes: Changes, *wanted: str, within: float) -> Iterator[None]:
    """What is done inside makes the log have these changes, and no others, within so many s."""
    yield
    tick = threading.Event()
    for _ in range(round(within)):
        if len(found := changes()) >= len(wanted):
            break
        tick.wait(1)
    assert found == [*wanted]


@pytest.fixture
def own(
    playwright: Playwright,
    browser_type_launch_args: dict[str, Any],
    tmp_path: Path,
    shared: Serve,
    room: str,
) -> Iterator[Page]:
    """A page in the test's room, in a browser that really hides it."""
    chromium = browser_type_launch_args.get("executable_path", playwright.chromium.executable_path)
    with own_browser(playwright, chromium, tmp_path) as page:
        page.goto(f"http://127.0.0.1:{shared(APP).port}/?room={room}")
        yield page


@pytest.mark.long
def test_a_minimised_page_is_alive_and_its_person_away(own: Page, changes: Changes) -> None:
    """Its timers tick once a minute: whoever asked those would take it for gone."""
    with _becomes(changes, "here", within=30):
        pass
    hide(own)
    with _becomes(changes, "here", "idle", "away", within=180):
        pass
    threading.Event().wait(90)
    assert changes() == ["here", "idle", "away"]


@pytest.mark.long
def test_a_frozen_page_is_gone_and_thawed_its_person_is_back(own: Page, changes: Changes) -> None:
    with _becomes(changes, "here", within=30):
        pass
    hide(own)
    session = own.context.new_cdp_session(own)
    with _becomes(changes, "here", "gone", within=60):
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
    session.send("Page.setWebLifecycleState", {"state": "active"})
    window = session.send("Browser.getWindowForTarget")["windowId"]
    shown = {"windowId": window, "bounds": {"windowState": "normal"}}
    with _becomes(changes, "here", "gone", "here", within=45):
        session.send("Browser.setWindowBounds", shown)


@pytest.mark.long
def test_who_has_one_tab_hidden_and_one_shown_is_here(own: Page, changes: Changes) -> None:
    address = own.url
    with _becomes(changes, "here", within=30):
        pass
    session = own.context.new_cdp_session(own)
    session.send("Target.createTarget", {"url": address, "newWindow": True})
    hide(own)
    other = own.context.pages[-1]
    for _ in range(30):  # a key now and then, for 150 s
        other.keyboard.press("Shift")
        threading.Event().wait(5)
    assert changes() == ["here"]


# ── the question ──


def _asks(organiser: Organiser, asked: Room, within: float) -> Callable[[], bool]:
    """Ask the room's only member; gives what waits for the answer."""
    [member] = organiser.does(asked.members())
    answer: list[bool] = []

    def ask() -> None:
        answer.append(organiser.does(asked.ask_presence(member, within=within)))

    asking = threading.Thread(target=ask)
    asking.start()

    def wait() -> bool:
        asking.join(30)
        return answer[0]

    return wait


@pytest.mark.parametrize("key", ["Enter", "Escape", "Space", ""])
def test_a_person_answers_by_any_key_or_the_button(
    key: str, people: People, organiser: Organiser, asked: Room
) -> None:
    (ann,) = people(1, APP)
    ann.types("my dr")
    answers = _asks(organiser, asked, within=20)
    dialog = ann.page.get_by_role("alertdialog", name="Are you still there?")
    button = dialog.get_by_role("button", name="I am here")
    expect(button).to_be_focused()
    assert faults(ann) == set()
    ann.page.keyboard.press(key) if key else button.click()
    assert answers()
    expect(dialog).to_be_hidden()
    expect(ann.chat.loc_input).to_be_focused()
    assert ann.draft == "my dr"


def test_one_answer_is_enough_for_all_tabs_and_a_reload_asks_again(
    people: People, organiser: Organiser, asked: Room
) -> None:
    (ann,) = people(1, APP)
    other = ann.opens_another_tab()
    answers = _asks(organiser, asked, within=25)
    expect(ann.page.get_by_role("alertdialog")).to_be_visible()
    ann.reloads()
    for tab in (ann, other):
        expect(tab.page.get_by_role("alertdialog")).to_be_visible()
    other.page.get_by_role("button", name="I am here").click()
    assert answers()
    for tab in (ann, other):
        expect(tab.page.get_by_role("alertdialog")).to_be_hidden()


def test_a_question_goes_away_when_its_time_is_over(
    people: People, organiser: Organiser, asked: Room
) -> None:
    (ann,) = people(1, APP)
    answers = _asks(organiser, asked, within=2)
    expect(ann.page.get_by_role("alertdialog")).to_be_visible()
    assert not answers()
    expect(ann.page.get_by_role("alertdialog")).to_be_hidden()
