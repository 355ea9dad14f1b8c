"""
Who reloads, opens a second tab or goes back, at any step of a study, stays where they were.

A page shows within two seconds what the server says of its person: from the beginning of its
navigation, less the time that a page of Shiny without this package takes at the same moment on the
same machine. That one has no study, no chat and no person, and shows one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from shiny_labchat.words import ENGLISH
from tests.browser._organiser import Organiser
from tests.browser._participants import Participant
from tests.browser._server_state import ServerState
from tests.browser.conftest import People, Serve
from tests.support.models.model import Model, Reply
from tests.support.models.tls_door import TlsDoor

Do = Callable[[], object]
Walk = Iterator[tuple[str, Callable[[Page], Locator]]]
"""Where somebody is: the screen that the server says, and something that stands there only."""


def button(label: str) -> Callable[[Page], Locator]:
    return lambda page: page.get_by_role("button", name=label, exact=True)


def text(words: str | re.Pattern[str]) -> Callable[[Page], Locator]:
    return lambda page: page.get_by_text(words).first


# ── what is done at each step ──


def reload(each: Participant) -> list[Page]:
    """The pages that have to show the state; the first one has just been navigated."""
    each.page.reload(wait_until="commit")
    return [each.page]


def go_back(each: Participant) -> list[Page]:
    """Likewise."""
    each.page.goto("about:blank")
    each.page.go_back(wait_until="commit")
    return [each.page]


def open_a_tab(each: Participant) -> list[Page]:
    """Likewise. Who has a second tab goes on in it; the first one is closed at the next step."""
    first, *earlier = reversed(each.page.context.pages)
    for page in earlier:
        page.close()
    second = first.context.new_page()
    second.goto(each.page.url, wait_until="commit")
    each.moves_to(second)
    return [second, first]


HOW = [reload, go_back, open_a_tab]


# ── how long it takes ──

WITHIN = 2000
"""How long a page may take longer than a bare one to show the server's state, in milliseconds."""


def shown_after(locator: Locator) -> int:
    """When something is shown, in milliseconds from the beginning of its page's navigation."""
    locator.wait_for()  # it looks at each frame
    return round(locator.page.evaluate("() => performance.now()"))


@pytest.fixture
def bare(people: People, shared: Serve) -> Callable[[Page], int]:
    """How long a bare page takes now, in another tab of somebody's browser."""
    app = shared("bare.py")

    def take(page: Page) -> int:
        tab = page.context.new_page()
        tab.goto(f"http://127.0.0.1:{app.port}", wait_until="commit")
        took = shown_after(tab.get_by_text("here I am"))
        tab.close()
        page.bring_to_front()
        return took

    return take


# ── the steps of the studies ──


def waits_and_is_called(ann: Participant, others: list[Participant], come: Do) -> Walk:
    """From the first look at the lobby to the answered ready check."""
    yield "waiting", text(ENGLISH["lobby.title"])
    come()
    yield "ready", button("I am here")
    ann.is_ready()
    yield "ready", text(ENGLISH["ready.waiting"].split("{")[0].strip())
    for each in others:
        each.is_ready()


def consent(others: list[Participant]) -> None:
    for each in others:
        each.consents()


def group_please(ann: Participant, others: list[Participant], come: Do, close: Do) -> Walk:
    yield from waits_and_is_called(ann, others, come)
    yield "moment", text(re.compile("You may begin"))
    ann.says("hi")
    yield "moment", text("hi")
    close()
    yield "moment", text("Your group")


def study(ann: Participant, others: list[Participant], come: Do, close: Do) -> Walk:
    yield "consent", button("I agree to take part")
    ann.consents()
    yield from waits_and_is_called(ann, others, lambda: (come(), consent(others)))
    yield "moment", text(re.compile("agree on one charity|Argue!"))
    ann.says("one", "two", "three")
    ann.is_done()
    yield "moment", button("Finish")
    ann.fills("What did you agree on, and why?", "On the one that helps most.")
    close()
    yield "moment", button("Finish")
    if len(ann.page.context.pages) > 1:  # what is not sent yet is a tab's own
        ann.fills("What did you agree on, and why?", "On the one that helps most.")
    ann.holds("What did you agree on, and why?", "On the one that helps most.")
    ann.presses_button("Finish")
    yield "ended", text("We wanted to know how groups agree.")
    ann.presses_button("Continue")
    yield "ended", text("C1ABC")


def hidden_profile(ann: Participant, others: list[Participant], come: Do, close: Do) -> Walk:
    def come_and_answer() -> None:
        come()
        consent(others)
        for each in others:
            each.presses_button("Continue")

    yield "consent", button("I agree to take part")
    ann.consents()
    yield "none", text("How much do you trust groups?")
    ann.presses_button("Continue")
    yield from waits_and_is_called(ann, others, come_and_answer)
    yield "moment", text(re.compile("Candidate . (speaks|was|has)"))
    ann.is_done("We have decided")
    yield "moment", text("Whom does your group hire?")
    close()
    yield "moment", text("Whom does your group hire?")
    ann.chooses("Whom does your group hire?", "Candidate X")
    ann.presses_button("Continue")
    yield "barrier", text("Waiting for the others")
    for each in others:
        each.chooses("Whom does your group hire?", "Candidate X")
        each.presses_button("Continue")
    yield "moment", text("How sure are you?")
    ann.presses_button("Finish")
    yield "ended", text("Some cards were given to one person only.")
    ann.presses_button("Continue")
    yield "ended", text("2.00")


def turing(ann: Participant, others: list[Participant], come: Do, close: Do) -> Walk:
    yield "consent", button("I agree to take part")
    ann.consents()
    yield from waits_and_is_called(ann, others, lambda: (come(), consent(others)))
    yield "moment", lambda page: page.get_by_role("textbox")
    ann.says("hello")
    ann.sees("Who is who?")  # the library that asks the model has been loaded, which takes seconds
    close()
    yield "moment", text("Who was the machine?")
    ann.page.get_by_role("radio").first.check()
    ann.presses_button("Tell me")
    yield "ended", text("was a computer program, not a person.")
    ann.presses_button("Yes, keep my data")
    yield "ended", text(ENGLISH["ended.complete.text"])


def done(state: ServerState, person: str) -> list[tuple[str, str]]:
    """What has happened to a person, without what the others' last answers bring about."""
    return [each for each in state.done(person) if each != ("study", "paid")]


STUDIES = {
    "group_please": (group_please, "pairs", 2),
    "study": (study, "pilot", 3),
    "hidden_profile": (hidden_profile, "hiring", 3),
    "turing": (turing, "turing", 2),
}


@pytest.fixture
def model(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the machine in a study speaks to, if it has one."""
    if "turing" not in request.node.name:
        yield
        return
    with (
        Model(lambda call: Reply("Who is who?")) as model,
        TlsDoor("api.openai.com", model.port) as door,
    ):
        for name, value in {**door.environ, "OPENAI_API_KEY": "key"}.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.long
@pytest.mark.parametrize("how", HOW, ids=lambda how: how.__name__)
@pytest.mark.parametrize("name", STUDIES)
def test_one_stays_where_one_was(
    name: str,
    how: Callable[[Participant], list[Page]],
    model: None,
    people: People,
    serve: Serve,
    organiser: Organiser,
    bare: Callable[[Page], int],
):
    app = serve(f"wanted/{name}.py")
    walk, study, n = STUDIES[name]
    state = ServerState(app, study, organiser)
    room = state.lab.room("lobby-1", study=study)
    ann, *others = (Participant(each.page) for each in people(1, app, settled=False))
    id = ""
    took: list[tuple[str, int, int]] = []
    usual = 0

    def come() -> None:
        new = people(n - 1, app, settled=False)
        others.extend(Participant(each.page) for each in new)

    for screen, shown in walk(ann, others, come, lambda: organiser.does(room.close())):
        expect(shown(ann.page)).to_be_visible()
        id = id or state.people()[0]
        before = done(state, id)
        navigated, *other_tabs = how(ann)
        now = shown_after(shown(navigated))
        if screen != "ready":  # in which there are fifteen seconds for all
            usual = bare(navigated)
        took.append((screen, now, usual))
        for page in (navigated, *other_tabs):
            expect(shown(page)).to_be_visible()
        assert state.screen(id) == screen
        assert done(state, id) == before
    print(f"{name}, {how.__name__}: screen, ms until it is shown, ms of a bare page: {took}")
    assert [each for each in took if each[1] - each[2] > WITHIN] == []
    assert not [line for line in app.log if "Traceback" in line]


@pytest.mark.parametrize("how", HOW, ids=lambda how: how.__name__)
def test_who_comes_back_while_a_room_is_made_ready_waits_for_it(
    how: Callable[[Participant], list[Page]], people: People, serve: Serve, organiser: Organiser
):
    app = serve("moment.py")
    ann, bob = (Participant(each.page) for each in people(2, app, settled=False))
    for each in (ann, bob):
        expect(text(ENGLISH["one_moment"])(each.page)).to_be_visible()
    for page in how(ann):
        expect(text(ENGLISH["one_moment"])(page)).to_be_visible()
    for each in (ann, bob):
        each.is_in_group()
        each.sees_only("Welcome.")
    state = ServerState(app, "slow", organiser)
    for id in state.people():
        for once in (("study", "arrived"), ("lobby", "entered")):
            assert state.done(id).count(once) == 1
