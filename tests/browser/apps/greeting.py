# Words drawn for each visitor, words logged once, and words of one's own.

from _asked import asked
from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="Greeting", fillable=True, lang="de")

first = ["On the **record**", {"role": "user", "content": "since the start"}]
chat = Chat("chat", room=asked("room", "lobby"), messages=first)
chat.ui(
    messages=["Hello, *visitor*", {"role": "user", "content": "drawn as a person's"}],
    placeholder="Sag etwas",
    labels={"send": "Abschicken", "you_are": "Du bist {name}", "empty": "Da steht noch nichts."},
)
