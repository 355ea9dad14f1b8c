"""Studies as users write them, unedited: several people come, wait, talk, answer, and leave."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from shiny_labchat.words import ENGLISH
from tests.browser._organiser import Organiser
from tests.browser._outage import SEVERED
from tests.browser._participants import Participant
from tests.browser.conftest import Noise, People, Serve
from tests.browser.test_study_frames import TELLTALES, Frames
from tests.support.models.model import Model, Reply
from tests.support.models.tls_door import TlsDoor
from tests.support.workers import Served

Come = Callable[..., list[Participant]]
"""Takes how many come, the app, and what their address says."""


@pytest.fixture
def come(people: People) -> Come:
    """So many come to an app."""

    def arrive(n: int, app: Served, **asked: str) -> list[Participant]:
        new = people(n, app, settled=False, **asked)
        return [Participant(person.page, person.chat.id) for person in new]

    return arrive


def test_two_who_wait_get_a_room_of_their_own(come: Come, serve: Serve):
    app = serve("wanted/group_please.py")
    ann, bob = come(2, app)
    for each in (ann, bob):
        each.is_ready()
    for each in (ann, bob):
        each.is_in_group()
        each.reads_on_page("Your group")
        each.sees(re.compile(r"Hello .* and .*\. You may begin\."))
    ann.says("hi")
    bob.sees("hi", by=ann)
    ann.reloads()
    ann.sees_only(re.compile("You may begin"), "hi")
    assert not [line for line in app.log if "Traceback" in line or "rror" in line]


def test_people_choose_the_names_that_the_others_see(come: Come, serve: Serve):
    ann, bob = come(2, serve("naming.py"))
    ann.page.get_by_label("Your name in the group").fill("Ann")
    ann.page.keyboard.press("Enter")
    ann.waits()
    bobs = bob.page.get_by_label("Your name in the group")
    bobs.fill("ANN")
    bob.presses_button("That is me")
    bob.reads_in_study("Somebody else has this name")
    expect(bobs).to_have_value("ANN")
    bobs.fill("Bob")
    bob.presses_button("That is me")
    for each in (ann, bob):
        each.is_in_group()
    ann.says("hi")
    bob.sees("hi", by=ann)
    bob.reads_on_page("Ann")


def test_a_whole_study_leads_from_consent_to_a_code(come: Come, serve: Serve):
    app = serve("wanted/study.py")
    three = come(3, app)
    for each in three:
        each.consents()
    for each in three:
        each.is_ready()
    ann, bob, carl = three
    for each in three:
        each.is_in_group()
        each.sees(re.compile("charity|Argue!"))
    for each in three:
        each.cannot_go_on("Continue")
        each.says("one", "two", "three")
        each.is_done()
        each.fills("What did you agree on, and why?", "")
        each.presses_button("Finish")
        each.reads_on_page("1 answer is missing. It is marked.")
        each.fills("What did you agree on, and why?", "On the one that helps most.")
        each.presses_button("Finish")
        each.ends()
        each.reads_in_study("We wanted to know how groups agree.")
        each.presses_button("Continue")
        each.reads_in_study("C1ABC")
    bob.page.reload()
    bob.reads_in_study("C1ABC")
    assert "PROLIFIC" not in bob.page.content()
    assert not [line for line in app.log if "Traceback" in line]


def test_who_does_not_consent_takes_no_part(come: Come, serve: Serve):
    (ann,) = come(1, serve("wanted/study.py"))
    ann.presses_button("I do not want to take part")
    ann.ends("You are not taking part")
    ann.reads_in_study("NC01")
    ann.page.reload()
    ann.ends("You are not taking part")


def test_a_hidden_profile_is_asked_about_talked_about_and_paid(come: Come, serve: Serve):
    app = serve("wanted/hidden_profile.py")
    three = come(3, app)
    for each in three:
        each.consents()
        each.presses_button("Continue")
    for each in three:
        each.is_ready()
    for each in three:
        each.is_in_group()
    cards = {each.page.locator("p", has_text="Candidate").first.inner_text() for each in three}
    assert len(cards) in (1, 3), "all have all cards, or each has one"
    for each in three:
        each.says("X, I think.")
        each.is_done("We have decided")
    for each in three:
        each.chooses("Whom does your group hire?", "Candidate X")
        each.presses_button("Continue")
    for each in three:
        each.presses_button("Finish")
        each.ends()
        each.reads_in_study("2.00")
    assert not [line for line in app.log if "Traceback" in line]


def test_a_machine_is_guessed_and_named(
    come: Come, serve: Serve, organiser: Organiser, monkeypatch: pytest.MonkeyPatch
):
    with (
        Model(lambda call: Reply("Who is who?")) as model,
        TlsDoor("api.openai.com", model.port) as door,
    ):
        for name, value in {**door.environ, "OPENAI_API_KEY": "key"}.items():
            monkeypatch.setenv(name, value)
        app = serve("wanted/turing.py")
        two = come(2, app)
        for each in two:
            each.consents()
        for each in two:
            each.is_ready()
        for each in two:
            each.is_in_group()
        ann, bob = two
        ann.says("hello")
        bob.sees("Who is who?")
        names = ann.name, bob.name
        (machine,) = {name for _, name, _ in bob.transcript()} - {*names}
        room = organiser.lab(app).room("lobby-1", study="turing")
        organiser.does(room.close())  # sooner than after five minutes
        for each, other in zip(two, reversed(names), strict=True):
            each.chooses("Who was the machine?", other)
            each.presses_button("Tell me")
            each.ends()
            each.reads_in_study(f"In your group, {machine} was a computer program, not a person.")
            each.presses_button("Yes, keep my data")
    assert not [line for line in app.log if "Traceback" in line]


def around(each: Participant) -> set[str]:
    """Whom somebody in a ring hears, once all have said something."""
    expect(each.chat.loc_message_items).to_have_count(3)
    return {author for _, author, _ in each.transcript()} - {each.name}


def in_order(heard: Mapping[str, set[str]]) -> list[str]:
    """The names of a ring, from the first one on around it, by whom each hears."""
    names = [next(iter(heard))]
    while further := heard[names[-1]] - {*names}:
        names.append(min(further))
    return names


AWAY = 300_000
"""How long somebody may be away until a machine goes on for them, in ms: the time is drawn."""


@pytest.mark.parametrize("grace", [10, pytest.param(None, marks=pytest.mark.long)])
def test_in_a_ring_a_machine_goes_on_for_who_drops_out_and_all_are_told_at_the_end(
    come: Come,
    serve: Serve,
    organiser: Organiser,
    monkeypatch: pytest.MonkeyPatch,
    grace: float | None,
):
    with Model() as model, TlsDoor("api.openai.com", model.port) as door:
        for name, value in {**door.environ, "OPENAI_API_KEY": "key"}.items():
            monkeypatch.setenv(name, value)
        app = serve("wanted/ring.py")
        six = come(6, app)
        frames = [Frames(each.page) for each in six]
        for each in six:
            each.page.reload()  # all of its frames are heard
            each.reads_in_study(ENGLISH["consent.replacement"])
            each.consents()
        for each in six:
            each.is_ready()
        for each in six:
            each.is_in_group()
            each.chat.expect_presence(3)
        for each in six:
            each.says(f"I am {each.name}.")
        people = {each.name: each for each in six}
        heard = {each.name: around(each) for each in six}
        names = in_order(heard)
        assert {*names} == {*people} and {len(each) for each in heard.values()} == {2}
        for each in six:
            told = each.page.content()
            assert not any(other in told for other in {*names} - heard[each.name] - {each.name})
        gone, left, *far, right = (people[name] for name in names)
        room = organiser.lab(app).room("lobby-1", study="ring")
        if grace is not None:  # sooner than after a minute
            rules = organiser.does(room.state()).rules
            organiser.does(room.configure(rules=replace(rules, grace=grace)))
        address, context = gone.page.url, gone.page.context
        gone.page.close()
        for each in (left, right):
            each.chat.expect_presence(2)
        for each in (left, right):
            each.chat.expect_presence(3, timeout=AWAY)
        model.will(Reply("Left of you.", wait=1), Reply("Right of you."))
        left.says("Where are you?")
        left.sees("Left of you.", by=names[0])
        right.says("And who are you?")
        right.sees("Right of you.", by=names[0])
        right.sees_no("Left of you.")
        left.sees_no("Right of you.")
        for each in far:
            each.chat.expect_presence(3)
            expect(each.chat.loc_message_items).to_have_count(3 + (each in (far[0], far[-1])))
        told = [" ".join(text for _, text in call.messages) for call in model.calls]
        assert [right.name in each for each in told] == [False, True]
        assert [left.name in each for each in told] == [True, False]
        for each in frames[1:]:
            said = " ".join(text for _, text in each.heard)
            said = said.replace(ENGLISH["consent.replacement"], "")
            assert TELLTALES.findall(said) == [] and "stand-in" not in said
            assert each.roles() == {"participant"}
        organiser.does(room.close())  # sooner than after ten minutes
        for each in (left, *far, right):
            each.reads_in_study("You were in a ring of six.")
            each.reads_in_study(ENGLISH.counted("debrief.replaced", 1, names=names[0]))
            each.presses_button("Yes, keep my data")
            each.ends()
        back = Participant(context.new_page(), left.chat.id)
        back.opens(address)
        back.reads_in_study(ENGLISH["ended.replaced.text"])
        back.reads_in_study(ENGLISH["debrief.own_place"])
        assert "Left of you." not in back.page.content()
    assert not [line for line in app.log if "Traceback" in line]


# ── places, people, and what the app reads of them ──


def test_a_place_is_a_persons_over_tabs_and_reloads(come: Come, serve: Serve):
    app = serve("waiting.py")
    (ann,) = come(1, app)
    ann.waits()
    ann.reads("line", re.compile(r"waiting 1, position 1, until 20\d\d-.*\+00:00"))
    tab = ann.opens_tab()
    tab.waits()
    tab.page.reload()
    tab.reads("line", re.compile("waiting 1, position 1"))
    ann.reads("state", "lobby waiting, chat waiting, room None")
    (bob,) = come(1, app)
    for each in (ann, tab, bob):
        each.is_in_group()
        each.reads("state", "lobby grouped, chat open, room lobby-1")
        each.reads("line", "waiting 0, position None, until None")
    ann.says("hello")
    for each in (tab, bob):
        each.sees("hello", by=ann.name if each is bob else None)


NOTING = """addEventListener("DOMContentLoaded", () => {
  window.said = [];
  new MutationObserver(() => {
    const words = document.querySelector(".labchat-status")?.textContent;
    if (words && words !== window.said.at(-1)) window.said.push(words);
  }).observe(document, { subtree: true, childList: true, characterData: true });
});"""


def test_who_has_a_group_is_never_told_to_wait_for_a_room(people: People, serve: Serve):
    """The page has waited for a room before; what it was told then is over once it has a chat."""
    app = serve("wanted/group_please.py")
    ann, bob = (Participant(each.page) for each in people(2, app, settled=False, script=NOTING))
    for each in (ann, bob):
        each.is_ready()
    for each in (ann, bob):
        each.is_in_group()
        said = each.page.evaluate("() => window.said")
        assert said != []
        assert "Waiting for a room…" not in said


def test_who_comes_in_another_browser_with_the_same_params_acts_there(come: Come, serve: Serve):
    app = serve("waiting.py")
    (ann,) = come(1, app, WHO="ann")
    ann.waits()
    (again,) = come(1, app, WHO="ann")
    again.waits()
    again.reads("line", re.compile("waiting 1, position 1"))
    ann.reads_in_study("You have opened this study in another window.")
    ann.reads("state", "lobby None, chat waiting, room None")
    ann.presses_button("Go on here instead")
    ann.waits()
    again.reads_in_study("You have opened this study in another window.")
    (bob,) = come(1, app, WHO="bob")
    for each in (ann, bob):
        each.is_in_group()
    again.reads("state", "lobby None, chat waiting, room None")
    again.reads_in_study("You have opened this study in another window.")


def test_who_stops_leaves_and_their_group_is_dissolved(come: Come, serve: Serve):
    app = serve("waiting.py")
    ann, bob = come(2, app)
    for each in (ann, bob):
        each.is_in_group()
    ann.presses_button("Stop taking part")
    ann.presses_button("Stop, and keep my data")
    ann.ends("You have stopped taking part")
    ann.reads("state", "lobby ended, chat ended, room None")
    bob.ends("Your group cannot go on")
    bob.reads("known", "step None, ended group_dissolved")


def test_who_waits_for_others_goes_on_when_the_time_is_over(come: Come, serve: Serve):
    app = serve("waiting.py")
    one, two = come(2, app)
    for each in (one, two):
        each.is_in_group()
    one.is_done("We are done")
    one.reads("have", "all False, records 0")
    one.presses_button("Continue")
    one.reads("known", "step chosen, ended None")
    one.reads_in_study("Waiting for the others")
    two.ends("Your part in the study has ended")
    two.reads("known", "step None, ended idle")
    one.reads("have", "all True, records 1")


def test_a_study_in_core_is_made_once_for_all_sessions(come: Come, serve: Serve):
    app = serve("core_study.py")
    ann, bob = come(2, app)
    for each in (ann, bob):
        each.reads("known", "nobody")
        each.consents()
        each.fills("Your age", "30")
        each.presses_button("Go on")
        each.reads("known", "{'age': {'age': 30}}")
    for each in (ann, bob):
        each.is_in_group()
    ann.says("hello")
    bob.sees("hello", by=ann)
    for each in (ann, bob):
        each.fills("Why?", "Because.")
        each.presses_button("Finish")
        each.ends()
        each.reads_in_study("DONE-1")
        each.reads("known", "{'age': {'age': 30}, 'last': {'why': 'Because.'}}")


def test_a_page_that_has_gone_leaves_nothing(come: Come, serve: Serve):
    app = serve("forgotten.py")
    for _ in range(3):
        (ann,) = come(1, app)
        ann.waits()
        ann.leaves()
    (bob,) = come(1, app)
    bob.waits()
    bob.reads("kept", "1")


def test_answers_that_are_given_in_an_outage_are_recorded_once(
    come: Come, serve: Serve, noise: Noise
):
    noise.expects(SEVERED)
    app = serve("core_study.py")
    (ann,) = come(1, app)
    ann.consents()
    ann.fills("Your age", "30")
    app.kill()
    ann.presses_button("Go on")
    app.start()
    ann.waits()
    ann.reads("known", "{'age': {'age': 30}}")
