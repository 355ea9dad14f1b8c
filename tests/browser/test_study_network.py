"""Networks that fail and browsers that stand still, while somebody waits or is called."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from shiny_labchat.words import ENGLISH
from tests.browser._organiser import Organiser
from tests.browser._outage import SEVERED
from tests.browser._participants import Participant
from tests.browser._server_state import ServerState
from tests.browser.conftest import Noise, People, Serve
from tests.support.proxy import Proxy
from tests.support.workers import Served

APP = "wanted/group_please.py"
OUTAGE = 20
"""How long a network is gone, in seconds."""
LOST = "Connection lost. Trying again…"

pytestmark = pytest.mark.long


@dataclass
class Cable:
    """
    The network between one person and an app.

    Parameters
    ----------
    port
        Where the person's browser connects.
    pull, plug
        Have nothing come through any more, in silence; and mend it.
    """

    port: int
    pull: Callable[[], None]
    plug: Callable[[], None]


@pytest.fixture
def app(serve: Serve) -> Served:
    return serve(APP)


@pytest.fixture
def cable(app: Served, organiser: Organiser) -> Iterator[Cable]:
    proxy = Proxy(app.port)
    organiser.does(proxy.__aenter__())

    async def pull() -> None:
        proxy.switch_off(silently=True)

    yield Cable(
        proxy.port, lambda: organiser.does(pull()), lambda: organiser.does(proxy.switch_on())
    )
    organiser.does(proxy.__aexit__(None, None, None))


@pytest.fixture
def come(people: People, app: Served) -> Callable[..., Participant]:
    """Somebody comes, over a cable of their own if there is one."""

    def arrive(over: Cable | None = None) -> Participant:
        (new,) = people(1, over or app, settled=False)
        return Participant(new.page)

    return arrive


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def test_who_waits_without_a_network_is_not_grouped_and_keeps_the_place(
    come: Callable[..., Participant],
    app: Served,
    cable: Cable,
    organiser: Organiser,
    noise: Noise,
):
    noise.expects(SEVERED)
    ann = come(cable)
    ann.waits()
    state = ServerState(app, "pairs", organiser)
    (id,) = state.people()
    before = state.done(id)
    cable.pull()
    pause(OUTAGE / 2 + 2)  # nobody can be said to be gone sooner than after `alive`
    bob = come()
    bob.waits()
    pause(OUTAGE / 2 - 2)
    assert state.done(id) == before
    assert state.screen(state.people()[1]) == "waiting"
    cable.plug()
    for each in (ann, bob):
        each.is_ready()
    for each in (ann, bob):
        each.is_in_group()
    ann.says("I am back")
    bob.sees("I am back", by=ann)
    expect(ann.page.get_by_text(LOST)).to_have_count(0)
    for once in (("study", "arrived"), ("lobby", "entered")):
        assert state.done(id).count(once) == 1


def test_who_has_no_network_when_they_are_called_is_asked_again(
    come: Callable[..., Participant],
    app: Served,
    cable: Cable,
    organiser: Organiser,
    noise: Noise,
):
    noise.expects(SEVERED)
    ann = come(cable)
    ann.waits()
    bob = come()
    expect(ann.page.get_by_role("button", name="I am here")).to_be_visible()
    cable.pull()
    bob.is_ready()
    ann.is_ready()  # nobody hears it
    bob.reads_in_study(ENGLISH["lobby.requeued"])
    pause(OUTAGE - 15)
    cable.plug()
    ann.reads_in_study(ENGLISH["wait_again.text"])
    ann.presses_button(ENGLISH["wait_again.yes"])
    for each in (ann, bob):
        each.is_ready()
    for each in (ann, bob):
        each.is_in_group()
    assert not [line for line in app.log if "Traceback" in line]


def test_who_answers_a_call_before_the_network_is_back_is_heard_in_time(
    come: Callable[..., Participant], cable: Cable, noise: Noise
):
    noise.expects(SEVERED)
    ann, bob = come(cable), come()
    expect(ann.page.get_by_role("button", name="I am here")).to_be_visible()
    cable.pull()
    ann.is_ready()
    cable.plug()
    bob.is_ready()
    for each in (ann, bob):
        each.is_in_group()


def test_a_browser_that_stands_still_is_not_grouped_and_keeps_its_place(
    come: Callable[..., Participant], app: Served, organiser: Organiser
):
    ann = come()
    ann.waits()
    state = ServerState(app, "pairs", organiser)
    (id,) = state.people()
    before = state.done(id)
    debugger = ann.page.context.new_cdp_session(ann.page)
    debugger.send("Debugger.enable")
    debugger.send("Debugger.pause")  # no script runs from then on
    pause(OUTAGE / 2 + 2)
    bob = come()
    bob.waits()
    pause(OUTAGE / 4)
    assert state.done(id) == before
    debugger.send("Debugger.disable")
    for each in (ann, bob):
        each.is_ready()
    for each in (ann, bob):
        each.is_in_group()
