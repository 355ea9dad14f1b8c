# Appends HTML in markdown; whether that is trusted is asked for in the address, for each page.

from _asked import asked
from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="Trusted", fillable=True, lang="en")

HTML = """<div class="mine" style="color: rgb(1, 2, 3)">
Choose <select><option>one</option></select></div>

And **this**, <u id="underlined">too</u>:

```html
<b>code</b>
```
"""

html = "sanitize" if asked("html") == "sanitize" else "trusted"
chat = Chat("chat", room=asked("room", "lobby"), html=html, messages=["<i class='first'>first</i>"])
chat.ui(
    messages=["<i class='shown'>shown</i>", {"role": "user", "content": "<i class='no'>no</i>"}]
)


@chat.on_user_submit
async def append(text: str):
    match text:
        case "whole":
            await chat.append_message(HTML)
        case "dictionary":
            await chat.append_message({"role": "assistant", "content": HTML})
        case "streamed":
            await chat.append_message_stream([HTML])
        case "mine":
            await chat.append_message({"role": "user", "content": HTML})
        case _:
            pass
