"""How long it takes on a slow line until somebody can talk, beside shinychat's own page."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Page

from tests.browser._line import Line, Loaded
from tests.browser.conftest import Serve
from tests.support.workers import Served

WORDS = "the first words"
LIMIT = 90_000
"""The longest that a page may take, in milliseconds."""
SLACK = 1.25
"""What a busy machine adds."""
STEADY = Line(latency=200, throughput=1.5e6)
POOR = Line(latency=400, throughput=0.75e6)

OURS = """() => {
  const status = document.querySelector(".labchat-status")?.dataset.status;
  return status && status !== "joining" && !document.querySelector("#chat_user_input").readOnly;
}"""
THEIR_BOX = "shiny-chat-container :is(textarea, [role=textbox])"
"""Versions of shinychat have one or the other."""
THEIRS = f"""() => window.Shiny?.shinyapp?.isConnected?.() &&
  document.querySelector("{THEIR_BOX}")"""
SEEN = """(words) => [...document.querySelectorAll("[role=log], shiny-chat-message")]
  .some(({ textContent }) => textContent.includes(words))"""


def seconds_until_seen(browser: Browser, server: Served, line: Line, box: str, ready: str) -> float:
    """Until a message was typed, sent and is seen, in a browser that has been nowhere before."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(LIMIT)
    loaded = Loaded()
    loaded.watch(page)
    line.slow(page)
    begun = time.monotonic()
    page.goto(f"http://127.0.0.1:{server.port}/", wait_until="commit")
    page.wait_for_function(ready, polling=50)
    _says(page, box)
    took = time.monotonic() - begun
    print(f"\n{line}: {took:.1f} s, {len(loaded.urls)} requests, {loaded.size / 1000:.0f} kB")
    context.close()
    return took


def _says(page: Page, box: str) -> None:
    page.focus(box)
    page.keyboard.type(WORDS)
    page.keyboard.press("Enter")
    page.wait_for_function(SEEN, arg=WORDS, polling=50)


@pytest.mark.long
@pytest.mark.parametrize(("line", "aim"), [(STEADY, 4.0), (POOR, 8.0)], ids=["steady", "poor"])
def test_on_a_slow_line_one_talks_soon_and_long_before_shinychats_own_page(
    browser: Browser, from_wheel: Serve, line: Line, aim: float
):
    ours, theirs = from_wheel("room.py"), from_wheel("shinychats_own.py")
    took = seconds_until_seen(browser, ours, line, "#chat_user_input", OURS)
    other = seconds_until_seen(browser, theirs, line, THEIR_BOX, THEIRS)
    assert took <= aim * SLACK
    assert took <= other / 3
