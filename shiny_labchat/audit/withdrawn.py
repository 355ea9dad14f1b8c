"""What the audit may keep of a call that was under way when somebody withdrew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from shiny_labchat.audit.prompts import Prompt
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.withdrawn_prompts import blanked_prompt
from shiny_labchat.store.queries import events_after

__all__ = ["fields_unless_withdrawn", "prompt_unless_withdrawn"]


def prompt_unless_withdrawn(conn: sa.Connection, number: int, prompt: Prompt, knew: int) -> Prompt:
    """
    The prompt, but blank if somebody has withdrawn since it was made.

    It may have their words, and it cannot be said any more which of its words these are.

    Parameters
    ----------
    number
        The room's number in the database.
    prompt
        The prompt.
    knew
        The newest event of the room of which it was made.
    """
    if not _withdrawals(conn, number, knew):
        return prompt
    whole = (each.as_dict() if isinstance(each, Message) else each for each in prompt.whole)
    return Prompt(blanked_prompt([*whole]))


def fields_unless_withdrawn(
    conn: sa.Connection, number: int, fields: Mapping[str, Any], knew: int
) -> dict[str, Any]:
    """
    The columns of a call, but without its error if somebody has withdrawn since it was made.

    An error may quote the prompt. The reply may, too: it is blank if the quotations of somebody
    who has withdrawn since are to be blank.
    """
    is_error = fields.get("outcome") == "failed" and fields.get("reason")
    if not is_error and not fields.get("reply"):
        return dict(fields)
    since = _withdrawals(conn, number, knew)
    news = {"reason": ""} if is_error and since else {}
    if fields.get("reply") and any(each.data.get("quotes") for each in since):
        news["reply"] = ""
    return {**fields, **news}


def _withdrawals(conn: sa.Connection, number: int, knew: int) -> list[Event]:
    return events_after(conn, number, knew, kinds=("withdrawn",))
