# An app whose script fails in each session, after it has drawn its chat.

from shiny.express import ui
from shiny.session import require_active_session

from shiny_labchat.express import Chat

ui.page_opts(title="Broken", fillable=True, lang="en")

chat = Chat("chat", room="broken")
chat.ui()

if not require_active_session(None).is_stub_session():
    raise RuntimeError("the app of this test fails")
