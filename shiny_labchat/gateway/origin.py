"""Whether a page is of this site, as far as the headers of its request say so."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from shiny_labchat.errors import Refused

__all__ = ["Verdict", "check_origin", "judge"]

logger = logging.getLogger("shiny_labchat")

Verdict = Literal["own", "foreign", "unknown"]

DEFAULT_PORTS = {"http": 80, "https": 443}
INNER = (".local", ".localhost", ".internal", ".lan", ".home.arpa")
"""Ends of names by which a proxy, and nobody else, reaches a server."""

_Place = tuple[str, int | None]
"""The name of a host, in small letters, and its port; None: not given."""


def judge(headers: Mapping[str, str], allowed: str = "") -> Verdict:
    """
    Whether a request comes from a page of this site.

    A browser sends its page's origin. It is this site's if it is the requested host (``Host``, or
    ``X-Forwarded-Host`` from a proxy) or in `allowed`.

    Many proxies replace ``Host`` by the name by which they reach the server, or drop its port.
    Then the requested host is not known, and a page of this site looks like any other.

    Parameters
    ----------
    headers
        The request's headers.
    allowed
        Origins of pages that are of this site, too, separated by spaces.
    """
    origin = headers.get("origin")
    if origin is None:
        return "own"  # not a page
    if origin in allowed.split():
        return "own"
    scheme, page = _of_origin(origin)
    if page is None:
        return "foreign"
    forwarded = _listed(headers.get("x-forwarded-host"))
    hosts = [_place(host) for host in (headers.get("host", ""), *forwarded)]
    if any(page == _with_port(host, scheme) for host in hosts):
        return "own"
    is_told = bool(forwarded or allowed)
    is_port_lost = any(host == (page[0], None) for host in hosts)
    if is_port_lost or (not is_told and _is_inner(hosts[0][0])):
        return "unknown"
    return "foreign"


def _of_origin(origin: str) -> tuple[str, _Place | None]:
    try:
        parts = urlsplit(origin)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            return "", None
        return parts.scheme, _with_port((parts.hostname, parts.port), parts.scheme)
    except ValueError:
        return "", None


def _place(host: str) -> _Place:
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname or "", parts.port
    except ValueError:
        return "", None


def _with_port(host: _Place, scheme: str) -> _Place:
    name, port = host
    return name, DEFAULT_PORTS[scheme] if port is None else port


def _is_inner(name: str) -> bool:
    """Whether a name is one by which only a proxy, or this machine's network, reaches a server."""
    try:
        return not ip_address(name).is_global
    except ValueError:
        return "." not in name or name.endswith(INNER)


def _listed(header: str | None) -> list[str]:
    return [part.strip() for part in (header or "").split(",") if part.strip()]


def check_origin(headers: Mapping[str, str]) -> None:
    """
    Refuse a page of another site, as far as that can be told; see `judge`.

    The environment variable ``LABCHAT_ORIGINS`` lists further origins of this site.

    Raises
    ------
    Refused
        ``origin``: the page is of another site.
    """
    verdict = judge(headers, os.environ.get("LABCHAT_ORIGINS", ""))
    if verdict == "own":
        return
    origin = headers.get("origin", "")[:200]
    hosts = (headers.get("host"), *_listed(headers.get("x-forwarded-host")))
    seen = ", ".join(sorted(filter(None, hosts)))[:200] or "none"
    if verdict == "unknown":
        _say_once(origin, seen)
        return
    logger.error(
        "a page of %s may not use this chat server, as its requests come for the host %s. %s; or "
        "start the server with LABCHAT_ORIGINS=%s",
        *(origin, seen, CURE, origin),
    )
    raise Refused("origin", detail="origin.detail", values={"origin": origin})


CURE = (
    "Behind a proxy, let it pass on the header Host (or X-Forwarded-Host) as the browser sent it "
    "(nginx: proxy_set_header Host $http_host)"
)


def _say_once(origin: str, seen: str) -> None:
    if seen in _said:
        return
    if len(_said) < MAX_SAID:
        _said.add(seen)
        logger.warning(
            "whether pages of %s are of this site cannot be told from their requests, as these "
            "come for the host %s; only the keys of pages tell. %s",
            *(origin, seen, CURE),
        )


MAX_SAID = 100
_said: set[str] = set()
