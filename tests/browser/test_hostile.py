"""
Whatever a model's markdown holds: nothing runs, nothing is loaded from elsewhere, nothing poses.

The corpus is in ``apps/hostile/``. ELSEWHERE there is the address of a real server of another
origin, which counts who comes; RUN is a script that leaves a mark; URL stands for any of the
addresses or links. The same corpus, written by a participant, is text.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import cycle, product

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, Request, expect

from shiny_labchat.domain.decide import check_text
from shiny_labchat.errors import Refused
from tests.browser._organiser import Organiser
from tests.browser._people import Person
from tests.browser.conftest import APPS, Noise, People, Serve

CORPUS = APPS / "hostile"
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


def corpus(host: str) -> list[str]:
    """All vectors, once each."""
    kinds = [vectors_of(kind) for kind in ("loading", "running", "mutating", "posing")]
    kinds += [_filled("carriers", "addresses"), _filled("linkers", "links")]
    kinds.append([_deep(tag) for tag in ("div", "b", "svg", "table", "font", "select")])
    words = {"ELSEWHERE": f"http://{host}", "HOST": host, "RUN": "window.hacked=1"}
    found = (re.sub("ELSEWHERE|HOST|RUN", lambda m: words[m[0]], v) for kind in kinds for v in kind)
    return list(dict.fromkeys(found))


# ── who watches ──────────────────────────────────────────────────────────────────────────────


class Elsewhere(socketserver.ThreadingTCPServer):
    """A server of another origin, which keeps what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        super().__init__(("127.0.0.1", 0), None)  # pyright: ignore[reportArgumentType]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def finish_request(self, request: object, client_address: object) -> None:
        """Preconnections count as well, so what they ask need not be waited for."""
        self.asked.append(repr(client_address).encode())


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as server:
        yield server
        server.shutdown()


class Witness:
    """Notes all that a page asks for, says, opens, and goes to."""

    def __init__(self, person: Person, own: str) -> None:
        self.page: Page = person.page
        self.context: BrowserContext = person.page.context
        self.strange: list[str] = []
        self._own = own
        self._where = self.page.url
        self.context.on("request", self._request)
        self.context.on("page", self._opened)
        self.page.on("websocket", lambda socket: self._address(socket.url))
        self.page.on("dialog", self._dialog)
        self.page.on("download", lambda download: self.strange.append(f"loaded {download.url}"))

    def close(self) -> None:
        """Look away: the context is others' too."""
        self.context.remove_listener("request", self._request)
        self.context.remove_listener("page", self._opened)

    def _opened(self, page: Page) -> None:
        self.strange.append(f"opened {page.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self.strange.append(f"was asked {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        self._address(request.url)
        if request.is_navigation_request() and request.frame.parent_frame is None:
            self.strange.append(f"went to {request.url}")

    def _address(self, url: str) -> None:
        plain = re.sub("^ws", "http", url)
        if not plain.startswith((self._own, "data:", "blob:")):
            self.strange.append(f"asked for {url[:200]}")

    def sees_nothing(self) -> None:
        assert self.strange == []
        assert self.page.evaluate("window.hacked") is None
        assert self.page.url == self._where
        assert self.page.title() == "Hostile"
        assert len(self.page.frames) == 1
        assert self.page.evaluate("document.cookie").count("hacked") == 0

    def would_have_seen(self, elsewhere: Elsewhere) -> None:
        """The watch itself works: what a script of the page's own loads is noticed."""
        with self.page.expect_event("requestfailed"):
            self.page.evaluate("url => { new Image().src = url }", f"http://{elsewhere.host}/own")
        assert self.strange and elsewhere.asked


Watch = Callable[[Person, str], Witness]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """``watch(ann, own)``: a witness of ann's page until the test's end."""
    with ExitStack() as stack:
        yield lambda person, own: stack.enter_context(closing(Witness(person, own)))


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
    | img\ (src=(OWN|data:image/|blob:).*|alt=.*|referrerpolicy=no-referrer)
    | input\ (type=checkbox|disabled=|checked=)
    | button\ (type=button|class=labchat-copy)   # ours, beside code
    | \S+\ (title|lang|dir|open|start|reversed|colspan|rowspan|scope|data-suggestion|
            data-suggestion-submit)=.*
    | \S+\ (role|tabindex|aria-label)=.*         # ours, on suggestions
    | \S+\ class=[\w+\ -]*
    | \S+\ style=text-align:\ (left|right|center);
    """,
    re.VERBOSE | re.DOTALL,
)
"""All that may be in a drawn message; nothing that runs or loads is."""
FOREIGN_CLASSES = re.compile(r"class=.*\b(labchat-(?!copy)|shiny-|modal|html-widget|action-button)")
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


def batches(vectors: list[str]) -> list[list[str]]:
    return [vectors[start : start + AT_ONCE] for start in range(0, len(vectors), AT_ONCE)]


def looks_at(person: Person, vectors: list[str], own: str) -> list[str]:
    """What is wrong with the assistant's newest messages but one, which were made of these."""
    person.chat.loc_log.evaluate(TOUCH)
    messages = person.chat.loc_log.locator("article[data-role=assistant]")
    drawn = messages.evaluate_all(DRAWN)[-len(vectors) - 1 : -1]
    assert len(drawn) == len(vectors)
    return [
        f"{vector[:300]!r} drew {what}"
        for vector, found in zip(vectors, drawn, strict=True)
        for what in harmful(found, own)
    ]


def sees_the_end(person: Person, number: int) -> None:
    """Wait until the assistant's newest message is the end of this batch."""
    newest = person.chat.loc_log.locator("article[data-role=assistant]").last
    expect(newest).to_have_text(re.compile(f"end of {number}$"), timeout=WITHIN)


def test_a_models_markdown_runs_loads_and_poses_as_nothing(
    people: People,
    shared: Serve,
    room: str,
    organiser: Organiser,
    noise: Noise,
    elsewhere: Elsewhere,
    watch: Watch,
):
    noise.expects(HARMLESS_NOISE)
    (ann,) = people(1, "hostile.py")
    own = f"http://127.0.0.1:{shared('hostile.py').port}/"
    witness = watch(ann, own)
    programme = organiser.room(shared("hostile.py"), room)

    async def post(texts: list[str]) -> None:
        await asyncio.gather(*(programme.post(text, markdown=True) for text in texts))

    wrong: list[str] = []
    for number, batch in enumerate(batches(corpus(elsewhere.host))):
        organiser.does(post([*batch, f"end of {number}"]))
        sees_the_end(ann, number)
        wrong += looks_at(ann, batch, own)
    witness.sees_nothing()
    assert elsewhere.asked == []
    assert wrong == []
    witness.would_have_seen(elsewhere)


def test_what_an_image_is_asked_of_does_not_learn_the_pages_address(
    people: People, shared: Serve, room: str, organiser: Organiser, noise: Noise
):
    """A personal link stands there, and other apps may lie on this server."""
    noise.expects(HARMLESS_NOISE)
    (ann,) = people(1, "hostile.py")
    assert room in ann.page.url
    programme = organiser.room(shared("hostile.py"), room)
    with ann.page.expect_request("**/another-app/pixel.png") as asked:
        organiser.does(programme.post("![x](/another-app/pixel.png)", markdown=True))
    assert "referer" not in asked.value.all_headers()


def test_what_a_person_writes_is_text_and_a_model_that_repeats_it_harms_nobody(
    people: People, shared: Serve, noise: Noise, elsewhere: Elsewhere, watch: Watch
):
    noise.expects(HARMLESS_NOISE)
    ann, bob = people(2, "hostile.py")
    own = f"http://127.0.0.1:{shared('hostile.py').port}/"
    witness = watch(bob, own)
    wrong: list[str] = []
    texts = bob.chat.loc_log.locator("article[data-role=user] .labchat-content")
    for number, batch in enumerate(batches([v for v in corpus(elsewhere.host) if is_text(v)])):
        ann.sends_at_once(*batch, f"end of {number}")
        sees_the_end(bob, number)
        shown = texts.evaluate_all("all => all.map((content) => content.textContent)")
        assert shown[-len(batch) - 1 : -1] == batch
        assert texts.locator(":not(.labchat-text)").count() == 0
        wrong += looks_at(bob, batch, own)
    witness.sees_nothing()
    assert elsewhere.asked == []
    assert wrong == []
    witness.would_have_seen(elsewhere)


def is_text(vector: str) -> bool:
    """Whether a person may write this."""
    try:
        check_text(vector)
    except Refused:
        return False
    return len(vector) <= 5_000
