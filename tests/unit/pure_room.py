"""A room without a database: commands decided and folded one after the other."""

from __future__ import annotations

from shiny_labchat import Refused
from shiny_labchat.domain.commands import Command, Configure, Join, Say
from shiny_labchat.domain.decide import decide
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import RoomState, fold

SECOND = 1_000_000


class PureRoom:
    """A room as a list of events and their fold, at a clock that stands still."""

    def __init__(self, *, rules: Rules | None = None, members: str = "") -> None:
        self.state = RoomState()
        self.log: list[Event] = []
        self.now = 1_700_000_000 * SECOND
        self.does(Configure(seed="seed", rules=rules or Rules(rate=None)))
        for member in members:
            self.joins(member)

    def does(self, command: Command) -> list[Event]:
        events = decide(self.state, command, self.now)
        for event in events:
            self.takes(event)
        return events

    def takes(self, event: Event) -> None:
        """Append an event without asking the rules, as another version may have written it."""
        self.state = fold(self.state, event)
        self.log.append(event)

    def refuses(self, command: Command) -> str | None:
        """The code of the refusal, which left no trace; None: it was done."""
        before = self.state, len(self.log)
        try:
            self.does(command)
        except Refused as exc:
            assert (self.state, len(self.log)) == before
            return exc.code
        return None

    def joins(self, member: str, pseudonym: str | None = None) -> str:
        self.does(Join(member, f"h-{member}", pseudonym=pseudonym))
        return self.state.memberships[member].pseudonym

    def says(self, member: str, text: str = "hi") -> str | None:
        """The code of the refusal; None: it was said."""
        return self.refuses(Say(member, text, f"c{len(self.log)}", "page"))

    def kinds(self) -> list[str]:
        return [event.kind for event in self.log]
