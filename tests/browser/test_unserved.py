"""A chat that cannot work says why in the page, and what to do in the server's log."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Noise, People, Serve

WITHIN = 6_000
"""How long it may take until the page says so, in milliseconds."""


@pytest.fixture
def page(browser: Browser):
    page = browser.new_page()
    yield page
    page.close()


def test_an_element_without_a_chat_says_which_chats_there_are(page: Page, serve: Serve):
    app = serve("unserved.py")
    page.goto(f"http://127.0.0.1:{app.port}/")
    expect(page.locator("#tlak .labchat-status")).to_have_text(
        "This page shows a chat that its app does not serve. Please tell the organisers. "
        "(The server has no Chat with the id 'tlak'; it has one with the id 'talk'.)",
        timeout=WITHIN,
    )
    app.logs("element of chat 'tlak', but its session has no Chat .* it has one with the id 'talk'")


def test_an_element_that_is_there_twice_says_so_in_the_second_place(page: Page, serve: Serve):
    app = serve("unserved.py")
    page.goto(f"http://127.0.0.1:{app.port}/")
    first, second = page.locator("labchat-room#talk").all()
    expect(second.locator(".labchat-status")).to_have_text(
        "This page shows the chat “talk” twice; it works in the first place. "
        "Please tell the organisers.",
        timeout=WITHIN,
    )
    expect(first.locator(".labchat-status")).to_have_attribute("data-status", "open")
    app.logs("the page has the element of chat 'talk' twice, and the second one does not work")


def test_an_app_that_fails_blames_nobodys_network(page: Page, serve: Serve):
    app = serve("broken.py")
    page.goto(f"http://127.0.0.1:{app.port}/")
    status = page.locator("#chat .labchat-status")
    expect(status).to_have_text(
        "The app behind this page could not start. Please tell the organisers.", timeout=WITHIN
    )
    app.logs("RuntimeError: the app of this test fails")
    page.wait_for_timeout(3_000)  # nor later, when the page would try again
    expect(page.locator("body")).not_to_contain_text("onnection")
    expect(status).to_contain_text("could not start")


def test_an_answer_that_says_nothing_for_long_has_words_in_its_place(people: People, noise: Noise):
    (ann,) = people(1, "silent.py")
    ann.says("Are you there?")
    answer = ann.page.locator(".labchat-message[data-role=assistant]")
    expect(answer).to_contain_text("No answer yet. Please wait…", timeout=WITHIN)
    expect(answer).to_contain_text("Here I am.")
    expect(answer).not_to_contain_text("No answer yet")
