"""A page of the app's own has nothing of ours in it, and its person is in the room all the same."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Serve


def test_the_person_of_a_document_of_the_apps_own_is_in_the_room(browser: Browser, serve: Serve):
    app = serve("own_page.py")
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{app.port}/")
    expect(page.locator("#read")).to_have_text("1 in, open, 0 said")
    page.close()
