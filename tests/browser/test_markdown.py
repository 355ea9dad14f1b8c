"""What is drawn of a model's markdown, and that none of its words is lost."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import count, pairwise

import pytest
from chatlas.types import ContentCitation, WebSource
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from playwright.sync_api import ConsoleMessage, Page, expect
from shinychat import message_content

from tests.browser._drawing import Drawn, draw, in_modules
from tests.browser._hostile import HARMLESS_NOISE, batches, harmful
from tests.browser.conftest import Noise, People

MANY = 4_000 if os.environ.get("LABCHAT_LONG") == "1" else 200

SQUARE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9"
    "i18U1AAAAABJRU5ErkJggg=="
)
SVG = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI5IiBo"
    "ZWlnaHQ9IjkiLz4="
)


@pytest.fixture
def page(drawing_page: Page) -> Page:
    return drawing_page


IN_BRACKETS = [
    "Use a <select> for choices. Then pay <amount> euros. END",
    "A List<String>, x<y>z, </p3>, <3, a < b > c, and <https//x>. END",
    "Write <textarea>, <style>, <iframe>, <title>, <script> or <xmp> **here**. END",
    "<!-- a note --> <?php echo 1 ?> <!DOCTYPE html> <![CDATA[x]]> END",
    "std::vector<std::string> and map<int, list<T>> and <T extends Comparable<T>> END",
    "The <plaintext> tag, <noscript>, <template>, <option> and <svg><path d='M0'></svg> END",
    "`<select>` is code, and <select> is not. END",
]


@pytest.mark.parametrize("text", IN_BRACKETS)
def test_words_in_angle_brackets_are_seen(page: Page, text: str):
    plain = text.replace("`", "").replace("**", "")
    cuts = [[text[:at], text[at:]] for at in range(1, len(text), 3)]
    for drawn in draw(page, text, *cuts):
        assert drawn.text == plain


# ── every word is seen, and nothing runs ──

STRANGE = (
    "select textarea style iframe title script xmp noembed noframes noscript plaintext template "
    "option optgroup button form fieldset legend input label svg math object video audio canvas "
    "dialog body html head frameset image keygen listing marquee slot x-foo amount String y T "
    "std::string shiny-aside"
).split()
PLAIN = (
    "b i em strong code sub sup u s small mark span p div section blockquote pre ul ol li dl dt dd "
    "table tbody tr td th caption summary ruby rt h2 font center figure article main a"
).split()
HARMLESS = [
    *('<a href="https://a.invalid">', '<i title="t">', '<span class="suggestion">', "<br>", "<hr>"),
    *('<p align="center">', '<td colspan=2 style="color: red">', "<details open>", "<img alt=x>"),
]
HOSTILE = [
    *("<img src=x onerror=RUN>", "<script>RUN</script>", "<svg onload=RUN>", "<b onclick=RUN>"),
    *('<a href="javascript:RUN">', "<iframe srcdoc='<script>parent.RUN</script>'>", "<style>*{}"),
    *("<body onload=RUN>", "<details open ontoggle=RUN>", "<input autofocus onfocus=RUN>"),
]
MARKS = [
    *(" ", "\n", "\n\n", "\n- ", "\n1. ", "\n> ", "\n# ", "\n    ", "\n```\n", "\n---\n", "  \n"),
    *(
        "**",
        "*",
        "_",
        "` ",
        "[",
        "]",
        "!",
        "\\",
        "&amp;",
        "&lt;",
        "<",
        ">",
        "</",
        "<!--",
        "-->",
        "<!",
    ),
    *("<?", "?>", "<![CDATA[", "]]>", "<3", " < ", '"', "'", "=", "\u00e9", "\u4e2d", "\ue000"),
    *("<https://a.invalid/>", "<ann@a.invalid>", "https://a.invalid/", "\r\n", "\t", "\ufeff"),
]
"""None of these makes something else of a word than text, as an address or a name would be."""


def tags(names: Sequence[str]) -> st.SearchStrategy[str]:
    """Tags, with a word in them that has to be seen."""
    shapes = [
        "<{}>",
        "</{}>",
        "<{} WORD>",
        "<{} a=WORD>",
        '<{} a="WORD">',
        "<{} a='WORD\n",
        "<{}/>",
    ]
    return st.builds(str.format, st.sampled_from(shapes), st.sampled_from(names))


pieces = st.one_of(
    st.just("WORD"),
    st.sampled_from(MARKS),
    tags(STRANGE),
    st.sampled_from([f"<{name}>" for name in PLAIN] + [f"</{name}>" for name in PLAIN]),
    st.sampled_from(HARMLESS),
    st.sampled_from(HOSTILE),
)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A markdown text in one or more chunks, and the words in it that have to be seen."""
    source = "".join(draw(st.lists(pieces, min_size=1, max_size=25))) + " WORD"
    numbers = count(1)
    text = re.sub("WORD", lambda _: f"w{next(numbers)}w", source).replace("RUN", "window.hacked=1")
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=2)))
    ends = [0, *cuts, len(text)]
    chunks = [text[start:end] for start, end in pairwise(ends) if start < end]
    return text, chunks


def some_texts(number: int) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []

    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(texts())
    def collect(text: tuple[str, list[str]]) -> None:
        found.append(text)

    collect()
    return found


def unseen(text: str, drawn: Drawn) -> list[str]:
    """The words that cannot be seen."""
    return [word for word in re.findall(r"w\d+w", text) if word not in drawn.text]


def test_no_word_is_lost_and_nothing_runs_whatever_stands_around_it(page: Page, noise: Noise):
    noise.expects(HARMLESS_NOISE)
    own = re.sub(r"\?.*", "", page.url)
    found = some_texts(MANY)
    wrong: list[str] = []
    for batch in batches(found):
        drawn_batch = draw(page, *(chunks for _, chunks in batch))
        for (text, chunks), drawn in zip(batch, drawn_batch, strict=True):
            lost = unseen(text, drawn)
            if lost:
                wrong.append(f"{chunks!r} became {drawn.text!r} without {lost}")
            wrong += [f"{chunks!r} drew {what}" for what in harmful(drawn.elements, own)]
    assert wrong == []
    assert page.evaluate("window.hacked") is None


# ── what harmless markdown becomes ──


def test_an_image_that_the_text_contains_is_shown_and_no_drawing(people: People):
    ann, bob = people(2, "hostile.py")
    ann.says(f"a ![square]({SQUARE}) and `{SQUARE}`", f"![x]({SVG}) and <img src='{SVG}'> end")
    square = bob.chat.loc_log.get_by_role("img", name="square")
    assert square.evaluate("image => image.decode().then(() => image.naturalWidth)") == 2
    bob.sees(re.compile("^\\s*a.*and " + re.escape(SQUARE)), re.compile("image.* end$"))
    expect(bob.chat.loc_log.locator("[data-role=assistant] .labchat-content img")).to_have_count(1)


def test_a_large_image_is_shown_and_does_not_fold_the_message(page: Page):
    large = "data:image/png;base64," + "iVBORw0KGgo" * 20_000
    (drawn,) = draw(page, f"Here: ![plot]({large})\n\n**done**")
    assert f"img src={large}" in drawn.elements and "<strong>" in drawn.elements
    is_long = "({ isLong }, image) => isLong([['markdown', `![plot](${image})`]])"
    assert in_modules(page, "transcript/fold.js", is_long, large) is False


def test_images_and_tasks_have_names(people: People, noise: Noise):
    noise.expects("404")
    ann, bob = people(2, "hostile.py")
    ann.says(
        "![](x.png) ![a cat](x.png)", "- [ ] buy **milk**\n- [x] sleep\n\n  well\n  - [ ] deep"
    )
    newest = bob.chat.loc_log
    for name in ("image", "a cat"):
        expect(newest.get_by_role("img", name=name, exact=True)).to_have_count(1)
    for name in ("buy milk", "sleep", "deep"):
        expect(newest.get_by_role("checkbox", name=name, exact=True)).to_have_count(1)


NOTED = "One[^a] and two[^b].\n\n" + "- a line\n" * 30 + "\n[^a]: First note.\n[^b]: Second note."


def test_footnotes_lead_to_their_place_in_the_same_message_and_back(people: People):
    (ann,) = people(1, "hostile.py")
    ann.says("x")
    programme = ann.chat.loc_log.locator("article[data-role=assistant]")
    ann.chat.say(NOTED)
    expect(programme).to_have_count(2)
    ann.chat.say(NOTED)
    expect(programme).to_have_count(3)
    address = ann.page.url
    for message in (programme.nth(2), programme.nth(1)):
        note = message.get_by_role("listitem").filter(has_text="Second note.")
        expect(message.get_by_role("button", name="Show more")).to_be_visible()
        message.get_by_role("link", name="2", exact=True).click()
        expect(note).to_be_focused()
        expect(note).to_be_in_viewport()
        expect(message.get_by_role("button", name="Show less")).to_have_count(1)
        note.get_by_role("link", name="Back to the text").click()
        expect(message.get_by_role("link", name="2", exact=True)).to_be_focused()
    assert ann.page.url == address
    ids = ann.page.locator("[id]").evaluate_all("all => all.map(({ id }) => id)")
    assert len(ids) == len(set(ids))


BROKEN = "a\nb **c**\nd  \ne\n\n- f\n  g\n\n`h\ni`\n\n```\nj\nk\n```\n\n> l\n> m"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [({}, "a b c d\ne\n\nf g\n\nh i"), ({"breaks": "yes"}, "a\nb c\nd\ne\n\nf\ng\n\nh i")],
)
def test_a_line_break_is_one_only_where_the_app_says_so(
    people: People, asked: dict[str, str], shown: str
):
    (ann,) = people(1, "options.py", first=BROKEN, **asked)
    drawn = ann.chat.loc_message(re.compile("^a")).locator(".labchat-markdown")
    expect(drawn.locator("pre code")).to_have_text("j\nk\n", use_inner_text=True)
    assert drawn.inner_text().strip().startswith(shown + "\n\nj\nk")


def test_looks_of_bootstrap_and_suggestions_stay_and_what_hides_or_covers_goes(page: Page):
    looks = "alert alert-info mt-2 p-3 rounded text-center fw-bold"
    (drawn,) = draw(
        page,
        f'<div class="{looks} d-none fixed-top modal">x <span class="suggestion btn btn-primary '
        'stretched-link" data-suggestion="y">z</span></div>',
    )
    assert f"div class={looks}" in drawn.elements
    assert "span class=suggestion btn btn-primary" in drawn.elements
    assert {"span data-suggestion=y", "span role=button"} <= {*drawn.elements}


def test_code_with_tags_in_it_has_its_colours(page: Page):
    code = "<select onchange='x()'>\n  <option>&amp;</option> ````\n</select>"
    (drawn,) = draw(page, f"`````html\n{code}\n`````")
    assert drawn.written == f"{code}\nCopy"
    assert drawn.elements.count("span class=hljs-name") == 4


def test_a_models_citation_is_a_link(page: Page):
    aside = ContentCitation(source=WebSource(url="https://a.invalid/?b=1&c=2", title="A <b>"))
    note = message_content(aside).content
    (drawn,) = draw(page, f"It is so.{note}")
    assert re.fullmatch(r"It is so\.\s*A <b>", drawn.text.strip())
    assert "a href=https://a.invalid/?b=1&c=2" in drawn.elements


def test_the_browsers_console_says_what_is_not_drawn_and_why(page: Page):
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        said.append(message.text)

    page.on("console", note)
    draw(page, ["A <select>, ", "<b onclick=x>", " and <p style='color: red'>red</p>", "`<i>`"])
    draw(page, "![x](https://remote.invalid/x.png) [y](javascript:z) `<textarea>`")
    page.remove_listener("console", note)
    for words in (
        "<select> is shown as text: it is not on the list",
        "<b> is shown as text: an attribute of it is not on the list",
        "the attribute style of <p style='color: red'> is left out",
        "an image is not shown: none is loaded from other servers",
        "a link is only text: it may lead to web pages",
    ):
        assert len([each for each in said if words in each]) == 1, words
    assert len(said) == 5
