"""Who waits behind other windows keeps their place, however little their browser runs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect

from tests.browser._hidden import hide, own_browser
from tests.browser._organiser import Organiser
from tests.browser._participants import Participant
from tests.browser._server_state import ServerState
from tests.browser.conftest import People, Serve

WAIT = 360
"""How long somebody waits in a minimised window, in seconds."""
_COUNT = "() => { window.ticks = []; setInterval(() => ticks.push(performance.now()), 1000); }"


@pytest.mark.long
def test_who_waits_in_a_minimised_window_gets_a_group(
    playwright: Playwright,
    browser_type_launch_args: dict[str, Any],
    tmp_path: Path,
    people: People,
    serve: Serve,
    organiser: Organiser,
):
    app = serve("ends.py")
    chromium = browser_type_launch_args.get("executable_path", playwright.chromium.executable_path)
    with own_browser(playwright, chromium, tmp_path) as page:
        page.goto(f"http://127.0.0.1:{app.port}/?lobby=patient")
        ann = Participant(page)
        ann.consents()
        ann.waits()
        page.evaluate(_COUNT)
        hide(page)
        threading.Event().wait(WAIT)
        ticks = page.evaluate("() => [...ticks, performance.now()]")
        assert page.evaluate("() => document.hidden")
        late = [at for at in ticks[:-1] if at > ticks[-1] - 180_000]
        assert len(late) <= 3, "the browser has not held the page's timers back"
        state = ServerState(app, "ends", organiser, "patient")
        (id,) = state.people()
        before = state.done(id)
        (bob,) = (Participant(each.page) for each in people(1, app, settled=False, lobby="patient"))
        bob.consents()
        bob.is_in_group()
        bob.says("Are you there?")
        assert ("lobby", "left") not in state.done(id)
        assert state.done(id)[: len(before)] == before
        expect(page.locator("labchat-room")).to_contain_text("Are you there?")
