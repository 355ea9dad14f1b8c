"""Of two names that belong together one was imported from here: the page and the log say so."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Serve


def test_half_a_change_of_imports_is_said_in_the_page_and_in_the_log(
    browser: Browser, serve: Serve
):
    app = serve("mismatch.py")
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{app.port}/")
    alert = page.locator("#theirs").locator("xpath=..").get_by_role("alert")
    expect(alert).to_have_text("This chat cannot work in this page. Please tell the organisers.")
    app.logs("chat 'theirs' is a Chat of shiny_labchat, but its page has shinychat's chat_ui")
    expect(page.locator("#ours .labchat-status")).to_contain_text(
        "This page shows a chat that its app does not serve."
    )
    app.logs("the page has the element of chat 'ours', but its session has no Chat of shiny_lab")
    page.close()
