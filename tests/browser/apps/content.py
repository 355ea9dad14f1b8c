# Appends what it is asked for: everything that a message may be made of.

from pathlib import Path

from _asked import asked
from _stamp import STAMP
from htmltools import HTML, TagList
from shiny import req, ui
from shiny.express import input, render
from shiny.express import ui as page
from shinychat.types import Attachment, ChatMessage

from shiny_labchat.express import Chat

page.page_opts(title="Content", fillable=True, lang="en")

chat = Chat("chat", room=asked("room", "lobby"))
chat.ui()

REMOTE = "https://remote.invalid/x.png"
PICTURE = Path(__file__).parent / "pictures" / "square.png"


with page.hold():  # its place is in a message

    @render.text
    def echo():
        return f"echo {req(input.answer())}"


@chat.on_user_submit
async def append(text: str):
    match text:
        case "markdown":
            await chat.append_message("Some **bold** words\n\n- one\n- two")
        case "evil markdown":
            await chat.append_message(
                "Look <script>window.hacked = 1</script>"
                f"<img src='{REMOTE}' onerror='window.hacked = 2'> "
                f"![remote]({REMOTE}) [bad](javascript:window.hacked=3) end"
            )
        case "html":
            await chat.append_message(HTML("<b class='mine'>**as** written</b>"))
        case "tag":
            await chat.append_message(ui.tags.em("a tag"))
        case "list":
            await chat.append_message(
                TagList("**strong** first", STAMP, ui.tags.em("then a tag"), 42, None)
            )
        case "form":
            await chat.append_message(
                ui.div(
                    STAMP,
                    ui.input_text("answer", "Your answer"),
                    ui.output_text("echo"),
                    ui.tags.button("Stamp", class_="stamp", type="button"),
                )
            )
        case "as me":
            await chat.append_message({"role": "user", "content": "in my name"})
        case "as assistant":
            await chat.append_message({"role": "assistant", "content": "in the assistant's"})
        case "icon":
            await chat.append_message("with an icon", icon=HTML("<i class='owl'>owl</i>"))
        case "author":
            await chat.append_message("I have a name", author="The Oracle")
        case "attached":
            notes = Attachment.from_data(b"some notes", "text/plain", name="notes.txt")
            files = [Attachment.from_path(PICTURE), notes]
            await chat.append_message(ChatMessage("Here they are", attachments=files))
        case "only me":
            await chat.append_message("a secret", audience="me")
        case "twice":
            await chat.append_message("once is enough", id="once")
            await chat.append_message("once is enough", id="once")
        case _:
            pass
