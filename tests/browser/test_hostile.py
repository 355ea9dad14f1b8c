"""
Whatever a model's markdown holds: nothing runs, nothing is loaded from elsewhere, nothing poses.

The same corpus, written by a participant, is text.
"""

from __future__ import annotations

import asyncio
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, Request, expect

from shiny_labchat.domain.decide import check_text
from shiny_labchat.errors import Refused
from tests.browser._hostile import (
    DRAWN,
    FIRST,
    HARMLESS_NOISE,
    LONG,
    MORE,
    TOUCH,
    WITHIN,
    batches,
    corpus,
    harmful,
    vectors_of,
)
from tests.browser._organiser import Organiser
from tests.browser._people import Person
from tests.browser.conftest import Noise, People, Serve
from tests.support.models.model import Model, Reply

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
    vectors = [v for v in corpus(elsewhere.host, has_more=LONG) if is_text(v)]
    texts = bob.chat.loc_log.locator("article[data-role=user] .labchat-content")
    for number, batch in enumerate(batches(vectors)):
        ann.sends_at_once(*batch, f"end of {number}")
        sees_the_end(bob, number)
        shown = texts.evaluate_all("all => all.map((content) => content.textContent)")
        assert shown[-len(batch) - 1 : -1] == batch
        assert texts.locator(":not(.labchat-text, .labchat-text > a)").count() == 0
        wrong += looks_at(bob, batch, own)
    witness.sees_nothing()
    assert elsewhere.asked == []
    assert wrong == []
    witness.would_have_seen(elsewhere)


@pytest.mark.long
def test_what_is_streamed_is_sanitized_in_an_app_that_trusts_its_strings(
    people: People, shared: Serve, noise: Noise, elsewhere: Elsewhere, watch: Watch
):
    noise.expects(HARMLESS_NOISE)
    ann, bob = people(2, "hostile.py", html="trusted", by="stream")
    own = f"http://127.0.0.1:{shared('hostile.py').port}/"
    witness = watch(bob, own)
    wrong: list[str] = []
    vectors = [v for v in corpus(elsewhere.host)[:: 1 if LONG else 8] if is_text(v)]
    for number, batch in enumerate(batches(vectors)):
        ann.sends_at_once(*batch, f"end of {number}")
        sees_the_end(bob, number)
        wrong += looks_at(bob, batch, own)
    witness.sees_nothing()
    assert elsewhere.asked == []
    assert wrong == []


@pytest.mark.long
def test_a_model_that_repeats_it_in_an_app_that_trusts_its_strings_harms_nobody(
    people: People,
    serve: Serve,
    noise: Noise,
    elsewhere: Elsewhere,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
):
    noise.expects(HARMLESS_NOISE)
    vectors = corpus(elsewhere.host)[:: 5 if LONG else 16]  # a page shows 200 messages
    with Model([Reply(vector, pieces=2) for vector in vectors]) as model:
        monkeypatch.setenv("MODEL_URL", model.url)
        app = serve("trusting.py")
        (ann,) = people(1, app)
        own = f"http://127.0.0.1:{app.port}/"
        witness = watch(ann, own)
        replies = ann.chat.loc_log.locator(
            "article[data-role=assistant]:not([data-live], :has([data-trusted]))"
        )
        for number in range(len(vectors)):
            ann.says(f"turn {number}")
            expect(replies).to_have_count(number + 1, timeout=WITHIN)
        ann.chat.loc_log.evaluate(TOUCH)
        drawn = replies.evaluate_all(DRAWN)
    wrong = [found for each in drawn for found in harmful(each, own)]
    witness.sees_nothing()
    assert elsewhere.asked == []
    assert wrong == [] and len(drawn) == len(vectors)


def test_there_are_two_hundred_vectors_besides_the_first() -> None:
    first, more = ({v for kind in kinds for v in vectors_of(kind)} for kinds in (FIRST, MORE))
    assert len(first) > 190 and len(more - first) >= 200


def is_text(vector: str) -> bool:
    """Whether a person may write this."""
    try:
        check_text(vector)
    except Refused:
        return False
    return len(vector) <= 5_000
