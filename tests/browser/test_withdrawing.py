"""When somebody withdraws, what they have said goes from all pages that are open, at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from shiny_labchat import Room
from shiny_labchat.store import events_after, find_room
from shiny_labchat.words import ENGLISH
from tests.browser._axe import faults
from tests.browser._organiser import STUDY, Organiser
from tests.browser._outage import CABLES, SEVERED, STALLS, Line, cut, flows, mend, stalls
from tests.browser._participants import Participant
from tests.browser._people import Person
from tests.browser.conftest import APPS, Noise, People, Serve
from tests.support.server import Server, shiny_run
from tests.support.workers import Served

SECRET = "SECRET-WORDS"
BLANK = ENGLISH["withdrawn"]
WITHIN = 1.0
"""How long it may take until a page that is open is blank, in seconds."""


@pytest.fixture
def app(serve: Serve) -> Served:
    return serve("room.py")


@pytest.fixture
def second(app: Served) -> Iterator[Server]:
    """Another server of the same database."""
    server = Server(shiny_run(APPS / "room.py"), app.url)
    server.start()
    yield server
    server.stop()


def withdraws(organiser: Organiser, app: Served, room: Room, person: Person) -> float:
    """Somebody's data is withdrawn; gives when that was stored, in seconds since 1970."""
    members = organiser.does(room.members())
    (member,) = (each for each in members if each.pseudonym == person.name)
    organiser.does(organiser.lab(app).withdraw(member, study=STUDY))
    state = organiser.does(room.state())
    assert member.id not in state.memberships
    events = organiser.does(room.log.read(lambda conn: _withdrawn(conn, room)))
    return max(events) / 1e6


def _withdrawn(conn: sa.Connection, room: Room) -> list[int]:
    found = find_room(conn, room.key)
    assert found is not None
    events = events_after(conn, found[0], 0)
    return [event.at for event in events if event.kind == "withdrawn"]


def is_blank(person: Person, n: int) -> None:
    """So many messages say that they were withdrawn, and nothing else is left of them."""
    expect(person.page.locator("[data-withdrawn]")).to_have_count(n)
    expect(person.page.get_by_text(BLANK)).to_have_count(n)
    assert not remembers(person.page), "nothing is left in the page or in what it stores"


def remembers(page: Page) -> bool:
    stored = "JSON.stringify([{...sessionStorage}, {...localStorage}])"
    boxes = "JSON.stringify([...document.querySelectorAll('textarea, input')].map((e) => e.value))"
    html = "document.documentElement.outerHTML"
    return any(SECRET in page.evaluate(each) for each in (html, stored, boxes))


WATCH = """() => {
  window.voice = [];
  const log = document.querySelector("[role=log]");
  new MutationObserver(() => {
    if (!window.blankAt && document.querySelector("[data-withdrawn]")) {
      window.blankAt = Date.now() / 1000;
      window.voice.push(log.getAttribute("aria-live"));
    }
  }).observe(log, { subtree: true, childList: true, attributes: true });
}"""
"""Notes when the first message is blank, and whether a screen reader reads that out."""


def test_open_pages_are_blank_within_a_second_in_two_processes(
    people: People,
    app: Served,
    second: Server,
    organiser: Organiser,
    room: str,
    tmp_path: Path,
) -> None:
    ann, bob = people(2, app)
    (cat,) = people(1, second)
    ann.says(f"{SECRET} one", "- and\n- more")
    bob.says("I stay")
    ann.says(f"{SECRET} two")
    name = ann.name
    for each in (bob, cat):
        each.sees(f"{SECRET} one", f"{SECRET} two", "I stay")
        each.page.evaluate(WATCH)
    ann.types(f"{SECRET} draft")
    ann.waits_until(lambda: "draft" in ann.page.evaluate("JSON.stringify({...sessionStorage})"))
    stored = withdraws(organiser, app, organiser.room(app, room), ann)
    is_blank(bob, 3)
    bob.page.screenshot(path=tmp_path / "room-light.png")
    for each in (bob, cat):
        is_blank(each, 3)
        assert each.page.evaluate("window.blankAt") - stored < WITHIN
        assert each.page.evaluate("window.voice") == ["off"], "nothing is read out"
        expect(each.page.locator("labchat-room")).not_to_contain_text(name)
        each.sees("I stay")
        expect(each.page.locator("[data-withdrawn] .labchat-author").first).to_have_text(
            ENGLISH["withdrawn_name"]
        )
        assert faults(each) == set()
    bob.says("We go on")
    cat.sees("We go on")
    is_blank(ann, 3)
    bob.page.screenshot(path=tmp_path / "room-dark.png")


def test_who_was_offline_and_who_looks_at_older_messages_sees_them_blank(
    people: People, app: Served, organiser: Organiser, room: str, noise: Noise
) -> None:
    noise.expects(SEVERED)
    (ann,) = people(1, app, rate="none")
    (bob,) = people(1, app, rate="none", script=CABLES)
    (cat,) = people(1, app, rate="none")
    where = organiser.room(app, room)
    ann.says(f"{SECRET} first")
    members = organiser.does(where.members())
    (member,) = (each for each in members if each.pseudonym == ann.name)
    for n in range(120):
        text, author = (f"{SECRET} {n}", member) if n % 2 else (f"{n}", None)
        organiser.does(where.post(text, author=author))
    for each in (bob, cat):
        each.sees(f"{SECRET} 119")
    cat.reloads()
    cat.sees(f"{SECRET} 119")
    cut(bob, "chat")
    withdraws(organiser, app, where, ann)
    drawn = cat.page.locator("[data-withdrawn]")
    expect(drawn).not_to_have_count(0)
    cat.waits_until(lambda: not remembers(cat.page))
    assert drawn.count() < 61, "older ones are not loaded yet"
    cat.scrolls("top")
    cat.scrolls("bottom")
    cat.scrolls("top")
    expect(drawn).to_have_count(61)
    assert not remembers(cat.page)
    mend(bob, "chat")
    is_blank(bob, 61)


def test_who_stops_and_has_their_data_deleted_sees_their_end_and_leaves_nothing(
    people: People, serve: Serve, tmp_path: Path
) -> None:
    app = serve("ends.py")
    ann, bob = (Participant(each.page) for each in people(2, app, settled=False))
    for each in (ann, bob):
        each.consents()
    for each in (ann, bob):
        each.is_in_group()
    ann.says(f"{SECRET} in the group")
    bob.sees(f"{SECRET} in the group")
    ann.types(f"{SECRET} draft")
    ann.waits_until(lambda: "draft" in ann.page.evaluate("JSON.stringify({...sessionStorage})"))
    ann.presses_button(ENGLISH["stop.button"])
    ann.presses_button(ENGLISH["stop.delete"])
    ann.reads_in_study(re.compile("were deleted on"))
    ann.presses_button("Continue")
    ann.reads_in_study("CODE-withdrew")
    ann.waits_until(lambda: not remembers(ann.page))
    bob.waits_until(lambda: not remembers(bob.page))
    ann.page.reload()
    ann.reads_in_study("CODE-withdrew")
    ann.reads_in_study(re.compile("were deleted on"))
    expect(ann.study).not_to_contain_text(ENGLISH["receipt.label"])
    ann.page.screenshot(path=tmp_path / "deleted.png")


@pytest.mark.parametrize(("first", "second"), [("shiny", "study"), ("study", "shiny")])
def test_a_draft_is_forgotten_whichever_the_page_hears_first_that_it_ended_or_that_the_chat_is_gone(
    people: People, serve: Serve, first: Line, second: Line
) -> None:
    app = serve("ends.py")
    ann, bob = (Participant(each.page) for each in people(2, app, script=STALLS, settled=False))
    for each in (ann, bob):
        each.consents()
    for each in (ann, bob):
        each.is_in_group()
    ann.types(f"{SECRET} draft")
    ann.waits_until(lambda: "draft" in ann.page.evaluate("JSON.stringify({...sessionStorage})"))
    stalls(ann, "chat", "study", "shiny")
    ann.presses_button(ENGLISH["stop.button"])
    ann.presses_button(ENGLISH["stop.delete"])
    bob.ends(ENGLISH["ended.group_dissolved"])
    flows(ann, first)
    if first == "shiny":
        expect(ann.page.locator("labchat-room")).to_have_count(0)
    else:
        ann.reads_on_page(re.compile("were deleted on"))
        ann.page.locator("labchat-room").evaluate("(chat) => chat.remove()")  # unsaid, by the app
    flows(ann, second)
    ann.reads_in_study(re.compile("were deleted on"))
    expect(ann.page.locator("labchat-room")).to_have_count(0)
    ann.waits_until(lambda: not remembers(ann.page))
    flows(ann, "chat")
    ann.page.reload()
    ann.reads_in_study(re.compile("were deleted on"))
    assert not remembers(ann.page)


def test_somebody_withdraws_later_with_the_code_of_their_end(
    people: People, serve: Serve, noise: Noise, tmp_path: Path
) -> None:
    noise.expects("404")
    app = serve("ends.py")
    phone = {"viewport": {"width": 360, "height": 700}, "has_touch": True}
    (page,) = people(1, app, settled=False, end="complete", device=phone)
    ann = Participant(page.page)
    ann.consents()
    ann.fills("Why?", f"{SECRET} because")
    ann.presses_button("Leave")
    ann.presses_button("Continue")
    ann.reads_in_study("CODE-complete")
    ann.reads_in_study(ENGLISH["receipt.label"])
    receipt = ann.study.locator(".labchat-study-receipt output")
    code = receipt.inner_text()
    for scheme in ("light", "dark"):
        ann.page.emulate_media(color_scheme=scheme)
        ann.page.screenshot(path=tmp_path / f"end-{scheme}.png", full_page=True)
    with ann.page.context.expect_page() as opened:
        ann.study.get_by_role("link", name=ENGLISH["receipt.link"]).click()
    form = opened.value
    form.get_by_label(ENGLISH["withdraw.label"]).fill("ABCDE-ABCDE-ABCDE-ABCDE")
    form.get_by_role("button", name=ENGLISH["withdraw.button"]).click()
    expect(form.get_by_role("alert")).to_have_text(ENGLISH["withdraw.wrong"])
    width, screen = form.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= screen, "something is cut off"
    for scheme in ("light", "dark"):
        form.emulate_media(color_scheme=scheme)
        form.screenshot(path=tmp_path / f"withdraw-{scheme}.png", full_page=True)
    form.get_by_label(ENGLISH["withdraw.label"]).fill(code.lower())
    form.get_by_label(ENGLISH["withdraw.label"]).press("Enter")
    expect(form.get_by_role("heading", name=ENGLISH["withdraw.done_title"])).to_be_visible()
    form.screenshot(path=tmp_path / "withdrawn.png")
    ann.reads_in_study(re.compile("were deleted on"))
    ann.reads_in_study("CODE-complete")
    expect(receipt).to_have_count(0)
    assert not remembers(ann.page)
