"""A page with one room, in a lab whose participants read German."""

from shiny.express import ui

from shiny_labchat import Lab
from shiny_labchat.express import Chat

ui.page_opts(title="Auf Deutsch")

lab = Lab(language="de", texts={"muted": "Bitte hören Sie zu."})
chat = Chat("chat", room="page", study="tests", lab=lab, join=False)
chat.ui(labels={"send": "Los"})
