"""However somebody leaves a study, their last page says why, what they get, and whom to ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect

from shiny_labchat.study.study import Study
from shiny_labchat.words import ENGLISH
from tests.browser._organiser import Organiser
from tests.browser._participants import Participant
from tests.browser.conftest import People, Serve
from tests.support.workers import Served

APP = "ends.py"
Come = Callable[..., list[Participant]]


@pytest.fixture
def app(serve: Serve) -> Served:
    return serve(APP)


@pytest.fixture
def come(people: People, playwright: Playwright, app: Served) -> Come:
    """So many come, each with a phone."""
    phone: dict[str, Any] = {**playwright.devices["Pixel 7"]}
    del phone["default_browser_type"]

    def arrive(n: int = 1, **asked: str) -> list[Participant]:
        new = people(n, app, settled=False, device=phone, **asked)
        return [Participant(each.page, each.chat.id) for each in new]

    return arrive


DEBRIEF = "We wanted to know how people leave."


def has_left(
    each: Participant, reason: str, folder: Path, *, pay: str = "in part", told: bool = True
) -> None:
    """
    The last page is whole, before and after a reload; pictures of it are kept.

    `told`: they are told first what the study was about, as they have consented.
    """
    _says_why(each, reason)
    if told:
        each.reads_in_study(DEBRIEF)
        each.reads_in_study(ENGLISH["code.after_text"])
        expect(each.study).not_to_contain_text("CODE-")
        each.page.screenshot(path=folder / f"{reason}-debrief.png")
        each.presses_button("Continue")
    for _ in range(2):
        _says_why(each, reason)
        each.reads_in_study(f"CODE-{reason}")
        each.reads_in_study(re.compile(pay))
        if not told:
            expect(each.study).not_to_contain_text(DEBRIEF)
        expect(each.page.get_by_role("button", name=ENGLISH["code.copy"])).to_be_visible()
        _is_whole(each)
        each.page.screenshot(path=folder / f"{reason}.png")
        each.page.reload()


def has_left_without_end(each: Participant, reason: str, folder: Path) -> None:
    """The last page of a reason of which the study says nothing has no code, and is whole."""
    _says_why(each, reason)
    each.presses_button("Continue")
    _says_why(each, reason)
    each.reads_in_study(ENGLISH["pay.full"])
    each.reads_in_study(ENGLISH["receipt.link"])
    expect(each.study).not_to_contain_text(re.compile("CODE-"))
    _is_whole(each)
    each.page.screenshot(path=folder / f"{reason}-unsaid.png")


def _is_whole(each: Participant) -> None:
    expect(each.page.get_by_role("button", name=ENGLISH["stop.button"])).to_have_count(0)
    width, screen = each.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= screen, "something is cut off"


def _says_why(each: Participant, reason: str) -> None:
    heading = each.study.get_by_role("heading", name=ENGLISH[f"ended.{reason}"])
    expect(heading).to_be_visible()
    each.reads_in_study(ENGLISH[f"ended.{reason}.text"])
    each.reads_in_study("lab@example.org")


def test_who_refuses(come: Come, tmp_path: Path):
    (ann,) = come()
    ann.presses_button("I do not want to take part")
    has_left(ann, "no_consent", tmp_path, pay="no payment", told=False)


@pytest.mark.parametrize("reason", ["complete", "screened_out", "incompatible", "error"])
def test_whom_a_form_leads_out(reason: str, come: Come, tmp_path: Path):
    (ann,) = come(end=reason)
    ann.consents()
    ann.fills("Why?", "Because.")
    ann.presses_button("Leave")
    has_completed = reason == "complete"
    pay = "in full" if has_completed else "in part"
    has_left(ann, reason, tmp_path, pay=pay)


@pytest.mark.parametrize("reason", ["screened_out", "incompatible", "error"])
def test_whom_a_form_leads_out_to_an_end_of_which_nothing_is_said(
    reason: str, come: Come, tmp_path: Path
):
    (ann,) = come(study="few", end=reason)
    ann.consents()
    ann.fills("Why?", "Because.")
    ann.presses_button("Leave")
    has_left_without_end(ann, reason, tmp_path)


@pytest.mark.parametrize(
    ("lobby", "reason"), [("brief", "lobby_timeout"), ("asks", "idle"), ("small", "full")]
)
def test_whom_a_lobby_leads_out_to_an_end_of_which_nothing_is_said(
    lobby: str, reason: str, come: Come, tmp_path: Path
):
    if reason == "full":
        come(study="few", lobby=lobby)[0].consents()
    (ann,) = come(study="few", lobby=lobby)
    ann.consents()
    has_left_without_end(ann, reason, tmp_path)


def test_whose_group_does_not_come_in_time(come: Come, tmp_path: Path):
    (ann,) = come(lobby="brief")
    ann.consents()
    has_left(ann, "lobby_timeout", tmp_path, pay="£1.50")


def test_who_does_not_answer_two_ready_checks(come: Come, tmp_path: Path):
    two = come(2, lobby="calls")
    for each in two:
        each.consents()
    for each in two:
        each.presses_button(ENGLISH["wait_again.yes"])
    for each in two:
        has_left(each, "not_ready", tmp_path)


def test_who_does_not_say_that_they_are_there(come: Come, tmp_path: Path):
    (ann,) = come(lobby="asks")
    ann.consents()
    ann.reads_in_study(ENGLISH["idle.title"])
    has_left(ann, "idle", tmp_path)


def test_who_is_removed_and_who_is_left_behind(
    come: Come, app: Served, organiser: Organiser, tmp_path: Path
):
    ann, bob = come(2)
    for each in (ann, bob):
        each.consents()
    for each in (ann, bob):
        each.is_in_group()
    room = organiser.lab(app).room("plain-1", study="ends")
    members = organiser.does(room.members())
    (member,) = (each for each in members if each.pseudonym == ann.name)
    organiser.does(room.remove_member(member))
    has_left(ann, "removed", tmp_path, told=True)
    has_left(bob, "group_dissolved", tmp_path, told=True)


def test_who_comes_too_late_for_a_place(come: Come, tmp_path: Path):
    (ann,) = come(lobby="small")
    ann.consents()
    ann.waits()
    (bob,) = come(lobby="small")
    bob.consents()
    has_left(bob, "full", tmp_path)


def test_who_comes_when_a_study_is_closed(
    come: Come, app: Served, organiser: Organiser, tmp_path: Path
):
    (ann,) = come()
    ann.presses_button("I agree to take part")
    ann.waits()
    organiser.does(Study("ends", lab=organiser.lab(app)).close())
    (bob,) = come()
    has_left(bob, "closed", tmp_path, told=False)
    ann.waits()


@pytest.mark.parametrize("choice", ["keep", "delete"])
def test_who_stops(choice: str, come: Come, tmp_path: Path):
    (ann,) = come()
    ann.consents()
    ann.presses_button(ENGLISH["stop.button"])
    ann.presses_button(ENGLISH[f"stop.{choice}"])
    ann.reads_in_study(ENGLISH["stop.kept" if choice == "keep" else "stop.deleted"])
    has_left(ann, "withdrew", tmp_path)


def test_who_stops_in_a_group_is_asked_about_their_data_once_and_who_is_left_behind_too(
    come: Come, tmp_path: Path
):
    ann, bob = come(2, study="keeps")
    for each in (ann, bob):
        each.consents()
    for each in (ann, bob):
        each.is_in_group()
    ann.presses_button(ENGLISH["stop.button"])
    ann.presses_button(ENGLISH["stop.keep"])
    ann.reads_in_study(ENGLISH["stop.kept"])
    expect(ann.study).not_to_contain_text(ENGLISH["keep.title"])
    has_left(ann, "withdrew", tmp_path, told=True)
    bob.reads_in_study(ENGLISH["code.after_question"])
    bob.reads_in_study(ENGLISH["keep.title"])
    bob.page.screenshot(path=tmp_path / "group_dissolved-keep.png")
    bob.presses_button(ENGLISH["keep.yes"])
    bob.reads_in_study("CODE-group_dissolved")
    expect(bob.study).not_to_contain_text(ENGLISH["keep.title"])


def test_who_has_taken_part_already(come: Come, tmp_path: Path):
    (ann,) = come(study="earlier", PROLIFIC_PID="p1", end="complete")
    ann.consents()
    ann.fills("Why?", "Because.")
    ann.presses_button("Leave")
    has_left(ann, "complete", tmp_path, pay="in full", told=True)
    (again,) = come(PROLIFIC_PID="p1")
    has_left(again, "already_took_part", tmp_path, told=False)
