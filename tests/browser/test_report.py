"""The page of `labchat report` in a browser: it loads nothing, and everybody can read it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from shiny_labchat import Lab
from shiny_labchat.report.run import report_of
from tests.browser._axe import faults_of
from tests.support.planted_study import PlantedStudy

HOSTILE = "<img src=x onerror=\"document.title='caught'\"> " + "Nospaceinthisname" * 8


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By name, the files of reports: of a usual study, of an odd one with text, of none."""
    folder = tmp_path_factory.mktemp("reports")
    odd = PlantedStudy(
        groups=14, size=1, bots=0, room=HOSTILE, pseudonym=HOSTILE, text=HOSTILE,
        conditions=[f"{letter} {HOSTILE}" for letter in "abcdefg"],
    )  # fmt: skip
    studies = {"usual": PlantedStudy(), "odd": odd, "none": PlantedStudy(groups=0, lost=0)}

    async def write(name: str, planted: PlantedStudy) -> str:
        lab = Lab(f"sqlite:///{folder}/{name}.db")
        lab.log.serve()
        await planted.write(lab.log)
        page = await report_of(lab.log, planted.name, with_text=name == "odd")
        lab.log.close()
        return page

    def in_thread(name: str, planted: PlantedStudy) -> Path:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:  # this thread has Playwright's event loop
            page = pool.submit(lambda: asyncio.run(write(name, planted))).result()
        path = folder / f"{name}.html"
        path.write_text(page, encoding="utf-8")
        return path

    return {name: in_thread(name, planted) for name, planted in studies.items()}


@pytest.fixture
def opened(browser: Browser, request: pytest.FixtureRequest, reports: dict[str, Path]
           ) -> Iterator[Page]:  # fmt: skip
    """A report in a browser; nothing is said in its console, and nothing is loaded."""
    page = browser.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda sent: heard.append(sent.url))
    address = reports[request.param].as_uri()
    page.goto(address)
    yield page
    assert heard == [address]
    page.close()


all_of_them = pytest.mark.parametrize("opened", ["usual", "odd", "none"], indirect=True)


@all_of_them
def test_axe_finds_nothing_serious_in_a_report(opened: Page) -> None:
    opened.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert faults_of(opened) == set()


@all_of_them
def test_a_report_is_no_wider_than_a_phone(opened: Page) -> None:
    opened.set_viewport_size({"width": 320, "height": 640})
    opened.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert opened.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("opened", ["odd"], indirect=True)
def test_what_people_have_written_is_text_in_a_report(opened: Page) -> None:
    assert opened.title() == "Study pilot"
    assert opened.locator("img, script, iframe").count() == 0
    assert opened.locator(".talk p").count() == 14 * 40


@pytest.mark.parametrize("opened", ["usual"], indirect=True)
def test_in_print_the_tables_beside_the_pictures_are_there(opened: Page) -> None:
    table = opened.locator("details table").first
    assert not table.is_visible()
    opened.emulate_media(media="print")
    assert table.is_visible()


@pytest.mark.parametrize("opened", ["usual"], indirect=True)
def test_each_picture_has_a_title_a_description_and_a_table(opened: Page) -> None:
    figures = opened.locator("figure")
    assert figures.count() == 7
    for figure in figures.all():
        picture = figure.get_by_role("img")
        assert (
            picture.locator("> title").text_content() and picture.locator("> desc").text_content()
        )
        assert figure.locator("details table").count() == 1
