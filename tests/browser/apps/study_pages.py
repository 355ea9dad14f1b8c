# The page of a study whose server does what a test says: the element, a form, a chat, or nothing.

import json
from typing import Any, cast

from _asked import asked
from _scripted_study import serve
from shiny import App, Inputs, Outputs, Session, reactive, render, ui
from shiny.module import ResolvedId

from shiny_labchat import Chat, chat_ui
from shiny_labchat.chat.page import PAGE_HELLO, PageHello
from shiny_labchat.chat.study_elements import form_element, study_element
from shiny_labchat.words import ENGLISH

OTHERS = "town age fruit fruits sure again which trust between day days".split()
CHOICES = {"a": "Apples", "b": "Bananas", "c": "Cherries"}

app_ui = ui.page_fluid(
    ui.input_action_button("redraw", "Redraw"),
    ui.input_action_button("swap", "Swap"),
    ui.input_action_button("more", "More"),
    ui.output_ui("page"),
    ui.output_text_verbatim("records"),
    title="A study",
    lang="en",
)


def inputs_of(which: str) -> list[ui.Tag]:
    two = [
        ui.input_text_area("why", "What did you agree on, and why?", width="100%"),
        ui.input_radio_buttons("who", "Whom does your group hire?", CHOICES, selected=""),
    ]
    if which == "two":
        return two
    return [
        *two,
        ui.input_text("town", "Town"),
        ui.input_numeric("age", "Age", value=cast("float", None)),
        ui.input_select("fruit", "Fruit", {"": "", **CHOICES}, selectize=False),
        ui.input_selectize("fruits", "Fruits", CHOICES, multiple=True),
        ui.input_checkbox("sure", "I am sure"),
        ui.input_switch("again", "I would do it again"),
        ui.input_checkbox_group("which", "Which?", CHOICES),
        ui.input_slider("trust", "Trust", 0, 10, 5),
        ui.input_slider("between", "Between", 0, 10, [2, 8]),
        ui.input_date("day", "Day", value="2026-11-02"),
        ui.input_date_range("days", "Days", start="2026-11-02", end="2026-11-04"),
    ]


def server(input: Inputs, output: Outputs, session: Session) -> None:
    session.allow_reconnect("force")
    room, shows = asked("room", "study"), asked("show", "study").split()
    is_silent, which = asked("silent") == "1", asked("form", "two")
    stored: reactive.Value[dict[str, dict[str, Any]]] = reactive.value({})
    if "chat" in shows:
        Chat("chat", room=room)

    @reactive.effect
    async def _():
        hello = session.input[ResolvedId(PAGE_HELLO)]
        if hello.is_set() and PageHello.of(hello()).page_key:
            notice = {"ticket": room, "returns": True}
            if say := asked("refused"):
                notice = {"code": "full", "say": say}
            await session.send_custom_message(
                "labchat", {"do": "study", "study": "pilot", **notice}
            )

    @render.ui
    def page():
        n, swaps, more = input.redraw(), input.swap(), input.more()
        drawn: list[ui.Tag] = [ui.p(f"drawn {n}", id="drawn")]
        if ("study" in shows) == (swaps % 2 == 0):
            drawn.append(ui.div(study_element("pilot", ENGLISH), class_=f"holder at-{n}"))
        if "form" in shows:
            inputs = inputs_of(which) + ([ui.input_text("else", "Anything else?")] if more else [])
            form = form_element(
                "answers", "decision", inputs, "Finish", ENGLISH, study_name="pilot", who=room
            )
            drawn.append(ui.div(form, class_=f"holder at-{n}"))
        if "chat" in shows:
            drawn.append(chat_ui("chat", height="300px"))
        return ui.div(*drawn)

    @reactive.effect
    @reactive.event(input.answers_sent)
    async def _():
        sent = input.answers_sent()
        values = {id: input[id]() for id in ("why", "who", *(OTHERS if which == "all" else ()))}
        stored.set({**stored(), sent["cid"]: {**values, "sent": sent}})
        if not is_silent:
            answer = {"do": "form", "id": "answers", "cid": sent["cid"], "is": "stored"}
            await session.send_custom_message("labchat", answer)

    @render.text
    def records():
        return json.dumps([*stored().values()], default=str)


app = App(app_ui, server)
serve(app.starlette_app)
