# A class talks together, then in groups of four, and comes back, whenever the teacher says so.
#
# Shows: a step for the whole study, which all pages follow; groups of all who are here; notices in
# all rooms. The teacher comes by a link: labchat links teacher --role experimenter --db labchat.db

from shiny import reactive, req
from shiny.express import input, render, ui

from shiny_labchat import End, Lab, Lobby, Study
from shiny_labchat.express import Chat

ui.page_opts(title="A class", lang="en", fillable=True, fillable_mobile=True)
STEPS = {"together": "all together", "groups": "in groups", "end": "at its end"}
study = Study("class", lab=Lab(), currency="EUR")
study.ends({"complete": End("CLASS1", pay=5.00)})
everybody = study.lab.room("everybody", study=study, title="The whole class")
alone = {"start": "code", "ready": None, "idle_prompt": None, "max_wait": 8 * 3600}
groups = Lobby("groups", study=study, group_size=(3, 4, 5), names="ask", title="Group", **alone)


def place():
    """The room of this page now; None before its person has typed a name."""
    person, are_apart = study.person(), study.step() == "groups"
    return None if person and not person.name else (are_apart and groups.room()) or everybody


chat = Chat("chat", room=place, names="study")


@render.express(fill=True, fillable=True)
def page():
    person = study.person()
    if study.role() == "experimenter":
        ui.input_radio_buttons("step", "The class is:", STEPS, selected=study.step(), inline=True)
        ui.input_action_button("tell", "Tell all rooms that a minute is left")
        chat.ui()
    elif person is None or person.ended or not person.name:
        groups.ui()  # asks for the name, and thanks at the end
    elif study.step() == "end":
        study.form("after", ui.input_text("what", "What did you learn?"), end="complete")
    else:
        chat.ui()


@reactive.effect
@reactive.event(input.step, ignore_init=True)  # not again when a page comes back with its inputs
async def go():
    req(study.role() == "experimenter")  # whatever a page sends
    if input.step() == "groups":
        await groups.start(who="study")
    await study.set_step(input.step())
    for room in {*await study.lab.rooms(study)} - {everybody}:  # closed while they do not talk
        await (room.open() if input.step() == "groups" else room.close())


@reactive.effect
@reactive.event(input.tell, ignore_init=True)
async def tell():
    req(study.role() == "experimenter")
    await study.announce("A minute is left.")
