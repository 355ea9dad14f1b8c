"""The documentation site, as a reader meets it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.docs.build import build, pages


class Silent(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the built site is served."""
    folder: Path = tmp_path_factory.mktemp("site")
    build(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Page]:
    """A page that asks no other host for anything, and reports no error."""
    context = browser.new_context(color_scheme="light")
    asked: list[str] = []
    wrong: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    page = context.new_page()
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert len(asked) > 5
    foreign = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert (foreign, wrong) == ([], [])


def test_every_page_is_shown_and_asks_no_other_host_for_anything(
    reader: Page, address: str
) -> None:
    for name in pages():
        reader.goto(address + ("" if name == "index.md" else f"{name.removesuffix('.md')}/"))
        expect(reader.get_by_role("heading", level=1)).to_be_visible()
    reader.wait_for_load_state("networkidle")


def test_a_reader_finds_a_page_by_a_word(reader: Page, address: str) -> None:
    reader.goto(address)
    reader.get_by_role("button", name="Search").first.click()
    reader.get_by_role("combobox").fill("pseudonym")
    reader.get_by_role("option", name="Pseudonyms").first.click()
    expect(reader).to_have_url(re.compile(r"/rooms/.*#pseudonyms$"))


def test_a_reader_switches_to_dark(reader: Page, address: str) -> None:
    reader.goto(address)
    body = reader.locator("body")
    light = body.evaluate("body => getComputedStyle(body).backgroundColor")
    expect(body).to_have_attribute("data-md-color-scheme", "default")
    reader.locator("label[title='Switch to light mode']").click()
    reader.locator("label[title='Switch to dark mode']").click()
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    assert body.evaluate("body => getComputedStyle(body).backgroundColor") != light
