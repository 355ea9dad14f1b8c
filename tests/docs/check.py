"""What a built site must not have: dead links, and resources of other hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

__all__ = ["Page", "dead_links", "foreign_resources", "read_pages"]

HERE = "http://site.test/"
"""Stands for the site's address; none is asked."""
LOADING = {"stylesheet", "icon", "preconnect", "dns-prefetch", "preload", "modulepreload"}


class Page(HTMLParser):
    """The links, resources, styles and anchors of a page of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.resources: list[str] = []
        self.styles: list[str] = []
        self.anchors: set[str] = set()
        self._is_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag refers to."""
        given = {name: value or "" for name, value in attrs}
        self._is_style = tag == "style"
        self.styles.append(given.get("style", ""))
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and LOADING & set(given.get("rel", "").split()):
            self.resources.append(given["href"])
        loaded = (given.get(name, "") for name in ("src", "data", "poster"))
        several = (each.split()[0] for each in given.get("srcset", "").split(",") if each.split())
        self.resources += filter(None, (*loaded, *several))

    def handle_data(self, data: str) -> None:
        """Note the content of a style element."""
        if self._is_style:
            self.styles.append(data)
            self._is_style = False


def read_pages(site: Path) -> dict[str, Page]:
    """The pages of a site by their addresses below its root: "" or such as "rooms/"."""
    return {
        path.relative_to(site).as_posix().removesuffix("index.html"): Page(
            path.read_text(encoding="utf-8")
        )
        for path in sorted(site.rglob("index.html"))
    }


def dead_links(site: Path) -> list[str]:
    """Links and resources within the site that lead to no page, anchor or file."""
    pages = read_pages(site)

    def is_dead(address: str, link: str) -> bool:
        to = urlsplit(urljoin(urljoin(HERE, address), link))
        path = unquote(to.path).lstrip("/")
        if f"{to.scheme}://{to.netloc}/" != HERE:
            return False
        if path and not path.endswith("/"):
            return not (site / path).is_file()
        return path not in pages or bool(to.fragment and to.fragment not in pages[path].anchors)

    return [
        f"{address or 'the first page'}: {link} leads nowhere"
        for address, page in pages.items()
        for link in (*page.links, *page.resources)
        if is_dead(address, link)
    ]


def foreign_resources(site: Path) -> list[str]:
    """What pages and style sheets load from other hosts; links that people click are fine."""
    return [
        f"{address}: {each} is loaded from another host"
        for address, each in _loaded(site)
        if re.match(r"(https?:)?//", each.strip())
    ]


def _loaded(site: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(site.rglob("*.html")):
        page = Page(path.read_text(encoding="utf-8"))
        name = path.relative_to(site).as_posix()
        yield from ((name, each) for each in page.resources)
        yield from ((name, each) for sheet in page.styles for each in _loaded_by(sheet))
    for path in sorted(site.rglob("*.css")):
        sheet = path.read_text(encoding="utf-8")
        yield from ((path.name, each) for each in _loaded_by(sheet))


def _loaded_by(sheet: str) -> list[str]:
    """What a style sheet loads."""
    return [
        *re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet),
        *re.findall(r"@import\s+[\"']([^\"']+)", sheet),
    ]
