"""The messages of others since a bot's last one, counted as they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.bots.counts import SinceOwn, Whole

MEMBERS = st.sampled_from(["bot", "ann", "bob", None])


@st.composite
def histories(draw: st.DrawFn) -> list[Whole]:
    """Messages in the order in which they were complete; streams are complete later."""
    messages: list[Whole] = []
    open_since: list[tuple[int, str | None]] = []
    for seq in range(1, draw(st.integers(1, 30))):
        if open_since and draw(st.booleans()):
            opened, member = open_since.pop(draw(st.integers(0, len(open_since) - 1)))
            messages.append(Whole(opened, seq, member))
        elif draw(st.booleans()):
            open_since.append((seq, draw(MEMBERS)))
        else:
            messages.append(Whole(seq, seq, draw(MEMBERS)))
    return messages


@given(histories(), st.data())
def test_others_are_counted_from_the_bots_last_message_on(
    history: list[Whole], data: st.DataObject
) -> None:
    counted = SinceOwn("bot")
    for at, message in enumerate(history):
        counted.add(message)
        counted.add(message)
        told = history[: at + 1]
        since = max((each.seq for each in told if each.member == "bot"), default=0)
        upto = data.draw(st.integers(0, message.at))
        others = [each.at for each in told if each.member not in (None, "bot")]
        assert counted.count(upto) == sum(since < each <= upto for each in others)
