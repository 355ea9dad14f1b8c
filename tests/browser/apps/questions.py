# A form with an input that needs no answer, and two that begin with a value and must be used.

from shiny.express import render, ui

from shiny_labchat import Study

ui.page_opts(title="Questions", lang="en")
study = Study("questions", contact="lab@example.org")


@render.express
def page():
    person = study.person()
    if person is None or person.ended:
        study.ui()
    elif "first" not in person.data:
        study.form(
            "first",
            ui.input_text("why", "Why?"),
            ui.input_text("more", "Anything else?"),
            ui.input_slider("trust", "How much do you trust groups?", 0, 10, 5),
            ui.input_radio_buttons("who", "Whom?", ["X", "Y"]),
            optional=["more"],
            touched=["trust", "who"],
        )
    else:
        ui.p(", ".join(f"{id}: {each}" for id, each in person.data["first"].items()), id="recorded")
        study.form("last", ui.input_text("end", "The end?"), end="complete")
