# A lab whose participants read German, in a page that says that it is English.

from _asked import asked
from shiny.express import ui

from shiny_labchat import Lab
from shiny_labchat.express import Chat

ui.page_opts(title="A language of its own", fillable=True, lang="en")

chat = Chat("chat", room=asked("room", "lobby"), lab=Lab(language="de"))
chat.ui()
