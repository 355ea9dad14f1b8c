# Words drawn for each visitor, words logged once, and words of one's own.

from _asked import asked
from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="Greeting", fillable=True, lang="de")

chat = Chat("chat", room=asked("room", "lobby"), messages=["On the **record**", "since the start"])
chat.ui(
    messages=["Hello, *visitor*", {"role": "user", "content": "drawn as a person's"}],
    placeholder="Sag etwas",
    labels={"send": "Abschicken", "you_are": "Du bist {name}", "empty": "Da steht noch nichts."},
)
