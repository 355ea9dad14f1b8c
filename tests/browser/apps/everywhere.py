# One room in each of Shiny's containers, in Express.

from _asked import asked
from shiny import reactive
from shiny.express import input, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Everywhere", lang="en")

room = asked("room", "lobby")
aside = Chat("aside", room=room)
card = Chat("card", room=room)
tab = Chat("tab", room=room)
panel = Chat("panel", room=room)
modal = Chat("modal", room=room)
popover = Chat("popover", room=room)
offcanvas = Chat("offcanvas", room=room)

with ui.sidebar():
    aside.ui()

with ui.navset_card_pill():
    with ui.nav_panel("Nothing"):
        "Read this first."
    with ui.nav_panel("A card"):
        with ui.card():
            card.ui()
    with ui.nav_panel("A tab"):
        tab.ui()

with ui.accordion(open=False):
    with ui.accordion_panel("A panel"):
        panel.ui()

with ui.div():
    ui.input_action_button("show", "A modal")
    with ui.popover():
        ui.tags.button("A popover", class_="btn btn-default", type="button")
        popover.ui()
    ui.offcanvas(
        offcanvas.ui(),
        title="An offcanvas panel",
        trigger=ui.tags.button("An offcanvas", class_="btn btn-default", type="button"),
    )


@reactive.effect
@reactive.event(input.show)
def _():
    ui.modal_show(ui.modal(modal.ui()))
