"""How a chat looks while models answer: themes, phones, what is in the way."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser._people import Person
from tests.browser.conftest import People, Serve
from tests.support.server import ROOT

APP = "streams.py"
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
ARABIC = "\u0645\u0631\u062d\u0628\u0627"
TABLE = r"| treatment | n | mean contribution | standard error | remark |\n|---|--:|--:|--:|---|\n"
ROW = r"| communication | 118 | 12.90 | 0.39 | higher, as in earlier work |"
LINES = r"\n\n".join(f"line {n}" for n in range(60))


def oracle(person: Person, *orders: str) -> None:
    """They have an answer begun that says so much, and goes on until it ends."""
    person.says("open Oracle", *(f"Oracle {order}" for order in orders))


def with_a_phone(people: People) -> tuple[Person, Person]:
    """One at a desk, one with a phone."""
    return people(1, APP)[0], people(1, APP, device=PHONE)[0]


def lines_of(element: Locator) -> int:
    """On how many lines the text of an element stands."""
    return element.evaluate(
        """(element) => {
          const range = document.createRange();
          range.selectNodeContents(element);
          return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
        }"""
    )


def theme(person: Person) -> str:
    return person.page.evaluate("getComputedStyle(document.body).colorScheme")


def test_apps_are_light_or_dark_as_the_system_is(people: People, serve: Serve):
    server = serve(str(ROOT / "apps" / "01-hello" / "app.py"))
    (ann,) = people(1, server, device={"color_scheme": "dark"})
    ann.waits_until(lambda: theme(ann) == "dark")
    ann.page.emulate_media(color_scheme="light")
    ann.waits_until(lambda: theme(ann) != "dark")


def test_on_a_phone_a_chat_can_fill_the_page(people: People, serve: Serve):
    server = serve(str(ROOT / "apps" / "01-hello" / "app.py"))
    (ann,) = people(1, server, device=PHONE)
    box = ann.chat.loc_input_container.bounding_box()
    assert box and 844 - 100 < box["y"] + box["height"] <= 844


def test_code_runs_from_left_to_right_in_an_answer_that_does_not(people: People):
    (ann,) = people(1, APP)
    oracle(ann, f"says {ARABIC} `f(x)`", rf"says \n\n```\nif (a) {{\n```\n\n> {ARABIC}")
    written = ann.page.locator("article[data-live] .labchat-markdown")
    expect(written.locator("p").first).to_have_css("direction", "rtl")
    for code in (written.locator("p code"), written.locator("pre code")):
        expect(code).to_have_css("direction", "ltr")
    expect(written.locator("blockquote")).to_have_css("border-right-width", "4px")
    expect(written.locator("blockquote")).to_have_css("border-left-width", "0px")
    ann.says("Oracle ends")


def test_a_box_that_is_ticked_has_no_bullet_besides(people: People):
    (ann,) = people(1, APP)
    oracle(ann, r"says - [x] done\n- [ ] to do")
    items = ann.page.locator("article[data-live] li")
    expect(items).to_have_count(2)
    expect(items.first).to_have_css("list-style-type", "none")
    ann.says("Oracle ends")


def test_an_answer_as_long_as_a_book_is_shown_as_it_is(people: People):
    """To render it would keep everybody's page from doing anything else, for half a minute."""
    ann, bob = people(2, APP)
    oracle(ann, r"repeats 6000 A *line* of text.\n\n")
    ann.says("open Sibyl", "Sibyl says It is **drawn** later.")
    expect(bob.page.locator("article[data-live] strong")).to_have_text("drawn")
    book = bob.page.locator("article[data-live] .labchat-text")
    expect(book).to_contain_text("A *line* of text.")
    ann.says("Oracle ends", "Sibyl ends")


def test_a_wide_table_scrolls_and_breaks_no_number(people: People):
    ann, bob = with_a_phone(people)
    oracle(ann, f"says {TABLE}{ROW}")
    cells = bob.page.locator("article[data-live] td")
    expect(cells).to_have_count(5)
    assert [lines_of(cells.nth(n)) for n in range(4)] == [1, 1, 1, 1]
    assert bob.page.evaluate("document.scrollingElement.scrollWidth <= 390")
    ann.says("Oracle ends")


def test_on_a_touch_screen_the_copy_button_hides_no_code(people: People):
    ann, bob = with_a_phone(people)
    oracle(ann, r"says ```\none line\n```")
    block = bob.page.locator("article[data-live] pre")
    button, code = (block.locator(part).bounding_box() for part in (".labchat-copy", "code"))
    frame = block.bounding_box()
    assert button and code and frame
    assert button["height"] >= 44
    assert code["y"] + code["height"] <= button["y"]
    assert button["y"] + button["height"] <= frame["y"] + frame["height"]
    ann.says("Oracle ends")


def test_the_name_of_a_tool_stays_whole_beside_its_mark(people: People):
    ann, bob = with_a_phone(people)
    oracle(ann, "asks it")
    call = bob.page.locator("article[data-live] .labchat-tool > summary")
    for state in ("pending", "done"):
        expect(bob.page.locator(f".labchat-tool[data-status={state}] > summary")).to_be_visible()
        assert lines_of(call.locator(".labchat-tool-name")) == 1
        if state == "pending":
            ann.says("Oracle hears rain")
    ann.says("Oracle ends")


def test_nothing_moves_for_who_wants_no_motion(people: People):
    (ann,) = people(1, APP, device={"reduced_motion": "reduce"})
    oracle(ann, "thinks hm", "asks it")
    expect(ann.page.locator(".labchat-tool[data-status=pending]")).to_be_visible()
    assert ann.page.evaluate("document.getAnimations().length") == 0
    ann.says("Oracle ends")


def test_who_reads_above_a_growing_answer_is_led_to_its_end_by_keyboard(people: People):
    ann, bob = people(2, APP)
    oracle(ann, f"says {LINES}")
    bob.sees("line 59")
    bob.waits_until(bob.is_at_the_bottom)
    expect(bob.chat.loc_new).to_be_hidden()
    bob.scrolls("up")
    expect(bob.chat.loc_new).to_have_text("To the newest")
    ann.says(r"Oracle says \n\nand more")
    bob.sees("and more")
    assert not bob.is_at_the_bottom()
    bob.page.get_by_role("button", name="new").focus()
    bob.page.keyboard.press("Enter")
    bob.waits_until(bob.is_at_the_bottom)
    expect(bob.chat.loc_new).to_be_hidden()
    expect(bob.chat.loc_log).to_be_focused()
    ann.says("Oracle ends")


def test_an_error_does_not_lie_on_the_box(people: People):
    (ann,) = people(1, APP)
    oracle(ann, "breaks badly")
    expect(ann.notifications("badly")).to_be_visible()
    ann.says("I go on", by="click")


def test_the_button_has_its_sign_as_the_style_sheet_comes_after_bootstraps(people: People):
    (ann,) = people(1, APP)
    sign = ann.chat.loc_input_button.evaluate(_SIGN)
    assert sign == {"width": "16px", "display": "block", "radius": "16px"}


_SIGN = """(button) => {
  const { width, display } = getComputedStyle(button, "::before");
  return { width, display, radius: getComputedStyle(button).borderTopLeftRadius };
}"""
