# A class: all talk together, then in groups of four, and come back, whenever the teacher says so.
#
# Shows: a step for the whole study, which every page follows, also of who comes late, or reloads;
# groups of all who are here; announcements in all rooms; a page of the teacher's own. Pupils type a
# name first. To be the teacher, make yourself a personal link:
#     labchat links teacher --role experimenter --db labchat.db

from shiny import reactive, req
from shiny.express import input, render, ui

from shiny_labchat import Lab, Lobby, Study
from shiny_labchat.express import Chat

ui.page_opts(title="A class", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

study = Study("class", lab=Lab())
everybody = study.lab.room("everybody", study=study, title="The whole class")
groups = Lobby(
    "groups",
    study=study,
    group_size=(3, 4, 5),
    start="code",
    names="ask",
    ready=None,  # nobody is asked whether they are there: they are in the class
    idle_prompt=None,
    max_wait=8 * 3600,
    title="Your group",
)


def place():
    """The room of this page now: None before its person has a name."""
    person = study.person()
    if person is not None and person.name is None:
        return None
    return (groups.room() if study.step() == "groups" else None) or everybody


chat = Chat("chat", room=place, names="study")


@groups.after_grouping
async def greet(room, members):
    names = ", ".join(member.pseudonym for member in members)
    await room.announce(f"You are a group: {names}. What did surprise you?")


@render.express(fill=True, fillable=True)
def page():
    person = study.person()
    if study.role() == "experimenter":
        with ui.div(class_="d-flex flex-wrap gap-2 align-items-end"):
            ui.input_action_button("apart", "Break out")
            ui.input_action_button("together", "All back")
            ui.input_text("text", None, placeholder="What should all rooms read?")
            ui.input_action_button("tell", "Announce")
        chat.ui()
    elif person is None or person.ended:
        study.ui()
    elif person.name is None:
        groups.ui()  # asks for it
    else:
        chat.ui()


def pressed(button):  # not those again that a page has sent before the server was restarted
    return reactive.event(button, ignore_init=True)


@reactive.effect
@pressed(input.apart)
async def break_out():
    req(study.role() == "experimenter")  # whatever a page sends
    await groups.start(who="study")
    await study.set_step("groups")


@reactive.effect
@pressed(input.together)
async def come_back():
    req(study.role() == "experimenter")
    await study.set_step("together")


@reactive.effect
@pressed(input.tell)
async def announce():
    req(study.role() == "experimenter" and input.text().strip())
    await study.announce(input.text())
    ui.update_text("text", value="")
