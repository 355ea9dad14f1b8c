"""The log of requests, without what stands in addresses: recruiters' ids, links, tokens."""

from __future__ import annotations

import logging
import re

__all__ = ["hide_addresses", "shown"]

LOGGERS = ("uvicorn.access", "uvicorn.error")
"""Where uvicorn logs requests; the second one has those that open a websocket."""

HIDDEN = "***"

_SECRETS = re.compile(r"((?:^|/)(?:labchat/end|session)/|(?:^|/)_w_)[^/]+")
"""The parts of paths that are secrets: of an end, of a Shiny session, and of a worker's address."""


def shown(address: str) -> str:
    """What the log shows of a request's path: no query, and no secret."""
    path = re.split(r"[?#]", address, maxsplit=1)[0]
    return _SECRETS.sub(rf"\g<1>{HIDDEN}", path)


def hide_addresses() -> None:
    """Have uvicorn's log show no queries and no secrets, from now on."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, _Shortened) for each in logger.filters):
            logger.addFilter(_Shortened())


class _Shortened(logging.Filter):
    """Shortens the addresses in records of requests, and keeps all records."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and _is_of_request(record):
            record.args = tuple(_without_address(each) for each in record.args)
        return True


def _is_of_request(record: logging.LogRecord) -> bool:
    return record.name == LOGGERS[0] or "WebSocket %s" in str(record.msg)


def _without_address(value: object) -> object:
    return shown(value) if isinstance(value, str) else value
