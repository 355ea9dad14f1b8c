# A class talks together, then in groups of four, and comes back, whenever the teacher says so.
#
# Shows: a step for the whole study, which every page follows, also of who comes late or reloads;
# groups of all who are here; announcements in all rooms. To be the teacher, make a personal link:
#     labchat links teacher --role experimenter --db labchat.db

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
    person = study.person()
    if person is not None and person.name is None:
        return None
    return (groups.room() if study.step() == "groups" else None) or everybody


chat = Chat("chat", room=place, names="study")


@render.express(fill=True, fillable=True)
def page():
    person = study.person()
    if study.role() == "experimenter":
        now = study.step() or "together"
        ui.input_radio_buttons("step", "The class is:", STEPS, selected=now, inline=True)
        ui.input_action_button("tell", "Tell all rooms that a minute is left")
        chat.ui()
    elif person is None or person.ended:
        study.ui()
    elif person.name is None:
        groups.ui()  # asks for it
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
    for room in await study.lab.rooms(study):  # groups that do not talk are closed
        if room != everybody:
            await (room.open() if input.step() == "groups" else room.close())


@reactive.effect
@reactive.event(input.tell, ignore_init=True)
async def tell():
    req(study.role() == "experimenter")
    await study.announce("A minute is left.")
