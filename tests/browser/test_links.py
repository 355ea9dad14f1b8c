"""Links in what people write: where they begin and end, and that nobody is led astray."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from tests.browser._drawing import draw, in_modules
from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve

MANY = 5_000 if os.environ.get("LABCHAT_LONG") == "1" else 500
FIND = "({ findLinks }, texts) => texts.map(findLinks)"
KEPT_APART = "noopener noreferrer nofollow ugc"


@pytest.fixture
def page(drawing_page: Page) -> Page:
    return drawing_page


def links(page: Page, *texts: str) -> list[list[tuple[str, str, str | None]]]:
    """The links in each text: what they show, where they lead, and the host beside them."""
    found = in_modules(page, "content/links.js", FIND, texts)
    return [[(each["text"], each["href"], each["host"]) for each in one] for one in found]


ENDS = [
    ("(see https://a.example/b_(c)).", ["https://a.example/b_(c)"]),
    ("https://a.example, http://b.example; https://c.example/?d=e&f#g!", None),
    ("\u8acb\u770bhttps://a.example/x\u9801\u9762\u3002", ["https://a.example/x"]),
    ("https://a.example\u3002\u597d http://b.example\u3092\u898b\u308b", None),
    (
        "\u90f5\u4ef6ann@a.example\u8b1d\u8b1d, bob.b+c@b.example.",
        ["ann@a.example", "bob.b+c@b.example"],
    ),
    ("\u201chttps://a.example/x\u201d \u00abhttps://b.example\u00bb 'https://c.example'", None),
    (
        "https://a.example\u2014or https://b.example\u2026 `https://c.example` <https://d.example>",
        None,
    ),
    ("mailto:ann@a.example?subject=x", ["mailto:ann@a.example"]),
    ("javascript:alert(1) data:text/html,x ftp://a.example xhttps://a.example", []),
    ("a@b, @ann, ann@localhost, https:// and https://.", []),
    ("ann@b.example\u0430 and ann@\u0430pple.example", []),
]


@pytest.mark.parametrize(("text", "shown"), ENDS)
def test_a_link_ends_where_the_address_ends(page: Page, text: str, shown: list[str] | None):
    (found,) = links(page, text)
    expected = re.findall(r"https?://[a-z]\.example[/?=&#a-z]*", text) if shown is None else shown
    assert [each for each, _, _ in found] == expected
    assert all(host is None for _, _, host in found)


DISGUISED = [
    ("https://bank.com@evil.example/x", "evil.example"),
    ("https://bank.com:443@evil.example", "evil.example"),
    ("https://\u0430pple.com/", "xn--pple-43d.com"),
    ("https://bank.com\u2215login.evil.example", "bank.xn--comlogin-0f7d.evil.example"),
    ("https://evil.example\\@bank.com", "evil.example"),
    ("http://2130706433/", "127.0.0.1"),
    ("http://0x7f.1/", "127.0.0.1"),
    ("https://%65vil.example/", "evil.example"),
    ("https://evil.example/\u05d0/bank.com", "evil.example"),
    ("\u202ehttps://evil.example/moc.knab", "evil.example"),
    ("https://evil.example/\u202emoc.knab", "evil.example"),
    ("\u2067https://evil.example/x\u2069", "evil.example"),
]


@pytest.mark.parametrize(("text", "host"), DISGUISED)
def test_a_disguised_link_shows_the_real_host_beside_it(page: Page, text: str, host: str | None):
    (found,) = links(page, text)
    assert [beside for _, _, beside in found] == ([] if host is None else [host])
    (drawn,) = draw(page, text, kind="text")
    assert drawn.written == text
    assert host is None or f"a data-host={host}" in drawn.elements


def test_links_of_people_programmes_and_notices_open_apart(
    people: People, shared: Serve, room: str, organiser: Organiser
):
    ann, bob = people(2)
    place = organiser.room(shared("room.py"), room)
    ann.says("mine: https://one.example/a?b=c.")
    organiser.does(place.post("posted: https://two.example"))
    organiser.does(place.announce("notice: ann@three.example"))
    ann.tries("**https://bank.com@four.example/**")
    bob.sees(re.compile("four"))
    for name, href in (
        ("https://one.example/a?b=c", "https://one.example/a?b=c"),
        ("https://two.example", "https://two.example/"),
        ("ann@three.example", "mailto:ann@three.example"),
        ("https://bank.com@four.example/ (four.example)", "https://bank.com@four.example/"),
    ):
        link = bob.chat.loc_log.get_by_role("link", name=name)
        expect(link).to_have_attribute("href", href)
        expect(link).to_have_attribute("rel", KEPT_APART)
        expect(link).to_have_attribute("target", "_blank")
    assert bob.texts()[-1] == "**https://bank.com@four.example/**"


def test_a_link_reads_from_left_to_right_after_any_character(people: People):
    ann, bob = people(2)
    ann.says("\u202ehttps://a.example/b")
    link = bob.chat.loc_log.get_by_role("link")
    isolated = link.evaluate(
        "link => [getComputedStyle(link).unicodeBidi, getComputedStyle(link).direction]"
    )
    assert isolated == ["isolate", "ltr"]
    beside = link.evaluate("link => getComputedStyle(link, '::after').content")
    assert "a.example" in beside


# ── whatever people write ──

ADDRESSES = [
    *("https://a.example", "http://a.example/b?c=d#e", "https://\u0430.example", "ann@a.example"),
    *(
        "https://x@a.example/",
        "https://a.example/\u05d0",
        "mailto:ann@a.example",
        "HTTPS://A.example",
    ),
]
pieces = st.one_of(
    st.sampled_from(ADDRESSES),
    st.sampled_from(
        [*" .,;:!?()[]{}<>\"'`*_~/\\@&#%=-\n\u3002\u4e2d\u3042\uff0c\uff21\u202e\u200b\u2066"]
    ),
    st.text(max_size=3),
)
some_text = st.lists(pieces, max_size=12).map("".join)


def generated(number: int) -> list[str]:
    found: list[str] = []

    @settings(max_examples=number, database=None, deadline=None, phases=[Phase.generate])
    @given(some_text)
    def collect(text: str) -> None:
        found.append(text)

    collect()
    return found


EAST_ASIAN = re.compile("[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
INVISIBLE = re.compile(
    "[\x00-\x20\x7f-\xa0\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


def test_whatever_people_write_stays_as_it_is_and_leads_where_it_says(page: Page):
    texts = generated(MANY)
    found = links(page, *texts)
    drawn = draw(page, *texts[:: MANY // 100], kind="text")
    assert [each.written for each in drawn] == texts[:: MANY // 100]
    assert sum(map(len, found)) > MANY / 2
    for text, of_text in zip(texts, found, strict=True):
        end = 0
        for shown, href, host in of_text:
            begin = text.index(shown, end)
            end = begin + len(shown)
            assert not EAST_ASIAN.search(shown) and not INVISIBLE.search(shown), text
            assert shown[-1] not in ".,;:!?'*_~", text
            url = urlsplit(href)
            assert url.scheme in ("http", "https", "mailto"), text
            if url.scheme != "mailto" and url.netloc != re.split("[/?#]", shown)[2].lower():
                assert host == url.netloc.rpartition("@")[2], text
            if url.scheme != "mailto" and "@" in url.netloc:
                assert host == url.netloc.rpartition("@")[2], text
