"""Somebody closes their page, and a bot goes on in their place; the other one is told later."""

from __future__ import annotations

from playwright.sync_api import expect

from shiny_labchat.words import ENGLISH
from tests.browser._organiser import Organiser
from tests.browser._participants import Participant
from tests.browser.conftest import People, Serve
from tests.browser.test_study_frames import TELLTALES, Frames
from tests.contract.test_clocks import until

PATIENT = 180_000
"""How long somebody may be away, in milliseconds: the time is drawn."""


def test_nothing_tells_who_was_replaced_until_the_end(
    people: People, serve: Serve, organiser: Organiser
):
    app = serve("stand_in.py")
    ann, bob = (Participant(each.page) for each in people(2, app, settled=False))
    frames = Frames(bob.page)
    bob.page.reload()  # all of its frames are heard
    for each in (ann, bob):
        each.reads_in_study(ENGLISH["consent.replacement"])
        each.consents()
    for each in (ann, bob):
        each.is_in_group()
    ann.says("Hello, I am a person.")
    bob.sees("Hello, I am a person.")
    name, address, context = ann.name, ann.page.url, ann.page.context
    ann.page.close()
    bob.chat.expect_presence(1)
    room = organiser.lab(app).room("lobby-1", study="pair")
    organiser.does(until(room, lambda state: bool(state.bots())))
    bob.says("Are you there?")
    expect(bob.chat.loc_message("Echo: Are you there?")).to_be_visible(timeout=PATIENT)
    bob.chat.expect_presence(2)
    assert [who for _, who, _ in bob.transcript()] == [name, bob.name, name]
    told = " ".join(told for _, told in frames.heard).replace(ENGLISH["consent.replacement"], "")
    assert frames.roles() == {"participant"}
    assert TELLTALES.findall(told) == [] and "secret-" not in told
    organiser.does(room.close())
    back = Participant(context.new_page(), bob.chat.id)
    back.opens(address)
    back.reads_in_study(ENGLISH["ended.replaced.text"])
    back.reads_in_study(ENGLISH["debrief.own_place"])
    assert "Echo" not in back.page.content()
    back.presses_button("Continue")
    back.reads_in_study("CODE-replaced")
    bob.reads_in_study("We wanted to know who notices.")
    bob.reads_in_study(ENGLISH.counted("debrief.replaced", 1, names=name))
    bob.presses_button("Continue")
    bob.reads_in_study("CODE-complete")
    told = " ".join(told for _, told in frames.heard).replace(ENGLISH["consent.replacement"], "")
    assert TELLTALES.findall(told) != [], "what is looked for would have been found"
