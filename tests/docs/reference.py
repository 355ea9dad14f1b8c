"""
What the reference shows of docstrings; an extension of griffe, which reads them.

Roles such as ``:meth:`Room.post` `` become links, and methods for this package are left out.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import griffe

__all__ = ["MODULES", "PackageReference", "is_for_users"]

PACKAGE = "shiny_labchat"
MODULES = (
    "shiny_labchat",
    "shiny_labchat.bots",
    "shiny_labchat.cli",
    "shiny_labchat.errors",
    "shiny_labchat.export",
    "shiny_labchat.express",
    "shiny_labchat.module",
    "shiny_labchat.playwright",
)
"""The public modules; of a name that several have, the first one is meant."""
ROLE = re.compile(
    r":(?:attr|class|data|func|meth):`(?:(?P<title>[^`<]*?) ?<)?~?(?P<name>[\w.]+)>?`"
)
NOT_FOR_USERS = "for this package"


def is_for_users(thing: object) -> bool:
    """Whether a public thing is not for this package only, as its docstring would say."""
    return NOT_FOR_USERS not in (inspect.getdoc(thing) or "").split("\n")[0]


class PackageReference(griffe.Extension):
    """Makes links of roles, and leaves out what is not for users."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Go through all docstrings, once the whole package is read."""
        if pkg.path != PACKAGE:
            return
        classes = [each for each in _objects(pkg) if isinstance(each, griffe.Class)]
        for cls in classes:
            for name in [name for name, member in cls.members.items() if not _is_shown(member)]:
                del cls.members[name]
        public = dict(_public(pkg))
        for each in _objects(pkg):
            if each.docstring is not None:
                where = each if isinstance(each, griffe.Class) else each.parent
                link = _Link(public, where)
                each.docstring.value = ROLE.sub(link, each.docstring.value)


def _objects(parent: griffe.Object) -> Iterator[griffe.Object]:
    """Something, and all that is written in it."""
    yield parent
    for member in list(parent.members.values()):
        if isinstance(member, griffe.Object):
            yield from _objects(member)


def _is_shown(member: griffe.Object | griffe.Alias) -> bool:
    said = member.docstring if isinstance(member, griffe.Object) else None
    return said is None or NOT_FOR_USERS not in said.lines[0]


def _public(pkg: griffe.Module) -> Iterator[tuple[str, griffe.Object]]:
    """The public things by their paths in the reference."""
    for path in MODULES:
        module = pkg if path == PACKAGE else pkg[path.removeprefix(f"{PACKAGE}.")]
        for name in module.exports or ():
            thing = module.members[str(name)]
            if isinstance(thing, griffe.Alias):
                thing = thing.final_target
            assert isinstance(thing, griffe.Object)
            yield f"{path}.{name}", thing


class _Link:
    """Makes a link of a role in the docstring of `where`."""

    def __init__(
        self, public: Mapping[str, griffe.Object], where: griffe.Object | griffe.Alias | None
    ) -> None:
        self._public = public
        self._where = where

    def __call__(self, role: re.Match[str]) -> str:
        name = role["name"]
        title = role["title"] or (name.rpartition(".")[2] if "~" in role[0] else name)
        path = self._path_of(name)
        return f"`{title}`" if path is None else f"[`{title}`][{path}]"

    def _path_of(self, name: str) -> str | None:
        """The path of a name in the reference; None: it is not there."""
        first, _, rest = name.removeprefix(f"{PACKAGE}.").partition(".")
        for path, thing in self._public.items():
            if path.endswith(f".{first}") and (not rest or rest in thing.all_members):
                return f"{path}.{rest}".rstrip(".")
        for path, thing in self._public.items():
            if isinstance(thing, griffe.Class) and name in thing.all_members:
                if self._where in (thing, *thing.mro()):
                    return f"{path}.{name}"
        return None
