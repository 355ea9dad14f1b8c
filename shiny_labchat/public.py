"""Public names, as `help()` and error messages show them: without the modules inside."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

__all__ = ["publish"]

PACKAGE = __name__.partition(".")[0]


def publish(module: str, names: Sequence[str], things: Mapping[str, object]) -> None:
    """
    Show the public classes and functions of a module as its own.

    A class is shown with the members of its facets as its own: of the classes that it consists of,
    which lie in modules inside the package.

    Parameters
    ----------
    module
        The name of the public module.
    names
        Its public names.
    things
        Its namespace.
    """
    for name in names:
        thing = things[name]
        if not _is_inside(thing):
            continue
        if inspect.isclass(thing):
            for part in filter(_is_inside, thing.__mro__):
                _own_members(thing, part, module)
        elif inspect.isroutine(thing):
            thing.__module__ = module


def _is_inside(thing: object) -> bool:
    """Whether something is written in a module inside a folder of the package."""
    where = (getattr(thing, "__module__", None) or "").split(".")
    return where[0] == PACKAGE and len(where) > 2


def _own_members(cls: type, part: type, module: str) -> None:
    """Show the public members of a class's facet, or of the class itself, as its own."""
    for name, member in list(vars(part).items()):
        if name.startswith("_"):
            continue
        function = member.fget if isinstance(member, property) else member
        function = getattr(function, "__func__", function)  # of a class method
        if inspect.isfunction(function):
            function.__module__ = module
        if name not in vars(cls):
            setattr(cls, name, member)
    part.__module__ = module
