"""What attackers send: frames, valid and mutated, and what is none; all from one seed."""

from __future__ import annotations

import json
import random
import string
import struct
from collections.abc import Sequence
from typing import Any

from shiny_labchat.protocol import VERSION

__all__ = ["FrameGenerator", "masked", "upgrade"]

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, float("nan"), float("inf"), 2**53, 2**63, 2**64,
    10**4_000, "", " ", "x", "\0", "\ud800", "\udfff\ud800", "\u202e", "\ufeff", "a" * 65, "é", "1",
    "x" * 300_000, [], {}, [[]], [None] * 500, {"t": "send"}, {"__proto__": 1}, {"": ""},
]  # fmt: skip
RAW = [
    "NaN", "-Infinity", "1e999", "0x1", "01", "9" * 5_000, "[" * 3_000, '{"t":' * 3_000, "]" * 9,
    "\\ud800", "\\u0000", '"t":"check",', '"cid":"1",', '"text":"x",', "\ufeff", "\u2028", "\0",
    "'", "/**/", ",,", '\\"', "{}", "\r\n",
]  # fmt: skip
TEXTS = [
    "hi", "  ", "\u3000\n", "two\nlines", "<img src=x onerror=alert(1)>", "\x1b[2J", "\x85", "\0",
    "\ud800", "\ud83d\ude00", "\u202e\u2066", "\ufffe", "\U0010ffff", "y" * 5_000, "y" * 5_001,
    "\U0001f468\u200d\U0001f469" * 99, "\n" * 4_000 + ".", "z" * 262_000, "\u2028", "]]>", "\ufeff",
]  # fmt: skip
KEYS = (
    "t v ticket resume after cid text before member author h role room page audience id of".split()
)
HEADERS = [
    "Origin: https://evil.example", "Origin: null", "Origin: http://[", "Origin:", "Host: x, y",
    "X-Forwarded-Host: evil.example,,", "X-Forwarded-For: \xff, 1", "Cookie: " + "c" * 9_000,
    "Sec-WebSocket-Protocol: a, b, \xe9", "Sec-WebSocket-Extensions: permessage-deflate; x=999",
    "Content-Length: 99999999", "Transfer-Encoding: chunked", "Connection: close", ": empty",
    "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 99", "Upgrade: h2c", "Expect: 100-continue",
]  # fmt: skip


class FrameGenerator:
    """Makes frames: valid ones, mutated ones, and some that are none."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.known: dict[str, list[str]] = {}
        """Handles, ids of messages and tokens that are others' or used."""
        self.streams: list[str] = []
        """The ids of others' streams."""

    def frame(self) -> str | bytes:
        """Anything."""
        dice = self.rng.random()
        if dice < 0.25:
            return self.valid_frame()
        if dice < 0.3:
            return self.rng.choice((b"", b"\0\xff", self.rng.randbytes(200), b'{"t":"check"}'))
        if dice < 0.35:
            return self.rng.choice(("", "null", "[]", '"x"', "{", " " * 290_000, "\ufeff{}", "1"))
        raw = self._dumps(self._mutated(self._valid()))
        return raw if self.rng.random() < 0.6 else self.garbled(raw)

    def valid_frame(self) -> str:
        """What a browser might send."""
        return self._dumps(self._valid())

    def forged_frame(self) -> str:
        """What no browser sends."""
        return self._dumps(self._forged())

    def _valid(self) -> dict[str, Any]:
        kinds = "send", "send", "send", "typing", "older", "stop", "check", "hello", "forged"
        match self.rng.choice((*kinds, "pong", "confirm", "done")):
            case "send":
                return {"t": "send", "cid": self._cid(), "text": self._text()}
            case "older":
                return {"t": "older", "before": self.id()}
            case "stop":
                return {"t": "stop", "id": self.stream()}
            case "pong":
                return {"t": "pong", "hidden": self.rng.choice((0, 9_000)), "quiet": 10**9}
            case "done":
                return {"t": "done", "cid": self._cid()}
            case "confirm":
                return {"t": "confirm", "id": self.id()}
            case "forged":
                return self._forged()
            case "hello":
                token = self.rng.choice(self.known.get("tokens") or ["x"])
                kind = self.rng.choice(("ticket", "resume"))
                return {"t": "hello", "v": VERSION, kind: token, "after": self.stream()}
            case kind:
                return {"t": kind}

    def id(self) -> str:
        """An id that most likely is none."""
        some = "".join(self.rng.choices(string.ascii_letters + string.digits + "-_", k=11))
        return self.rng.choice(("", "x", "A" * 11, "A" * 64, "~" * 11, some, some))

    def stream(self) -> str:
        """The id of a stream, or one that is nearly the same, or anything."""
        known = self.rng.choice(self.streams or [self.id()])
        at = self.rng.randrange(len(known) or 1)
        near = known if self.rng.random() < 0.5 else known[:at] + self.id()[:1] + known[at + 1 :]
        return near if self.rng.random() < 0.7 else self.id()

    def _forged(self) -> dict[str, Any]:
        """What only a server says of a stream."""
        id = self.stream()
        how = self.rng.choice(("done", "stopped", "failed", "withheld", "interrupted", "x"))
        end = {"k": "end", "id": self.id(), "of": id, "is": how}
        return self.rng.choice(
            [
                {"t": "chunks", "of": [[id, self._text(), True]]},
                {"t": "events", "e": [end]},
                {"t": "streamed", **end, "parts": [["html", self._text()]]},
                {"t": "send", "cid": "stream:1", "text": self._text(), "live": True},
                {
                    "t": "stop",
                    "id": id,
                    "is": how,
                    "of": [id],
                    "by": "x",
                    "role": "experimenter",
                },
            ]
        )

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
