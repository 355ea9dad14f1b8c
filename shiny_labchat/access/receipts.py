"""
Codes with which people withdraw after their part in a study has ended.

A code says nothing of its person. It is made with a secret of the database, so that it is the same
however often the last page is loaded; the database has only its sha256.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.access.shared_secrets import shared_secret
from shiny_labchat.errors import StoreError
from shiny_labchat.store import Grant, Log, issue, look_up

__all__ = ["CODE_LENGTH", "Receipt", "find_receipt", "receipt_code"]

CODE_LENGTH = 20
"""Letters and digits of a code: 100 bits, which nobody can guess."""
GROUP = 5
"""So many of them stand together."""


class Receipt(NamedTuple):
    """Who may withdraw with a code, and from which study."""

    study: str
    person: str


async def receipt_code(log: Log, receipt: Receipt) -> str:
    """The code of somebody who has ended, as they are shown it; it is stored the first time."""
    grant = Grant(receipt.person, study=receipt.study)

    def make(conn: sa.Connection, now: int) -> str:
        raw = _code(shared_secret(conn, _SECRET, now), receipt)
        if look_up(conn, "receipt", raw) is None:
            issue(conn, "receipt", grant, now, raw=raw)
        return raw

    raw = await log.write(make)
    return "-".join(raw[start : start + GROUP] for start in range(0, CODE_LENGTH, GROUP))


def _code(secret: bytes, receipt: Receipt) -> str:
    digest = hmac.new(secret, json.dumps(receipt).encode(), hashlib.sha256).digest()
    number = int.from_bytes(digest)
    return "".join(_SIGNS[(number >> 5 * n) & 31] for n in range(CODE_LENGTH))


_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no sign looks like another one."""
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SECRET = "secret of the receipts"
"""What stands for the secret of the codes in the table of tokens."""


def _as_made(code: str) -> str:
    """A code as it was made: however it is typed, spaces and dashes do not count."""
    return "".join(filter(str.isalnum, code)).upper().translate(_MISREAD)


async def find_receipt(logs: Iterable[Log], code: str) -> tuple[Log, Receipt] | None:
    """
    Who has been given a code, and in which lab; None: nobody.

    It only reads. Somebody who has withdrawn since is found by their new id.

    Raises
    ------
    StoreError
        No database knows the code, and one of them could not be read.
    """
    raw, trouble = _as_made(code), None
    if len(raw) != CODE_LENGTH:
        return None
    for log in logs:
        try:
            found = (
                await log.read(lambda conn: look_up(conn, "receipt", raw)) if log.exists else None
            )
        except StoreError as exc:
            trouble = exc  # another lab's database may work
            continue
        if found is not None and found.study is not None:
            return log, Receipt(found.study, found.member)
    if trouble is not None:
        raise trouble
    return None
