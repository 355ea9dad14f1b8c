# A page that is the app's own document, and a chat in it that is not drawn.

from shiny import App, Inputs, Outputs, Session, render, ui

from shiny_labchat import Chat

DOCUMENT = """<!doctype html>
<html lang="en">
<head><title>Own</title><meta name="shiny-dependency-placeholder" content=""></head>
<body><h1>Own</h1><p id="read" class="shiny-text-output"></p></body>
</html>"""


def server(input: Inputs, output: Outputs, session: Session):
    chat = Chat("chat", room="own")

    @render.text
    def read():
        return f"{len(chat.members())} in, {chat.state()}, {len(chat.messages())} said"


app = App(ui.page_html(DOCUMENT), server)
