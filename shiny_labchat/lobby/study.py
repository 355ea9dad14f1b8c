"""A study for Shiny: what its people see of it, their answers, and who they are."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping, Sequence
from hashlib import sha256
from secrets import token_hex
from typing import cast

from htmltools import Tag, TagChild, TagList
from shiny.module import current_namespace, resolve_id
from shiny.reactive._core import get_current_context

from shiny_labchat.arguments import StudyLike, as_id
from shiny_labchat.chat.study_elements import form_element, study_element
from shiny_labchat.domain.ends import check_reason
from shiny_labchat.domain.membership import Role
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lobby.answers import ids_in, inputs_in, short_id
from shiny_labchat.lobby.forms import Form
from shiny_labchat.lobby.session import found_session, known_session, study_session
from shiny_labchat.study.person import Person
from shiny_labchat.study.study import Study as _Study

__all__ = ["Study", "named_study"]


class Study(_Study):
    __doc__ = _Study.__doc__

    def __init__(
        self,
        name: str,
        *,
        lab: Lab | None = None,
        seed: int | str | None = None,
        params: Sequence[str] | None = None,
        contact: str | None = None,
        exclude: Sequence[StudyLike] | None = None,
        currency: str | None = None,
        debriefed: str | None = None,
        language: str | None = None,
        texts: Mapping[str, str] | None = None,
        purpose: str | None = None,
        controller: str | None = None,
        board: str | None = None,
        basis: str | None = None,
    ) -> None:
        super().__init__(
            name,
            lab=lab,
            seed=seed,
            params=params,
            contact=contact,
            exclude=exclude,
            currency=currency,
            debriefed=debriefed,
            language=language,
            texts=texts,
            purpose=purpose,
            controller=controller,
            board=board,
            basis=basis,
        )
        study_session(self)  # what the page reads later is read of this study

    def person(self) -> Person | None:
        """
        Reactively read the person in front of this session's page.

        Returns
        -------
        Person or None
            None before it is known who they are, and before they have consented, if the study
            asks for that. It never waits.

        Raises
        ------
        RuntimeError
            It is called outside a session.
        """
        return known_session(self).person()

    def role(self) -> Role | None:
        """
        Reactively read the role of whoever is in front of this session's page.

        Who comes by a personal link with another role than "participant" runs the study: they are
        none of its people, are asked for nothing, and are in no group.

        Returns
        -------
        str or None
            "participant", or the role of the link: "experimenter", "observer" or "assistant". None
            before it is known. It never waits.

        Raises
        ------
        RuntimeError
            It is called outside a session.
        """
        return known_session(self).role()

    def step(self) -> Awaitable[str | None] | str | None:
        """
        Reactively read the study's step; None: none was set, or it is not known.

        It never waits. Outside a session it is awaited: ``await study.step()``.
        """
        session = study_session(self, is_by_name=True)
        return super().step() if session is None else session.step()

    def ui(self) -> Tag:
        """
        What this study shows its person now: consent, "Stop taking part", and the end.

        It can be drawn at several places of an app, but only once in a page at a time.

        Returns
        -------
        Tag
            A ``<labchat-study>``.
        """
        session = study_session(self, is_by_name=True)
        if session is not None:
            session.want()
        return study_element(self.name, self.words)

    def form(
        self,
        kind: str,
        *inputs: TagChild,
        submit: str | None = None,
        step: str | None = None,
        end: str | None = None,
        optional: Sequence[str] = (),
        touched: Sequence[str] = (),
    ) -> Tag:
        """
        A form: Shiny inputs, and a button that has their answers recorded once.

        What is missing is marked before anything is recorded. What was filled in is kept over a
        reload of the page, and when the form is drawn anew.

        Parameters
        ----------
        kind
            What the answers are recorded as: ``person.data[kind]`` has them, by the ids of the
            inputs.
        *inputs
            The inputs, and what stands between them.
        submit
            What stands on the button. None: "Continue", in the language of the study.
        step
            The step that is set with the answers, see :meth:`Person.set_step`.
        end
            The reason for which the person's part ends with the answers, such as ``"complete"``.
        optional
            The ids of the inputs that need no answer. All others do: the page asks for them, and
            the server refuses a form without them.
        touched
            The ids of inputs that have a value from the beginning, as sliders do and radio buttons
            without ``selected=""``, and that count as answered only once the person has used them.

        Returns
        -------
        Tag
            A ``<labchat-form>``.

        Raises
        ------
        RuntimeError
            It is called outside a session.
        ValueError
            `end` is no reason to leave a study, or no input has an id of `optional` or `touched`.
        """
        session = known_session(self)
        session.want()
        if end is not None:
            check_reason("end", end)
        if step is not None:
            as_id("step", step)
        form = Form(
            resolve_id(_form_id(self.name, as_id("kind", kind))),
            *(kind, ids_in(inputs), str(current_namespace()), step, end),
            needed=_others(inputs, _known("optional", optional, inputs)),
            touched=_known("touched", touched, inputs),
        )
        session.forms.add(form)
        words, round = self.words, session.round_now()
        of = f"{self.name}\0{round}" if round else self.name
        return form_element(
            *(form.id, kind, TagList(*inputs)),
            words["form.submit"] if submit is None else submit,
            words,
            study_name=self.name,
            who=_mark(of, session.id) if _is_drawn_again() else token_hex(6),
            optional=[resolve_id(id) for id in optional],
            touched=[resolve_id(id) for id in touched],
            round=round,
        )


def named_study(name: str, lab: Lab) -> Study:
    """The study with a name: in a session as the app's code has made it, else a new one."""
    session = found_session(lab.log, name)
    return cast(Study, session.study) if session is not None else Study(name, lab=lab)


def _known(argument: str, ids: Sequence[str], inputs: Sequence[object]) -> Sequence[str]:
    """The ids that an argument of a form gives, each of something in it."""
    if isinstance(ids, str):
        raise TypeError(f"{argument} must be several ids, such as [{ids!r}], not one text")
    there = [short_id(id, str(current_namespace())) for id in ids_in(inputs)]
    for id in ids:
        if id not in there:
            raise ValueError(
                f"{argument} has {id!r}, but the form has {', '.join(there) or 'none'}"
            )
    return ids


def _others(inputs: Sequence[object], optional: Sequence[str]) -> list[str]:
    """The inputs of a form that are not optional, by their ids in the app's code."""
    ids = [short_id(id, str(current_namespace())) for id in inputs_in(inputs)]
    return [id for id in ids if id not in optional]


def _is_drawn_again() -> bool:
    """Whether this is inside an output, which is drawn again when it is known who the person is."""
    try:
        get_current_context()
    except RuntimeError:
        return False
    return True


def _mark(study: str, person: str | None) -> str:
    """What is different for each person of a study, and says nothing of their id."""
    return "" if person is None else sha256(f"{study}\0{person}".encode()).hexdigest()[:12]


def _form_id(study: str, kind: str) -> str:
    """The id of a form's element; another one for each study and kind."""
    words = f"{study}_{kind}"
    plain = re.sub(r"\W", "_", words, flags=re.ASCII)
    mark = "" if plain == words else f"_{sha256(words.encode()).hexdigest()[:6]}"
    return f"labchat_form_{plain}{mark}"
