"""Arguments as people give them, checked: ids, roles, pseudonyms, and the app's folder."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import cast

from shiny_labchat._domain import ROLES, Role
from shiny_labchat._pseudonyms import Pseudonym
from shiny_labchat._records import Member
from shiny_labchat.arguments import as_id

__all__ = ["app_folder", "as_member_id", "as_roles", "resolve_pseudonym"]


def resolve_pseudonym(pseudonym: Pseudonym, member: str) -> str | None:
    """The text or template of a pseudonym that may be a function."""
    if callable(pseudonym):
        pseudonym = pseudonym(member)
    if pseudonym is not None and not isinstance(cast(object, pseudonym), str):
        raise TypeError(f"pseudonym must be text, not {type(pseudonym).__name__}")
    return pseudonym


def as_member_id(member: str | Member) -> str:
    """The id of a member given as one or the other."""
    return as_id("member", member.id if isinstance(member, Member) else member)


def as_roles(role: Role | Sequence[Role] | None) -> tuple[Role, ...] | None:
    """Roles given as one or several; None: none were given."""
    if role is None:
        return None
    roles = (role,) if isinstance(role, str) else tuple(role)
    for each in roles:
        if each not in ROLES:
            raise ValueError(f"role must be one of {', '.join(ROLES)}; not {each!r}")
    return cast("tuple[Role, ...]", roles)


def app_folder() -> Path:
    """The folder of the app that calls: of the first code outside installed packages."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_absolute() and path.is_file() and not _is_library(path):
            return path.parent
        frame = frame.f_back
    return Path.cwd()


def _is_library(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _LIBRARIES)


_LIBRARIES = tuple(
    {
        Path(__file__).parent,
        *(Path(sysconfig.get_path(p)) for p in ("stdlib", "purelib", "platlib")),
    }
)
