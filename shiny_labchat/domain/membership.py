"""Members of a room, as its log describes them. Pure."""

from __future__ import annotations

from math import inf
from typing import Literal, NamedTuple

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import CLOCK_SLACK, Rules

__all__ = ["ROLES", "Membership", "Role"]

Role = Literal["participant", "observer", "experimenter", "assistant"]
ROLES: tuple[Role, ...] = ("participant", "observer", "experimenter", "assistant")


class Membership(NamedTuple):
    """
    A member of a room, as the log describes them.

    Parameters
    ----------
    member
        The member's private id; never leaves the server.
    handle
        The random id that browsers know the member by, different in every room.
    pseudonym, role
        What others are shown.
    asked
        The pseudonym or template that was asked for; None: generated.
    tokens, spoke
        The token bucket: the messages left in it at the time `spoke` (microseconds).
    view_from
        The seq up to which the member is shown nothing: they cleared it from their own view, or it
        is what `hears_from` says.
    hears_from
        The seq at which they joined, if they may read nothing that was said before; 0: they may.
    is_bot
        Whether it is a program that this package runs; it is always present.
    shown
        The role that others are shown in place of the real one; None: the real one.
    known_to
        The ids of the members who are shown the real role in any case.
    presence
        Whether they are "here", "idle", "away" or "gone", as the log last said; None: never.
    question, answer_by
        The seq of the question whether they are still there, and until when they may answer it
        (microseconds); 0: there is none.
    said, last_said
        The number of their messages, and the time of the last one (microseconds), as far as the
        room counts them, see `RoomState.counts_from`.
    characters
        The number of characters in these, see `RoomState.characters_from`.
    rules
        The rules that hold for this member, of those in `OF_MEMBER`; None: the room's.
    left
        The seq at which they were removed.
    is_withdrawn
        Whether their data was withdrawn: then they have no pseudonym any more.
    replaces
        The id of the member in whose place this program goes on; None: of nobody.
    returns
        From when on others see such a program as here, in microseconds since 1970 (UTC); 0: always.
    """

    member: str
    handle: str
    pseudonym: str
    role: Role
    joined: int
    asked: str | None = None
    is_muted: bool = False
    is_removed: bool = False
    tokens: float = float("inf")
    spoke: int = 0
    view_from: int = 0
    is_bot: bool = False
    shown: Role | None = None
    known_to: tuple[str, ...] = ()
    presence: str | None = None
    question: int = 0
    answer_by: int = 0
    said: int = 0
    left: int = 0
    is_withdrawn: bool = False
    replaces: str | None = None
    returns: int = 0
    last_said: int = 0
    characters: int = 0
    rules: Rules | None = None
    hears_from: int = 0

    @property
    def takes_turns(self) -> bool:
        """Whether it is shown as a participant, to whom limits apply: as a bot may be, too."""
        return self.role_for(None) == "participant"

    def role_for(self, viewer: str | None) -> Role:
        """The role that a viewer is shown; viewer None: nothing was disclosed to them."""
        if self.shown is None or viewer in self.known_to:
            return self.role
        return self.shown

    def is_hidden_from(self, viewer: str | None) -> bool:
        """Whether a participant is not shown this member, where observers are not shown."""
        return self.role_for(viewer) == "observer" and self.member != viewer

    def sees_observers(self, shown: bool) -> bool:
        """Whether this member is shown observers; `shown`: the app shows them to participants."""
        return shown or self.role != "participant"

    @property
    def hears_all(self) -> bool:
        """Whether a network does not concern them: they do not take part, and hear everybody."""
        return self.role in ("observer", "experimenter")

    def may_see(self, event: Event) -> bool:
        """Whether this member may see a message (others than messages are never shown)."""
        audience = event.data.get("audience")
        if audience is None or self.member in audience or event.member == self.member:
            return True
        return "by_network" in event.data and self.hears_all

    def allowance(self, rules: Rules, at: int) -> float:
        """The number of messages the member may send at the time `at` (microseconds)."""
        if rules.rate is None:
            return inf
        if at < self.spoke - CLOCK_SLACK:  # the server's clock was set back
            return max(1.0, self.tokens)
        earned = max(0, at - self.spoke) / 1e6 * rules.rate
        return min(float(rules.burst), self.tokens + earned)

    def has_sent_all(self, rules: Rules) -> bool:
        """Whether the member has sent as much as they may."""
        most, characters = rules.max_messages, rules.max_characters
        if most is not None and self.said >= most:
            return True
        return characters is not None and self.characters >= characters

    def characters_left(self, rules: Rules) -> int | None:
        """How many characters the member may send yet; None: that has no limit."""
        most = rules.max_characters
        return None if most is None else max(0, most - self.characters)

    def waits_until(self, rules: Rules, at: int) -> int:
        """When the member may send the next message, in microseconds; 0: at once."""
        if rules.cooldown is None or not self.last_said or at < self.last_said - CLOCK_SLACK:
            return 0
        until = self.last_said + round(rules.cooldown * 1e6)
        return until if at < until else 0
