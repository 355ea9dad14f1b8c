"""Wrong arguments are errors at once, which say what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shiny.express._stub_session import ExpressStubSession
from shiny.session import session_context

from shiny_labchat import Chat, Lab, chat_ui
from shiny_labchat.chat.labels import LABELS
from shiny_labchat.chat.placement import PlacementOptions
from shiny_labchat.domain.membership import ROLES
from shiny_labchat.domain.pseudonyms import check_pseudonym, resolve_pseudonym
from shiny_labchat.express import Chat as ExpressChat
from shiny_labchat.words import slots_of


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(f"sqlite:///{tmp_path}/lab.db")


@pytest.fixture(autouse=True)
def session(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LABCHAT_URL", lab.url)
    with session_context(ExpressStubSession()):
        yield


ROLE = 'must be "participant", "observer", "experimenter", "assistant" or None, not'


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"role": "obsever"}, f"role {ROLE} 'obsever'"),
        ({"role": ["observer"]}, f"role {ROLE} \\['observer'\\]"),
        ({"identity": "cookie"}, 'identity must be "browser", "tab" or "link", not'),
        ({"names": "lab"}, 'names must be "room" or "study", not'),
        ({"names": "study", "pseudonym": "Ann"}, 'names="study" is for generated pseudonyms'),
        ({"on_error": "ignore"}, 'on_error must be "auto", "actual", "sanitize" or "unhandled"'),
        ({"html": "safe"}, 'html must be "sanitize" or "trusted", not'),
        ({"join": "no"}, "join must be True or False, not"),
        ({"reconnect": 1}, "reconnect must be True or False, not"),
        ({"show_observers": "yes"}, "show_observers must be True or False, not"),
        ({"pseudonym": "Player {number}"}, "has {number}, but the only slot of a template is {n}"),
        ({"pseudonym": 7}, "pseudonym must be text, a function, or None, not int"),
        ({"room": 5}, "room must be a room's id, a Room, None, or a function that returns one"),
        ({"room": ["general"]}, "room must be a room's id, a Room, None, or a function"),
        ({"member": 5}, "member must be text, not int"),
        ({"study": ""}, "study must be 1 to 200 printable characters"),
        ({"title": "General"}, "Chat\\(\\) has no argument title=: it belongs to the room"),
        ({"write": "observer"}, "no argument write=: it belongs to the room"),
        ({"placeholder": "Say"}, "no argument placeholder=: it belongs to the chat's UI"),
        ({"system_prompt": "Be brief."}, "no argument system_prompt=: it belongs to the client"),
    ],
)
@pytest.mark.parametrize("kind", [Chat, ExpressChat])
def test_a_chat_says_what_is_wrong(kind: Any, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises((ValueError, TypeError), match=sentence):
        kind("chat", **given)


def test_a_study_beside_a_room_of_another_study_is_an_error(lab: Lab) -> None:
    room = lab.room("general", study="pilot")
    Chat("chat", room=room, study="pilot")
    with pytest.raises(ValueError, match="study is 'main', but Room.* is in another; leave study="):
        Chat("chat", room=room, study="main")


def test_a_lab_beside_a_room_of_another_lab_is_an_error(lab: Lab, tmp_path: Path) -> None:
    room = Lab(f"sqlite:///{tmp_path}/other.db").room("general")
    with pytest.raises(ValueError, match="is in another; leave lab= out"):
        Chat("chat", room=room, lab=lab)


def test_the_results_of_functions_are_checked_as_well(lab: Lab) -> None:
    options = PlacementOptions(None, "main", None, "browser", None, None, True)
    for wrong in (5, b"general", object()):
        with pytest.raises(TypeError, match="or a function that returns one of these, not"):
            options.as_room(wrong, lab)
    with pytest.raises(ValueError, match="is in another"):
        options.as_room(lab.room("general", study="pilot"), lab)
    for wrong in ("Player {N}", "{}", "{n} of {all}"):
        with pytest.raises(ValueError, match="the only slot of a template is"):
            resolve_pseudonym(lambda member, wrong=wrong: wrong, "p1")


@given(st.text(alphabet="ab{}nN ", max_size=12))
def test_a_template_has_the_slot_n_and_no_other(text: str) -> None:
    slots = [part.split("}")[0] for part in text.split("{")[1:] if "}" in part]
    try:
        check_pseudonym(text)
    except ValueError:
        assert any(slot != "n" for slot in slots)
    else:
        assert all(slot == "n" for slot in slots)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"sendd": "Senden"}, "labels has no 'sendd'; did you mean 'send'?"),
        ({"absurd-key": "x"}, "labels has no 'absurd-key'; it has above_limit, "),
        ({"here": "{m} da"}, "'{m} da' has {m}; the slots of 'here': {n}"),
        ({"send": "{a}"}, "the slots of 'send': none"),
    ],
)
def test_labels_that_would_not_be_shown_are_errors(labels: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        chat_ui("chat", labels=labels)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("labels", [["send"], {"send": 5}, "send"])
def test_labels_are_texts(labels: Any) -> None:
    with pytest.raises(TypeError, match="labels"):
        chat_ui("chat", labels=labels)


@pytest.mark.parametrize("key", ["send", "typing_two", "not_invited", "store_full", "sandboxed"])
def test_labels_of_all_three_sources_are_known(key: str) -> None:
    words = " ".join(f"{{{slot}}}" for slot in sorted(slots_of(LABELS[key]))) or "x"
    assert key in str(chat_ui("chat", labels={key: words}))


@pytest.mark.parametrize("name", ["room", "client", "member", "reply"])
def test_arguments_of_the_chat_are_no_attributes_of_its_element(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name}= belongs to the Chat"):
        chat_ui("chat", **cast(Any, {name: "x"}))


def test_the_chat_of_core_says_where_the_one_of_express_is() -> None:
    chat: Any = Chat("chat")
    with pytest.raises(AttributeError, match=r"no ui\(\): in Shiny Express import Chat from shiny"):
        chat.ui()
    with pytest.raises(AttributeError, match="no attribute 'uii'"):
        _ = chat.uii
    with pytest.raises(TypeError, match=r"enable_bookmarking\(\) has no argument bookmark_store"):
        chat.enable_bookmarking(bookmark_store="url")


Call = Callable[[Lab], Any]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda lab: lab.room("r", write="obsever"), "write must be"),
        (lambda lab: lab.room("r", write=5), "write must be a role or several, not 5"),
        (lambda lab: lab.room("r", write=["participant", "x"]), "write must be"),
    ],
)
def test_who_may_write_is_checked_at_once(lab: Lab, call: Call, sentence: str) -> None:
    with pytest.raises((ValueError, TypeError), match=sentence):
        call(lab)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda lab: lab.room("r").add_member("p", role="obsever"), "role must be"),
        (lambda lab: lab.room("r").add_member("p", pseudonym="Player {x}"), "only slot"),
        (lambda lab: lab.invite("p", role="obsever"), "role must be"),
        (lambda lab: lab.invite("p", pseudonym="Player {x}"), "only slot"),
        (lambda lab: lab.invite("p", pseudonym=" \u200b"), "a name that can be seen"),
    ],
)
async def test_a_wrong_role_or_name_writes_nothing(lab: Lab, call: Call, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        await call(lab)
    assert not lab.log.exists


def test_all_roles_are_roles(lab: Lab) -> None:
    for role in ROLES:
        Chat("chat", role=role)
        lab.room("r", write=role)
