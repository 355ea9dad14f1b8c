# A debate in turns: one message each, for ten minutes, and a minimum before anybody may go on.
#
# Shows: Rules with turns, a minimum and a maximum of messages, and a length in all; whose turn it
# is; a gate that opens when a person has written enough; rules for one member; and a button for
# who is done. Open it in three browsers, or private windows.

from shiny import reactive
from shiny.express import input, render, ui

from shiny_labchat import Lab, Rules
from shiny_labchat.express import Chat

ui.page_opts(title="A debate in turns", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

RULES = Rules(
    duration=600,
    turns="round_robin",
    turn_seconds=60,
    min_messages=2,
    max_messages=6,
    min_characters=40,
    max_characters=1_200,
    ends="all_done",
)
SHORT = Rules(min_messages=1, max_length=80)

room = Lab().room("debate", rules=RULES)
chat = Chat("chat", room=room, pseudonym="Speaker {n}")

COLUMNS = {"sm": (12, 12), "lg": (8, 4)}
ROWS = {"sm": ("minmax(26rem, 1fr)", "auto"), "lg": "1fr"}  # the card is below the chat, or beside

with ui.layout_columns(col_widths=COLUMNS, row_heights=ROWS):
    chat.ui(done="I have said all", placeholder="Your argument...")

    with ui.card():
        ui.card_header("Should cities be free of cars?")

        @render.text
        def status():
            turn, until = chat.turn(), chat.deadline()
            if chat.state() in ("done", "closed"):
                return "Thank you for the debate."
            who = "Nobody speaks yet." if turn is None else f"{turn.pseudonym} speaks."
            may = "You may go on." if chat.gate() else "You cannot go on yet."
            return f"{who} {may} It ends at {until:%H:%M} UTC." if until else f"{who} {may}"

        ui.input_action_button("brief", "I would rather be brief")


@reactive.effect
@reactive.event(input.brief)
async def be_brief():
    me = chat.member()
    if me is not None:
        await room.configure(rules=SHORT, member=me)  # in place of the room's, for this person
