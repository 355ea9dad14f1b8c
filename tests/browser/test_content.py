"""What code appends, and who is shown it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import People, Serve


def test_a_string_is_markdown(people: People):
    ann, bob = people(2, "content.py")
    ann.says("markdown")
    bob.sees("Some bold words")
    expect(bob.chat.loc_latest_message.get_by_role("strong")).to_have_text("bold")
    expect(bob.chat.loc_latest_message.get_by_role("listitem")).to_have_text(["one", "two"])


def test_markdown_runs_nothing_and_loads_nothing_remote(people: People):
    ann, bob = people(2, "content.py")
    asked_for: list[str] = []
    bob.page.on("request", lambda request: asked_for.append(request.url))
    ann.says("evil markdown")
    bob.sees(re.compile("Look.*end"))
    assert bob.page.evaluate("window.hacked") is None
    assert not [url for url in asked_for if "remote.invalid" in url]
    assert bob.chat.loc_latest_message.locator("[href^=javascript], script, [onerror]").count() == 0


def test_html_is_drawn_as_written_and_a_tag_too(people: People):
    ann, bob = people(2, "content.py")
    ann.says("html")
    bob.sees("**as** written")
    expect(bob.chat.loc_latest_message.locator("b.mine")).to_have_count(1)
    ann.says("tag")
    bob.sees("a tag")
    expect(bob.chat.loc_latest_message.get_by_role("emphasis")).to_have_text("a tag")


def test_a_list_may_hold_all_that_a_tag_may_and_its_own_strings_are_markdown(people: People):
    ann, bob = people(2, "content.py")
    ann.says("list")
    bob.sees(re.compile("strong first.*then a tag.*42", re.DOTALL))
    expect(bob.chat.loc_latest_message.get_by_role("strong")).to_have_text("strong")


def test_inputs_and_outputs_in_a_message_live_in_each_browser(people: People):
    ann, bob = people(2, "content.py")
    ann.says("form")
    bob.page.get_by_label("Your answer").fill("forty-two")
    bob.reads("echo", "echo forty-two")
    ann.page.get_by_label("Your answer").fill("seven")
    ann.reads("echo", "echo seven")
    bob.reads("echo", "echo forty-two")
    bob.finds("Stamp").click()
    expect(bob.finds("Stamped")).to_be_visible()


def test_a_message_with_ui_from_before_a_restart_still_works(people: People, serve: Serve):
    app = serve("content.py")
    (ann,) = people(1, app)
    ann.says("form")
    ann.leaves()
    app.stop()
    app.start()
    (bob,) = people(1, app)
    bob.page.get_by_label("Your answer").fill("still here")
    bob.reads("echo", "echo still here")
    bob.finds("Stamp").click()
    expect(bob.finds("Stamped")).to_be_visible()


def test_a_dictionary_says_in_whose_role(people: People):
    ann, bob = people(2, "content.py")
    ann.says("as me")
    bob.sees("in my name", by=ann)
    ann.chat.expect_own(True, "in my name")
    ann.says("as assistant")
    bob.sees("in the assistant's", by="Assistant")
    expect(bob.chat.loc_latest_message).to_have_attribute("data-role", "assistant")


def test_an_icon_and_an_author_are_shown(people: People):
    ann, bob = people(2, "content.py")
    ann.says("icon")
    bob.sees("with an icon")
    expect(bob.chat.loc_latest_message.locator("i.owl")).to_have_text("owl")
    ann.says("author")
    bob.sees("I have a name", by="The Oracle")


def test_what_is_attached_is_shown_or_offered(people: People):
    ann, bob = people(2, "content.py")
    ann.says("attached")
    for person in (ann, bob):
        person.sees("Here they are")
        picture = person.chat.loc_latest_message.get_by_role("img", name="square.png")
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 24
        link = person.chat.loc_latest_message.get_by_role("link", name="notes.txt")
        with person.page.expect_download() as download:
            link.click()
        assert download.value.path().read_text() == "some notes"


def test_what_is_for_one_is_seen_by_one(people: People):
    ann, bob = people(2, "content.py")
    ann.says("only me")
    ann.sees("a secret")
    expect(ann.chat.loc_latest_message).to_contain_text("Only you can see this")
    ann.says("a marker")
    bob.sees("a marker")
    bob.sees_no("a secret")
    bob.reloads()
    bob.sees("a marker")
    bob.sees_no("a secret")
    ann.reloads()
    ann.sees_only("only me", "a secret", "a marker")


def test_the_same_id_twice_is_one_message(people: People):
    (ann,) = people(1, "content.py")
    ann.says("twice", "a marker")
    ann.sees_only("twice", "once is enough", "a marker")


# ── an app that trusts its strings ──

TRUSTED = ".labchat-markdown[data-trusted] > shiny-markdown-stream"
AS_SHINYCHAT = """(drawn) => new Promise((resolve) => {
  const own = document.createElement("shiny-markdown-stream");
  own.setAttribute("content", drawn.getAttribute("content"));
  new MutationObserver(() => {
    resolve([drawn.innerHTML, own.innerHTML]);
    own.remove();
  }).observe(own, { childList: true });
  document.body.append(own);
})"""


def test_what_an_app_that_trusts_its_strings_appends_is_drawn_as_shinychat_does(people: People):
    ann, bob = people(2, "trusted.py")
    for text in ("whole", "dictionary"):
        ann.says(text)
        bob.sees(re.compile("Choose.*And this, too", re.DOTALL))
        drawn = bob.chat.loc_latest_message.locator(TRUSTED)
        expect(drawn.locator("div.mine")).to_have_css("color", "rgb(1, 2, 3)")
        expect(drawn.get_by_role("combobox")).to_have_value("one")
        ours, shinychats = drawn.evaluate(AS_SHINYCHAT)
        assert ours == shinychats
    for kind in ("first", "shown"):
        expect(ann.chat.loc_log.locator(f"i.{kind}")).to_have_text(kind)


def test_what_a_person_says_and_what_is_streamed_is_trusted_nowhere(people: People):
    ann, bob = people(2, "trusted.py")
    for person in (ann, bob):
        person.sees("no")
        expect(person.chat.loc_log.locator(".no")).to_have_count(0)
    for text in ("mine", "streamed"):
        ann.says(text)
        bob.sees(re.compile("Choose <select>.*And this, too", re.DOTALL))
        expect(bob.chat.loc_latest_message.locator("div.mine, select, [id]")).to_have_count(0)


def test_who_appends_decides_about_trust_and_not_who_looks(people: People):
    (ann,) = people(1, "trusted.py")
    ann.says("whole")
    ann.sees(re.compile("And this"))
    (bob,) = people(1, "trusted.py", html="sanitize")
    expect(bob.chat.loc_log.locator("div.mine")).to_have_count(1)
    bob.says("whole")
    for person in (ann, bob):
        person.sees(re.compile("Choose <select>"))
        expect(person.chat.loc_log.locator("div.mine")).to_have_count(1)
    ann.reloads()
    expect(ann.chat.loc_log.locator("div.mine")).to_have_count(1)
