"""What developers append becomes parts, whole and in chunks."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_type_hints

import pytest
from chatlas import AssistantTurn, ContentToolRequest, ContentToolResult, SystemTurn, UserTurn
from chatlas.types import (
    ContentCitation,
    ContentImageInline,
    ContentImageRemote,
    ContentJson,
    ContentPDF,
    ContentText,
    ContentThinking,
    ContentThinkingDelta,
    ContentToolRequestFetch,
    ContentToolRequestSearch,
    ContentToolResponseFetch,
    ContentToolResponseSearch,
    ToolInfo,
    WebSource,
)
from htmltools import HTML, HTMLDependency, TagList, tags
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from shiny import App, Session, ui
from shiny._connection import MockConnection
from shiny.session._session import AppSession
from shinychat import message_content, message_content_chunk
from shinychat._chat_types import ContentType, StructuredBlock
from shinychat.types import ChatMessage, ToolResultDisplay

from shiny_labchat.chat.content import Content, Kind, Part, as_chunk, as_content, as_shown
from shiny_labchat.chat.shiny_internals import app_of

DEP = HTMLDependency(
    "widget", "1.2", source={"package": "shiny", "subdir": "www"}, script={"src": "w.js"}
)
GIF = "R0lGODlhAQABAAAAACw="
Reads = Callable[[object, Session], Content]
both = pytest.mark.parametrize("reads", [as_content, as_chunk], ids=["whole", "chunk"])


@pytest.fixture
def session() -> Session:
    """A session of a real app, whose page has nobody before it."""
    return AppSession(App(ui.page_fluid(), None), "1", MockConnection())


class Table:
    """Draws itself, as those of data frames do."""

    def _repr_html_(self) -> str:
        return "<table></table>"


def request(**more: Any) -> ContentToolRequest:
    """What a model asks for."""
    fields: dict[str, Any] = {"id": "c1", "name": "weather", "arguments": {"city": "Oslo"}}
    return ContentToolRequest(**(fields | more))


# ── text and UI ──


@both
@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("**b**", [("markdown", "**b**")]),
        (HTML("<b>x</b>"), [("html", "<b>x</b>")]),
        (tags.b("<x>"), [("html", "<b>&lt;x&gt;</b>")]),
        (
            TagList("*a*", tags.b("*x*"), 42),
            [("markdown", "*a*"), ("html", "<b>*x*</b>"), ("markdown", "42")],
        ),
        (42, [("markdown", "42")]),
        (
            ["*a*", [tags.b("x")], None, 1.5],
            [("markdown", "*a*"), ("html", "<b>x</b>"), ("markdown", "1.5")],
        ),
        (Table(), [("html", "<table></table>")]),
        ({"content": "hi"}, [("markdown", "hi")]),
        ({"content": 42}, [("markdown", "42")]),
        ({"content": tags.b("x")}, [("html", "<b>x</b>")]),
        (ChatMessage("x", content_type="text"), [("text", "x")]),
        (ChatMessage("hm", content_type="thinking"), [("thinking", "hm")]),
        (ContentText(text="**b**"), [("markdown", "**b**")]),
        (ContentThinking(thinking="hm"), [("thinking", "hm")]),
        (ContentThinkingDelta(thinking="hm", phase="start"), [("thinking", "hm")]),
        (ContentJson(value={"a": 1}), [("markdown", '```json\n{\n  "a": 1\n}\n```')]),
        (ContentPDF(data=b"%PDF", filename="a.pdf"), [("markdown", "a.pdf")]),
        (ContentImageRemote(url="https://x.invalid"), [("markdown", "![](https://x.invalid)")]),
        (
            ContentImageInline(data=GIF, image_content_type="image/gif"),
            [("html", f'<img src="data:image/gif;base64,{GIF}"/>')],
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else "",
)
def test_text_and_ui_become_parts_of_their_kind(
    reads: Reads, message: object, parts: list[Part], session: Session
) -> None:
    content = reads(message, session)
    assert content == Content(parts)
    assert all(isinstance(text, str) for _, text in content.parts)


@both
def test_what_the_ui_needs_is_served_by_the_app(reads: Reads, session: Session) -> None:
    content = reads(TagList("a", tags.b("x", DEP), tags.i("y", DEP)), session)
    [dep] = content.deps
    assert (dep["name"], dep["version"], dep["source"]) == ("widget", "1.2", DEP.source)
    assert "widget-1.2" in app_of(session)._registered_dependencies


@both
def test_a_dictionary_says_who_says_it(reads: Reads, session: Session) -> None:
    assert reads({"content": "hi", "role": "user"}, session).role == "user"
    assert reads({"content": "hi"}, session).role == "assistant"
    with pytest.raises(ValueError, match="role must be"):
        reads({"content": "hi", "role": "system"}, session)
    with pytest.raises(ValueError, match="'content'"):
        reads({"text": "hi"}, session)


def test_an_empty_message_is_one_and_an_empty_chunk_says_nothing(session: Session) -> None:
    assert as_content("", session).parts == [("markdown", "")]
    for chunk in ("", ContentThinkingDelta(thinking="", phase="end"), {"content": ""}):
        assert as_chunk(chunk, session).parts == []


@both
@pytest.mark.parametrize("kind", get_args(ContentType))
def test_no_kind_of_text_of_shinychats_is_unknown(
    reads: Reads, kind: ContentType, session: Session
) -> None:
    assert reads(ChatMessage("x", content_type=kind), session).parts == [(kind, "x")]


# ── strings that an app trusts ──


def trusted(message: object, session: Session) -> list[Part]:
    """The parts of a whole message in an app that trusts its strings."""
    return as_content(message, session, trusts=True).parts


@pytest.mark.parametrize("message", ["<b>x</b>", {"content": "<b>x</b>"}, ["<b>x</b>"]])
def test_only_a_whole_string_of_an_app_is_trusted(message: Any, session: Session) -> None:
    assert trusted(message, session) == [("trusted", "<b>x</b>")]
    assert as_shown(message, trusts=True)[0]["parts"] == [("trusted", "<b>x</b>")]
    assert as_content(message, session).parts == [("markdown", "<b>x</b>")]
    assert as_shown(message)[0]["parts"] == [("markdown", "<b>x</b>")]


@pytest.mark.parametrize(
    "message",
    [
        {"content": "<b>x</b>", "role": "user"},
        UserTurn("<b>x</b>"),
        AssistantTurn("<b>x</b>"),
        ContentText(text="<b>x</b>"),
        ChatMessage("<b>x</b>"),
        ["", UserTurn("<b>x</b>")],
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_a_person_or_a_model_said_is_never_trusted(message: Any, session: Session) -> None:
    parts = trusted(message, session)
    assert parts[-1] == ("markdown", "<b>x</b>")
    assert "trusted" not in dict(parts)


# ── shinychat's blocks ──


@both
def test_a_tools_request_is_a_part(reads: Reads, session: Session) -> None:
    icon = tags.i(DEP, class_="sun")
    tool = ToolInfo(
        name="weather",
        description="",
        parameters={},
        annotations={"title": "Weather", "extra": {"icon": icon}},
    )
    content = reads(request(tool=tool), session)
    [(kind, block)] = content.parts
    assert kind == "tool_request"
    assert json.loads(block.pop("arguments")) == {"city": "Oslo"}
    assert block == {
        "request_id": "c1",
        "tool_name": "weather",
        "title": "Weather",
        "icon": '<i class="sun"></i>',
    }
    assert [dep["name"] for dep in content.deps] == ["widget"]


@both
def test_a_tools_result_is_a_part(reads: Reads, session: Session) -> None:
    [(kind, block)] = reads(ContentToolResult(value="18 °C", request=request()), session).parts
    assert kind == "tool_result"
    assert block["request_id"] == "c1" and block["tool_name"] == "weather"
    assert (block["status"], block["value"], block["value_type"]) == ("success", "18 °C", "code")
    assert "type" not in block and "version" not in block


@both
def test_a_tools_failure_is_a_part(reads: Reads, session: Session) -> None:
    failed = ContentToolResult(value=None, error=ValueError("no <city>"), request=request())
    [(_, block)] = reads(failed, session).parts
    assert (block["status"], block["value"], block["value_type"]) == ("error", "no <city>", "code")


@both
def test_a_result_shown_as_ui_brings_what_that_needs(reads: Reads, session: Session) -> None:
    display = ToolResultDisplay(html=tags.b("18", DEP), footer=tags.i("f"), title="Looked")
    result = ContentToolResult(value=18, request=request(), extra={"display": display})
    content = reads(result, session)
    [(_, block)] = content.parts
    assert (block["value"], block["value_type"]) == ("<b>18</b>", "html")
    assert block["footer"] == "<i>f</i>"
    assert [dep["name"] for dep in content.deps] == ["widget"]


SOURCE = WebSource(url="https://x.invalid", title="X")
CITED = {"url": "https://x.invalid", "title": "X"}


@both
@pytest.mark.parametrize(
    ("message", "part"),
    [
        (
            ContentToolRequestSearch(query="q", extra={"id": "s1"}),
            ("web_search", {"query": "q", "id": "s1"}),
        ),
        (
            ContentToolResponseSearch(sources=[SOURCE], extra={"tool_use_id": "s1"}),
            ("web_search_results", {"sources": [CITED], "search_id": "s1"}),
        ),
        (
            ContentToolResponseFetch(url="https://x.invalid", status="success"),
            ("web_fetch", {"url": "https://x.invalid", "status": "success"}),
        ),
    ],
    ids=["search", "results", "fetch"],
)
def test_what_was_done_on_the_web_is_a_part(
    reads: Reads, message: object, part: Part, session: Session
) -> None:
    assert reads(message, session).parts == [part]


@both
def test_a_citation_is_a_note_in_the_text_and_a_part(reads: Reads, session: Session) -> None:
    [note, part] = reads(ContentCitation(source=SOURCE), session).parts
    assert note[0] == "markdown" and "https://x.invalid" in note[1]
    assert part == ("web_search_citations", {"sources": [CITED]})


@both
def test_the_request_of_a_page_says_nothing(reads: Reads, session: Session) -> None:
    assert reads(ContentToolRequestFetch(url="https://x.invalid"), session).parts == []


BLOCKS: list[Any] = [
    {"type": "tool_request", "version": 1, "request_id": "c", "tool_name": "t"},
    {"type": "tool_result", "version": 1, "request_id": "c", "tool_name": "t", "status": "success"},
    {"type": "web_search", "version": 1, "query": "q"},
    {"type": "web_search_results", "version": 1, "sources": []},
    {"type": "web_search_citations", "version": 1, "sources": []},
    {"type": "web_fetch", "version": 1, "url": "u"},
]


@both
def test_blocks_keep_all_but_their_type_and_version(reads: Reads, session: Session) -> None:
    content = reads(ChatMessage("", blocks=BLOCKS), session)
    assert [{"type": kind, "version": 1, **block} for kind, block in content.parts] == BLOCKS


def test_no_block_of_shinychats_is_unknown() -> None:
    types = {get_args(get_type_hints(block)["type"])[0] for block in get_args(StructuredBlock)}
    kinds = {name for literal in get_args(Kind) for name in get_args(literal)}
    assert types - {"html_block"} == kinds - {"trusted"} - set(get_args(ContentType))


@both
def test_a_block_is_plain_json(reads: Reads, session: Session) -> None:
    block: Any = BLOCKS[0] | {"icon": HTML("<i></i>")}
    [(_, plain)] = reads(ChatMessage("", blocks=[block]), session).parts
    assert plain["icon"] == "<i></i>" and type(plain["icon"]) is str
    assert type(block["icon"]) is HTML


@both
def test_a_block_of_html_is_html_and_brings_what_it_needs(reads: Reads, session: Session) -> None:
    served: dict[str, object] = {"name": "elsewhere", "version": "1", "script": [{"src": "/e.js"}]}
    block: Any = {"type": "html_block", "version": 1, "content": "<b>x</b>", "html_deps": [served]}
    content = reads(ChatMessage("", blocks=[block]), session)
    assert content == Content([("html", "<b>x</b>")], deps=[served])
    content = reads(ChatMessage(tags.b("x", DEP)), session)
    assert content.parts == [("html", "<b>x</b>")]
    assert [(dep["name"], dep["source"]) for dep in content.deps] == [("widget", DEP.source)]


@both
def test_text_and_blocks_keep_their_order(reads: Reads, session: Session) -> None:
    said = ChatMessage("", parts=["a", BLOCKS[2], "b", BLOCKS[5]])
    assert reads(said, session).parts == [
        ("markdown", "a"),
        ("web_search", {"query": "q"}),
        ("markdown", "b"),
        ("web_fetch", {"url": "u"}),
    ]


@both
def test_a_block_of_an_unknown_type_is_refused_with_the_types_there_are(
    reads: Reads, session: Session
) -> None:
    block: Any = {"type": "hologram", "version": 1}
    with pytest.raises(ValueError, match="'hologram' cannot be appended.*web_fetch"):
        reads(ChatMessage("", blocks=[block]), session)


# ── whole turns ──


@both
def test_a_turn_is_one_message_by_its_role(reads: Reads, session: Session) -> None:
    turn = AssistantTurn([ContentThinking(thinking="hm"), ContentText(text="Let me"), request()])
    content = reads(turn, session)
    assert content.role == "assistant"
    assert content.parts[:-1] == [("thinking", "hm"), ("markdown", "Let me")]
    assert reads(UserTurn("hi"), session) == Content([("markdown", "hi")], "user")
    results = UserTurn([ContentToolResult(value="18", request=request())])
    assert reads(results, session).role == "assistant"
    with pytest.raises(ValueError, match="role must be"):
        reads(SystemTurn("Be brief."), session)


@both
def test_a_turn_brings_what_the_ui_in_it_needs(reads: Reads, session: Session) -> None:
    display = ToolResultDisplay(html=tags.b("18", DEP))
    result = ContentToolResult(value=18, request=request(), extra={"display": display})
    assert [dep["name"] for dep in reads(UserTurn([result]), session).deps] == ["widget"]


# ── types of others ──


def test_answers_of_openais_own_client_are_text(session: Session) -> None:
    fields: dict[str, Any] = {"id": "x", "created": 0, "model": "m"}
    message = {"role": "assistant", "content": "**b**"}
    whole = ChatCompletion.model_validate(
        {
            **fields,
            "object": "chat.completion",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        }
    )
    assert as_content(whole, session).parts == [("markdown", "**b**")]
    for text, parts in (("**b", [("markdown", "**b")]), (None, [])):
        chunk = ChatCompletionChunk.model_validate(
            {
                **fields,
                "object": "chat.completion.chunk",
                "choices": [{"index": 0, "delta": {"content": text}}],
            }
        )
        assert as_chunk(chunk, session).parts == parts
    of_usage = {**fields, "object": "chat.completion.chunk", "choices": []}
    last = ChatCompletionChunk.model_validate(of_usage)
    assert as_chunk(last, session).parts == []


class Card:
    """A type of an app's own."""


class Weather(ContentToolResult):
    """A tool's result that an app shows in its own way."""


@pytest.fixture
def registered() -> Iterator[None]:
    """An app's own types, known to shinychat."""

    @message_content.register
    @message_content_chunk.register
    def _(card: Card) -> ChatMessage:
        return ChatMessage(tags.b("card", DEP), role="user")

    @message_content.register
    @message_content_chunk.register
    def _(result: Weather) -> ChatMessage:
        return ChatMessage(tags.b("18", DEP))

    yield


@both
@pytest.mark.usefixtures("registered")
def test_registered_types_are_what_they_are_registered_as(reads: Reads, session: Session) -> None:
    content = reads(Card(), session)
    assert (content.parts, content.role) == ([("html", "<b>card</b>")], "user")
    assert [dep["name"] for dep in content.deps] == ["widget"]


@both
@pytest.mark.usefixtures("registered")
def test_a_result_with_ui_of_its_own_still_ends_its_request(reads: Reads, session: Session) -> None:
    content = reads(Weather(value=18, request=request()), session)
    [(kind, block)] = content.parts
    assert (kind, block["request_id"]) == ("tool_result", "c1")
    assert (block["value"], block["value_type"]) == ("<b>18</b>", "html")
    assert block["custom_display"] is True
    assert [dep["name"] for dep in content.deps] == ["widget"]


def test_an_unknown_type_is_refused_with_what_to_do(session: Session) -> None:
    with pytest.raises(ValueError, match="object.*message_content.register"):
        as_content(object(), session)
    with pytest.raises(ValueError, match="object.*message_content_chunk.register"):
        as_chunk(object(), session)
    with pytest.raises(ValueError, match="bytes.*message_content_chunk.register"):
        as_chunk({"content": b"3"}, session)


# ── drawn, never logged ──


def test_what_is_only_drawn_brings_its_own_dependencies() -> None:
    item, needed = as_shown({"content": TagList("*a*", tags.b("x", DEP)), "role": "user"})
    assert item == {"role": "user", "parts": [("markdown", "*a*"), ("html", "<b>x</b>")]}
    assert needed == [DEP]


def test_what_is_only_drawn_is_never_a_models_system_prompt() -> None:
    for prompt in ({"content": "Be brief.", "role": "system"}, SystemTurn("Be brief.")):
        with pytest.raises(ValueError, match="system prompt is given to the model's client"):
            as_shown(prompt)


def test_what_is_only_drawn_may_hold_blocks() -> None:
    item, needed = as_shown(AssistantTurn([ContentThinking(thinking="hm"), request()]))
    assert [kind for kind, _ in item["parts"]] == ["thinking", "tool_request"]
    assert needed == [] and json.loads(json.dumps(item))["role"] == "assistant"
