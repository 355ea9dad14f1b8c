"""docs/testing.md names all that a test of an app can use, and nothing else."""

from __future__ import annotations

import inspect
import re

from shiny_labchat.playwright import ChatController, LabchatApp

from .code import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


def public(cls: type) -> set[str]:
    """The public names of a class, with the attributes that its objects are made with."""
    made = re.findall(r"self\.([a-z]\w+): ", inspect.getsource(cls.__init__))
    return {name for name in [*dir(cls), *made] if not name.startswith("_")}


def test_the_page_names_every_member_of_a_controller() -> None:
    written = set(re.findall(r"\w+", PAGE))
    kept_for_shinychat = {"loc_messages", "loc_scroll_container"}  # both are `loc_log`
    assert public(ChatController) - written - kept_for_shinychat == set()
    assert len(public(ChatController)) > 30


def test_the_page_names_every_member_of_an_app() -> None:
    named = set(re.findall(r"\bapp\.(\w+)", PAGE)) - {"py"}
    assert named == public(LabchatApp)


def test_what_the_page_says_of_a_controller_is_there() -> None:
    named = set(re.findall(r"\b(?:expect|loc)_\w+|\b(?:say|stop_answer|me)\b(?=\()", PAGE))
    assert named <= public(ChatController)
