"""The apps to start from, and the demo, as a newcomer meets them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from shiny_labchat.lab.importing import import_export
from tests.browser._axe import faults
from tests.browser._organiser import Organiser
from tests.browser._participants import Participant
from tests.browser.conftest import People, Serve
from tests.support.server import ROOT, Server, shiny_run
from tests.support.workers import Served

FIRST_CHATS = {
    "01-hello": "chat",
    "02-session-chat": "chat",
    "03-several-rooms": "everybody",
    "04-core-and-module": "plain",
    "05-a-model-in-the-room": "chat",
    "07-callbacks": "plaza",
    "12-take-home": "chat",
    "18-what-a-model-reads": "chat",
}


def test_every_app_is_tried_here() -> None:
    tried = {*FIRST_CHATS, "06-bookmarks"}  # this one by test_bookmarks
    tried |= {"08-private-room-with-a-bot"}
    tried |= {"09-groups-of-two", "10-hidden-profile", "11-a-whole-study", "13-rules-and-gate"}
    tried |= {"14-ten-rounds", "15-a-ring", "16-moderator-model", "17-classroom"}
    assert {path.parent.name for path in (ROOT / "apps").glob("*/app.py")} == tried


@pytest.mark.parametrize("name", FIRST_CHATS)
def test_an_app_starts_clean_two_people_talk_and_axe_finds_nothing_serious(
    people: People, serve: Serve, name: str
):
    server = serve(str(ROOT / "apps" / name / "app.py"))
    ann, bob = people(2, server, chat=FIRST_CHATS[name])
    bob.says("hello")
    ann.says("help me, @assistant")
    ann.sees("hello", by=bob)
    bob.sees("help me, @assistant", by=ann)
    expect(ann.page.locator("[aria-busy=true]")).to_have_count(0)
    assert faults(ann) == set()
    assert not [line for line in server.log if "Traceback" in line or "Error" in line]


def test_a_call_for_help_is_answered_to_who_called_alone(people: People, serve: Serve):
    ann, bob = people(2, serve(str(ROOT / "apps" / "02-session-chat" / "app.py")))
    expect(ann.page.locator("#players")).to_contain_text("Player 2")
    ann.says("help!")
    ann.sees("Someone will be with you.")
    bob.sees("help!")
    bob.sees_no("Someone will be with you.")


def test_without_a_key_a_script_streams_and_says_so(people: People, serve: Serve):
    ann, bob = people(2, serve(str(ROOT / "apps" / "05-a-model-in-the-room" / "app.py")))
    ann.says("hello bob")
    ann.says("what do you think, @assistant?")
    bob.says("said meanwhile")
    ann.sees("said meanwhile", by=bob)
    for each in (ann, bob):
        reply = each.page.locator("article[data-role=assistant]").last
        expect(reply).to_contain_text("I am a script, not a model")
        expect(reply.locator("table")).to_be_visible()
        expect(reply).not_to_have_attribute("aria-busy", "true")


def test_callbacks_hear_their_rooms(people: People, serve: Serve):
    ann, bob = people(2, serve(str(ROOT / "apps" / "07-callbacks" / "app.py")), chat="plaza")
    ann.says("help!")
    bob.sees(f"{ann.name}, someone will be with you.")
    bob.at("desk").says("anybody there?")
    ann.sees("The bell rings at the front desk.")


def test_people_see_what_was_written_and_a_model_something_else(people: People, serve: Serve):
    ann, bob = people(2, serve(str(ROOT / "apps" / "18-what-a-model-reads" / "app.py")))
    ann.says("Call me at 0171 234 5678, Bob.")
    bob.sees("Call me at 0171 234 5678, Bob.", by=ann)
    for person in (ann, bob):
        read = person.page.locator("#read")
        expect(read).to_have_text(f"{ann.name}: Call me at [a telephone number], Bob.")


def test_people_speak_in_turn_and_go_on_when_they_have_written_enough(people: People, serve: Serve):
    app = serve(str(ROOT / "apps" / "13-rules-and-gate" / "app.py"))
    (ann,), (bob,) = people(1, app), people(1, app)
    for person in (ann, bob):
        expect(person.page.locator("#status")).to_contain_text("Speaker 1 speaks. You cannot go on")
    bob.tries("Me first, please.")
    bob.is_told("It is not your turn yet. Your text is kept.")
    ann.says("Streets are for people, as they were for centuries.")
    expect(bob.page.locator("#status")).to_contain_text("Speaker 2 speaks.")
    bob.presses("Enter")
    ann.sees("Me first, please.", by=bob)
    ann.says("And for trees.")
    expect(ann.page.locator("#status")).to_contain_text("You may go on.")
    expect(bob.page.locator("#status")).to_contain_text("You cannot go on yet.")
    bob.page.get_by_role("button", name="I would rather be brief").click()
    expect(bob.page.locator("#status")).to_contain_text("You may go on.")
    for person in (ann, bob):
        person.page.get_by_role("button", name="I have said all").click()
    for person in (ann, bob):
        person.stands("closed")
        expect(person.page.locator("#status")).to_have_text("Thank you for the debate.")
    assert faults(ann) == set()
    assert not [line for line in app.log if "Traceback" in line or "Error" in line]


def test_everybody_has_a_private_room_with_a_bot(people: People, serve: Serve):
    app = serve(str(ROOT / "apps" / "08-private-room-with-a-bot" / "app.py"))
    (ann,) = people(1, app, p="ann")
    (bob,) = people(1, app, p="bob")
    ann.says("hello")
    ann.sees("I am a script, not a model: there is no ANTHROPIC_API_KEY here.")
    expect(ann.page.locator("article[data-role=assistant]")).to_have_count(1)
    bob.stands("open")
    bob.sees_no("hello")
    assert not [line for line in app.log if "Traceback" in line or "Error" in line]


def test_each_group_has_a_room_and_who_has_none_waits(people: People, serve: Serve):
    app = serve(str(ROOT / "apps" / "03-several-rooms" / "app.py"))
    ann, bob = people(2, app, chat="mine", group="a")
    (carl,) = people(1, app, chat="mine", group="b")
    (dora,) = people(1, app, chat="mine")
    ann.says("ours")
    bob.sees("ours", by=ann)
    carl.sees_no("ours")
    dora.stands("waiting")


def test_only_an_experimenter_takes_the_data_home_and_a_script_makes_a_table_of_it(
    people: People, serve: Serve, organiser: Organiser, tmp_path: Path
):
    app = serve(str(ROOT / "apps" / "12-take-home" / "app.py"))
    (ann,) = people(1, app)
    token = organiser.does(organiser.lab(app).invite("me", role="experimenter"))
    (me,) = people(1, app, labchat=token)
    ann.says("Middlemarch, all of it")
    me.sees("Middlemarch, all of it", by=ann)
    download = me.page.get_by_role("link", name="Download the data")
    with me.page.expect_download() as downloaded:
        download.click()
    expect(ann.page.get_by_role("link", name="Download the data")).to_have_count(0)
    assert faults(me) == set()
    shutil.unpack_archive(downloaded.value.path(), tmp_path, "zip")
    script = str(ROOT / "apps" / "12-take-home" / "take_home.py")
    command = [sys.executable, script, str(tmp_path / "discussion")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"{ann.name}\W+1\W+4\W+4.0", printed), printed
    assert "anon-" in (tmp_path / "discussion" / "members.csv").read_text(encoding="utf-8")
    assert is_clean(app)


def test_a_discussion_that_was_imported_goes_on_in_the_app(
    people: People, serve: Serve, organiser: Organiser, tmp_path: Path
):
    path = ROOT / "apps" / "12-take-home" / "app.py"
    app = serve(str(path))
    (ann,) = people(1, app)
    ann.says("Middlemarch, all of it")
    organiser.does(organiser.lab(app).export(tmp_path / "out"))
    copy = Server(shiny_run(path), f"sqlite:///{tmp_path / 'copy.db'}")
    organiser.does(import_export(organiser.lab(copy).log, tmp_path / "out"))
    copy.start()
    try:
        bob, carl = people(2, copy)
        bob.sees("Middlemarch, all of it")
        bob.says("And what else?")
        carl.sees_only("Middlemarch, all of it", "And what else?")
        ann.sees_no("And what else?")
        assert is_clean(copy)
    finally:
        copy.stop()


def taking_part(people: People, n: int, app: Served, **asked: str) -> list[Participant]:
    """So many come to the app of a study."""
    come = people(n, app, settled=False, **asked)
    return [Participant(person.page, person.chat.id) for person in come]


def is_clean(app: Served) -> bool:
    """Nothing has failed at the server."""
    return not [line for line in app.log if "Traceback" in line or "Error" in line]


def test_two_tabs_are_a_group_of_two(people: People, serve: Serve):
    app = serve(str(ROOT / "apps" / "09-groups-of-two" / "app.py"))
    (ann,) = taking_part(people, 1, app)
    ann.waits()
    assert faults(ann) == set()
    bob = Participant(ann.page.context.new_page(), "chat")
    bob.opens(ann.page.url)
    for each in (ann, bob):
        each.is_ready()
    for each in (ann, bob):
        each.is_in_group()
        each.sees(re.compile("Hello .* and .* Which film should everybody see"))
    ann.says("Alien")
    bob.sees("Alien", by=ann)
    assert is_clean(app)


def test_a_group_that_agrees_on_the_hidden_profile_is_paid(people: People, serve: Serve):
    app = serve(str(ROOT / "apps" / "10-hidden-profile" / "app.py"))
    three = taking_part(people, 3, app)
    for each in three:
        each.consents()
        each.confirms("trust")
        each.presses_button("Continue")
    for each in three:
        each.is_ready()
    for each in three:
        each.is_in_group()
        each.reads_on_page("You know: ")
    assert faults(three[0]) == set()
    for each in three:
        each.says("X has most that speaks for it.")
        each.is_done("We have decided")
    for each in three:
        each.chooses("Whom does your group hire?", "Candidate X")
        each.presses_button("Continue")
    for each in three:
        each.confirms("sure")
        each.presses_button("Finish")
        each.ends()
        each.reads_in_study("€2.00")
    assert is_clean(app)


def test_a_moderator_opens_and_who_all_talk_as_much_are_paid(people: People, serve: Serve):
    app = serve(str(ROOT / "apps" / "16-moderator-model" / "app.py"))
    three = taking_part(people, 3, app)
    for each in three:
        each.consents()
    for each in three:
        each.is_ready()
    for each in three:
        each.is_in_group()
        each.sees(re.compile("Welcome! Which of three charities"), by="Moderator")
    assert faults(three[0]) == set()
    for each in three:
        each.says("Science, I think.")
        each.is_done("We have decided")
    for each in three:
        each.fills("Where should it go?", "science")
        each.presses_button("Continue")
        each.ends()
        each.reads_in_study("€1.00")
    assert is_clean(app)


def test_a_whole_study_leads_from_the_recruiters_link_to_its_code(people: People, serve: Serve):
    app = serve(str(ROOT / "apps" / "11-a-whole-study" / "app.py"))
    three = [
        each
        for id in ("ann", "bob", "carl")
        for each in taking_part(people, 1, app, PROLIFIC_PID=id, STUDY_ID="s", SESSION_ID=id)
    ]
    for each in three:
        each.consents()
        each.chooses("How old are you?", "30 to 59")
        each.chooses("Did you give money last year?", "Yes")
    assert faults(three[0]) == set()
    for each in three:
        each.presses_button("Continue")
    for each in three:
        each.is_ready()
    for each in three:
        each.is_in_group()
        each.cannot_go_on()
        each.says("one", "two", "three")
    for each in three:
        each.is_done()
        each.fills("What did you agree on, and why?", "On the one that helps most.")
        each.presses_button("Finish")
        each.reads_in_study("We wanted to know how groups agree.")
        each.presses_button("Continue")
        each.reads_in_study("C1ABC")
    assert is_clean(app)


def test_four_people_play_with_another_one_in_each_of_ten_rounds(people: People, serve: Serve):
    app = serve(str(ROOT / "apps" / "14-ten-rounds" / "app.py"))
    four = taking_part(people, 4, app)
    for each in four:
        each.is_ready()
    for number in range(1, 11):
        for each in four:
            each.reads_on_page(f"Give (round {number} of 10)")
        if number == 1:
            assert faults(four[0]) == set()
        for n, each in enumerate(four):
            each.fills("You have 20 points. Give to the group:", str(5 * n))
            each.presses_button(f"Give (round {number} of 10)")
        for each in four:
            each.reads_on_page(f"points in round {number}")
        for each in four:
            each.presses_button("Finish" if number == 10 else "Go on")
    for each in four:
        each.ends()
        each.reads_in_study("€")
    assert is_clean(app)


def test_a_class_talks_in_groups_and_comes_back_when_its_teacher_says_so(
    people: People, serve: Serve, organiser: Organiser
):
    app = serve(str(ROOT / "apps" / "17-classroom" / "app.py"))
    pupils = ann, bob, _ = taking_part(people, 3, app)
    for each, name in zip(pupils, ("Ann", "Bob", "Carl"), strict=True):
        each.fills("Your name in the group", name)
        each.presses_button("Continue")
        each.is_in_group()
    token = organiser.does(organiser.lab(app).invite("me", study="class", role="experimenter"))
    (teacher,) = taking_part(people, 1, app, labchat=token)
    teacher.is_in_group()
    teacher.says("Good morning")
    for each in pupils:
        each.sees("Good morning", by=teacher)
    assert faults(teacher) == set()
    teacher.chooses("The class is:", "in groups")
    for each in pupils:
        each.sees_no("Good morning")
    ann.says("Shall we begin?")
    bob.sees("Shall we begin?", by="Ann")
    bob.reloads()
    teacher.presses_button("Tell all rooms that a minute is left")
    for each in (*pupils, teacher):
        each.sees("A minute is left.")
    bob.sees_only("Shall we begin?", "A minute is left.")
    teacher.chooses("The class is:", "all together")
    for each in pupils:
        each.sees_only("Good morning", "A minute is left.")
    teacher.chooses("The class is:", "at its end")
    for each in pupils:
        each.fills("What did you learn?", "That I know nothing.")
        each.presses_button("Continue")
        each.reads_in_study("CLASS1")
        each.reads_in_study("€5.00")
    assert is_clean(app)


@pytest.fixture
def demo(tmp_path: Path):
    command = [str(Path(sys.executable).with_name("labchat")), "demo", "--no-browser"]
    database = ["--db", str(tmp_path / "demo.db")]
    server = Server([*command, *database], "", ready="Two people wait")
    server.start()
    yield server
    server.stop()


def test_the_demo_seats_two_people_side_by_side_and_keeps_them(demo: Server, people: People):
    (left,) = people(1, demo, chat="left")
    right = left.at("right")
    left.says("hello over there")
    right.sees("hello over there", by=left)
    right.says("hi!")
    assert left.name != right.name
    names = left.name, right.name
    left.reloads()
    left.sees("hi!", by=right)
    assert (left.name, right.name) == names


def test_the_demos_link_lets_one_more_person_in(demo: Server, people: People):
    (left,) = people(1, demo, chat="left")
    link = left.page.get_by_role("link", name="?join")
    expect(left.page.get_by_role("img", name="QR code")).to_be_visible()
    assert link.get_attribute("href") == f"http://127.0.0.1:{demo.port}/?join"
    (guest,) = people(1, demo, chat="guest", join="")
    guest.says("me too")
    left.sees("me too", by=guest)


def test_on_a_phone_the_demo_is_one_person_and_a_link_for_the_second(demo: Server, people: People):
    (ann,) = people(1, demo, chat="guest", alone="")
    ann.page.set_viewport_size({"width": 390, "height": 664})
    ann.opens(f"http://127.0.0.1:{demo.port}/")
    ann.is_in()
    expect(ann.page).to_have_url(re.compile(r"\?alone$"))
    expect(ann.page.locator("labchat-room")).to_have_count(1)
    ann.chat.expect_presence(1)
    expect(ann.page.get_by_role("img", name="QR code")).to_be_in_viewport(ratio=1)
    expect(ann.chat.loc_input).to_be_in_viewport(ratio=1)
    link = ann.page.get_by_role("link", name="?join")
    (bob,) = people(1, demo, chat="guest", join="")
    assert link.get_attribute("href") == f"http://127.0.0.1:{demo.port}/?join"
    bob.says("Here I am")
    ann.sees("Here I am", by=bob)
    assert ann.page.evaluate("document.scrollingElement.scrollWidth <= 390")


def test_in_a_ring_each_hears_two_others_and_nothing_of_the_third(people: People, serve: Serve):
    app = serve(str(ROOT / "apps" / "15-a-ring" / "app.py"))
    four = taking_part(people, 4, app)
    for each in four:
        each.consents()
    for each in four:
        each.is_ready()
    for each in four:
        each.is_in_group()
        each.reads_on_page("You hear")
    names = [each.name for each in four]
    heard = [each.page.get_by_text("You hear").inner_text() for each in four]
    hears = [[name in told for name in names] for told in heard]
    assert [sum(row) for row in hears] == [2, 2, 2, 2]
    assert faults(four[0]) == set()
    for name, each in zip(names, four, strict=True):
        each.says(f"I am {name}")
    for row, each in zip(hears, four, strict=True):
        for speaker, is_heard in zip(names, row, strict=True):
            if is_heard:
                each.sees(f"I am {speaker}")
            elif speaker != names[four.index(each)]:
                assert speaker not in each.page.content()
    assert is_clean(app)
