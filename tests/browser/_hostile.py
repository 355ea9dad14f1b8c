"""
What hostile markdown is made of, and what may become of it.

The vectors are in ``apps/hostile/``, one a line. ELSEWHERE there is the address of a real server
of another origin, which counts who comes; RUN is a script that leaves a mark; URL stands for any
of the addresses or links.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from itertools import cycle, product
from typing import TypeVar

from tests.browser.conftest import APPS

__all__ = [
    "DRAWN",
    "FIRST",
    "HARMLESS_NOISE",
    "LONG",
    "MORE",
    "TOUCH",
    "WITHIN",
    "batches",
    "corpus",
    "harmful",
    "vectors_of",
]

T = TypeVar("T")

CORPUS = APPS / "hostile"
FIRST = ("loading", "running", "mutating", "posing")
MORE = ("handlers", "namespaces", "styles", "sources", "disguising")
LONG = os.environ.get("LABCHAT_LONG") == "1"
AT_ONCE = 40
WITHIN = 60_000
"""The longest that a batch may take to be drawn on a busy machine, in milliseconds."""
HARMLESS_NOISE = "404|Failed to load|React error #231"
"""Images of this server's that are not there; and React's word for a handler that is a text."""


def vectors_of(kind: str) -> list[str]:
    """Those of one kind, one a line; other lines' ends and rare characters are escaped."""
    text = (CORPUS / f"{kind}.txt").read_text(encoding="utf-8")
    return [_unescaped(line) for line in text.split("\n") if line]


def _unescaped(line: str) -> str:
    return re.sub(r"\\(u[0-9a-f]{4}|[nt\\])", lambda m: json.loads(f'"{m[0]}"'), line)


def _filled(carriers: str, addresses: str) -> list[str]:
    """Each address in a carrier; in a long run, each in each."""
    some, all_addresses = vectors_of(carriers), vectors_of(addresses)
    pairs = product(some, all_addresses) if LONG else zip(cycle(some), all_addresses, strict=False)
    return [carrier.replace("URL", address) for carrier, address in pairs]


def _deep(tag: str) -> str:
    return f"<{tag}>" * 400 + "<img src=x onerror=RUN><img src=ELSEWHERE/305>"


def corpus(host: str, *, has_more: bool = True) -> list[str]:
    """All vectors, once each; or those of the first kinds."""
    kinds = [vectors_of(kind) for kind in (*FIRST, *(MORE if has_more else ()))]
    kinds += [_filled("carriers", "addresses"), _filled("linkers", "links")]
    kinds.append([_deep(tag) for tag in ("div", "b", "svg", "table", "font", "select")])
    words = {"ELSEWHERE": f"http://{host}", "HOST": host, "RUN": "window.hacked=1"}
    found = (re.sub("ELSEWHERE|HOST|RUN", lambda m: words[m[0]], v) for kind in kinds for v in kind)
    return list(dict.fromkeys(found))


DRAWN = """messages => messages.map((message) => {
  const drawn = message.querySelector(".labchat-markdown");
  const all = drawn ? [...drawn.querySelectorAll("*")] : [];
  return all.flatMap((element) => [
    element.namespaceURI.endsWith("/xhtml") ? "" : `namespace ${element.namespaceURI}`,
    `<${element.localName}>`,
    ...[...element.attributes].map(({ name, value }) => `${element.localName} ${name}=${value}`),
  ]).filter(Boolean);
})"""
"""What was drawn of each message: its elements and their attributes."""

ELEMENTS = set(
    "a abbr b bdi bdo blockquote br button caption code dd del details div dl dt em h1 h2 h3 h4 h5 "
    "h6 hr i img input ins kbd li mark ol p pre q rp rt ruby s samp section small span strong sub "
    "summary sup table tbody td tfoot th thead tr u ul var wbr".split()
)
ATTRIBUTES = re.compile(
    r"""
    a\ (href=(https?:|mailto:|tel:)\S*|target=_blank|rel=noopener\ noreferrer)
    | a\ (href=\#|data-place=)PLACE | \S+\ id=PLACE   # inside the same message
    | img\ (src=(OWN|data:image/(png|jpe?g|gif|webp);|blob:).*|alt=.*|referrerpolicy=no-referrer)
    | input\ (type=checkbox|disabled=|checked=)
    | button\ (type=button|class=labchat-copy)   # ours, beside code
    | \S+\ (title|lang|dir|open|start|reversed|colspan|rowspan|scope|data-suggestion|
            data-suggestion-submit)=.*
    | \S+\ (role|tabindex|aria-label)=.*         # ours, on suggestions, tasks and footnotes
    | \S+\ class=[\w+\ -]*
    | \S+\ style=text-align:\ (left|right|center);
    """.replace("PLACE", r"labchat-place-\d+-\d+"),
    re.VERBOSE | re.DOTALL,
)
"""All that may be in a drawn message; nothing that runs or loads is."""
FOREIGN_CLASSES = re.compile(
    r"class=.*\b(labchat-(?!copy)|shiny-|modal|html-widget|action-button|fixed|position|sticky|"
    r"stretched-link|visually-hidden|invisible|opacity|overlay|collapse|d-none|[vw][hw]?-)"
)
TOUCH = """log => {
  const kinds = ["click", "mouseover", "pointerenter", "focus", "toggle", "animationstart", "load"];
  for (const element of log.querySelectorAll(".labchat-markdown *:not(a, a *, button, .suggestion"))
    for (const kind of kinds) element.dispatchEvent(new Event(kind));
}""".replace('.suggestion")', '.suggestion)")')


def harmful(drawn: Iterable[str], own: str) -> list[str]:
    """What of it may not be there."""
    allowed = re.compile(ATTRIBUTES.pattern.replace("OWN", re.escape(own)), ATTRIBUTES.flags)
    wrong: list[str] = []
    for found in drawn:
        if found.startswith("<"):
            fine = found[1:-1] in ELEMENTS
        else:
            fine = allowed.fullmatch(found) is not None and not FOREIGN_CLASSES.search(found)
        if not fine:
            wrong.append(found)
    return wrong


def batches(all: list[T]) -> list[list[T]]:
    """So many at once as a page is shown together."""
    return [all[start : start + AT_ONCE] for start in range(0, len(all), AT_ONCE)]
