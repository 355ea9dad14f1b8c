"""Two people in Firefox, and two in WebKit; one of them prefers dark pages."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.browser._contrast import CONTRASTS, ENOUGH
from tests.browser._visitor import Visitor
from tests.browser.conftest import Serve
from tests.support.engines.browser import ENTER, EngineBrowser
from tests.support.engines.firefox import Firefox
from tests.support.engines.installed import install_engines
from tests.support.engines.webkit import WebKit
from tests.support.server import ROOT
from tests.support.workers import Served

pytestmark = pytest.mark.long

Two = tuple[Visitor, Visitor]


@pytest.fixture(scope="module", params=[Firefox, WebKit], ids=["firefox", "webkit"])
def both(request: pytest.FixtureRequest) -> Iterator[Two]:
    """Two browsers of one engine, the second one dark."""
    install_engines()
    engine: type[EngineBrowser] = request.param
    with engine() as light, engine(is_dark=True) as dark:
        yield Visitor(light), Visitor(dark)


@pytest.fixture
def two(both: Two) -> Iterator[Two]:
    """Two people, whose consoles complain about nothing."""
    yield both
    for person in both:
        assert person.complaints() == []


def come(people: Two, app: Served, room: str) -> Two:
    for person in people:
        person.opens(f"http://127.0.0.1:{app.port}/?{urlencode({'room': room})}")
    return people


def test_people_talk_and_a_reload_keeps_name_messages_and_draft(
    two: Two, shared: Serve, room: str
) -> None:
    ann, bob = come(two, shared("room.py"), room)
    ann.says("Grüße from Ann")
    bob.sees("Grüße from Ann", by=ann)
    bob.says("Hello, Ann")
    ann.types("not sent yet")
    name = ann.name
    ann.reloads()
    ann.sees("Hello, Ann", by=bob)
    ann.waits_until(lambda: ann.draft == "not sent yet")
    assert name and ann.name == name != bob.name
    ann.presses(ENTER)
    bob.sees("not sent yet", by=ann)


def test_what_is_pasted_is_sent_with_its_lines(two: Two, shared: Serve, room: str) -> None:
    ann, bob = come(two, shared("room.py"), room)
    ann.types("<b>one</b>\ntwo")
    ann.cuts()
    ann.waits_until(lambda: ann.draft == "")
    ann.pastes()
    ann.waits_until(lambda: ann.draft == "<b>one</b>\ntwo")
    ann.presses(ENTER)
    bob.waits_until(lambda: [text for _, text in bob.messages()] == ["<b>one</b>\ntwo"])


def test_nothing_is_lost_when_the_server_is_killed_and_returns(
    two: Two, serve: Serve, room: str
) -> None:
    app = serve("room.py")
    ann, bob = come(two, app, room)
    ann.says("before")
    bob.sees("before")
    app.kill()
    ann.waits_until(lambda: ann.state == "reconnecting")
    ann.types("said meanwhile")
    ann.presses(ENTER)
    app.start()
    bob.sees("said meanwhile", by=ann)
    bob.says("after")
    for person in (ann, bob):
        person.waits_until(
            lambda person=person: (
                [text for _, text in person.messages()] == ["before", "said meanwhile", "after"]
            )
        )


def test_an_answer_is_streamed_until_it_is_stopped(two: Two, shared: Serve, room: str) -> None:
    ann, bob = come(two, shared("options.py"), room)
    ann.says("go")
    for person in (ann, bob):
        person.sees("on and")
    ann.stops_the_answer()
    for person in (ann, bob):
        person.waits_until(lambda person=person: "Stopped." in person.ending)


def test_every_word_can_be_read_in_a_light_page_and_in_a_dark_one(
    two: Two, shared: Serve, room: str
) -> None:
    ann, bob = come(two, shared(str(ROOT / "apps" / "01-hello" / "app.py")), room)
    ann.says("in the light")
    bob.says("in the dark")
    ann.sees("in the dark", by=bob)
    for person, scheme in ((ann, "light"), (bob, "dark")):
        person.waits_until(lambda person=person, scheme=scheme: _scheme(person) == scheme)
        measured = person.browser.run(f"return ({CONTRASTS})(document.querySelector('#chat'))")
        assert len(measured) >= 8
        assert {kind: ratio for kind, ratio in measured.items() if ratio < ENOUGH} == {}


def _scheme(person: Visitor) -> str:
    return person.browser.run("return document.documentElement.dataset.bsTheme")
