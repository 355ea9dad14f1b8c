# Several rooms on one page: announcements that only experimenters write, a session-wide room, and
# a room of one's group.
#
# Open the page with ?group=a or ?group=b. To write announcements, make yourself a personal link:
#     labchat links me --role experimenter --db labchat.db

from urllib.parse import parse_qs

from shiny import reactive
from shiny.express import session, ui

from shiny_labchat import Lab
from shiny_labchat.express import Chat

ui.page_opts(title="Several rooms", lang="en", fillable=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

lab = Lab()


@reactive.calc
def group():
    """The room of the group in the address; None, which waits, without one."""
    asked = parse_qs(session.clientdata.url_search().removeprefix("?")).get("group", [""])[0]
    return (
        lab.room(f"group-{asked}", title=f"Group {asked.upper()}") if asked in ("a", "b") else None
    )


announcements = Chat(
    "announcements",
    room=lab.room("announcements", title="Announcements", write="experimenter"),
)
everybody = Chat("everybody", room=lab.room("everybody", title="Everybody"))
mine = Chat("mine", room=group)

with ui.layout_columns(col_widths=(4, 4, 4), fill=True):
    with ui.card():
        announcements.ui(width="100%", placeholder="Announce...")
    with ui.card():
        everybody.ui(width="100%")
    with ui.card():
        mine.ui(width="100%", placeholder="Write to your group...")
