"""
The wheel's build: the page's modules become one file, and its style sheets another.

In a source tree browsers load the files as they are, so nothing has to be built to change them.
"""

from __future__ import annotations

import re
import tempfile
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WWW = "shiny_labchat/www"
IMPORT = re.compile(r'^import (?:(?P<names>\{[^}]*\}) from )?"(?P<path>[^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(
    r"^export (?=(?:(?:async )?function\*?|class|const) (?P<name>\w+))", re.MULTILINE
)
OTHER = re.compile(r"^\s*(import\b(?!\()|export\b).*", re.MULTILINE)
ADDRESS = re.compile(r"url\((?![\"']?(data:|#)).*")
STYLE = re.compile(r'^@import "(?P<path>[^"]+)";\n', re.MULTILINE)


class JoinedPage(BuildHookInterface[Any]):
    """Puts the joined files into the wheel in the place of those that they are made of."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the joined files; an editable installation uses the source tree."""
        if version == "editable":
            return
        www = Path(self.root) / WWW
        self._folder = tempfile.TemporaryDirectory(prefix="labchat-page-")
        for name, text in joined_page(www).items():
            made = Path(self._folder.name) / name
            made.write_text(text, encoding="utf-8", newline="\n")
            build_data["force_include"][str(made)] = f"{WWW}/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made."""
        if version != "editable":
            self._folder.cleanup()


def joined_page(www: Path) -> dict[str, str]:
    """The files that a browser needs of a wheel, by their names."""
    return {
        "labchat.js": joined_modules(www, "labchat.js"),
        "labchat.css": joined_styles(www, "labchat.css"),
        "unloaded.js": (www / "unloaded.js").read_text(encoding="utf-8"),
    }


def joined_modules(www: Path, top: str) -> str:
    """
    One module that does what a module and all that it imports do.

    Each is a function, which is called once and returns what the module exports.

    Raises
    ------
    ValueError
        A module imports or exports in a way that this cannot join.
    """
    sources: dict[str, str] = {}
    imports: dict[str, list[str]] = {}
    waiting = [top]
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name] = (www / name).read_text(encoding="utf-8")
            paths = (match["path"] for match in IMPORT.finditer(sources[name]))
            imports[name] = [_resolved(www, name, path) for path in paths]
            waiting += imports[name]
    order = TopologicalSorter(imports).static_order()
    return "\n".join(_as_function(www, name, sources[name]) for name in order)


def _as_function(www: Path, name: str, source: str) -> str:
    """A module as a constant that has what it exports."""

    def imported(match: re.Match[str]) -> str:
        if match["names"] is None:
            return ""  # it has run already
        names = re.sub(r"\b(\w+) as (\w+)\b", r"\1: \2", match["names"])
        return f"const {names} = {_constant(_resolved(www, name, match['path']))};\n"

    exported = [match["name"] for match in EXPORT.finditer(source)]
    body = EXPORT.sub("", IMPORT.sub(imported, source))
    if other := OTHER.search(body):
        raise ValueError(f"{name} cannot be joined: {other[0].strip()}")
    returned = f"return {{ {', '.join(exported)} }};\n" if exported else ""
    return f"const {_constant(name)} = (() => {{\n{body}{returned}}})();\n"


def joined_styles(www: Path, top: str) -> str:
    """
    One style sheet with all that it imports, in the order in which they hold.

    Raises
    ------
    ValueError
        A style sheet names another file.
    """

    def imported(match: re.Match[str]) -> str:
        return joined_styles(www, _resolved(www, top, match["path"]))

    source = (www / top).read_text(encoding="utf-8")
    if other := ADDRESS.search(source):
        raise ValueError(f"{top} cannot be joined: {other[0]}")
    return STYLE.sub(imported, source)


def _resolved(www: Path, name: str, path: str) -> str:
    """The file that another one means by a path, by its own path in the folder."""
    return (www / name).parent.joinpath(path).resolve().relative_to(www.resolve()).as_posix()


def _constant(name: str) -> str:
    return "M_" + re.sub(r"\W", "_", name.removesuffix(".js"))
