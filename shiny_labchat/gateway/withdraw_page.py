"""
The page on which people withdraw after their part in a study has ended, with the code of its end.

Looking at it changes nothing: a preview of the link does nothing. Only the form, sent from the page
itself, with a code that was given, has data deleted.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from html import escape
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from shiny_labchat.access.receipts import Receipt, find_receipt
from shiny_labchat.errors import LabChatError, Refused
from shiny_labchat.gateway.end_link import WordsOf
from shiny_labchat.gateway.limits import Allowance, EachAddress
from shiny_labchat.gateway.origin import check_origin
from shiny_labchat.store import Log
from shiny_labchat.words import Words

__all__ = ["WITHDRAW_PATH", "WRONG_CODES", "WithdrawWithCode", "withdraw_route"]

logger = logging.getLogger("shiny_labchat")

WITHDRAW_PATH = "/labchat/withdraw"
WRONG_CODES = Allowance(burst=20, rate=1 / 30)
"""Wrong codes from one address; a whole class may mistype theirs."""
MAX_BODY = 2_000
"""Longest form that is read, in bytes."""

WithdrawWithCode = Callable[[Log, Receipt], Awaitable[bool]]
"""Withdraws somebody; returns whether they had not withdrawn before."""


class _WithdrawPage:
    """
    Answers the requests for the page.

    Parameters
    ----------
    logs
        Returns the logs of all labs that this process has open.
    withdraw
        Withdraws somebody.
    words_of
        Returns the words of a lab and study, see `WordsOf`.
    wrong_codes
        Wrong codes that may come from one address.
    """

    def __init__(
        self,
        logs: Callable[[], Iterable[Log]],
        withdraw: WithdrawWithCode,
        words_of: WordsOf,
        wrong_codes: Allowance,
    ) -> None:
        self._logs = logs
        self._withdraw = withdraw
        self._words_of = words_of
        self._wrong = EachAddress(wrong_codes)

    async def answer(self, request: Request) -> Response:
        """The page; for a form that was sent, what has become of it."""
        words = self._words_of(None, None)
        if request.method != "POST":
            return _form(words)
        address = request.client.host if request.client else ""
        try:
            _check_is_own(request)
            found = await find_receipt(self._logs(), await _code_in(request))
            if found is None:
                return self._refuse(address, words)
            words = self._words_of(found[0], found[1].study)
            is_new = await self._withdraw(*found)
        except Refused as exc:
            return _form(words, words.refusal(exc), 403)
        except (LabChatError, OSError) as exc:
            logger.error("somebody could not withdraw with their code: %s", exc)
            return _form(words, words["withdraw.failed"], 503)
        return _done(words, is_new)

    def _refuse(self, address: str, words: Words) -> Response:
        """What is said of a wrong code; only these are counted, so a right one is always taken."""
        now = time.monotonic()
        if not self._wrong.may(address, now):
            return _form(words, words["withdraw.too_often"], 429)
        self._wrong.take(address, now)
        return _form(words, words["withdraw.wrong"], 404)


def withdraw_route(
    logs: Callable[[], Iterable[Log]],
    withdraw: WithdrawWithCode,
    words_of: WordsOf,
    wrong_codes: Allowance = WRONG_CODES,
) -> Route:
    """The route of the page; see `_WithdrawPage`."""
    page = _WithdrawPage(logs, withdraw, words_of, wrong_codes)
    return Route(WITHDRAW_PATH, page.answer, methods=["GET", "POST"], name="labchat_withdraw")


def _check_is_own(request: Request) -> None:
    """Refuse a form that another site's page has sent."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused("origin")
    check_origin(request.headers)


async def _code_in(request: Request) -> str:
    """The code in a form; "": there is none."""
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY:
                return ""
    except ClientDisconnect:
        return ""
    return parse_qs(body.decode("utf-8", "replace")).get("code", [""])[0]


# ── what is shown ────────────────────────────────────────────────────────────────────────────


def _form(words: Words, wrong: str = "", status: int = 200) -> Response:
    """The page with its form, and what was wrong with the last one."""
    error = f'<p class="wrong" id="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    about = 'aria-describedby="wrong" aria-invalid="true"' if wrong else ""
    texts = {key: escape(words[f"withdraw.{key}"]) for key in ("text", "label", "button", "final")}
    body = _FORM.format(error=error, about=about, limits=escape(words["stop.limits"]), **texts)
    return _page(words, words["withdraw.title"], body, status)


def _done(words: Words, is_new: bool) -> Response:
    said = words["withdraw.done" if is_new else "withdraw.earlier"], words["stop.limits"]
    body = "".join(f"<p>{escape(line)}</p>" for line in said)
    return _page(words, words["withdraw.done_title"], body, 200)


def _page(words: Words, title: str, body: str, status: int) -> Response:
    fields = {"language": escape(words.language), "title": escape(title)}
    html = _HTML.format(style=_STYLE, body=body, **fields)
    return HTMLResponse(html, status, _PRIVATE)


_FORM = """<p>{text}</p>
<form method="post">
<label for="code">{label}</label>
<input id="code" name="code" required maxlength="60" autocomplete="off" autocapitalize="characters"
 autocorrect="off" spellcheck="false" {about}>
{error}
<p>{final} {limits}</p>
<button>{button}</button>
</form>"""

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 36rem; margin: 0 auto; padding: 2rem 1rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; }
label { display: block; margin-bottom: .25rem; font-weight: 600; }
input, button { box-sizing: border-box; width: 100%; min-height: 3rem; padding: .5rem .75rem;
  border: 1px solid; border-radius: .5rem; font: inherit; }
input { font-family: ui-monospace, monospace; text-transform: uppercase; }
button { border-color: #b02a37; background: #b02a37; color: #fff; font-weight: 600; }
:focus-visible { outline: 3px solid #3d8bfd; outline-offset: 2px; }
.wrong { color: light-dark(#a01525, #ff9aa5); font-weight: 600; }
"""

_HTML = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style>
</head>
<body><main><h1>{title}</h1>
{body}
</main></body>
</html>
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PRIVATE = {
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Headers of a page that is kept nowhere, loads nothing, and is in no page of another site."""
