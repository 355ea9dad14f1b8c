"""Who is shown to whom: observers, people in several rooms of a study, and who is here."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser._people import Person
from tests.browser.conftest import People


def shows(person: Person, *texts: str) -> None:
    for text in texts:
        expect(person.page.locator("body")).to_contain_text(text)


def test_participants_are_not_shown_who_observes(people: People):
    (ann,) = people(1, "observed.py")
    (watcher,) = people(1, "observed.py", role="observer")
    (boss,) = people(1, "observed.py", role="experimenter")
    watcher.chat.expect_presence([ann.name, watcher.name, boss.name])
    boss.chat.expect_presence([ann.name, watcher.name, boss.name])
    ann.chat.expect_presence([ann.name, boss.name])
    shows(ann, "members: 2", "here: ['experimenter', 'participant']")
    shows(watcher, "members: 3", "here: ['experimenter', 'observer', 'participant']")
    shows(boss, "members: 3")


def test_an_app_may_show_who_observes(people: People):
    (ann,) = people(1, "observed.py", show="yes")
    (watcher,) = people(1, "observed.py", role="observer", show="yes")
    ann.chat.expect_presence([ann.name, watcher.name])
    shows(ann, "members: 2", "here: ['observer', 'participant']")


def test_who_is_here_follows_who_comes_and_goes_and_members_stay(people: People):
    ann, bob = people(2, "observed.py")
    shows(ann, "here: ['participant', 'participant']")
    bob.leaves()
    shows(ann, "here: ['participant']", "members: 2")


def test_who_is_here_is_drawn_anew_only_where_somebody_came_or_went(people: People):
    ann, bob = people(2, "observed.py")
    ann.chat.expect_presence([ann.name, bob.name])
    rows, summary = ann.chat.loc_presence.locator("li"), ann.chat.loc_presence.locator("summary")
    rows.evaluate_all("rows => rows.forEach(row => { row.dataset.drawn = 'before' })")
    (cleo,) = people(1, "observed.py")
    ann.chat.expect_presence([ann.name, bob.name, cleo.name])
    expect(ann.chat.loc_presence.locator("li[data-drawn]")).to_have_count(2)
    names = {ann.name: "you", bob.name: bob.name, cleo.name: cleo.name}
    in_order = rows.evaluate_all("rows => rows.map(row => row.querySelector('bdi').textContent)")
    here = ", ".join(names[name].lower() for name in in_order)
    assert summary.inner_text().lower() == f"3 here {here}"
    gone = bob.name
    bob.leaves()
    ann.chat.expect_presence([ann.name, cleo.name])
    expect(ann.chat.loc_presence.locator("li[data-drawn]")).to_have_count(1)
    left = ", ".join(names[name].lower() for name in in_order if name != gone)
    assert summary.inner_text().lower() == f"2 here {left}"


def test_one_name_in_a_study_or_one_in_each_room(people: People, room: str):
    (ann,) = people(1, "observed.py", names="study")
    name = ann.name
    ann.opens(ann.page.url.replace(f"room={room}", f"room={room}-2"))
    ann.is_in()
    assert ann.name == name
    ann.opens(ann.page.url.replace("names=study", "names=room").replace("-2", "-3"))
    ann.is_in()
    assert ann.name != name
