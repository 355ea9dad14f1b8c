"""A message that is in the log and shown to nobody yet. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shiny_labchat.domain.commands import SUBMITTED, Publish, Resubmit, Withhold
from shiny_labchat.domain.events import Event, Part

__all__ = ["HeldMessage"]


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """
    A person's message that waits in the log until it is published or withheld.

    It may be resubmitted meanwhile: then another page of the same person has it, and it is still
    the same message. It is settled once, by the first command to publish or withhold it.

    Parameters
    ----------
    seq
        Its number in the log, that of the event which submitted it first.
    member
        Who wrote it.
    page
        The page that has it now.
    text
        What they wrote.
    sent
        The id that their browser gave it; None: it gave none.
    """

    seq: int
    member: str
    page: str
    text: str
    sent: str | None = None

    @classmethod
    def of(cls, event: Event) -> HeldMessage:
        """The message that a "submitted" event holds, also one that resubmits it."""
        assert event.kind == "submitted" and event.member is not None
        data = event.data
        seq, sent = data.get("again", event.seq), data.get("sent", event.cid)
        return cls(seq, event.member, data["page"], data["text"], sent)

    @property
    def cid(self) -> str:
        """The id of the command that settles it: `Publish` and `Withhold` have the same."""
        return f"{SUBMITTED}{self.seq}"

    def publish(self, parts: Sequence[Part]) -> Publish:
        """The command that shows it to all, as these parts."""
        return Publish(self.seq, self.member, self.page, parts, self.text, self.sent)

    def withhold(self, *, code: str = "not_accepted", error: str | None = None) -> Withhold:
        """
        The command that shows it to nobody.

        Parameters
        ----------
        code
            Why, for its author: a key of `SENTENCES`.
        error
            Why, for the log only.
        """
        return Withhold(self.text, self.member, code, self.seq, self.page, error)

    def resubmit(self, page: str) -> Resubmit:
        """The command that gives it to another page of its author."""
        return Resubmit(self.seq, self.member, page, self.text, self.sent)
