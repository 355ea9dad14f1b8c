"""A reply of the tests' own language model, as Anthropic's API sends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.models.replies import Call, Kind

__all__ = ["Messages"]

Json = dict[str, Any]


class Messages:
    """A reply of POST /v1/messages, with the events that chatlas reads."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._blocks = list(_blocks(call))
        self._open: int | None = None

    def whole(self) -> Json:
        """All of it, as JSON."""
        return self._message(self._blocks, self._stop_reason)

    def begin(self) -> str:
        """What a stream of it begins with."""
        return _event("message_start", message=self._message([], None))

    def delta(self, kind: Kind, piece: str) -> str:
        """One piece of a stream."""
        index = [block["type"] for block in self._blocks].index(kind)
        opening = "" if index == self._open else self._close() + self._begun(index, {kind: ""})
        return opening + self._more(index, {"type": f"{kind}_delta", kind: piece})

    def end(self) -> str:
        """What a stream ends with: the tools that are wanted, and why it ends."""
        frames = [self._close()]
        for index, block in enumerate(self._blocks):
            if block["type"] == "tool_use":
                arguments = json.dumps(block["input"])
                frames.append(self._begun(index, {"input": {}}))
                for part in (arguments[:1], arguments[1:]):
                    delta = {"type": "input_json_delta", "partial_json": part}
                    frames.append(self._more(index, delta))
                frames.append(self._close())
        delta = {"stop_reason": self._stop_reason, "stop_sequence": None}
        frames.append(_event("message_delta", delta=delta, usage={"output_tokens": self._usage[1]}))
        return "".join([*frames, _event("message_stop")])

    def error(self) -> str:
        """What a stream ends with that breaks off and says so; its status was 200."""
        return _event("error", error={"type": "overloaded_error", "message": "broke off"})

    @property
    def _stop_reason(self) -> str:
        if self._call.reply.is_limited:
            return "max_tokens"
        return "tool_use" if self._call.reply.tools else "end_turn"

    @property
    def _usage(self) -> tuple[int, int]:
        return self._call.tokens

    def _message(self, content: list[Json], stop_reason: str | None) -> Json:
        given, said = self._usage
        return {
            "id": f"msg_{self._call.number}",
            "type": "message",
            "role": "assistant",
            "model": self._call.body["model"],
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": {"input_tokens": given, "output_tokens": said if content else 1},
        }

    def _begun(self, index: int, empty: Json) -> str:
        self._open = index
        block = {**self._blocks[index], **empty}
        return _event("content_block_start", index=index, content_block=block)

    def _more(self, index: int, delta: Json) -> str:
        return _event("content_block_delta", index=index, delta=delta)

    def _close(self) -> str:
        index, self._open = self._open, None
        return "" if index is None else _event("content_block_stop", index=index)


def _blocks(call: Call) -> Iterator[Json]:
    reply = call.reply
    if reply.thinking:
        yield {"type": "thinking", "thinking": reply.thinking, "signature": "signed"}
    if reply.text:
        yield {"type": "text", "text": reply.text}
    for n, tool in enumerate(reply.tools):
        id = f"toolu_{call.number}_{n}"
        yield {"type": "tool_use", "id": id, "name": tool.name, "input": dict(tool.arguments)}


def _event(type: str, **data: Any) -> str:
    return f"event: {type}\ndata: {json.dumps({'type': type, **data})}\n\n"
