"""
Keys of pages: by its key a page shows that it is of this site.

A page fetches its key. A browser lets a page of another site fetch it as well, but not read it.
Keys are signed, and not stored; all servers of a database share the secret that signs them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from shiny_labchat.access.shared_secrets import find_secret, shared_secret
from shiny_labchat.errors import StoreError
from shiny_labchat.store import Log

__all__ = ["LIFETIME", "is_page_key", "page_key"]

LIFETIME = 24 * 3600.0
"""How long a key is valid, in seconds; a page that comes with an older one fetches another."""


async def page_key(logs: Iterable[Log]) -> str:
    """
    Make a key.

    Parameters
    ----------
    logs
        The logs of the labs that this process has open. The first whose database works signs.
    """
    known = await _secrets(logs)
    return _signed(f"{int(time.time())}.{secrets.token_urlsafe(9)}", known[0])


async def is_page_key(logs: Iterable[Log], key: str, now: float | None = None) -> bool:
    """Whether a key is of a server of one of these databases, and not too old; now: in seconds."""
    now = time.time() if now is None else now
    said, _, _ = key.rpartition(".")
    made = said.partition(".")[0]
    if not (made.isascii() and made.isdecimal()) or abs(now - int(made)) > LIFETIME:
        return False
    known = await _secrets(logs)
    return any(hmac.compare_digest(key.encode(), _signed(said, each).encode()) for each in known)


def _signed(said: str, secret: bytes) -> str:
    return f"{said}.{hmac.new(secret, said.encode(), hashlib.sha256).hexdigest()}"


async def _secrets(logs: Iterable[Log]) -> list[bytes]:
    """The secrets of the databases, and last the one of this process, which needs none."""
    found: list[bytes] = []
    for log in logs:
        try:
            if log in _known or log.exists:
                found.append(await _secret_of(log))
        except StoreError:
            continue  # while a database fails, the others or this process sign
    return [*found, _OWN]


async def _secret_of(log: Log) -> bytes:
    if log not in _known:
        found = await log.read(lambda conn: find_secret(conn, _SERVER))
        if found is None:
            found = await log.write(lambda conn, now: shared_secret(conn, _SERVER, now))
        _known[log] = found
    return _known[log]


_SERVER = "secret of the servers"
"""What stands for the secret in the table of tokens, where each has a name."""
_OWN = secrets.token_bytes(32)
_known: WeakKeyDictionary[Log, bytes] = WeakKeyDictionary()
