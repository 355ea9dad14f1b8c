"""A reply of the tests' own language model, as Google's API sends it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.support.models.replies import Call, Kind

__all__ = ["Contents"]

Json = dict[str, Any]


class Contents:
    """A reply of POST /v1/models/MODEL:generateContent, or of :streamGenerateContent."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def whole(self) -> Json:
        """All of it, as JSON."""
        said = [_part(kind, piece) for kind, piece in self._call.reply.deltas()]
        return self._response([*said, *self._function_calls()], self._finish_reason)

    def begin(self) -> str:
        """What a stream of it begins with: nothing."""
        return ""

    def delta(self, kind: Kind, piece: str) -> str:
        """One piece of a stream."""
        return _data(self._response([_part(kind, piece)]))

    def end(self) -> str:
        """What a stream ends with: the tools that are wanted, and why it ends."""
        calls = [_data(self._response([part])) for part in self._function_calls()]
        return "".join([*calls, _data(self._response([], self._finish_reason))])

    def error(self) -> str:
        """What a stream ends with that breaks off and says so; its status was 200."""
        return _data({"error": {"code": 503, "message": "broke off", "status": "UNAVAILABLE"}})

    @property
    def _finish_reason(self) -> str:
        return "MAX_TOKENS" if self._call.reply.is_limited else "STOP"

    def _response(self, parts: list[Json], finish_reason: str | None = None) -> Json:
        given, said = self._call.tokens
        candidate: Json = {"index": 0, "content": {"role": "model", "parts": parts}}
        if finish_reason:
            candidate["finishReason"] = finish_reason
        usage = {"promptTokenCount": given, "candidatesTokenCount": said}
        return {
            "candidates": [candidate],
            "usageMetadata": usage if finish_reason else {"promptTokenCount": given},
            "responseId": f"resp_{self._call.number}",
        }

    def _function_calls(self) -> Iterator[Json]:
        """Without ids, as older models', and signed with what is no text."""
        for tool in self._call.reply.tools:
            function_call = {"name": tool.name, "args": dict(tool.arguments)}
            signature = base64.b64encode(b"\xffsigned").decode()
            yield {"functionCall": function_call, "thoughtSignature": signature}


def _part(kind: Kind, piece: str) -> Json:
    return {"text": piece, "thought": True} if kind == "thinking" else {"text": piece}


def _data(data: Json) -> str:
    return f"data: {json.dumps(data)}\r\n\r\n"
