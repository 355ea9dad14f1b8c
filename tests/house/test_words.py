"""Participants read what is in the catalogue, and the catalogue is whole in each language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiny_labchat.chat.labels import LABELS
from shiny_labchat.errors import DETAILS, SENTENCES
from shiny_labchat.words import CATALOGUE, ENGLISH, slots_of
from shiny_labchat.words.english import ELEMENT

from .code import PACKAGE, modules

REASONS = (
    "complete lobby_timeout not_ready idle removed group_dissolved full closed no_consent "
    "screened_out incompatible withdrew already_took_part replaced error"
).split()
"""Why a person's part in a study may end."""


# ── the catalogue ──


@pytest.mark.parametrize("language", CATALOGUE)
def test_every_language_has_all_words_with_the_same_slots(language: str) -> None:
    words = CATALOGUE[language]
    assert words.keys() == CATALOGUE["en"].keys()
    slots = {key: slots_of(text) for key, text in words.items()}
    assert slots == {key: slots_of(text) for key, text in CATALOGUE["en"].items()}
    assert all(text.strip() == text != "" for text in words.values())


def test_a_key_has_one_meaning() -> None:
    groups = (SENTENCES, DETAILS, ELEMENT)
    assert all(CATALOGUE["en"][key] == text for group in groups for key, text in group.items())


def test_there_is_one_for_each_more_than_one() -> None:
    keys = CATALOGUE["en"].keys() - SENTENCES.keys()  # "too_many" is a code
    ones = {key.removesuffix("_one") for key in keys if key.endswith("_one")}
    assert ones == {key.removesuffix("_many") for key in keys if key.endswith("_many")}


@pytest.mark.parametrize("reason", REASONS)
def test_every_end_has_a_title_and_a_text(reason: str) -> None:
    assert ENGLISH[f"ended.{reason}"] and ENGLISH[f"ended.{reason}.text"].endswith(".")


def test_nothing_is_shouted_and_only_an_error_is_apologised_for() -> None:
    texts = [(key, text) for words in CATALOGUE.values() for key, text in words.items()]
    assert [key for key, text in texts if "!" in text] == []
    sorry = re.compile(r"sorry|apolog|unfortunate|leid\b|leider|entschuldig", re.IGNORECASE)
    assert {key for key, text in texts if sorry.search(text)} == {"ended.error.text"}


def test_german_is_polite() -> None:
    familiar = re.compile(r"\b(du|dich|dir|dein\w*|euch|euer|eure\w*)\b", re.IGNORECASE)
    assert [text for text in CATALOGUE["de"].values() if familiar.search(text)] == []


def test_the_element_says_the_same_in_the_page_and_in_the_catalogue() -> None:
    assert _labels_of_the_page() == ELEMENT
    assert LABELS.keys() == ELEMENT.keys() | SENTENCES.keys()


def _labels_of_the_page() -> dict[str, str]:
    """The words of the element by their keys, from its source."""
    words: dict[str, str] = {}
    for name, start in (("labels.js", "LABELS = {"), ("unloaded.js", "SENTENCES = {")):
        source = (PACKAGE / "www" / name).read_text(encoding="utf-8").split(start, 1)[1]
        body = re.split(r"^ *};", source, maxsplit=1, flags=re.MULTILINE)[0]
        for key, pieces in re.findall(r'^ +(\w+):\s*("[^\n]*"(?:\s*\+\s*"[^\n]*")*),$', body, re.M):
            words[key] = "".join(re.findall(r'"([^"]*)"', pieces))
    return words


# ── and nothing outside it ──

SENTENCE = re.compile(r"[A-ZÄÖÜ][a-zäöüß']*[,:]? (\w|\$\{|$)")
"""How a sentence begins: with a word that has a capital, and another word or a value."""
MARKUP = re.compile(r">\s*[A-ZÄÖÜ]\w[^<]*<")
"""Words between tags."""
WORD = re.compile(r"[A-ZÄÖÜ]\w")
"""How a word that is drawn begins."""
NOT_SAID = re.compile(r"^(logger\.\w+|logging\.\w+|warnings\.warn|re\.compile)$")
"""Calls whose texts are for whoever runs the server."""
WITHOUT_PARTICIPANTS = ("audit", "bots", "cli", "demo", "doctor", "errors", "export", "metrics",
                        "models", "move", "playwright", "report", "words")  # fmt: skip
"""Wings whose texts are for the organisers and for models; and where the words are."""
KNOWN = (
    "Alpaca Antelope ",
    "Amber Aqua ",
    "Behind a proxy, let it pass on ",
    "No condition was proposed for group ",
)
"""How lists of names begin, a line of the server's log, and what an app's own function is told."""


def sentences_in(source: str) -> Iterator[str]:
    """Sentences in a module, and words that are drawn, but for what only organisers read."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if (SENTENCE.match(text) or MARKUP.search(text)) and not text.startswith(KNOWN):
                yield text
        elif not _is_for_organisers(node):
            yield from _drawn(node)
            waiting += ast.iter_child_nodes(node)


def _drawn(node: ast.AST) -> Iterator[str]:
    """The single words that a call draws."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("ui."):
        for given in (*node.args, *(keyword.value for keyword in node.keywords)):
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                if WORD.match(given.value) and not SENTENCE.match(given.value):
                    yield given.value


def _is_for_organisers(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Raise):
        return "Refused" not in ast.unparse(node)  # a person is told of a refusal
    if isinstance(node, ast.Call):
        return NOT_SAID.match(ast.unparse(node.func)) is not None
    return isinstance(node, ast.Assert)


JS = re.compile(
    r"//[^\n]*|/\*.*?\*/|"
    r"(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)",
    re.DOTALL,
)
"""Comments, and texts: a sign in a comment begins no text."""


def sentences_of_page(source: str) -> list[str]:
    """The sentences in a script of the page."""
    texts = (match["text"][1:-1] for match in JS.finditer(source) if match["text"])
    return [text for text in texts if SENTENCE.match(text)]


@pytest.mark.parametrize(
    "source",
    [
        'ui.p("Please wait.")',
        'def f():\n    """A docstring."""\n    return f"Wait, {name}"',
        'raise Refused("full", detail="Come again later.")',
        'WORDS = {"wait": "Bitte warten"}',
        'PAGE = "<html><title>End</title></html>"',
        'ui.tags.button(icon, aria_label="Send")',
    ],
)
def test_a_sentence_is_found(source: str) -> None:
    assert len(list(sentences_in(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring of a module."""',
        'raise ValueError(f"The {x} is wrong")',
        'logger.warning("The server is slow")',
        'element = ui.p("aria-label", class_="labchat-log")',
        'role = cast("Role | None", role)',
    ],
)
def test_what_is_no_sentence_for_participants_is_not_found(source: str) -> None:
    assert list(sentences_in(source)) == []


def test_a_sentence_in_a_script_is_found_and_a_comment_is_none() -> None:
    comments = "// Don't \"Look here\"\n/* 'Nor here' */"
    source = f"""{comments} f("Please wait", 'Or go', `Hello ${{name}}`, "a b")"""
    assert sentences_of_page(source) == ["Please wait", "Or go", "Hello ${name}"]


SCRIPTS = [path for path in (PACKAGE / "www").rglob("*.js")]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_has_a_sentence_but_those_with_the_labels(path: Path) -> None:
    found = sentences_of_page(path.read_text(encoding="utf-8"))
    assert set(found) <= set(ELEMENT.values()) or path.name == "unloaded.js"
    assert not found or path.name in ("labels.js", "unloaded.js")


OURS = {n: p for n, p in modules().items() if n.split(".")[0] not in WITHOUT_PARTICIPANTS}


@pytest.mark.parametrize("name", OURS)
def test_no_module_has_a_sentence_for_participants(name: str) -> None:
    assert list(sentences_in(OURS[name].read_text(encoding="utf-8"))) == []
