"""What the tests' own language model says, what it is asked, and how messages order it to reply."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

__all__ = ["MARKDOWN", "Call", "Kind", "Reply", "Tool", "obeying"]

MARKDOWN = """\
# A heading

Some **bold** words, and `code`:

```python
print("hello")
```

| who | points |
|-----|-------:|
| ann |      1 |
| bob |      2 |
"""
ORDER = re.compile(r"\[([a-z]+)(?: (\w+ \{.*?\}|[^\]]*))?\]", re.DOTALL)
Kind = Literal["thinking", "text"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model wants called."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What the model does with one request.

    Parameters
    ----------
    text, thinking
        What it says, and what it thinks before.
    tools
        What it wants called after that.
    is_limited
        Whether it says that it ends because it may not be longer.
    pieces
        In how many pieces the text and the thinking are sent, each.
    cached
        How many of the tokens that it was given it says to have had cached.
    rate
        Pieces per second; None: all at once.
    wait
        Seconds before the first byte.
    hold
        After so many pieces it waits for `Model.go_on`.
    cut
        After so many pieces the reply breaks off.
    how
        By the connection's end ("close"), by an error in the stream ("error", or "failed" as
        another kind of it), or by an end that looks orderly ("end").
    status
        Another than 200 refuses the request.
    retry_after
        What a refusal says in its header, in seconds.
    times
        Only so many requests with the same words are refused; None: every one.
    """

    text: str = ""
    thinking: str = ""
    tools: Sequence[Tool] = ()
    is_limited: bool = False
    pieces: int = 1
    cached: int = 0
    rate: float | None = None
    wait: float = 0.0
    hold: int | None = None
    cut: int | None = None
    how: str = "close"
    status: int = 200
    retry_after: float | None = None
    times: int | None = None

    def deltas(self) -> list[tuple[Kind, str]]:
        """Its pieces, in order."""
        thoughts: list[tuple[Kind, str]] = [("thinking", p) for p in self._split(self.thinking)]
        return [*thoughts, *(("text", p) for p in self._split(self.text))]

    def _split(self, text: str) -> list[str]:
        ends = [len(text) * n // self.pieces for n in range(self.pieces + 1)]
        return [text[a:b] for a, b in zip(ends, ends[1:], strict=False) if a < b]


def obeying(text: str) -> Reply:
    """
    What a message orders; one that orders nothing to be said is echoed.

    Orders stand in square brackets, anywhere, and may be combined: ``[say WORDS]``, ``[words N]``
    (so many different ones), ``[markdown]``, ``[think WORDS]``, ``[tool NAME {JSON}]``,
    ``[pieces N]``, ``[rate N]``, ``[wait SECONDS]``, ``[hang]``, ``[hold N]``,
    ``[cut N close|error|failed|end]`` and ``[fail STATUS TIMES RETRY_AFTER]``; see `Reply`.
    """
    reply = Reply()

    def obey(found: re.Match[str]) -> str:
        nonlocal reply
        obeyed = _obey(reply, found[1], found[2] or "")
        reply = obeyed or reply
        return found[0] if obeyed is None else ""

    plain = ORDER.sub(obey, text).strip()
    return reply if reply.text or reply.tools else replace(reply, text=f"You said: {plain}")


def _obey(reply: Reply, order: str, words: str) -> Reply | None:
    match order, words.split():
        case "say", _:
            return replace(reply, text=words)
        case "words", [n]:
            return replace(reply, text=" ".join(f"word{i}" for i in range(int(n))))
        case "markdown", []:
            return replace(reply, text=MARKDOWN)
        case "think", _:
            return replace(reply, thinking=words)
        case "tool", _:
            name, _, arguments = words.partition(" ")
            wanted = Tool(name, json.loads(arguments or "{}"))
            return replace(reply, tools=(*reply.tools, wanted))
        case "pieces" | "hold", [n]:
            return replace(reply, **{order: int(n)})
        case "rate" | "wait", [n]:
            return replace(reply, **{order: float(n)})
        case "hang", []:
            return replace(reply, wait=math.inf)
        case "cut", [n, *how]:
            return replace(reply, cut=int(n), how=how[0] if how else "close")
        case "fail", [status, *more]:
            times = int(more[0]) if more else None
            after = float(more[1]) if more[1:] else None
            return replace(reply, status=int(status), times=times, retry_after=after)
        case _:
            return None


@dataclass(slots=True)
class Call:
    """
    One request, as it came, and what became of it.

    Attributes
    ----------
    sent
        The text that has gone out so far, without the thinking.
    outcome
        "left": who asked did not wait for the end, or the server was stopped before it.
    """

    number: int
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    reply: Reply = Reply()
    sent: str = ""
    outcome: Literal["open", "held", "whole", "refused", "cut", "left"] = "open"

    @property
    def asked(self) -> Any:
        """What it was given, as it came."""
        names = ("messages", "input", "contents")
        return next((self.body[name] for name in names if name in self.body), [])

    @property
    def messages(self) -> list[tuple[str, str]]:
        """What it was given: roles and texts; a tool's result has the role "tool"."""
        items = self.asked
        if isinstance(items, str):
            return [("user", items)]
        system = self.body.get("system") or self.body.get("systemInstruction", {}).get("parts")
        if system:
            items = [{"role": "system", "content": system}, *items]
        return [_said(item) for item in items]

    @property
    def text(self) -> str:
        """What the user said last."""
        return next((text for role, text in reversed(self.messages) if role == "user"), "")

    @property
    def results(self) -> list[str]:
        """What the tools gave that the model asked for since then."""
        since: list[tuple[str, str]] = []
        for role, text in self.messages:
            since = [] if role == "user" else [*since, (role, text)]
        is_answer = bool(since) and since[0][0] != "tool"
        return [text for role, text in since if role == "tool" and is_answer]

    @property
    def tokens(self) -> tuple[int, int]:
        """What it is billed for, in and out: a token is a word."""
        said = [self.reply.thinking, self.reply.text, *(tool.name for tool in self.reply.tools)]
        return _words(text for _, text in self.messages), _words(said)


def _words(texts: Iterable[str]) -> int:
    return sum(len(text.split()) for text in texts)


def _said(item: Mapping[str, Any]) -> tuple[str, str]:
    if item.get("type") == "function_call_output":
        return "tool", str(item["output"])
    content = item.get("content") or item.get("parts") or ""
    if not isinstance(content, str):
        results = [part["content"] for part in content if part.get("type") == "tool_result"]
        if results:
            return "tool", "".join(results)
        given = [part["functionResponse"] for part in content if "functionResponse" in part]
        if given:
            told = [str(value) for each in given for value in each["response"].values()]
            return "tool", "".join(told)
        content = "".join(part.get("text", "") for part in content)
    return item.get("role") or item["type"], content
