"""A study in Shiny Core, made once for all sessions; its question is in a module."""

from shiny import App, Inputs, Outputs, Session, module, render, ui

from shiny_labchat import Chat, Lobby, Study, chat_ui

study = Study("core", contact="lab@example.org")
study.consent("You will talk to somebody.", version="1")
study.ends({"complete": "DONE-1"})
lobby = Lobby("lobby", study=study, ready=None)


@module.ui
def question_ui():
    return ui.output_ui("asked")


@module.server
def question_server(input: Inputs, output: Outputs, session: Session):
    @render.ui
    def asked():
        person = study.person()
        if person is None or "age" in person.data:
            return lobby.ui()
        return study.form("age", ui.input_numeric("age", "Your age", 0), submit="Go on")


@module.ui
def last_ui():
    return ui.output_ui("last")


@module.server
def last_server(input: Inputs, output: Outputs, session: Session):
    @render.ui
    def last():
        return study.form("last", ui.input_text("why", "Why?"), submit="Finish", end="complete")


app_ui = ui.page_fluid(ui.output_ui("page"), ui.output_text("known"), title="A study")


def server(input: Inputs, output: Outputs, session: Session):
    Chat("chat", room=lobby.room)
    question_server("first")
    last_server("second")

    @render.ui
    def page():
        if lobby.room() is None:
            return question_ui("first")
        return ui.TagList(chat_ui("chat"), last_ui("second"))

    @render.text
    def known():
        person = study.person()
        return "nobody" if person is None else f"{dict(person.data)}"


app = App(app_ui, server)
