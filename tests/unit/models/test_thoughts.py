"""A model's thoughts in its text, however the text is cut into chunks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiny_labchat.domain.events import Part
from shiny_labchat.models.thoughts import ThoughtSplitter, split_thoughts, without_thoughts


def chunked(*chunks: Part) -> list[Part]:
    """What a splitter gives for chunks, with neighbours of one kind joined, as a stream does."""
    splitter = ThoughtSplitter()
    joined: list[Part] = []
    for kind, content in [*(p for c in chunks for p in splitter.add([c])), *splitter.end()]:
        assert content, "no part is empty"
        if joined and joined[-1][0] == kind:
            joined[-1] = kind, joined[-1][1] + content
        else:
            joined.append((kind, content))
    return joined


def split(text: str) -> list[Part]:
    return [part for part in split_thoughts([("markdown", text)]) if part[1]]


def says(*parts: str) -> list[Part]:
    """Words and thoughts in turn; "" where one is missing."""
    kinds = ("markdown", "thinking") * len(parts)
    return [(kind, text) for kind, text in zip(kinds, parts, strict=False) if text]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello", ("Hello",)),
        ("<think>hm</think>Yes.", ("", "hm", "Yes.")),
        ("<think>\nhm\n\nhm\n</think>\n\nYes.", ("", "hm\n\nhm", "Yes.")),
        ("<THINK>hm</Think>Yes.", ("", "hm", "Yes.")),
        ("<thinking>a</thinking>b<reasoning>c</reasoning>d", ("", "a", "b", "c", "d")),
        ("<thinking>a</think>b", ("", "a", "b")),
        ("Let me see.\n<think>hm</think>\nYes.", ("Let me see.\n", "hm", "\nYes.")),
        ("<think>\n\n</think>\n\nYes.", ("Yes.",)),
        ("<think>a < b </ c <think> d</think>e", ("", "a < b </ c <think> d", "e")),
        ("<think>never ends ", ("", "never ends")),
        ("<think>half </thi", ("", "half </thi")),
        ("half <thi", ("half <thi",)),
        ("    code", ("    code",)),
        ("<think>hm</think> \n ", ("", "hm")),
        ("a < b <thin> <think >x <thinks>", ("a < b <thin> <think >x <thinks>",)),
        (r"\<think>hm\</think>", (r"\<think>hm\</think>",)),
        ("</think>", ("</think>",)),
    ],
)
def test_thoughts_are_what_stands_between_the_tags(text: str, parts: tuple[str, ...]) -> None:
    assert split(text) == says(*parts)


@pytest.mark.parametrize(
    "text",
    [
        "Use `<think>` and `</think>`.",
        "Use ``a ` <think> b`` here.",
        "Two `lines\n<think>` of code.",
        "```\n<think>\n```\n",
        "~~~\n<think>\n```\n~~~\n",
        "```html\n<think>hm</think>\n",
        "````\n```\n<think>\n````",
        "- ```\n  <think>\n  ```\n",
        "> ~~~\n> <think>\n> ~~~\n",
        "```<think>```",
    ],
)
def test_tags_in_code_are_words(text: str) -> None:
    assert split(text) == says(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("A ` and <think>hm</think> more.", ("A ` and ", "hm", " more.")),
        ("A ` and\n\n<think>hm ` </think> b", ("A ` and\n\n", "hm `", " b")),
        ("A ` and `` <think>hm</think>", ("A ` and `` ", "hm")),
        ("- a `\n- <think>hm</think> b `", ("- a `\n- ", "hm", " b `")),
        (r"`\`<think>hm</think>b", (r"`\`", "hm", "b")),
        (r"A \` and <think>hm ` </think> b", (r"A \` and ", "hm `", " b")),
        ("```\ncode\n```\n<think>hm</think>b", ("```\ncode\n```\n", "hm", "b")),
        ("`code` <think>`hm</think>`b", ("`code` ", "`hm", "`b")),
        ("`` a ` <think>hm</think> b `", ("`` a ` <think>hm</think> b `",)),
    ],
)
def test_backticks_that_begin_no_code_hide_no_thought(text: str, parts: tuple[str, ...]) -> None:
    assert split(text) == says(*parts)


PIECES = st.sampled_from(
    [
        *("<think>", "</think>", "<THINKING>", "</thinking>", "<reasoning>", "</Reasoning>"),
        *("<", "</", "<thi", "nk>", ">", "`", "``", "```", "~~~", "\n", "\n\n", " ", "\t", "\\"),
        *("- ", "1. ", "12", "# ", "> ", "a", "word ", "é", "\U0001f600", "\u2028"),
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)


@given(TEXTS, st.lists(st.integers(0, 100)))
@settings(max_examples=4 * settings().max_examples)
def test_chunks_may_be_cut_anywhere(text: str, cuts: list[int]) -> None:
    ends = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    assert chunked(*(("markdown", text[a:b]) for a, b in pairwise(ends))) == split(text)
    assert chunked(*(("markdown", character) for character in text)) == split(text)


@given(TEXTS)
@settings(max_examples=2 * settings().max_examples)
def test_nothing_is_lost_but_tags_and_space_around_thoughts(text: str) -> None:
    found = "".join(content for _, content in split(text))
    rest = iter(text)
    lost = [c for c in found if c not in rest]
    assert lost == [], "all that is returned stands in the text, in this order"
    tags = "<>/think ing reasoning".upper() + "<>/thinking reasoning"
    assert len(text) - len(found) <= sum(text.count(c) for c in {*tags, "\n", "\t", "\u2028"})


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_thought_before_the_answer_is_never_said(thought: str, answer: str) -> None:
    thought = thought.replace("<", "")
    said = without_thoughts(f"<think>{thought}</think>{answer}")
    assert said == without_thoughts(answer).lstrip()


def test_words_do_not_wait_for_what_comes() -> None:
    splitter = ThoughtSplitter()
    given_ = [splitter.add([("markdown", c)]) for c in ("Hello ", "wor", "ld `x", " y` <", "3")]
    assert [[content for _, content in parts] for parts in given_] == [
        ["Hello "],
        ["wor"],
        ["ld `x"],
        [" y` "],
        ["<3"],
    ]


def test_a_part_that_is_no_text_ends_a_thought() -> None:
    tool = ("tool_request", {"name": "look"})
    parts: list[Part] = [("markdown", "<think>hm"), tool, ("markdown", "Yes. <thi"), tool]
    assert chunked(*parts) == [
        ("thinking", "hm"),
        tool,
        ("markdown", "Yes. <thi"),
        tool,
    ]


def test_a_long_text_costs_no_more_for_each_chunk() -> None:
    """A paragraph with an open backtick is kept whole; reading it again each time would hang."""
    splitter = ThoughtSplitter()
    assert splitter.add([("markdown", "a ` b")]) == [("markdown", "a ` b")]
    for _ in range(20_000):
        assert splitter.add([("markdown", "<think> word ")]) == []
    assert [kind for kind, _ in splitter.end()] == ["thinking"]
