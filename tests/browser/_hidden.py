"""A page that its browser really hides: Playwright's own launch shows every page."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, Playwright

from tests.runner.processes import started

__all__ = ["hide", "own_browser"]


@contextmanager
def own_browser(playwright: Playwright, chromium: str, folder: Path) -> Iterator[Page]:
    """A page of a Chromium that Playwright has not started, and so does not keep visible."""
    options = ["--headless", "--no-sandbox", "--no-first-run", "--remote-debugging-port=0"]
    command = [chromium, *options, f"--user-data-dir={folder}", "about:blank"]
    with started(command, folder) as process:
        assert process.stdout is not None
        printed = iter(process.stdout.readline, "")
        found = filter(None, (re.search(r"listening on (ws://\S+)", line) for line in printed))
        address = next(found)[1]
        threading.Thread(target=process.stdout.read, daemon=True).start()
        browser = playwright.chromium.connect_over_cdp(address, no_defaults=True)
        page = browser.contexts[0].pages[0]
        page.bring_to_front()
        try:
            yield page
        finally:
            browser.close()
            process.terminate()


def hide(page: Page) -> None:
    """Minimise the page's window. It draws no frames from then on."""
    session = page.context.new_cdp_session(page)
    window = session.send("Browser.getWindowForTarget")["windowId"]
    bounds = {"windowState": "minimized"}
    session.send("Browser.setWindowBounds", {"windowId": window, "bounds": bounds})
    assert page.evaluate("document.hidden")
