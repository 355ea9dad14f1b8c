# A chat in one of Shiny's containers: `?in=` says in which. "Talk" opens it.

from collections.abc import Callable
from typing import Any

from _asked import asked
from htmltools import Tag
from shiny import App, Inputs, Outputs, Session, reactive, ui
from starlette.requests import Request

from shiny_labchat import Chat, chat_ui

DARK = ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers
WORDS = ui.p("Talk about the picture until you agree.")
BUTTON = ui.tags.button("Talk", class_="btn btn-primary", type="button")


def talk() -> Tag:
    return chat_ui("chat")


def sidebar(**options: Any) -> Tag:
    options.setdefault("open", {"desktop": "open", "mobile": "closed"})
    beside = ui.sidebar(talk(), **options)
    return ui.page_sidebar(beside, DARK, ui.h1("The page"), WORDS, title="Sidebar", lang="en")


def fluid(*content: Any) -> Tag:
    return ui.page_fluid(DARK, ui.h1("The page"), *content, title="Fluid", lang="en")


def fillable(*content: Any) -> Tag:
    return ui.page_fillable(DARK, *content, title="Fillable", lang="en")


def tabs() -> list[Any]:
    return [ui.nav_panel("Read", WORDS), ui.nav_panel("Talk", talk())]


def panels() -> list[Any]:
    return [ui.accordion_panel("Read", WORDS), ui.accordion_panel("Talk", talk())]


def card(**options: Any) -> Tag:
    return fluid(ui.card(ui.card_header("Talk"), talk(), **options))


PLACES: dict[str, Callable[[], Tag]] = {
    "sidebar": sidebar,
    "themed sidebar": lambda: sidebar(bg="#12372a", fg="#fbfada", title="Talk", width=400),
    "sidebar that is always open": lambda: sidebar(open="always"),
    "layout_sidebar": lambda: fluid(ui.layout_sidebar(ui.sidebar(talk(), width=320), WORDS)),
    "card": card,
    "low card": lambda: card(height=330),
    "limited card": lambda: card(max_height=330),
    "filling card": lambda: fillable(
        ui.layout_columns(ui.card(talk()), ui.card(WORDS), col_widths={"sm": (8, 4)})
    ),
    "tab": lambda: fluid(ui.navset_tab(*tabs())),
    "pill": lambda: fillable(ui.navset_card_pill(*tabs())),
    "accordion": lambda: fluid(ui.accordion(*panels(), open="Read", multiple=False)),
    "modal": lambda: fluid(ui.input_action_button("show", "Talk")),
    "popover": lambda: fluid(ui.popover(BUTTON, talk(), title="The picture")),
    "offcanvas": lambda: fluid(ui.offcanvas(talk(), title="The picture", trigger=BUTTON)),
}


def page(request: Request) -> Tag:
    return PLACES[request.query_params.get("in", "card")]()


def server(input: Inputs, output: Outputs, session: Session):
    Chat("chat", room=asked("room", "lobby"))

    @reactive.effect
    @reactive.event(input.show)
    def _():
        ui.modal_show(ui.modal(WORDS, talk(), title="The picture"))


app = App(page, server)
