"""The elements of a study in a page: where a person is in it, and forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from htmltools import Tag, TagChild, TagList
from shiny import ui

from shiny_labchat.chat.assets import element_dependency
from shiny_labchat.words import ENGLISH, Words

__all__ = ["form_element", "study_element"]

_PAGE_WORDS = {"reconnecting": "reconnecting", "reload": "reload"}
"""What the page itself says of a study: keys of the catalogue, by its names for them."""

_FORM_WORDS = {
    name: f"form.{name}"
    for name in ("missing_one", "missing_many", "needed", "untouched", "not_stored")
}
"""What a form says of itself, likewise."""


def study_element(study_name: str, words: Words) -> Tag:
    """
    The element that shows a person where they are in a study, whichever screen it is now.

    The page draws it when the study's socket says what it shows; until then it asks to wait.
    Drawn anew by an output, it stays as it is.

    Parameters
    ----------
    study_name
        The study's name, which the page's ticket names, too.
    words
        The words of its lab.
    """
    return Tag(
        "labchat-study",
        {"class": "labchat-study"},
        ui.p(words["one_moment"], class_="labchat-study-first"),
        element_dependency(),
        id=f"labchat-study-{study_name}",
        data_study=study_name,
        data_words=_json(_PAGE_WORDS, words),
        lang=_language(words),
    )


def form_element(
    id: str,
    kind: str,
    inputs: TagChild,
    submit_label: str,
    words: Words,
    *,
    study_name: str = "",
    who: str = "",
    optional: Sequence[str] = (),
    touched: Sequence[str] = (),
    round: int = 0,
) -> Tag:
    """
    A form: Shiny inputs, and a button that sends their values together.

    When a person presses it and no input is empty, the page sends the event ``<id>_sent`` with
    "cid" (a random id, the same as long as the same answers are sent again), the times "shown",
    "changed" (None: nothing was) and "sent", in milliseconds since 1970 by the browser's clock, and
    "used", the ids of the inputs that the person has used, and in rounds "round", the number of the
    one in which it was drawn. The inputs' values are there before. The session answers by the
    custom message "labchat"
    ``{"do": "form", "id": id, "cid": cid, "is": "stored" | "not_stored", "say": words}``; until
    then the button does nothing, and what is filled in is kept in the tab.

    Drawn anew by an output with the same inputs, it stays as it is; with others, what was filled
    in is filled in again.

    Parameters
    ----------
    id
        The element's id, resolved: that of its event, too.
    kind
        The kind of the answers.
    inputs
        Shiny inputs, and whatever is between them.
    submit_label
        What the button says.
    words
        The words of the lab.
    study_name
        The study's name.
    who
        Differs for each person: nobody gets what another one has filled in in the same tab.
    optional, touched
        The ids of inputs that may be empty, and of those that must be used, resolved.
    round
        The number of the person's round; 0: they are in none.
    """
    drawn = TagList(inputs)
    return Tag(
        "labchat-form",
        {"class": "labchat-form"},
        drawn,
        ui.div(class_="labchat-alert", role="alert"),
        ui.tags.button(submit_label, type="button", class_="btn btn-primary labchat-form-submit"),
        element_dependency(),
        id=id,
        data_kind=kind,
        data_study=study_name or None,
        data_who=who or None,
        data_optional=" ".join(optional) or None,
        data_touched=" ".join(touched) or None,
        data_round=str(round) if round else None,
        data_words=_json(_FORM_WORDS, words),
        data_digest=hashlib.sha256(
            f"{drawn}\0{submit_label}\0{who}\0{optional}\0{touched}\0{round}".encode()
        ).hexdigest()[:16],
        lang=_language(words),
    )


def _json(keys: Mapping[str, str], words: Words) -> str:
    return json.dumps({name: words[key] for name, key in keys.items()}, ensure_ascii=False)


def _language(words: Words) -> str | None:
    return words.language if words.language != ENGLISH.language else None
