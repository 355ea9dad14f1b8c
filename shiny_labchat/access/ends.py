"""Links to ends: random tokens, so that no id and no address of a recruiter stands in a page."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.access.shared_secrets import shared_secret
from shiny_labchat.domain.ends import check_reason
from shiny_labchat.errors import StoreError
from shiny_labchat.store import Grant, Log, is_revoked, look_up, reissue

__all__ = ["EndLink", "end_token", "find_end_link"]


class EndLink(NamedTuple):
    """Who has ended, in which study, and why."""

    study: str
    person: str
    reason: str


async def end_token(log: Log, link: EndLink) -> str:
    """
    Make the token of a link that takes somebody to where people go for this reason.

    It is the same each time, so that a page which is loaded again and again stores one.
    """
    check_reason("the end", link.reason)
    grant = Grant(link.person, study=link.study, data={"reason": link.reason})

    def make(conn: sa.Connection, now: int) -> str:
        raw = _token(shared_secret(conn, _SECRET, now), link)
        if look_up(conn, "end", raw) is None and not is_revoked(conn, "end", raw):
            reissue(conn, "end", grant, now, raw=raw)
        return raw

    return await log.write(make)


def _token(secret: bytes, link: EndLink) -> str:
    return hmac.new(secret, json.dumps(link).encode(), hashlib.sha256).hexdigest()


_SECRET = "secret of the ends"
"""What stands for the secret of the links in the table of tokens."""


async def find_end_link(logs: Iterable[Log], token: str) -> tuple[Log, EndLink] | None:
    """
    Whom a token stands for, and in which lab; None: no lab has made it.

    It only reads: a preview of a link that fetches it changes nothing.

    Raises
    ------
    StoreError
        No database knows the token, and one of them could not be read.
    """
    trouble: StoreError | None = None
    for log in logs:
        try:
            grant = await log.read(lambda conn: look_up(conn, "end", token)) if log.exists else None
        except StoreError as exc:
            trouble = exc  # another lab's database may work
            continue
        if grant is not None and grant.study is not None and "reason" in grant.data:
            return log, EndLink(grant.study, grant.member, grant.data["reason"])
    if trouble is not None:
        raise trouble
    return None
