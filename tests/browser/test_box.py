"""The text box: what sends, what breaks the line, what is refused."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser._people import Person
from tests.browser.conftest import People

PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 390, "height": 844}}


def test_enter_sends_and_shift_enter_breaks_the_line(people: People):
    ann, bob = people(2)
    ann.types("first")
    ann.presses("Shift+Enter")
    ann.types("second")
    assert ann.draft == "first\nsecond"
    ann.presses("Enter")
    bob.sees("first")
    assert bob.texts() == ["first\nsecond"]
    ann.chat.expect_user_input("")


def test_the_button_sends(people: People):
    ann, bob = people(2)
    ann.says("clicked", by="click")
    bob.sees("clicked", by=ann)
    ann.chat.expect_user_input("")


def test_enter_that_confirms_a_word_of_an_input_method_never_sends(people: People):
    ann, bob = people(2)
    ann.composes("日本")
    assert ann.draft == "日本"
    bob.says("a marker")
    ann.sees_only("a marker")
    ann.presses("Enter")
    bob.sees_only("a marker", "日本")


def test_on_a_touch_screen_enter_breaks_the_line(people: People):
    (ann,) = people(1, device=PHONE)
    ann.types("first")
    ann.presses("Enter")
    ann.types("second")
    assert ann.draft == "first\nsecond"
    ann.chat.send_user_input(method="click")
    ann.sees("second")
    assert ann.texts() == ["first\nsecond"]


def test_blanks_are_refused_in_words(people: People):
    (ann,) = people(1)
    ann.tries("   ")
    ann.is_told("There is nothing to send yet.")
    assert ann.draft == "   "
    ann.says("now")
    ann.is_told("")


def test_what_nobody_could_see_is_refused_in_words_and_stays_in_the_box(people: People):
    ann, bob = people(2)
    for text in ("\u2800", "\u200b\u3164", "\U000e0041\U000e007f", "\u202e\u2066"):
        ann.tries(text)
        ann.is_told("There is nothing to send yet.")
        expect(ann.chat.loc_input).to_have_value(text)
        ann.chat.set_user_input("")
    ann.says("\u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467 می\u200cخواهم")
    bob.sees_only("\u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467 می\u200cخواهم")


def test_too_long_a_message_is_refused_in_words_and_the_draft_kept(people: People):
    (ann,) = people(1)
    text = "x" * 5_001
    ann.tries(text)
    ann.is_told("too long: 5,001 characters of at most 5,000")
    assert ann.draft == text
    expect(ann.chat.loc_counter).to_have_text("Too long by 1")
    ann.presses("End", "Backspace")
    ann.is_told("")
    expect(ann.chat.loc_counter).to_have_text("0 characters left")
    ann.presses("Enter")
    ann.sees("xxx")
    assert ann.texts() == ["x" * 5_000]


def test_a_megabyte_pasted_is_refused_in_words_and_the_draft_kept(people: People):
    (ann,) = people(1)
    ann.types("a draft")
    ann.pastes("m" * 1_000_000)
    ann.is_told("too long: 1,000,000 characters of at most 5,000")
    assert ann.draft == "a draft"
    ann.presses("Enter")
    ann.sees_only("a draft")


def test_what_is_pasted_can_be_sent(people: People):
    (ann,) = people(1)
    ann.pastes("from\nelsewhere")
    ann.presses("Enter")
    ann.waits_until(lambda: ann.texts() == ["from\nelsewhere"])


def test_too_fast_is_refused_in_words_and_nothing_is_lost(people: People):
    ann, bob = people(2)
    sent = [f"quick {n}" for n in range(14)]
    ann.sends_at_once(*sent)
    ann.is_told("You are sending messages very fast.")
    bob.waits_until(lambda: bob.texts() + ann.draft.split("\n") == sent)


def test_control_characters_are_refused_in_words_and_the_draft_kept(people: People):
    (ann,) = people(1)
    ann.sends_at_once("ring the \u0007 bell")
    ann.is_told("The message contains characters that cannot be shown.")
    assert ann.draft == "ring the \u0007 bell"


def test_the_counter_shows_only_near_the_limit(people: People):
    (ann,) = people(1)
    ann.chat.set_user_input("x" * 4_000)
    expect(ann.chat.loc_counter).to_be_hidden()
    ann.chat.set_user_input("x" * 4_900)
    expect(ann.chat.loc_counter).to_have_text("100 characters left")


def test_the_app_can_put_a_text_into_the_box(people: People):
    (ann,) = people(1, "box.py")
    for button, draft in (("value", "a suggestion"), ("deprecated", "the old way")):
        ann.clicks(button)
        ann.chat.expect_user_input(draft)
        ann.presses("Enter")
        ann.sees(draft, by=ann)


def test_the_app_can_send_for_a_person_and_their_draft_stays(people: People):
    ann, bob = people(2, "box.py")
    ann.types("I was typing")
    ann.clicks("submit")
    bob.sees("sent for me", by=ann)
    ann.chat.expect_user_input("I was typing")


def test_the_app_can_focus_the_box_and_change_its_placeholder(people: People):
    (ann,) = people(1, "box.py")
    ann.clicks("placeholder")
    expect(ann.chat.loc_input).to_have_attribute("placeholder", "Say something kind")
    ann.clicks("focus")
    expect(ann.chat.loc_input).to_be_focused()
    ann.chat.expect_user_input("go on")


def test_submit_and_focus_need_a_value(people: People):
    (ann,) = people(1, "box.py")
    for button in ("submit_alone", "focus_alone"):
        ann.reads("error", "error: none")
        ann.clicks(button)
        ann.reads(
            "error",
            "error: An input `value` must be provided when `submit` or `focus` are `True`.",
        )
        ann.clicks("forget")


def test_the_focus_stays_in_the_box_when_the_button_is_clicked(people: People):
    ann, bob = people(2)
    ann.chat.loc_input.click()
    for text in ("one", "two"):
        ann.page.keyboard.type(text)
        ann.chat.loc_input_button.click()
        bob.sees(text, by=ann)
        expect(ann.chat.loc_input).to_be_focused()
    ann.page.keyboard.type("three")
    assert ann.draft == "three"


def test_a_phones_keyboard_stays_when_the_button_is_tapped(people: People):
    (ann,) = people(1, device=PHONE)
    (bob,) = people(1)
    ann.chat.loc_input.tap()
    ann.page.keyboard.type("tapped")
    watch_focus(ann)
    ann.chat.loc_input_button.tap()
    bob.sees("tapped", by=ann)
    tap_beside_the_text(ann)  # the button sends nothing now, as the box is empty
    expect(ann.chat.loc_input).to_be_focused()
    assert ann.page.evaluate("window.blurred") == 0


def test_a_refused_message_keeps_text_and_focus(people: People):
    (ann,) = people(1, device=PHONE)
    ann.chat.loc_input.tap()
    ann.page.keyboard.insert_text("   ")
    watch_focus(ann)
    ann.chat.loc_input_button.tap()
    ann.is_told("There is nothing to send yet.")
    ann.chat.expect_user_input("   ")
    ann.page.keyboard.insert_text("more")
    assert ann.draft == "   more"
    assert ann.page.evaluate("window.blurred") == 0


def test_a_press_on_the_button_leaves_the_focus_where_it_was_if_not_in_the_box(people: People):
    """No keyboard opens over what a person reads."""
    (ann,) = people(1, device=PHONE)
    ann.chat.set_user_input("a draft")
    ann.chat.loc_log.focus()
    ann.chat.loc_input_button.tap()
    ann.sees("a draft", by=ann)
    expect(ann.chat.loc_input).not_to_be_focused()


def watch_focus(person: Person) -> None:
    """Count from now on how often the box loses the focus, if only for a moment."""
    person.chat.loc_input.evaluate(
        "box => { window.blurred = 0; box.addEventListener('blur', () => window.blurred++); }"
    )


def tap_beside_the_text(person: Person) -> None:
    button = person.chat.loc_input_button.bounding_box()
    assert button
    person.page.touchscreen.tap(button["x"] + button["width"] / 2, button["y"] + 5)
