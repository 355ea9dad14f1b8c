"""The link from a study's last page back to the recruiter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from shiny_labchat.access.ends import EndLink, find_end_link
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.store import Log
from shiny_labchat.words import Words

__all__ = ["END_PATH", "AddressOf", "WordsOf", "end_route"]

END_PATH = "/labchat/end/{token}"

AddressOf = Callable[[Log, EndLink], Awaitable[str | None]]
"""
Gives the address that somebody goes to who has ended, with all its values; None: there is none.

It is called at each click, and must change nothing: link previews click, too.
"""


WordsOf = Callable[[Log | None, str | None], Words]
"""
Gives the words of a study in a lab, or of the lab, if none is named.

For None, those for somebody whose lab is not known yet.
"""


def end_route(
    logs: Callable[[], Iterable[Log]],
    address_of: AddressOf,
    words_of: WordsOf,
) -> Route:
    """
    The route of the links.

    Parameters
    ----------
    logs
        Returns the logs of all labs that this process has open.
    address_of
        Gives the address.
    words_of
        Returns the words of a lab and study, see `WordsOf`.
    """

    async def follow(request: Request) -> Response:
        try:
            address = await _address(logs(), request.path_params["token"], address_of)
        except StoreError as exc:
            return _page(words_of(None, None), exc, 503)
        if address is None:
            return _page(words_of(None, None), Refused("end_link"), 404)
        return _redirect(address)

    return Route(END_PATH, follow, methods=["GET"], name="labchat_end")


async def _address(logs: Iterable[Log], token: str, address_of: AddressOf) -> str | None:
    found = await find_end_link(logs, token)
    return None if found is None else await address_of(*found)


def _redirect(address: str) -> Response:
    response = RedirectResponse("/", 303, _PRIVATE)
    # Not as an argument: Starlette would encode signs that have a meaning in an address.
    response.headers["location"] = address
    return response


def _page(words: Words, error: Refused | StoreError, status: int) -> Response:
    texts = map(escape, (words.language, words["ended.page"], words.refusal(error)))
    return HTMLResponse(_HTML.format(*texts), status, _PRIVATE)


_PRIVATE = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Headers of what is kept nowhere, and tells the next page nothing of this one's address."""

_HTML = """<!DOCTYPE html>
<html lang="{}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{}</title>
</head>
<body><p>{}</p></body>
</html>
"""
