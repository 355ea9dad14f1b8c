"""A reply of the tests' own language model, as OpenAI's two APIs send it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.models.replies import Call, Kind

__all__ = ["Completions", "Responses"]

Json = dict[str, Any]


class Completions:
    """A reply of POST /v1/chat/completions."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._head: Json = {
            "id": f"chatcmpl-{call.number}",
            "created": 0,
            "model": call.body.get("model", "tiny"),
        }

    def whole(self) -> Json:
        """All of it, as JSON."""
        reply = self._call.reply
        message: Json = {"role": "assistant", "content": reply.text or None}
        if reply.thinking:
            message["reasoning_content"] = reply.thinking
        if reply.tools:
            message["tool_calls"] = list(self._tool_calls())
        choice = {"index": 0, "message": message, "finish_reason": self._finish_reason}
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": self._usage,
        }

    def begin(self) -> str:
        """What a stream of it begins with."""
        return self._chunk({"role": "assistant", "content": ""})

    def delta(self, kind: Kind, piece: str) -> str:
        """One piece of a stream."""
        return self._chunk({"reasoning_content" if kind == "thinking" else "content": piece})

    def end(self) -> str:
        """What a stream ends with: the tools that are wanted, and the bill."""
        frames = [
            self._chunk({"tool_calls": [part]})
            for index, call in enumerate(self._tool_calls())
            for part in _in_two(index, call)
        ]
        frames.append(self._chunk({}, self._finish_reason))
        if (self._call.body.get("stream_options") or {}).get("include_usage"):
            frames.append(self._frame(choices=[], usage=self._usage))
        return "".join([*frames, "data: [DONE]\n\n"])

    def error(self) -> str:
        """What a stream ends with that breaks off and says so."""
        return _data({"error": {"message": "broke off", "type": "tests", "code": None}})

    @property
    def _finish_reason(self) -> str:
        if self._call.reply.is_limited:
            return "length"
        return "tool_calls" if self._call.reply.tools else "stop"

    @property
    def _usage(self) -> Json:
        given, said = self._call.tokens
        return {
            "prompt_tokens": given,
            "completion_tokens": said,
            "total_tokens": given + said,
            "prompt_tokens_details": {"cached_tokens": self._call.reply.cached},
        }

    def _tool_calls(self) -> Iterator[Json]:
        for n, tool in enumerate(self._call.reply.tools):
            function = {"name": tool.name, "arguments": json.dumps(tool.arguments)}
            yield {"id": f"call_{self._call.number}_{n}", "type": "function", "function": function}

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> str:
        return self._frame(
            choices=[{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        )

    def _frame(self, **more: Any) -> str:
        return _data({**self._head, "object": "chat.completion.chunk", **more})


def _in_two(index: int, call: Json) -> tuple[Json, Json]:
    """A tool's call in two pieces, the second with the most of its arguments."""
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    first = {**call, "index": index, "function": {"name": name, "arguments": arguments[:1]}}
    return first, {"index": index, "function": {"arguments": arguments[1:]}}


def _data(data: Json) -> str:
    return f"data: {json.dumps(data)}\n\n"


class Responses:
    """A reply of POST /v1/responses, with the events that chatlas reads and those around them."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._events = 0
        self._open: Json | None = None
        self._output = list(_output(call))

    def whole(self) -> Json:
        """All of it, as JSON."""
        given, said = self._call.tokens
        details = {"reason": "max_output_tokens"} if self._call.reply.is_limited else None
        return self._response(self._status, self._output) | {
            "incomplete_details": details,
            "usage": {
                "input_tokens": given,
                "input_tokens_details": {"cached_tokens": self._call.reply.cached},
                "output_tokens": said,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": given + said,
            },
        }

    def begin(self) -> str:
        """What a stream of it begins with."""
        return self._event("created", response=self._response("in_progress", []))

    def delta(self, kind: Kind, piece: str) -> str:
        """One piece of a stream."""
        type = {"thinking": "reasoning", "text": "message"}[kind]
        item = next(item for item in self._output if item["type"] == type)
        opening = "" if item is self._open else self._close() + self._added(item)
        if kind == "thinking":
            return opening + self._of(item, "reasoning_summary_text", piece, summary_index=0)
        return opening + self._of(item, "output_text", piece, content_index=0)

    def end(self) -> str:
        """What a stream ends with: the tools that are wanted, and all of it with the bill."""
        frames = [self._close()]
        for item in self._output:
            if item["type"] == "function_call":
                frames.append(self._added({**item, "arguments": ""}))
                frames.append(self._of(item, "function_call_arguments", item["arguments"]))
                frames.append(self._done(item))
        return "".join([*frames, self._event(self._status, response=self.whole())])

    def error(self) -> str:
        """What a stream ends with that breaks off and says so, in one of two ways."""
        if self._call.reply.how == "failed":
            error = {"code": "server_error", "message": "broke off"}
            return self._event("failed", response=self._response("failed", []) | {"error": error})
        return _sse("error", {"type": "error", "message": "broke off", "code": None, "param": None})

    @property
    def _status(self) -> str:
        return "incomplete" if self._call.reply.is_limited else "completed"

    def _response(self, status: str, output: list[Json]) -> Json:
        return {
            "id": f"resp_{self._call.number}",
            "object": "response",
            "created_at": 0,
            "status": status,
            "model": self._call.body.get("model", "tiny"),
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "service_tier": "default",
        }

    def _added(self, item: Json) -> str:
        self._open = item
        return self._event("output_item.added", output_index=self._index(item), item=item)

    def _done(self, item: Json) -> str:
        self._open = None
        return self._event("output_item.done", output_index=self._index(item), item=item)

    def _close(self) -> str:
        return self._done(self._open) if self._open else ""

    def _of(self, item: Json, what: str, piece: str, **more: Any) -> str:
        where = {"item_id": item["id"], "output_index": self._index(item), **more}
        return self._event(f"{what}.delta", delta=piece, **where)

    def _index(self, item: Json) -> int:
        return next(n for n, each in enumerate(self._output) if each["id"] == item["id"])

    def _event(self, name: str, **data: Any) -> str:
        self._events += 1
        type = f"response.{name}"
        return _sse(type, {"type": type, "sequence_number": self._events, **data})


def _output(call: Call) -> Iterator[Json]:
    reply = call.reply
    if reply.thinking:
        summary = [{"type": "summary_text", "text": reply.thinking}]
        yield {"id": f"rs_{call.number}", "type": "reasoning", "summary": summary}
    if reply.text:
        text = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        yield {
            "id": f"msg_{call.number}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [text],
        }
    for n, tool in enumerate(reply.tools):
        yield {
            "id": f"fc_{call.number}_{n}",
            "call_id": f"call_{call.number}_{n}",
            "type": "function_call",
            "status": "completed",
            "name": tool.name,
            "arguments": json.dumps(tool.arguments),
        }


def _sse(event: str, data: Json) -> str:
    return f"event: {event}\n{_data(data)}"
