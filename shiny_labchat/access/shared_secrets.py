"""Secrets that all servers of a database share; they are in the table of tokens, by name."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from shiny_labchat.store import Grant, issue, look_up

__all__ = ["find_secret", "shared_secret"]


def find_secret(conn: sa.Connection, name: str) -> bytes | None:
    """The secret of this name; None: nobody has made it yet."""
    grant = look_up(conn, "server", name)
    return None if grant is None else bytes.fromhex(grant.data["secret"])


def shared_secret(conn: sa.Connection, name: str, now: int) -> bytes:
    """The secret of this name; it is made if nobody has made it yet."""
    found = find_secret(conn, name)
    if found is None:
        found = secrets.token_bytes(32)
        issue(conn, "server", Grant("", data={"secret": found.hex()}), now, raw=name)
    return found
