"""The files that a page with a chat loads: the element's own, and shinychat's renderer."""

from __future__ import annotations

import functools
import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from htmltools import HTMLDependency, TagList
from shiny import App, ui
from shiny.session import Session
from shinychat import output_markdown_stream

from shiny_labchat.chat.shiny_internals import app_of, loadable

__all__ = [
    "element_dependency",
    "permanent_folders",
    "put_on_page",
    "renderer",
    "renderer_dependencies",
]

NAME = "shiny-labchat"
WWW = Path(__file__).parents[1] / "www"
"""The folder with the files for browsers. In a wheel it has a few joined files only."""


def element_dependency() -> HTMLDependency:
    """The script and the style sheet of the element."""
    return HTMLDependency(
        NAME,
        _version(),
        source={"package": "shiny_labchat", "subdir": WWW.name},
        script=[{"src": "unloaded.js"}, {"src": "labchat.js", "type": "module"}],
        stylesheet={"href": "labchat.css"},
        all_files=True,
    )


def put_on_page(lib_prefix: str) -> TagList:
    """
    What every page has: the element's script and style sheet, and links to the script's modules.

    The links make a browser load all modules at once, not each when another one imports it. There
    are none where the package was installed from a wheel, which has all modules in one file.
    """
    folder = f"{lib_prefix}{NAME}-{_version()}"
    links = [
        ui.tags.link(rel="modulepreload", href=f"{folder}/{path}")
        for path in _files()
        if path.endswith(".js") and path not in ("labchat.js", "unloaded.js")
    ]
    return TagList(element_dependency(), ui.head_content(*links) if links else None)


def permanent_folders() -> list[str]:
    """The folders of files of this package that never change; in a source tree they do."""
    is_source = any("/" in path for path in _files())
    return [] if is_source else [f"{NAME}-{_version()}"]


def renderer(session: Session) -> list[dict[str, Any]]:
    """What the page of a session loads to render markdown."""
    app = app_of(session)
    if app not in _renderers:  # it takes a millisecond, and is the same for all pages of an app
        _renderers[app] = loadable(session, TagList(*renderer_dependencies()))
    return _renderers[app]


def renderer_dependencies() -> list[HTMLDependency]:
    """The files that render markdown; pages load them late, perhaps after the server's restart."""
    return output_markdown_stream("unused").get_dependencies()


@functools.cache
def _files() -> list[str]:
    """The files for browsers, by their paths."""
    return sorted(path.relative_to(WWW).as_posix() for path in WWW.rglob("*") if path.is_file())


@functools.cache
def _version() -> str:
    """The package's version, and a part that is different for other files."""
    digest = hashlib.sha256()
    for path in _files():
        digest.update(f"{path}\0".encode())
        digest.update((WWW / path).read_bytes())
    return f"{version(NAME)}+{digest.hexdigest()[:12]}"


_renderers: WeakKeyDictionary[App, list[dict[str, Any]]] = WeakKeyDictionary()
"""By app, what its pages load to render markdown."""
