# Every kind of suggestion.

from pathlib import Path

from _asked import asked
from shiny.express import app_opts, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Suggestions", fillable=True, lang="en")

app_opts(static_assets={"/pictures": Path(__file__).parent / "pictures"})

chat = Chat("chat", room=asked("room", "lobby"))
chat.ui(
    messages=[
        "<span class='suggestion'>plain words</span> or "
        "<span class='suggestion submit'>sent at once</span> or "
        "<span data-suggestion='what it means'>what it says</span> or "
        "<span data-suggestion='by attribute' data-suggestion-submit='true'>attribute</span> or "
        "<img data-suggestion='a thousand words' src='pictures/square.png' alt='picture'>",
        {"role": "user", "content": "Or <span class='suggestion'>as somebody said</span>"},
    ]
)
