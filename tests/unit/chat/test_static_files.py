"""An app's static files: compressed once for all, unchanged when unpacked, and kept where right."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shiny_labchat.chat import static_files
from shiny_labchat.chat.static_files import CompressedFiles, configure_static_files, takes_gzip

SCRIPT = "const words = 'said again and again';\n" * 100
BOX = {"Accept-Encoding": "gzip"}


class Counted:
    """Files, and how often each was read."""

    def __init__(self, app: ASGIApp) -> None:
        self.reads: list[str] = []
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET":
            self.reads.append(scope["path"])
        await self._app(scope, receive, send)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kept-1.0").mkdir()
    for name in ("a.js", "b.css", "kept-1.0/c.js"):
        (tmp_path / name).write_text(SCRIPT)
    (tmp_path / "short.js").write_text("1")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG" + bytes(5000))
    return tmp_path


def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"secret, {request.query_params}" + SCRIPT)


async def events(request: Request) -> StreamingResponse:
    return StreamingResponse(iter(["data: 1\n\n"] * 500), media_type="text/event-stream")


def site(folder: Path, middleware: Sequence[Middleware] = ()) -> Starlette:
    """Files at the root, and beside them what is made for one visitor, as in a Shiny app."""
    files = Router([Route("/events", events), Mount("/", StaticFiles(directory=folder))])
    app = Starlette(routes=[Route("/", page), Mount("/", files)], middleware=middleware)
    configure_static_files(app, ["kept-1.0"])
    return app


async def get(app: ASGIApp, path: str, **headers: str) -> httpx.Response:
    return (await get_all(app, [path], **headers))[0]


async def get_all(app: ASGIApp, paths: Sequence[str], **headers: str) -> list[httpx.Response]:
    """Ask for all of them at the same time, by default as a browser does that takes gzip."""
    asked = {**BOX, **{name.replace("_", "-"): value for name, value in headers.items()}}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
        return await asyncio.gather(*(client.get(path, headers=asked) for path in paths))


# ── what is compressed ──


@pytest.mark.parametrize("path", ["/a.js", "/b.css", "/kept-1.0/c.js"])
async def test_a_file_is_compressed_and_is_the_same_when_unpacked(folder: Path, path: str) -> None:
    answer = await get(site(folder), path)
    assert answer.text == SCRIPT
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(SCRIPT) / 10
    assert "accept-ranges" not in answer.headers


@pytest.mark.parametrize("path", ["/short.js", "/photo.png", "/events", "/?q=secret"])
async def test_what_would_not_get_shorter_or_is_for_one_visitor_stays(
    folder: Path, path: str
) -> None:
    answer = await get(site(folder), path)
    assert answer.status_code == 200 and "content-encoding" not in answer.headers


async def test_a_visitor_who_leaves_at_once_cuts_nothing_off_for_others(folder: Path) -> None:
    """Of a server whose files end when their visitor leaves, as uvicorn's do."""
    app = site(folder)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "method": "GET",
        "path": "/a.js",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"accept-encoding", b"gzip")],
    }

    async def leave() -> Message:
        return {"type": "http.disconnect"}

    async def lose(message: Message) -> None:
        """Nobody is there any more."""

    await app(scope, leave, lose)
    assert (await get(app, "/a.js")).text == SCRIPT


async def test_who_takes_no_gzip_gets_the_file_itself(folder: Path) -> None:
    answer = await get(site(folder), "/a.js", Accept_Encoding="br, gzip;q=0")
    assert answer.text == SCRIPT and "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_part_of_a_file_is_a_part_of_the_file_itself(folder: Path) -> None:
    answer = await get(site(folder), "/a.js", Range="bytes=0-4")
    assert (answer.status_code, answer.text) == (206, "const")
    assert "content-encoding" not in answer.headers


async def test_a_missing_file_is_missing(folder: Path) -> None:
    assert (await get(site(folder), "/kept-1.0/none.js")).status_code == 404
    assert "cache-control" not in (await get(site(folder), "/kept-1.0/none.js")).headers


@pytest.mark.parametrize("setting", ["off", " OFF"])
async def test_compression_can_be_switched_off(
    folder: Path, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(static_files.COMPRESSION, setting)
    answer = await get(site(folder), "/kept-1.0/c.js")
    assert answer.text == SCRIPT and "content-encoding" not in answer.headers
    assert "immutable" in answer.headers["cache-control"]


async def test_an_apps_own_compression_changes_nothing(folder: Path) -> None:
    app = site(folder, [Middleware(GZipMiddleware)])
    file, drawn = await get_all(app, ["/a.js", "/"])
    assert file.text == SCRIPT and file.headers["content-encoding"] == "gzip"
    assert SCRIPT in drawn.text and drawn.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("x-gzip", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("deflate, gzip; q=0.000", False),
        ("gzipped", False),
    ],
)
def test_what_a_browser_takes_is_read_from_its_words(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes


# ── browsers' copies ──


async def test_a_copy_is_checked_by_its_tag(folder: Path) -> None:
    app = site(folder)
    tag = (await get(app, "/a.js")).headers["etag"]
    assert tag.startswith('W/"')
    answer = await get(app, "/a.js", If_None_Match=tag)
    assert answer.status_code == 304 and answer.headers["vary"] == "Accept-Encoding"


async def test_only_a_folder_that_never_changes_is_kept_for_good(folder: Path) -> None:
    kept, other = await get_all(site(folder), ["/kept-1.0/c.js", "/a.js"])
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "cache-control" not in other.headers


async def test_a_file_that_has_changed_is_sent_as_it_is_now(folder: Path) -> None:
    app = site(folder)
    before = await get(app, "/a.js")
    (folder / "a.js").write_text(SCRIPT.replace("again", "anew!"))
    os.utime(folder / "a.js", (1, 1))
    after = await get(app, "/a.js")
    assert "anew!" in after.text and after.headers["etag"] != before.headers["etag"]


# ── what it costs ──


async def test_a_file_is_read_and_compressed_once_for_all_visitors(folder: Path) -> None:
    files = Counted(StaticFiles(directory=folder))
    app = CompressedFiles(files)
    at_once = await get_all(app, ["/a.js"] * 20)
    later = await get_all(app, ["/a.js", "/%2E/a.js", "/%2E//a.js", "/kept-1.0/%2E%2E/a.js"])
    assert [answer.text for answer in at_once + later] == [SCRIPT] * 24
    assert files.reads == ["/a.js"]


async def test_what_is_kept_has_a_bound(folder: Path) -> None:
    app = CompressedFiles(StaticFiles(directory=folder))
    large = 6 * 2**20
    for number in range(3):
        # what is random in it cannot be compressed
        (folder / f"large{number}.js").write_bytes(os.urandom(large))
        answer = await get(app, f"/large{number}.js")
        assert len(answer.content) == large
        assert app.size <= static_files.MAX_KEPT
    assert app.size > large


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(content=st.binary(max_size=3000), repeats=st.integers(1, 50))
async def test_whatever_is_in_a_file_comes_as_it_is(
    folder: Path, content: bytes, repeats: int
) -> None:
    (folder / "any.json").write_bytes(content * repeats)
    answer = await get(CompressedFiles(StaticFiles(directory=folder)), "/any.json")
    assert answer.content == content * repeats


async def test_each_compressed_file_is_whole_for_any_gzip(folder: Path) -> None:
    transport = httpx.ASGITransport(app=site(folder))
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://site") as client,
        client.stream("GET", "/a.js", headers=BOX) as answer,
    ):
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert gzip.decompress(raw).decode() == SCRIPT
