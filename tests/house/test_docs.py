"""The documentation site is built strictly, is whole, and loads nothing from elsewhere."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from shiny_labchat.errors import SENTENCES
from shiny_labchat.store.schema import metadata
from shiny_labchat.words import CATALOGUE
from tests.docs.build import BuildError, build, first_sentence, llms_txt, pages, title
from tests.docs.check import Page, dead_links, foreign_resources, read_pages
from tests.docs.reference import MODULES, is_for_users

from .blocks import blocks
from .code import PACKAGE, ROOT

DOCS = ROOT / "docs"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


@pytest.fixture(scope="session")
def html(site: Path) -> dict[str, Page]:
    return read_pages(site)


def test_every_page_is_in_the_navigation_and_on_the_site(site: Path) -> None:
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert set(pages()) == written
    assert set(read_pages(site)) == {_address(name) for name in written}


def _address(name: str) -> str:
    return "" if name == "index.md" else f"{name.removesuffix('.md')}/"


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_another_host(site: Path) -> None:
    assert sum(len(page.links) for page in read_pages(site).values()) > 500
    assert dead_links(site) == [] and foreign_resources(site) == []


DEAD = ("gone.png", "../gone/", "#gone", "inner/#gone", "/gone.css")
ALIVE = ("here.png", "inner/", "#top", "inner/#top", "https://example.org/gone")


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "index.html").write_text("<h1 id=top>Inner</h1><a href='../'>up</a>")
    (tmp_path / "here.png").touch()
    links = "".join(f"<a href='{link}'>x</a>" for link in (*DEAD[1:], *ALIVE))
    (tmp_path / "index.html").write_text(f"<h1 id=top>Top</h1><img src='{DEAD[0]}'>{links}")
    found = dead_links(tmp_path)
    assert len(found) == len(DEAD) and all(any(link in line for line in found) for link in DEAD)


FOREIGN = (
    "<script src='https://cdn.test/a.js'></script>",
    "<link rel='preconnect stylesheet' href='//fonts.test/css'>",
    "<img src='http://pictures.test/a.png'>",
    "<img srcset='a.png 1x, https://pictures.test/b.png 2x'>",
    "<p style='background: url(https://pictures.test/c.png)'></p>",
    "<style>@import 'https://fonts.test/d.css';</style>",
    "<iframe src='https://frames.test/'></iframe>",
)


@pytest.mark.parametrize("html", FOREIGN)
def test_a_resource_of_another_host_is_found(html: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(f"<a href='https://example.org/'>a link</a>{html}")
    assert len(foreign_resources(tmp_path)) == 1


def test_a_style_sheet_that_loads_a_font_from_another_host_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url('https://fonts.test/a.woff2') }")
    assert len(foreign_resources(tmp_path)) == 1


def test_llms_txt_lists_every_page_with_its_title_and_first_sentence(site: Path) -> None:
    said = (site / "llms.txt").read_text(encoding="utf-8")
    assert said == llms_txt() and said.startswith("# shiny_labchat\n\n> ")
    for name, page in pages().items():
        assert f"[{title(page)}]({_address(name) or './'}): {first_sentence(page)}" in said
        assert 20 < len(first_sentence(page)) < 200


LISTS = ("architecture", "limits", "performance", "problems", "reference-", "shinychat", "testing")
"""Pages that are read by looking something up."""


def test_a_guide_begins_with_what_it_is_for_and_an_example() -> None:
    guides = {name: page for name, page in pages().items() if not name.startswith(LISTS)}
    assert len(guides) > 10
    assert [name for name, page in guides.items() if "```" not in page.partition("\n## ")[0]] == []


def test_a_dead_link_in_a_page_fails_the_build_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    config = '[project]\nsite_name = "A site"\nnav = [{ Page = "index.md" }]\n'
    (tmp_path / "zensical.toml").write_text(config)
    links = "[gone](gone.md) and [gone](#gone)"
    (tmp_path / "docs" / "index.md").write_text(f"# A page\n\nIt has two links: {links}.\n")
    with pytest.raises(BuildError, match=r"page does not exist(.|\n)*anchor does not exist"):
        build(tmp_path / "site", tmp_path)


# ── the reference ────────────────────────────────────────────────────────────────────────────

PUBLIC = [(module, name) for module in map(import_module, MODULES) for name in module.__all__]


def _paths(module: ModuleType, name: str) -> list[str]:
    """All paths of a public thing: some modules have it from another one."""
    thing = getattr(module, name)
    return [
        f"{other.__name__}.{name}"
        for other, its in PUBLIC
        if its == name and getattr(other, name) is thing
    ]


def _members(thing: object) -> list[str]:
    """The methods and properties of a class that are for users."""
    members = inspect.getmembers(thing) if inspect.isclass(thing) else []
    return [name for name, value in members if not name.startswith("_") and _is_for_users(value)]


def _is_for_users(value: object) -> bool:
    function = value.fget if isinstance(value, property) else value
    where = getattr(function, "__module__", None) or ""
    name = getattr(function, "__name__", "_")
    is_ours = inspect.isroutine(function) and "shiny_labchat" in where
    return is_ours and name[0] != "_" and is_for_users(function)


@pytest.mark.parametrize(
    ("module", "name"), PUBLIC, ids=lambda each: getattr(each, "__name__", each)
)
def test_every_public_name_stands_in_the_reference_with_an_example(
    module: ModuleType, name: str, html: dict[str, Page]
) -> None:
    [(path, address)] = [
        (path, address)
        for path in _paths(module, name)
        for address, page in html.items()
        if path in page.anchors
    ]
    examples = "".join(block.code for block in blocks() if f"{block.page.stem}/" == address)
    assert re.search(rf"\b{name}\b", examples), f"no example on the page {address}"
    anchors = html[address].anchors
    missing = [
        member
        for member in _members(getattr(module, name))
        if not {f"{path}.{member}", *_inherited(path, member)} & anchors
    ]
    assert missing == []


def _inherited(path: str, member: str) -> set[str]:
    """The places of a member that a class has from a public class."""
    return {f"shiny_labchat.Chat.{member}"} if path == "shiny_labchat.express.Chat" else set()


def test_every_method_stands_in_an_example_that_runs() -> None:
    examples = "".join(block.code for block in blocks())
    classes = [getattr(module, name) for module, name in PUBLIC]
    members = {each: getattr(thing, each) for thing in classes for each in _members(thing)}
    assert len(members) > 60
    missing = [
        name
        for name, member in members.items()
        if not re.search(rf"\.{name}\b", examples) and "Deprecated" not in (member.__doc__ or "")
    ]
    assert missing == []


# ── what must be on a page ───────────────────────────────────────────────────────────────────


def _rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the tables under a heading, without their heads."""
    text = (DOCS / page).read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1]
    lines = [line for line in text.split("\n## ", 1)[0].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if not set(row[0]) <= {"-", ":"}]


def test_every_sentence_of_a_refusal_is_explained() -> None:
    rows = {
        row[1].strip("`"): row for row in _rows("problems.md", "What a page says") if len(row) == 4
    }
    del rows["code"]  # the head
    assert {code: row[0] for code, row in rows.items()} == SENTENCES
    assert all(row[2] and row[3] for row in rows.values())


def test_every_table_and_every_kind_of_event_is_described() -> None:
    rows = _rows("data.md", "With SQL")
    names = {name.strip("` ") for row in rows for name in row[0].split(",")}
    sources = [path.read_text(encoding="utf-8") for path in (PACKAGE / "domain").rglob("*.py")]
    made = r'(?:new_event\(state, at, |steps\.add\(|decided\.add\(key, )"(\w+)"'
    kinds = set(re.findall(made, "".join(sources)))
    assert len(kinds) > 10
    assert names == {*metadata.tables, *kinds, "table", "kind"}


def test_every_metric_is_described_with_its_unit() -> None:
    rows = _rows("operations.md", "What it counts")[1:]
    made = r'"(labchat\.[a-z_.]+)",\s*(?:\[observe\], )?"([^"]+)"'
    source = (PACKAGE / "metrics.py").read_text(encoding="utf-8")
    metrics = {name: unit for name, unit in re.findall(made, source)}
    assert len(metrics) > 5
    assert {row[0].strip("`"): row[2] for row in rows} == metrics


SCREENS = ("In a chat", "Refusals", "Before and around a chat", "The end")
"""The parts of the list of words."""


def test_every_word_is_listed_with_its_key_in_both_languages() -> None:
    rows = [row for screen in SCREENS for row in _rows("words.md", screen) if row[0] != "key"]
    words = [(f"`{key}`", text, CATALOGUE["de"][key]) for key, text in CATALOGUE["en"].items()]
    listed, wanted = (Counter(f"| {' | '.join(row)} |" for row in each) for each in (rows, words))
    assert (list(wanted - listed), list(listed - wanted)) == ([], [])


def test_every_property_of_the_style_sheet_is_described() -> None:
    listed = {row[0].strip("`") for row in _rows("layout.md", "Colours and sizes")[1:]}
    sources = [*(PACKAGE / "www").glob("*.css"), *(PACKAGE / "www").rglob("styles/*.css")]
    sources += (PACKAGE / "www").rglob("people/*.js")
    used = {
        name
        for path in sources
        for name in re.findall(r"--labchat-[a-z-]+", path.read_text(encoding="utf-8"))
    }
    assert listed == used and len(used) > 10
