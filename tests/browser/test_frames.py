"""The chat in a frame of another page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import APIResponse, Browser, Frame, Page, Route, expect

from tests.browser.conftest import Noise, Serve

BLOCKED = r"blocked by CORS policy|net::ERR_FAILED"
"""What a browser itself says of scripts that a page without an origin may not load."""


@pytest.fixture
def page(browser: Browser, noise: Noise):
    context = browser.new_context()
    noise.listen(context)
    yield context.new_page()
    context.close()
    assert noise.unexpected() == []


def framed(page: Page, url: str, sandbox: str) -> Frame:
    """The chat's page, in a frame with this sandbox."""
    page.set_content(f'<iframe sandbox="{sandbox}" src="{url}" width=600 height=400></iframe>')
    (frame,) = page.main_frame.child_frames
    return frame


def address(shared: Serve, room: str) -> str:
    return f"http://127.0.0.1:{shared('room.py').port}/?room={room}"


def test_in_a_sandbox_that_allows_the_origin_the_chat_works(page: Page, shared: Serve, room: str):
    frame = framed(page, address(shared, room), "allow-scripts allow-same-origin")
    frame.get_by_role("textbox").fill("hello")
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_role("article")).to_contain_text("hello")


def test_a_sandbox_without_an_origin_is_said_to_be_the_reason(
    page: Page, shared: Serve, room: str, noise: Noise
):
    noise.expects(BLOCKED)
    frame = framed(page, address(shared, room), "allow-scripts")
    expect(frame.get_by_role("alert")).to_contain_text("does not work inside this frame")
    expect(frame.get_by_role("alert")).to_contain_text("allow-same-origin")
    expect(frame.get_by_role("textbox")).to_have_count(0)


def test_a_server_refuses_a_page_without_an_origin_in_words(page: Page, shared: Serve, room: str):
    """Where a proxy lets any page load the scripts."""
    page.route(re.compile(r"\.(js|woff2)"), allow_any_origin)
    frame = framed(page, address(shared, room), "allow-scripts")
    status = frame.locator(".labchat-status")
    expect(status).to_contain_text("This page may not use this chat server.")
    expect(frame.get_by_role("textbox")).to_have_count(0)  # nothing could be sent


def test_a_chat_whose_script_cannot_be_loaded_says_so(
    page: Page, shared: Serve, room: str, noise: Noise
):
    noise.expects("ERR_FAILED")
    page.route("**/room.js", lambda route: route.abort())
    page.goto(address(shared, room))
    expect(page.get_by_role("alert")).to_have_text(
        "The chat could not be loaded. Please reload the page."
    )
    page.unroute("**/room.js")
    page.reload()
    expect(page.get_by_role("alert")).to_have_text("")
    expect(page.get_by_role("log")).to_be_visible()


def allow_any_origin(route: Route) -> None:
    response: APIResponse = route.fetch()
    allowed = {**response.headers, "access-control-allow-origin": "*"}
    route.fulfill(response=response, headers=allowed)
