"""
Attacks a real server for a while: ``python -m tests.fuzz --seconds 60 --seed 1``.

Here are the attackers, some of them members: they send whatever a socket can carry. The server,
the honest people in its rooms, and what must hold are in ``tests/integration/test_fuzz.py``. All
that is random comes from the seed, but for the timing.
"""

from __future__ import annotations

import asyncio
import json
import random
import struct
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.client import Browser, browser

if TYPE_CHECKING:
    from tests.integration.test_fuzz import World

__all__ = ["ATTACKS", "Grammar", "attack"]

PATIENCE = 15.0
"""How long one attack may take, in seconds."""


# ── what attackers send ──────────────────────────────────────────────────────────────────────

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, float("nan"), float("inf"), 2**53, 2**63, 2**64,
    10**4_000, "", " ", "x", "\0", "\ud800", "\udfff\ud800", "\u202e", "\ufeff", "a" * 65, "é", "1",
    "x" * 300_000, [], {}, [[]], [None] * 500, {"t": "send"}, {"__proto__": 1}, {"": ""},
]  # fmt: skip
RAW = [
    "NaN", "-Infinity", "1e999", "0x1", "01", "9" * 5_000, "[" * 3_000, '{"t":' * 3_000, "]" * 9,
    "\\ud800", "\\u0000", '"t":"ping",', '"cid":"1",', '"text":"x",', "\ufeff", "\u2028", "\0", "'",
    "/**/", ",,", '\\"', "{}", "\r\n",
]  # fmt: skip
TEXTS = [
    "hi", "  ", "\u3000\n", "two\nlines", "<img src=x onerror=alert(1)>", "\x1b[2J", "\x85", "\0",
    "\ud800", "\ud83d\ude00", "\u202e\u2066", "\ufffe", "\U0010ffff", "y" * 5_000, "y" * 5_001,
    "\U0001f468\u200d\U0001f469" * 99, "\n" * 4_000 + ".", "z" * 262_000, "\u2028", "]]>", "\ufeff",
]  # fmt: skip
KEYS = "t v ticket resume after cid text before member author h role room page audience".split()
HEADERS = [
    "Origin: https://evil.example", "Origin: null", "Origin: http://[", "Origin:", "Host: x, y",
    "X-Forwarded-Host: evil.example,,", "X-Forwarded-For: \xff, 1", "Cookie: " + "c" * 9_000,
    "Sec-WebSocket-Protocol: a, b, \xe9", "Sec-WebSocket-Extensions: permessage-deflate; x=999",
    "Content-Length: 99999999", "Transfer-Encoding: chunked", "Connection: close", ": empty",
    "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 99", "Upgrade: h2c", "Expect: 100-continue",
]  # fmt: skip


class Grammar:
    """Makes frames: valid ones, mutated ones, and some that are none."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.known: dict[str, list[str]] = {}
        """Handles, ids of messages and tokens that are others' or used."""

    def frame(self) -> str | bytes:
        """Anything."""
        dice = self.rng.random()
        if dice < 0.25:
            return self.valid_frame()
        if dice < 0.3:
            return self.rng.choice((b"", b"\0\xff", self.rng.randbytes(200), b'{"t":"ping"}'))
        if dice < 0.35:
            return self.rng.choice(("", "null", "[]", '"x"', "{", " " * 290_000, "\ufeff{}", "1"))
        raw = self._dumps(self._mutated(self._valid()))
        return raw if self.rng.random() < 0.6 else self.garbled(raw)

    def valid_frame(self) -> str:
        """What a browser might send."""
        return self._dumps(self._valid())

    def _valid(self) -> dict[str, Any]:
        match self.rng.choice(("send", "send", "send", "typing", "older", "stop", "ping", "hello")):
            case "send":
                return {"t": "send", "cid": self._cid(), "text": self._text()}
            case "older":
                return {"t": "older", "before": self.seq()}
            case "stop":
                return {"t": "stop", "seq": self.seq()}
            case "hello":
                token = self.rng.choice(self.known.get("tokens") or ["x"])
                kind = self.rng.choice(("ticket", "resume"))
                return {"t": "hello", "v": 1, kind: token, "after": self.seq()}
            case kind:
                return {"t": kind}

    def seq(self) -> int:
        return self.rng.choice((0, 1, 2, 10, 50, 300, 10**6, 2**53 - 1))

    def _cid(self) -> str:
        known = self.known.get("cids")
        own = f"m{self.rng.randrange(10**9)}"
        return self.rng.choice(known) if known and self.rng.random() < 0.3 else own

    def _text(self) -> str:
        return self.rng.choice(TEXTS) + self.rng.choice(("", " ok", str(self.rng.random())))

    def _mutated(self, fields: dict[str, Any]) -> dict[str, Any]:
        for _ in range(self.rng.randint(1, 3)):
            key = self.rng.choice(KEYS if self.rng.random() < 0.5 else [*fields, "t"])
            if self.rng.random() < 0.2:
                fields.pop(key, None)
            elif self.rng.random() < 0.2:
                fields[key] = self.rng.choice(self.known.get("handles") or ["0" * 8])
            else:
                fields[key] = self.value(0)
        return fields

    def value(self, depth: int) -> Any:
        """Any JSON value, and some that are none."""
        if self.rng.random() < 0.8 or depth > 20:
            return self.rng.choice(ODD)
        inner = [self.value(depth + 1) for _ in range(self.rng.randint(1, 3))]
        return inner if self.rng.random() < 0.5 else dict(zip("abc", inner, strict=False))

    def _dumps(self, fields: object) -> str:
        plain = json.dumps(fields, ensure_ascii=self.rng.random() < 0.5)
        try:
            plain.encode()
        except UnicodeEncodeError:  # no websocket carries these but escaped
            plain = json.dumps(fields)
        return plain

    def garbled(self, text: str) -> str:
        """The same with pieces cut out, doubled, or put in."""
        for _ in range(self.rng.randint(1, 3)):
            start, end = sorted(self.rng.randint(0, len(text)) for _ in range(2))
            piece = self.rng.choice(("", text[start:end] * 2, *self.rng.choices(RAW, k=3)))
            text = text[:start] + piece + text[end if self.rng.random() < 0.5 else start :]
        return text[:600_000]

    def headers(self) -> list[str]:
        """Odd headers of a handshake."""
        return self.rng.choices(HEADERS, k=self.rng.randint(0, 4))

    def garbled_bytes(self, raw: bytes) -> bytes:
        """The same cut short, with bytes changed, or as it is."""
        dice, cut = self.rng.random(), self.rng.randrange(len(raw))
        if dice < 0.3:
            return raw[:cut]
        return raw[:cut] + self.rng.randbytes(4) + raw[cut:] if dice < 0.5 else raw

    def raw_frames(self) -> tuple[str, bytes]:
        """A text frame, as bytes on the wire: cut in fragments, and perhaps broken."""
        rng, text = self.rng, self.valid_frame()
        data = text.encode()
        cuts = sorted(rng.randint(0, len(data)) for _ in range(rng.randint(0, 5)))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        last = len(pieces) - 1
        frames = [masked(p, 0 if n else 1, final=n == last) for n, p in enumerate(pieces)]
        if rng.random() < 0.5:
            frames.insert(rng.randint(0, len(frames)), self._broken())
        return text, b"".join(frames)

    def _broken(self) -> bytes:
        some = self.rng.randbytes(self.rng.choice((0, 1, 5, 126, 3_000)))
        return self.rng.choice(
            [
                masked(some, self.rng.randrange(16)),  # reserved opcodes, a continuation of nothing
                masked(some, 1),  # no UTF-8
                masked(some, 9, final=False),  # a control frame in fragments
                masked(some, 8),  # a close with an odd code
                masked(some, 1, reserved=self.rng.randrange(8)),
                b"\x81\x05hello",  # not masked
                b"\x81\xff" + struct.pack("!Q", 2**63 - 1) + b"mask",  # far too long
                b"\x81\xff" + struct.pack("!Q", 15 * 2**20) + b"mask" + bytes(2**20),  # no end
                masked(b"x" * (17 * 2**20), 1),  # more than uvicorn takes
                masked(some, 10) * 50,
                self.rng.randbytes(30),
            ]
        )


def masked(data: bytes, opcode: int, *, final: bool = True, reserved: int = 0) -> bytes:
    """One frame of a client's; its mask is zero, which changes nothing."""
    first = bytes([final << 7 | reserved << 4 | opcode])
    if len(data) < 126:
        return first + bytes([0x80 | len(data)]) + bytes(4) + data
    if len(data) < 2**16:
        return first + b"\xfe" + struct.pack("!H", len(data)) + bytes(4) + data
    return first + b"\xff" + struct.pack("!Q", len(data)) + bytes(4) + data


def upgrade(port: int, more: Sequence[str] = ()) -> bytes:
    """The head of a websocket's handshake."""
    lines = ["GET /labchat/ws HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    return "\r\n".join([*lines, *more, "", ""]).encode("latin-1")


# ── the attacks ──────────────────────────────────────────────────────────────────────────────


async def as_member(world: World, member: str) -> None:
    """Valid and mutated frames of a member's, until thrown out."""
    room = world.rng.choice(world.rooms)
    raw = await world.ticket(room, member)
    compression = world.rng.choice((None, "deflate"))
    async with browser(world.port, compression=compression) as mallory:
        await mallory.hello(ticket=raw)
        world.tokens.append({"ticket": raw})
        others = [seat[0] for seat in mallory.frames[-1].get("who", [])]
        world.grammar.known = {"handles": others, "cids": list(world.cids), "tokens": [raw]}
        for _ in range(world.rng.randint(1, 25)):
            frame = world.grammar.frame()
            world.note(member, frame, "as_member")
            await mallory.socket.send(frame)
        await listens(mallory, world.rng.uniform(0, 1))
        if world.rng.random() < 0.3:
            mallory.socket.transport.abort()


async def at_the_door(world: World, member: str) -> None:
    """Frames before any hello."""
    async with browser(world.port) as stranger:
        frame = world.grammar.frame()
        world.note("", frame, "at_the_door")
        await stranger.socket.send(frame)
        await stranger.ends()
        assert not stranger.welcome, "let in without a ticket"


async def with_bad_tokens(world: World, member: str) -> None:
    """Tickets that were used, have run out, are revoked, or are something else."""
    bad = world.rng.choice(world.tokens)
    if world.rng.random() < 0.3:
        [raw] = bad.values()
        bad = {world.rng.choice(("ticket", "resume")): world.grammar.garbled(raw)}
    async with browser(world.port) as stranger:
        frame = json.dumps({"t": "hello", "v": 1, "after": world.grammar.seq(), **bad})
        world.note("", frame, "with_bad_tokens")
        await stranger.socket.send(frame)
        await stranger.ends()
        assert not stranger.welcome, f"let in with {bad}"


async def with_others_tokens(world: World, member: str) -> None:
    """A resume token opens its own room as its own member, whatever is said with it."""
    room, other = world.rng.sample(world.rooms, 2)
    async with browser(world.port) as one:
        welcome = await one.hello(ticket=await world.ticket(room, member))
    claims = {"room": other.id, "study": "tests", "member": "secret-p00", "h": "x", "page": "x"}
    async with browser(world.port) as two:
        again = await two.hello(resume=welcome["resume"], after=world.grammar.seq(), **claims)
        assert again["you"] == welcome["you"], "became somebody else"
        check_told(two.frames)


async def floods(world: World, member: str) -> None:
    """Very many frames at once, read by nobody, and gone in the middle."""
    raw = await world.ticket(world.rng.choice(world.rooms), member)
    async with browser(world.port, max_queue=1) as mallory:
        await mallory.hello(ticket=raw)
        frames = [world.grammar.valid_frame() for _ in range(world.rng.randint(50, 400))]
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                for frame in frames:
                    world.note(member, frame, "floods")
                    await mallory.socket.send(frame)
        mallory.socket.transport.abort()


async def handshakes_oddly(world: World, member: str) -> None:
    """What is hardly HTTP, and sockets that never come to anything."""
    head = world.grammar.garbled_bytes(upgrade(world.port, world.grammar.headers()))
    world.note("", head, "handshakes_oddly")
    reader, writer = await world.raw(head)
    if world.rng.random() < 0.5:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await reader.read(4096)
        writer.transport.abort()


async def speaks_raw(world: World, member: str) -> None:
    """Frames as no library sends them."""
    raw = await world.ticket(world.rng.choice(world.rooms), member)
    reader, writer = await world.raw(upgrade(world.port))
    async with asyncio.timeout(5):
        await reader.readuntil(b"\r\n\r\n")
    if world.rng.random() < 0.7:
        hello = json.dumps({"t": "hello", "v": 1, "after": 0, "ticket": raw})
        writer.write(masked(hello.encode(), 1))
    for _ in range(world.rng.randint(1, 8)):
        if writer.is_closing():
            return
        text, frames = world.grammar.raw_frames()
        world.note(member, text, "")
        world.note(member, frames, "speaks_raw")
        writer.write(frames)
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await writer.drain()
            while heard := await reader.read(65_536):
                check_told(heard)
    if world.rng.random() < 0.5:
        writer.transport.abort()


async def opens_pages(world: World, member: str) -> None:
    """A page of Shiny's whose element asks oddly."""
    async with browser(world.port, path="/websocket/") as page:
        hello = world.grammar.value(0)
        if world.rng.random() < 0.5:
            hello = {"page": world.grammar.value(1), "browser": "b" * 20, "tab": hello}
        search = world.rng.choice(("", "?labchat=x", "?labchat=%00&labchat", "?" + "a=&" * 500))
        data = {".clientdata_url_search": search, "chat_hello": hello}
        data |= {f".clientdata_url_{n}": "" for n in ("hash", "hash_initial", "hostname", "port")}
        data |= {".clientdata_url_pathname": "/", ".clientdata_url_protocol": "http:"}
        frame = json.dumps({"method": "init", "data": data})
        world.note("", frame, "opens_pages")
        await page.socket.send(frame)
        async with asyncio.timeout(5):
            while (heard := await page.socket.recv()) and '"labchat"' not in str(heard):
                check_told(heard)


Attack = Callable[["World", str], Awaitable[None]]
ATTACKS: dict[Attack, int] = {
    as_member: 30, at_the_door: 12, with_bad_tokens: 12, with_others_tokens: 6, floods: 4,
    handshakes_oddly: 12, speaks_raw: 20, opens_pages: 2,
}  # fmt: skip


async def listens(mallory: Browser, seconds: float) -> None:
    """Hear what there is to hear for so long; nothing of it may be a secret."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                check_told(await mallory.socket.recv())


def check_told(heard: object) -> None:
    assert "secret-" not in str(heard), f"was told a secret: {heard}"


async def attack(world: World, member: str) -> None:
    """One attack after another."""
    attacks, weights = list(ATTACKS), list(ATTACKS.values())
    while not world.over.is_set():
        [how] = world.rng.choices(attacks, weights)
        world.counts[how.__name__] += 1
        with suppress(ConnectionClosed, WebSocketException, OSError, EOFError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await how(world, member)


@click.command(epilog="\b\nExample:\n  python -m tests.fuzz --seconds 60 --seed 1")
@click.option("--seconds", default=60.0, show_default=True, help="How long to attack.")
@click.option("--seed", type=int, help="What all that is random comes from; else a new one.")
def main(seconds: float, seed: int | None) -> None:
    """Attack a real server, and say what broke."""
    from tests.integration.test_fuzz import attacked, fresh_seed

    seed = fresh_seed() if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="labchat-fuzz-") as folder:
        asyncio.run(attacked(seconds, seed, Path(folder), click.echo))


if __name__ == "__main__":
    main(prog_name="python -m tests.fuzz")
