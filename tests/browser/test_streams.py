"""Answers that grow while people talk: all see them grow, and see the same in the end."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from shiny_labchat import Room
from tests.browser._organiser import Organiser
from tests.browser._outage import CABLES, SEVERED, cut, mend
from tests.browser._people import Person
from tests.browser.conftest import Noise, People, Serve

APP = "streams.py"
LONG = " ".join(f"word{n}" for n in range(40))


def answer(person: Person, author: str) -> Locator:
    """The newest message of a programme's, as this person has it."""
    named = person.page.locator(".labchat-author", has_text=re.compile(f"^{author}$"))
    return person.chat.loc_message_items.filter(has=named).last


def content(person: Person, author: str) -> Locator:
    return answer(person, author).locator(".labchat-content")


def grows(person: Person, author: str, words: str) -> None:
    """It is on its way, and so much of it is there."""
    expect(answer(person, author)).to_have_attribute("aria-busy", "true")
    expect(content(person, author)).to_have_text(words, use_inner_text=True)


def ended(person: Person, author: str, words: str, ending: str = "") -> None:
    expect(answer(person, author)).not_to_have_attribute("data-live", "")
    expect(answer(person, author)).not_to_have_attribute("aria-busy", "true")
    expect(content(person, author)).to_have_text(words, use_inner_text=True)
    expect(answer(person, author).locator(".labchat-ending")).to_have_text(ending)


def heard(person: Person) -> list[str]:
    """What a screen reader is told besides the messages, one by one."""
    return person.page.evaluate("() => window.heard")


HEARS = """window.heard = []; addEventListener("DOMContentLoaded", () => {
  new MutationObserver((changes) => {
    for (const { target, addedNodes: said } of changes)
      if (target.className?.includes("voice")) heard.push(...[...said].map((n) => n.textContent));
  }).observe(document, { childList: true, subtree: true });
});"""


# ── growing ──


def test_people_write_during_two_streams_and_all_see_the_same_order(people: People):
    everybody = ann, bob, carl = people(3, APP)
    ann.says("open Oracle")
    carl.sees("open Oracle")
    grows(carl, "Oracle", "")
    bob.says("open Sibyl")
    grows(carl, "Sibyl", "")
    ann.says("Oracle says Some **bold**")
    bob.says("Sibyl says Other words")
    carl.says("I write meanwhile")
    ann.says("Oracle says  words", "Sibyl says , too")
    for person in everybody:
        grows(person, "Oracle", "Some bold words")
        grows(person, "Sibyl", "Other words, too")
        person.sees("I write meanwhile", by=carl)
    bob.says("Sibyl ends", "Oracle ends")
    for person in everybody:
        ended(person, "Oracle", "Some bold words")
        ended(person, "Sibyl", "Other words, too")
    same = ann.transcript()
    authors = [author for _, author, _ in same]
    assert authors.index("Oracle") < authors.index("Sibyl") < authors.index(carl.name)
    for person in (bob, carl):
        person.waits_until(lambda person=person: person.transcript() == same)
    expect(content(carl, "Oracle").locator("strong")).to_have_text("bold")


def test_a_late_joiner_sees_what_was_said_and_then_the_rest(people: People):
    ann, bob = people(2, APP)
    ann.says("open Oracle", "Oracle thinks hm", "Oracle says Half a")
    grows(bob, "Oracle", "Thoughts\nHalf a")
    (carl,) = people(1, APP)
    grows(carl, "Oracle", "Thoughts\nHalf a")
    ann.says("Oracle says  loaf")
    grows(carl, "Oracle", "Thoughts\nHalf a loaf")
    ann.says("Oracle ends")
    ended(carl, "Oracle", "Thoughts\nHalf a loaf")


def test_a_stream_that_fails_before_its_first_word_leaves_nothing(people: People):
    ann, bob = people(2, APP)
    ann.says("hello", "open Oracle")
    grows(bob, "Oracle", "")
    bob.says("I wait")
    answer(ann, "Oracle").get_by_role("button").focus()
    ann.says("Oracle breaks it is broken")
    expect(ann.page.locator(".shiny-notification")).to_contain_text("it is broken")
    (carl,) = people(1, APP)
    for person in (ann, bob, carl):
        expect(answer(person, "Oracle")).to_have_count(0)
        assert [text for _, _, text in person.transcript()][-2:] == [
            "I wait",
            "Oracle breaks it is broken",
        ]
    ann.says("open Oracle", "Oracle says Some", "Oracle breaks it again")
    for person in (ann, bob, carl):
        ended(person, "Oracle", "Some", "This answer was cut short by an error.")


def test_thoughts_in_the_text_are_folded_wherever_it_is_cut(people: People):
    ann, bob = people(2, APP)
    ann.says("open Oracle")
    for chunk in ("<th", "ink>Is it **s", "o**?</thi", "nk>It is: `<thi", "nk>`."):
        ann.says(f"Oracle says {chunk}")
    grows(bob, "Oracle", "Thoughts\nIt is: <think>.")
    answer(bob, "Oracle").get_by_text("Thoughts").click()
    expect(answer(bob, "Oracle").locator("details strong")).to_have_text("so")
    ann.says("Oracle ends")
    (carl,) = people(1, APP)
    for person in (ann, carl):
        ended(person, "Oracle", "Thoughts\nIt is: <think>.")


def test_who_reloads_in_the_middle_sees_the_same(people: People):
    ann, bob = people(2, APP)
    ann.says("open Oracle", "Oracle says Half a")
    grows(bob, "Oracle", "Half a")
    ann.reloads()
    bob.reloads()
    bob.says("Oracle says  loaf")
    for person in (ann, bob):
        grows(person, "Oracle", "Half a loaf")
    bob.says("Oracle ends")
    for person in (ann, bob):
        ended(person, "Oracle", "Half a loaf")
        person.reloads()
        ended(person, "Oracle", "Half a loaf")


def test_after_an_outage_the_rest_is_there_once_and_what_was_unfolded_still_is(
    people: People, noise: Noise
):
    noise.expects(SEVERED)
    (ann,) = people(1, APP)
    (bob,) = people(1, APP, script=CABLES)
    ann.says("open Oracle", "Oracle thinks hm", "Oracle says Half a")
    grows(bob, "Oracle", "Thoughts\nHalf a")
    answer(bob, "Oracle").get_by_text("Thoughts").click()
    cut(bob, "chat")
    ann.says("Oracle says  loaf")
    mend(bob, "chat")
    grows(bob, "Oracle", "Thoughts\nhm\nHalf a loaf")
    cut(bob, "chat")
    ann.says("Oracle says  of bread", "Oracle ends")
    mend(bob, "chat")
    ended(bob, "Oracle", "Thoughts\nhm\nHalf a loaf of bread")


def test_what_was_said_can_be_taken_back_and_replaced(people: People):
    ann, bob = people(2, APP)
    ann.says("open Assistant")
    for order, words in (
        ("says One *two*", "One two"),
        ("replaces **Three**", "Three"),
        ("says  four", "Three four"),
        ("clears", ""),
        ("says Five", "Five"),
    ):
        bob.says(f"Assistant {order}")
        for person in (ann, bob):
            grows(person, "Assistant", words)
    bob.says("Assistant ends")
    for person in (ann, bob):
        ended(person, "Assistant", "Five")


# ── ending ──


def test_who_asked_and_experimenters_can_stop_an_answer_and_nobody_else(people: People):
    ann, bob = people(2, APP)
    (eve,) = people(1, APP, role="experimenter")
    for stopper in (ann, eve):
        ann.says("open Oracle", "Oracle says Half a")
        grows(bob, "Oracle", "Half a")
        for person, may in ((ann, 1), (bob, 0), (eve, 1)):
            grows(person, "Oracle", "Half a")
            expect(person.chat.loc_stop_button("Half a")).to_have_count(may)
        expect(stopper.chat.loc_stop_button()).to_have_accessible_name("Stop Oracle's answer")
        stopper.chat.stop_answer("Half a")
        for person in (ann, bob, eve):
            ended(person, "Oracle", "Half a", "Stopped.")
            expect(person.chat.loc_stop_button()).to_have_count(0)
    bob.reloads()
    ended(bob, "Oracle", "Half a", "Stopped.")


def test_for_who_is_removed_nothing_goes_on_until_they_are_back(
    people: People, shared: Serve, room: str, organiser: Organiser, noise: Noise
):
    noise.expects(SEVERED)
    (ann,) = people(1, APP)
    (bob,) = people(1, APP, script=CABLES)
    programme = organiser.room(shared(APP), room)
    bob.says("open Oracle", "Oracle says Half a")
    grows(bob, "Oracle", "Half a")
    (who,) = [m for m in organiser.does(programme.members()) if m.pseudonym == bob.name]
    organiser.does(programme.remove_member(who.id))
    bob.stands("removed")
    ended(bob, "Oracle", "Half a")
    expect(bob.page.locator(".labchat-progress")).to_have_count(0)
    expect(answer(bob, "Oracle")).not_to_have_attribute("aria-live", "off")
    organiser.does(programme.add_member(who.id))
    cut(bob, "shiny")
    mend(bob, "shiny")  # the next session lets them in
    ann.says("Oracle says  loaf")
    grows(bob, "Oracle", "Half a loaf")
    bob.chat.stop_answer("Half a loaf")
    for person in (ann, bob):
        ended(person, "Oracle", "Half a loaf", "Stopped.")


def test_an_answer_that_breaks_stays_as_far_as_it_came_and_says_so(people: People):
    ann, bob = people(2, APP)
    ann.says("open Oracle", "Oracle says Half a")
    grows(bob, "Oracle", "Half a")
    ann.says("Oracle breaks badly")
    for person in (ann, bob):
        ended(person, "Oracle", "Half a", "This answer was cut short by an error.")
        person.reloads()
        ended(person, "Oracle", "Half a", "This answer was cut short by an error.")


def test_what_a_killed_server_had_begun_to_answer_is_marked(
    people: People, serve: Serve, noise: Noise
):
    noise.expects(SEVERED)
    app = serve(APP)
    (ann,) = people(1, app)
    ann.says("open Oracle", "Oracle says Half a")
    grows(ann, "Oracle", "Half a")
    app.kill()
    app.start()
    ann.stands("open")
    expect(answer(ann, "Oracle").locator(".labchat-ending")).to_contain_text(
        "the server was interrupted", timeout=40_000
    )


# ── what it is made of ──


def test_thoughts_are_folded_and_come_before_the_answer(people: People):
    ann, bob = people(2, APP)
    ann.says("open Oracle", "Oracle thinks Is it **so**")
    grows(bob, "Oracle", "Thinking…")
    ann.says("Oracle thinks  or not?")
    answer(bob, "Oracle").get_by_text("Thinking…").click()
    expect(answer(bob, "Oracle").locator("details strong")).to_have_text("so")
    ann.says("Oracle says It is.")
    grows(bob, "Oracle", "Thoughts\nIs it so or not?\nIt is.")
    grows(ann, "Oracle", "Thoughts\nIt is.")


@pytest.mark.parametrize(
    ("order", "status", "value", "state"),
    [
        ("hears 18 °C", "done", "18 °C", ""),
        pytest.param("plots <18>", "done", "<18>", "", marks=pytest.mark.long),
        ("fails no <city>", "error", "no <city>", "failed"),
    ],
)
def test_a_tool_is_one_card_from_its_call_to_its_result(
    people: People, order: str, status: str, value: str, state: str
):
    ann, bob = people(2, APP)
    ann.says("open Oracle", "Oracle says Let me look.", "Oracle asks")
    tool = answer(bob, "Oracle").locator("details.labchat-tool")
    expect(tool).to_have_attribute("data-status", "pending")
    expect(tool.locator("summary")).to_contain_text("get_weather")
    expect(tool.locator("summary")).to_contain_text("running…")
    tool.locator("summary").click()
    expect(tool.locator("pre")).to_contain_text('"city": "Oslo"')
    ann.says(f"Oracle {order}", "Oracle says So it is.")
    expect(tool).to_have_count(1)
    expect(tool).to_have_attribute("data-status", status)
    expect(tool.locator(".labchat-tool-value :is(code, b)")).to_have_text(value)
    expect(tool.locator(".labchat-tool-state")).to_have_text(state)
    ann.says("Oracle ends")
    (carl,) = people(1, APP)
    for person in (ann, bob, carl):
        later = answer(person, "Oracle").locator("details.labchat-tool")
        expect(later).to_have_attribute("data-status", status)
        expect(content(person, "Oracle")).to_contain_text("So it is.")


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param(("asks", "asks", "hears 18 °C", "hears 20 °C"), id="at once"),
        pytest.param(
            ("asks", "hears 18 °C", "asks", "hears 20 °C"),
            id="one after the other",
            marks=pytest.mark.long,
        ),
    ],
)
def test_each_call_is_a_card_though_its_provider_gives_calls_of_a_tool_the_same_id(
    people: People, calls: tuple[str, ...]
):
    ann, bob = people(2, APP)
    ann.says("open Oracle", *(f"Oracle {call}" for call in calls), "Oracle ends")
    (carl,) = people(1, APP)
    for person in (ann, bob, carl):
        tools = answer(person, "Oracle").locator("details.labchat-tool[data-status=done]")
        expect(tools).to_have_count(2)
        for tool, value in zip(tools.all(), ("18 °C", "20 °C"), strict=True):
            tool.locator("summary").click()
            expect(tool.locator(".labchat-tool-value code")).to_have_text(value)


def test_ui_in_a_stream_is_drawn_as_written(people: People):
    ann, bob = people(2, APP)
    ann.says("open Oracle", "Oracle says Look:", "Oracle shows **this**")
    expect(content(bob, "Oracle").locator("b")).to_have_text("**this**")
    expect(content(bob, "Oracle").locator("i.mine")).to_have_text("as written")
    ann.says("Oracle says Seen?")
    grows(bob, "Oracle", "Look:\n**this**as written\nSeen?")


def test_hostile_markdown_runs_and_loads_nothing_at_any_moment(people: People, room: str):
    ann, bob = people(2, APP)
    asked_for: list[str] = []
    bob.page.on("request", lambda request: asked_for.append(request.url))
    evil = (
        "<img src='https://remote.invalid/x.png' onerror='window.hacked=1'>"
        "<script>window.hacked=2</script>![x](https://remote.invalid/y.png)"
        "<svg onload='window.hacked=3'></svg>[z](javascript:window.hacked=4) end"
    )
    ann.says("open Oracle")
    for at in range(0, len(evil), 20):
        ann.tries(f"Oracle says {evil[at : at + 20]}")
    ann.tries("Oracle thinks <img src=https://remote.invalid/z.png onerror=window.hacked=5>")
    ann.tries("Oracle hears <img src=https://remote.invalid/w.png onerror=window.hacked=6>")
    ann.tries("Oracle ends")
    expect(content(bob, "Oracle")).to_contain_text("end")
    expect(answer(bob, "Oracle")).not_to_have_attribute("aria-busy", "true")
    for summary in content(bob, "Oracle").locator("summary").all():
        summary.click()
    expect(content(bob, "Oracle").locator("details .labchat-markdown").first).to_be_visible()
    assert bob.page.evaluate("window.hacked") is None
    assert not [url for url in asked_for if "remote.invalid" in url]
    bad = "script, svg, img, [onerror], [onload], [href^=javascript]"
    expect(content(bob, "Oracle").locator(bad)).to_have_count(0)


# ── reading it ──


def test_a_screen_reader_hears_an_answer_once_and_whole(people: People):
    (ann,) = people(1, APP)
    (bob,) = people(1, APP, script=HEARS)
    ann.says("open Oracle", "Oracle says Some **bold**")
    grows(bob, "Oracle", "Some bold")
    expect(answer(bob, "Oracle")).to_have_attribute("aria-live", "off")
    ann.says("Oracle says  words")
    grows(bob, "Oracle", "Some bold words")
    assert heard(bob) == []
    ann.says("Oracle ends")
    bob.waits_until(lambda: heard(bob) == ["Oracle\nSome bold words"])
    expect(answer(bob, "Oracle")).not_to_have_attribute("aria-live", "off")


def test_a_screen_reader_is_told_nothing_where_nothing_was_said(people: People):
    (ann,) = people(1, APP)
    (bob,) = people(1, APP, script=HEARS)
    ann.says("open Oracle", "Oracle ends", "open Sibyl", "Sibyl says So", "Sibyl ends")
    bob.waits_until(lambda: heard(bob) != [])
    assert heard(bob) == ["Sibyl\nSo"]


def test_what_is_read_above_a_growing_answer_does_not_move(
    people: People, shared: Serve, room: str, organiser: Organiser
):
    ann, bob = people(2, APP)
    ann.says("open Oracle")
    grows(bob, "Oracle", "")
    programme = organiser.room(shared(APP), room)
    organiser.does(post(programme, [f"line {n}" for n in range(80)]))
    bob.sees("line 79")
    bob.scrolls("up")
    bob.waits_until(lambda: not bob.is_at_the_bottom())
    read = bob.chat.loc_message("line 50")
    expect(read).to_be_in_viewport()
    before = read.bounding_box()
    ann.says(f"Oracle says {LONG}\\n\\n{LONG}\\n\\n{LONG}")
    expect(content(bob, "Oracle").locator("p")).to_have_count(3)
    after = read.bounding_box()
    assert before and after and abs(before["y"] - after["y"]) < 2
    assert not bob.is_at_the_bottom()


def test_who_scrolls_up_a_little_is_not_pulled_back(
    people: People, shared: Serve, room: str, organiser: Organiser
):
    ann, bob = people(2, APP)
    organiser.does(post(organiser.room(shared(APP), room), [f"line {n}" for n in range(40)]))
    ann.says("open Oracle", f"Oracle says {LONG}")
    expect(content(bob, "Oracle")).to_contain_text("word39")
    bob.waits_until(bob.is_at_the_bottom)
    bob.chat.loc_log.hover()
    bob.page.mouse.wheel(0, -20)
    bob.waits_until(lambda: not bob.is_at_the_bottom())
    line = bob.chat.loc_message("line 39")
    before = line.bounding_box()
    ann.says("Oracle says  and the end")
    expect(content(bob, "Oracle")).to_contain_text("and the end")
    after = line.bounding_box()
    assert before and after and abs(before["y"] - after["y"]) < 2


async def post(room: Room, texts: list[str]) -> None:
    for text in texts:
        await room.post(text)


def test_at_the_bottom_one_stays_there_while_the_answer_grows(people: People):
    ann, bob = people(2, APP)
    ann.says("open Oracle")
    for n in range(6):
        bob.tries(f"Oracle says {LONG}\\n\\n")
        expect(content(ann, "Oracle").locator("p")).to_have_count(n + 1)
        ann.waits_until(ann.is_at_the_bottom)


def test_what_is_selected_stays_selected_while_the_answer_grows(people: People):
    ann, bob = people(2, APP)
    ann.says("open Oracle", "Oracle says First paragraph.\\n\\nSecond")
    expect(content(bob, "Oracle").locator("p")).to_have_count(2)
    content(bob, "Oracle").locator("p").first.select_text()
    ann.says("Oracle says  paragraph.\\n\\nThird")
    expect(content(bob, "Oracle").locator("p")).to_have_count(3)
    assert bob.page.evaluate("String(getSelection())").strip() == "First paragraph."


def test_an_answer_counts_once_as_unread(people: People):
    ann, bob = people(2, APP)
    bob.looks_away()
    ann.says("open Oracle", "Oracle says one", "Oracle says  two", "Oracle ends")
    ended(bob, "Oracle", "one two")
    expect(bob.page).to_have_title("(5) Streams")  # what ann said, and the answer
