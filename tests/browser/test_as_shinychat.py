"""What shinychat promises of a conversation holds for a group's: box, beginnings, icons."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser._people import Person
from tests.browser.conftest import People


def can_send(person: Person, draft: str) -> None:
    """Their box holds this, and the button sends if it is something."""
    person.chat.expect_user_input(draft)
    button = expect(person.chat.loc_input_button)
    if draft:
        button.to_be_enabled()
    else:
        button.to_be_disabled()


# ── the box ──


def test_there_is_a_button_to_press_only_when_there_is_something_to_send(people: People):
    ann, bob = people(2, "echo.py")
    ann.sees_only("Say something")
    can_send(ann, "")
    ann.presses("Enter")
    for by in ("enter", "click"):
        ann.chat.set_user_input(f"by {by}")
        can_send(ann, f"by {by}")
        ann.chat.send_user_input(method=by)
        for person in (ann, bob):
            person.sees(f"You said: by {by}", by="Assistant")
        can_send(ann, "")
    for person in (ann, bob):
        person.sees_only(
            "Say something", "by enter", "You said: by enter", "by click", "You said: by click"
        )


def test_the_app_reads_what_all_have_said_but_not_the_pages_own_words(people: People):
    ann, bob = people(2, "echo.py")
    ann.says("hi")
    bob.sees("You said: hi")
    bob.says("ho")
    said = (
        {"content": "hi", "role": "user"},
        {"content": "You said: hi", "role": "assistant"},
        {"content": "ho", "role": "user"},
        {"content": "You said: ho", "role": "assistant"},
    )
    for person in (ann, bob):
        person.reads("said", str(said))


def test_a_text_that_the_app_puts_into_the_box_moves_the_cursor_only_if_it_says_so(
    people: People,
):
    ann, bob = people(2, "box.py")
    can_send(ann, "")
    ann.clicks("value")
    can_send(ann, "a suggestion")
    expect(ann.chat.loc_input).not_to_be_focused()
    ann.clicks("focus")
    can_send(ann, "go on")
    expect(ann.chat.loc_input).to_be_focused()
    bob.sees_only()
    can_send(bob, "")


def test_what_the_app_sends_for_a_person_leaves_draft_and_cursor_where_they_are(people: People):
    ann, bob = people(2, "box.py")
    for draft in ("mine", ""):
        ann.chat.set_user_input(draft)
        ann.clicks("submit")
        bob.sees("sent for me", by=ann)
        can_send(ann, draft)
        expect(ann.chat.loc_input).not_to_be_focused()
    ann.clicks("submit_focus")
    bob.sees("and now you", by=ann)
    can_send(ann, "")
    expect(ann.chat.loc_input).to_be_focused()
    for person in (ann, bob):
        person.sees_only("sent for me", "sent for me", "and now you")


def test_a_handler_that_fails_leaves_what_was_said_and_an_error_is_shown(people: People):
    ann, bob = people(2, "handlers.py")
    ann.says("fail")
    wrong = ann.page.locator(".shiny-notification-error")
    expect(wrong).to_contain_text("the handler broke at line 7")
    for person in (ann, bob):
        person.sees_only("fail")
    expect(bob.notifications()).to_have_count(0)


# ── suggestions ──


def test_a_picture_that_is_clicked_stands_in_the_box_until_it_is_sent(people: People):
    ann, bob = people(2, "suggestions.py")
    can_send(ann, "")
    ann.chat.loc_log.get_by_alt_text("picture").click()
    can_send(ann, "a thousand words")
    ann.chat.send_user_input(method="click")
    bob.sees("a thousand words", by=ann)
    can_send(ann, "")
    can_send(bob, "")


def test_a_suggestion_sent_at_once_leaves_the_box_empty_and_the_cursor_outside(people: People):
    ann, bob = people(2, "suggestions.py")
    log = ann.chat.loc_log
    ann.finds("sent at once").click()
    ann.finds("attribute").press("Enter")
    ann.finds("what it says").press("Control+Enter")
    ann.finds("plain words").click(modifiers=["ControlOrMeta"])
    for sent in ("sent at once", "by attribute", "what it means", "plain words"):
        bob.sees(sent, by=ann)
        can_send(ann, "")
        expect(ann.chat.loc_input).not_to_be_focused()
    ann.finds("attribute").press("Alt+Enter")
    can_send(ann, "by attribute")
    log.get_by_alt_text("picture").press(" ")
    can_send(ann, "a thousand words")
    ann.presses("Enter")
    bob.sees("a thousand words", by=ann)
    assert bob.chat.loc_message("by attribute").count() == 1


# ── how it begins, and where it stands ──


def test_what_a_script_says_stands_in_the_order_of_its_lines_once_for_all(people: People):
    """Streams, too, although a stream waits for its person, and a message need not."""
    once = ["one and one", "two and two", "three and three", "four and four"]
    (ann,) = people(1, "beginnings.py")
    ann.sees_only(*once, "here I am")
    ann.chat.expect_own()
    said = [f"assistant: {words}" for words in once] + ["user: here I am"]
    ann.reads("said", " / ".join(said))
    (bob,) = people(1, "beginnings.py")
    for person in (ann, bob):
        person.sees_only(*once, "here I am", "here I am")
        person.reads("said", " / ".join([*said, "user: here I am"]))
        person.chat.expect_author(bob.name)


def test_what_a_handler_says_after_a_stream_comes_after_it(people: People):
    ann, bob = people(2, "beginnings.py")
    ann.sees("here I am")
    ann.chat.expect_user_input("Begin with this")
    bob.chat.expect_user_input("Begin with this")
    ann.presses("Enter")
    for person in (ann, bob):
        person.sees("second message")
        assert person.texts()[-5:] == [
            "Begin with this",
            "first stream",
            "first message",
            "second stream",
            "second message",
        ]


def test_in_an_output_it_begins_with_the_pages_words_each_time_it_is_drawn(people: People):
    ann, bob = people(2, "echo.py", late="yes")
    ann.sees_only("Say something")
    bob.says("hi")
    bob.clicks("again")
    for person in (ann, bob):
        person.sees_only("Say something", "hi", "You said: hi")


def test_moved_to_another_place_in_the_page_it_keeps_all_and_goes_on(people: People):
    ann, bob = people(2, "echo.py")
    ann.says("before")
    ann.sees("You said: before")
    ann.page.evaluate("""() => {
      const place = document.body.appendChild(document.createElement("section"));
      place.append(document.getElementById("chat"));
    }""")
    expect(ann.page.locator("body > section > #chat")).to_have_count(1)
    bob.says("after")
    ann.sees("You said: after")
    ann.says("still here")
    for person in (ann, bob):
        person.sees("You said: still here")
        assert [text for text in person.texts() if text.startswith("You")] == [
            f"You said: {text}" for text in ("before", "after", "still here")
        ]


# ── icons ──


def icon(person: Person) -> str | None:
    """What stands beside the newest message."""
    drawn = person.chat.loc_latest_message.locator(".labchat-avatar > *")
    return drawn.get_attribute("class")


@pytest.mark.parametrize(
    "kind", ["", "picture", *(pytest.param(k, marks=pytest.mark.long) for k in ("tag", "svg"))]
)
def test_an_icon_is_its_messages_alone_and_otherwise_the_apps(people: People, kind: str):
    ann, bob = people(2, "echo.py", icon=kind)
    ann.sees("Say something")
    apps = icon(ann)
    assert apps == (f"of-app {kind}" if kind else None)
    for asked, said in (
        ("as tag", "I am tag"),
        ("plain", "You said: plain"),
        ("as svg", "I am svg"),
        ("stream as picture", "I stream as picture"),
        ("again", "You said: again"),
    ):
        ann.says(asked)
        own = f"of-app {asked.split()[-1]}" if "as" in asked.split() else apps
        for person in (ann, bob):
            person.chat.expect_latest_message(said)
            assert icon(person) == own
    pictures = bob.chat.loc_log.locator(".labchat-avatar img")
    assert all(each.evaluate("image => image.naturalWidth") == 24 for each in pictures.all())
    assert pictures.count() == (4 if kind == "picture" else 1)
