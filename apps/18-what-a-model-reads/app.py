# What a model reads need not be what people write: telephone numbers stay among people.
#
# Shows: transform_user_input, whose result the app and its model get while everybody sees what was
# written; messages(), which are dictionaries with all the rest as attributes.

import re

from shiny.express import render, ui

from shiny_labchat.express import Chat

ui.page_opts(title="What a model reads", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

NUMBER = re.compile(r"\+?\d[\d /-]{4,}\d")

chat = Chat("chat")

with ui.layout_columns(col_widths={"sm": (12, 12), "lg": (7, 5)}):
    chat.ui(placeholder="Give somebody a telephone number...")

    with ui.card():
        ui.card_header("What a model would be sent")
        ui.tags.style("#read { white-space: pre-wrap; }")

        @render.code
        def read():
            said = (f"{message.author}: {message['content']}" for message in chat.messages())
            return "\n".join(said) or "Nothing yet."


@chat.transform_user_input
def hide_numbers(text: str):
    return NUMBER.sub("[a telephone number]", text)
