"""A message that is in the log and is not shown to anybody yet. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shiny_labchat.domain.commands import SUBMITTED, Publish, Resubmit, Withhold
from shiny_labchat.domain.events import Event

__all__ = ["HeldMessage"]


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """
    A person's message that waits in the log until it is published or withheld.

    Meanwhile it may be resubmitted: then it belongs to another page of the same person, and is
    still the same message. The first command that publishes or withholds it settles it; later ones
    have no effect.

    Parameters
    ----------
    seq
        The seq of the event that submitted it first.
    member
        The id of its author.
    page
        The id of the page that it belongs to now.
    text
        What the author wrote.
    sent
        The id that the author's browser gave it; None: none.
    typed
        What is kept of how it was written; None: nothing.
    """

    seq: int
    member: str
    page: str
    text: str
    sent: str | None = None
    typed: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, event: Event) -> HeldMessage:
        """The message of a "submitted" event, whether that submits or resubmits it."""
        assert event.kind == "submitted" and event.member is not None
        data = event.data
        seq, sent = data.get("again", event.seq), data.get("sent", event.cid)
        return cls(seq, event.member, data["page"], data["text"], sent, data.get("typed"))

    @property
    def cid(self) -> str:
        """The id of the command that settles it; `Publish` and `Withhold` share it."""
        return f"{SUBMITTED}{self.seq}"

    def publish(self, transformed: str | None) -> Publish:
        """The command that shows it to all, with what its transform has made of it."""
        written = self.text, transformed, self.sent, self.typed
        return Publish(self.seq, self.member, self.page, *written)

    def withhold(self, *, code: str = "not_accepted", error: str | None = None) -> Withhold:
        """
        The command that shows it to nobody.

        Parameters
        ----------
        code
            The reason, for its author: a key of `SENTENCES`.
        error
            The reason, for the log only.
        """
        return Withhold(self.text, self.member, code, self.seq, self.page, error)

    def resubmit(self, page: str) -> Resubmit:
        """The command that gives it to another page of its author."""
        return Resubmit(self.seq, self.member, page, self.text, self.sent, self.typed)
