"""Commands for the messages that an app appends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from htmltools import HTML, Tag, TagList

from shiny_labchat.chat.content import Content, as_html
from shiny_labchat.domain import commands
from shiny_labchat.domain.members import Member, as_member_id

__all__ = ["ME", "Audience", "Icon", "in_name_of", "needs_me", "post_of"]

Icon = HTML | Tag | TagList | str | None
Audience = Literal["me"] | Iterable[str | Member] | None

ME = "\0me"
"""Stands for this session's person until their id is known; no member can have this id."""


def post_of(
    content: Content,
    icon: Icon = None,
    author: str | Member | None = None,
    audience: Audience = None,
    id: str | None = None,
) -> commands.Post:
    """The command that appends some content; see `Chat.append_message` for the arguments."""
    member = author.id if isinstance(author, Member) else None
    if member is None and content.role == "user":
        member = ME
    return commands.Post(
        parts=content.parts,
        role=content.role if member is None else "user",
        member=member,
        name=author if isinstance(author, str) else None,
        icon=as_html(icon),
        deps=content.deps,
        audience=_audience(audience),
        cid=id,
    )


def needs_me(command: commands.Post) -> bool:
    """Whether a command needs the id of this session's person."""
    return ME in (command.member, command.by, *(command.audience or ()))


def in_name_of(command: commands.Post, me: str) -> commands.Post:
    """A command with the person's id in the place of `ME`."""
    audience = command.audience and [me if m == ME else m for m in command.audience]
    member = me if command.member == ME else command.member
    return replace(command, member=member, audience=audience, by=command.by and me)


def _audience(audience: Audience) -> list[str] | None:
    if audience is None:
        return None
    if audience == "me":
        return [ME]
    if isinstance(audience, str):
        raise ValueError(f'audience must be "me" or a list of members, not {audience!r}')
    return [as_member_id(member) for member in audience]
