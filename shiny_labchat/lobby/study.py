"""A study for Shiny: what its people see of it, their answers, and who they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import cast

from htmltools import Tag, TagChild, TagList
from shiny.module import current_namespace, resolve_id

from shiny_labchat.arguments import StudyLike, as_id
from shiny_labchat.chat.study_elements import form_element, study_element
from shiny_labchat.domain.ends import check_reason
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lobby.answers import ids_in
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
            purpose=purpose,
            controller=controller,
            board=board,
            basis=basis,
        )
        study_session(self)  # the page's person arrives, if this is a session

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

    def ui(self) -> Tag:
        """
        What this study shows its person now: consent, "Stop taking part", and the end.

        It can be drawn at several places of an app, but only once in a page at a time.

        Returns
        -------
        Tag
            A ``<labchat-study>``.
        """
        return study_element(self.name, self.lab.words)

    def form(
        self,
        kind: str,
        *inputs: TagChild,
        submit: str | None = None,
        step: str | None = None,
        end: str | None = None,
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
            What stands on the button. None: "Continue", in the language of the lab.
        step
            The step that is set with the answers, see :meth:`Person.set_step`.
        end
            The reason for which the person's part ends with the answers, such as ``"complete"``.

        Returns
        -------
        Tag
            A ``<labchat-form>``.

        Raises
        ------
        RuntimeError
            It is called outside a session.
        ValueError
            `end` is no reason to leave a study.
        """
        session = known_session(self)
        if end is not None:
            check_reason("end", end)
        if step is not None:
            as_id("step", step)
        namespace = current_namespace()
        form = Form(
            resolve_id(_form_id(self.name, as_id("kind", kind))),
            kind,
            ids_in(inputs),
            str(namespace),
            step,
            end,
        )
        session.forms.add(form)
        words = self.lab.words
        label = words["form.submit"] if submit is None else submit
        named = {"study_name": self.name, "who": _mark(self.name, session.id)}
        return form_element(form.id, kind, TagList(*inputs), label, words, **named)


def named_study(name: str, lab: Lab) -> Study:
    """The study with a name: in a session as the app's code has made it, else a new one."""
    session = found_session(lab.log, name)
    return cast(Study, session.study) if session is not None else Study(name, lab=lab)


def _mark(study: str, person: str | None) -> str:
    """What is different for each person of a study, and says nothing of their id."""
    return "" if person is None else sha256(f"{study}\0{person}".encode()).hexdigest()[:12]


def _form_id(study: str, kind: str) -> str:
    """The id of a form's element; another one for each study and kind."""
    words = f"{study}_{kind}"
    plain = re.sub(r"\W", "_", words, flags=re.ASCII)
    mark = "" if plain == words else f"_{sha256(words.encode()).hexdigest()[:6]}"
    return f"labchat_form_{plain}{mark}"
