"""What people write arrives as they wrote it, and is never anything but text."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve

MANY = 1_000 if os.environ.get("LABCHAT_LONG") == "1" else 100
AT_ONCE = 50


def some_texts(number: int) -> list[str]:
    """Texts as a textarea gives them: no surrogates, no controls but tabs and line feeds."""
    found: dict[str, None] = {}
    writable = st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t")

    @settings(
        max_examples=number * 2,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(
        st.text(writable, min_size=1, max_size=300).filter(lambda t: t.strip(" \n\t\ufeff").strip())
    )
    def collect(text: str) -> None:
        if text.replace("\ufeff", "").strip():
            found[text] = None

    collect()
    return list(found)[:number]


def test_texts_arrive_character_for_character_in_a_browser_and_in_the_log(
    people: People, shared: Serve, room: str, organiser: Organiser
):
    texts = some_texts(MANY)
    ann, bob = people(2, rate="none")
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        ann.sends_at_once(*some)
        bob.waits_until(lambda some=some: bob.texts()[-len(some) :] == some)
    logged = organiser.does(organiser.room(shared("room.py"), room).messages())
    assert [message.content for message in logged] == texts


MARKUP = [
    "<img src=x onerror='window.hacked = 1'>",
    "<script>window.hacked = 1</script>",
    "**not bold** [no link](javascript:window.hacked=1) &amp; &lt;",
    "  leading,  double\u00a0and trailing blanks  ",
    "\u202eright to left\u202c and \u200dinvisible",
]


def test_markup_of_a_participant_stays_text(people: People):
    ann, bob = people(2)
    ann.sends_at_once(*MARKUP)
    for person in (ann, bob):
        person.waits_until(lambda person=person: person.texts() == MARKUP)
        assert person.page.evaluate("window.hacked") is None
        drawn = person.chat.loc_log.locator(".labchat-content :is(img, script, b, strong, a)")
        assert drawn.count() == 0


def test_line_breaks_are_kept_and_long_words_wrapped(people: People):
    ann, bob = people(2)
    ann.tries("one\n\n  two\n" + "w" * 2_000)
    bob.sees("one")
    content = bob.chat.loc_latest_message.locator(".labchat-content")
    assert content.inner_text().startswith("one\n\n  two\n")
    assert bob.chat.loc_log.evaluate("log => log.scrollWidth <= log.clientWidth")
