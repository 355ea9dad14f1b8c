# Shiny Core: one chat placed by hand, and the chat as a module, used twice.
#
# What is said on the left is passed on to the right, by a handler.

from shiny import App, Inputs, Outputs, Session, ui

from shiny_labchat import Chat, chat_module_server, chat_module_ui, chat_ui

app_ui = ui.page_fillable(
    ui.input_dark_mode(hidden=True),  # light or dark, as the system prefers
    ui.layout_columns(
        ui.card(ui.card_header("By hand"), chat_ui("plain", width="100%")),
        ui.card(ui.card_header("Module, left"), chat_module_ui("left", width="100%")),
        ui.card(ui.card_header("Module, right"), chat_module_ui("right", width="100%")),
    ),
    title="Core and module",
    lang="en",
)


def server(input: Inputs, output: Outputs, session: Session):
    Chat("plain", room="plain")
    left = chat_module_server("left", room="left")
    right = chat_module_server("right", room="right", pseudonym="Guest {n}")

    @left.on_user_submit
    async def _(text: str):
        await right.append_message(f"Next door they say: {text}")


app = App(app_ui, server)
