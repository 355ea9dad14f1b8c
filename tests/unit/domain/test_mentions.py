"""Names that people write in all scripts, and what only looks like one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.mentions import is_mentioned


@pytest.mark.parametrize(
    "text",
    [
        "Teal Otter?",
        "hi @Teal Otter!",
        "i agree with teal otter",
        "(Teal Otter)",
        "Teal  Otter and Teal\nOtter",
        "Steal Otters, Teal Otter",
        "请问Teal Otter你好",
        "你好@Teal Otter，请看",
        "Teal Otterさん、どうぞ",
        "สวัสดีTeal Otterครับ",
        "Teal Otter님 안녕하세요",
        "안녕하세요@Teal Otter",
        "\uff20Teal Otter",
        "\uff34\uff45\uff41\uff4c\u3000\uff2f\uff54\uff54\uff45\uff52",
        "Te\u00adal\u2060 Otter\u200bis here",
        "`code` Teal Otter `code`",
        "see https://x.org/a, Teal Otter",
        "看https://x.org/a，Teal Otter",
        "a ` is no code, Teal Otter",
        "joe@example.org Teal Otter",
    ],
)
def test_who_is_called_by_name_is_mentioned(text: str) -> None:
    assert is_mentioned(text, "Teal Otter")
    assert is_mentioned(unicodedata.normalize("NFD", text), "Teal Otter")


@pytest.mark.parametrize(
    "text",
    [
        *("Steal Otters", "teal", "Otter", "Teal Otterly", "", "Teal Otter2", "_Teal Otter_"),
        *("`Teal Otter`", "``a ` Teal Otter``", "```\nTeal Otter\n```", "~~~\n@Teal Otter"),
        *("> ```\n> Teal Otter\n> ```", "Teal Otter\u0301", "ÄTeal Otter"),
    ],
)
def test_others_are_not_mentioned(text: str) -> None:
    assert not is_mentioned(text, "Teal Otter")


@pytest.mark.parametrize(
    "text",
    [
        *("https://ann.example/", "http://x.org/@Ann", "www.ann.org", "ftp://x/?q=Ann&b"),
        *("x.org/ann", "ann@example.org", "joe@ann.example", "joe@Ann", "ann@localhost"),
        *("mailto:Ann", "joe\uff20ann.org", "看http://x.org/Ann，好", "ANN@EXAMPLE.ORG."),
    ],
)
def test_an_address_mentions_nobody(text: str) -> None:
    assert not is_mentioned(text, "Ann") and not is_mentioned(text, "Ann", needs_at=True)
    assert is_mentioned(f"{text} Ann", "Ann")


def test_it_may_need_an_at_sign() -> None:
    for text, counts in (("@Ann", True), ("你好@ann你好", True), ("Ann", False)):
        assert is_mentioned(text, "Ann", needs_at=True) is counts


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("小明你好", "小明"),
        ("你好小明", "小明"),
        ("민수야 안녕", "민수"),
        ("Привет, Анна!", "Анна"),
        ("ZOË", "Zoe\u0308"),
        ("c'est Éloïse", "e\u0301loi\u0308se"),
        ("hi\U0001f9a6there", "\U0001f9a6"),
        ("STRASSE", "Straße"),
        ("Player 12", "Player 12"),
        ("hi C++!", "C++"),
    ],
)
def test_names_are_of_any_script(text: str, name: str) -> None:
    assert is_mentioned(text, name)
    assert is_mentioned(unicodedata.normalize("NFD", text), unicodedata.normalize("NFC", name))


def test_a_name_in_a_longer_one_is_not_meant() -> None:
    assert not is_mentioned("Player 12", "Player 1")
    assert not is_mentioned("철민수", "민수")
    assert not is_mentioned("anything", " ")


UNSPACED = st.text(
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)
    | st.characters(min_codepoint=0x3041, max_codepoint=0x3096)
    | st.sampled_from("กขคงจฉชซสวัดีครับកខគឃងကခဂဃ"),
    max_size=8,
)
SPACED = st.text(max_size=8).map(lambda text: f"{text} ".replace("`", "").replace("~", ""))
NAMES = st.sampled_from(["Ann", "Teal Otter", "Zoë", "Анна", "Player 1", "Ünal"])
FORMS = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])
ATS = st.sampled_from(["", "@", "\uff20"])


@given(UNSPACED | SPACED, ATS, NAMES, UNSPACED, FORMS)
def test_words_may_stand_beside_without_a_space(
    before: str, at: str, name: str, after: str, form: str
) -> None:
    if after and unicodedata.category(after[0]) == "Mn":  # a mark needs a letter before it
        after = f"ก{after}"
    text = unicodedata.normalize(form, f"{before}{at}{name}{after}")  # pyright: ignore[reportArgumentType]
    assert is_mentioned(text, name)
    assert is_mentioned(text, name, needs_at=True) is bool(at)


HIDDEN = st.sampled_from(
    [
        *("`{}`", "`` ` {} ``", "\n```\n{}\n```\n", "\n~~~~\n~~~\n{}\n~~~~\n"),
        *(
            " https://x.org/{} ",
            " x.org/?a={}&b ",
            " joe@{}.example.org ",
            " {}@example.org ",
            "\n> ```\n> {}\n> ```\n",
        ),
    ]
)
WORDS = st.text(st.sampled_from("abc 你好\n,.!"), max_size=10)


@given(WORDS, HIDDEN, st.sampled_from(["Ann", "anna", "Zoë"]), WORDS)
def test_a_name_in_code_or_an_address_is_no_mention(
    before: str, hidden: str, name: str, after: str
) -> None:
    text = f"{before} {hidden.format(name)} {after}"
    assert not is_mentioned(text, name)


def test_a_long_text_takes_no_long_time() -> None:
    for text in ("a" * 50_000, "`a" * 25_000, "a." * 25_000, "@" * 50_000, "\n```" * 9_000):
        assert not is_mentioned(text, "Ann")
