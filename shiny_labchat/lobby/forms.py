"""The forms of a study in one session's page: what the page sends of them is recorded, once."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from time import monotonic
from typing import Any, cast

from shiny import reactive
from shiny.module import ResolvedId
from shiny.session import Session

from shiny_labchat import metrics
from shiny_labchat.chat import elements
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.commands import RecordAnswer
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.gateway.limits import Allowance, TokenBucket
from shiny_labchat.lobby.answers import answers_in, short_id
from shiny_labchat.words import Words

__all__ = ["Form", "Forms", "Sent"]

logger = logging.getLogger("shiny_labchat")

MAX_CID = 64
"""The longest id of a form that was sent."""
LONGEST = 500_000
"""The longest answers of one form, in characters of JSON."""
FORMS = Allowance(burst=30, rate=0.5)
"""Forms that one page may send; a person sends one now and then."""
LATEST = 2**53
"""No time of a page is later, in milliseconds: it has no larger whole number."""


@dataclass(frozen=True, slots=True)
class Form:
    """
    A form as the app has drawn it.

    Parameters
    ----------
    id
        The id of its element.
    kind
        What its answers are recorded as.
    ids
        The ids of the elements in it, among them those of its inputs.
    namespace
        The namespace of the module that draws it.
    step, end
        The step that is set with its answers, and why the person's part ends with them.
    needed
        The inputs that need an answer, by their ids in the app's code.
    touched
        The inputs whose value is an answer only once the person has used them, likewise.
    """

    id: str
    kind: str
    ids: Sequence[str]
    namespace: str = ""
    step: str | None = None
    end: str | None = None
    needed: Sequence[str] = ()
    touched: Sequence[str] = ()

    def given(self, answers: Mapping[str, Any], used: Collection[str]) -> dict[str, Any]:
        """The answers among the values of its inputs; `used`: the ids of inputs that were used."""
        unused = {short_id(id, self.namespace) for id in self.ids if id not in used}
        return {
            id: None if id in self.touched and id in unused else value
            for id, value in answers.items()
        }


@dataclass(frozen=True, slots=True)
class Sent:
    """
    That a page has sent a form.

    Parameters
    ----------
    cid
        Its random id, the same for a second click.
    about
        When the form was shown, first changed and sent, in milliseconds since 1970 by the page's
        clock; what is not known is left out.
    used
        The ids of the inputs that its person has used.
    round
        The number of the round in which it was drawn; None: in none.
    """

    cid: str
    about: dict[str, int]
    used: frozenset[str] = frozenset()
    round: int | None = None

    @classmethod
    def of(cls, value: object) -> Sent | None:
        """Read what a page has sent; None: it is not valid."""
        fields = cast("dict[str, object]", value if isinstance(value, dict) else {})
        cid = fields.get("cid")
        if not isinstance(cid, str) or not 0 < len(cid) <= MAX_CID or not cid.isalnum():
            return None
        times = {name: _as_time(fields.get(key)) for name, key in _TIMES.items()}
        about = {name: at for name, at in times.items() if at is not None}
        return cls(cid, about, _as_ids(fields.get("used")), _as_time(fields.get("round")))


_TIMES = {"shown_at": "shown", "first_change_at": "changed", "sent_at": "sent"}


def _as_ids(value: object) -> frozenset[str]:
    given = cast("Sequence[object]", value if isinstance(value, list | tuple) else ())
    return frozenset(each for each in given if isinstance(each, str))


def _as_time(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= LATEST else None


class Forms:
    """
    The forms of one study in one session's page.

    Parameters
    ----------
    session
        The session of the whole page.
    person
        Returns the id of the page's person; None: it is not known.
    submit
        Has a command decided and stored.
    words
        The words that participants read.
    """

    def __init__(
        self,
        session: Session,
        study: str,
        person: Callable[[], str | None],
        submit: Callable[[RecordAnswer], Awaitable[object]],
        words: Callable[[], Words],
    ) -> None:
        self._session = session
        self._study = study
        self._person = person
        self._submit = submit
        self._words = words
        self._tasks = Tasks(f"forms of study {study!r}")
        self._forms: dict[str, Form] = {}
        self._left = TokenBucket(FORMS, monotonic())

    def add(self, form: Form) -> None:
        """Record the answers of a form from now on; drawn again, it is the same form."""
        is_new = form.id not in self._forms
        self._forms[form.id] = form
        if is_new and not self._session.is_stub_session():
            self._hear(form.id)

    def _hear(self, id: str) -> None:
        said = self._session.input[ResolvedId(f"{id}_sent")]

        # Not `reactive.event`: what the page sent when it had no session must be recorded, too.
        @reactive.effect(session=self._session)
        def record() -> None:
            sent = Sent.of(said()) if said.is_set() else None
            if sent is None:
                return
            person = self._person()
            if person is None:  # it runs again when it is known
                return
            form = self._forms[id]
            answers = form.given(answers_in(self._session, form.ids, form.namespace), sent.used)
            self._tasks.spawn(self._record(form, sent, answers, person), context=Context())

    def _check(self, answers: dict[str, Any]) -> None:
        """Refuse what no person can have filled in, or sent so often."""
        at = monotonic()
        if self._left.left(at) < 1:
            raise Refused("too_fast")
        self._left.take(at)
        if len(json.dumps(answers)) > LONGEST:
            raise Refused("too_big")

    async def _record(self, form: Form, sent: Sent, answers: dict[str, Any], person: str) -> None:
        try:
            self._check(answers)
            await self._submit(
                RecordAnswer(
                    *(self._study, person, form.kind, answers, sent.cid, sent.about),
                    step=form.step,
                    end=form.end,
                    needed=tuple(form.needed),
                    round=sent.round,
                )
            )
        except Refused as exc:
            metrics.refused("action", exc.code)
            logger.warning("form %r was refused: %s", form.kind, exc.code)
            await self._tell(form, sent, "not_stored", self._words().refusal(exc))
        except StoreError as exc:
            metrics.refused("action", exc.code)
            logger.error("the answers of form %r could not be stored: %s", form.kind, exc)
            await self._tell(form, sent, "not_stored", self._words()["form.not_stored"])
        except Exception:
            logger.exception("the answers of form %r could not be stored", form.kind)
            await self._tell(form, sent, "not_stored", self._words()["form.not_stored"])
        else:
            await self._tell(form, sent, "stored")

    async def _tell(self, form: Form, sent: Sent, is_: str, say: str | None = None) -> None:
        """Tell the page that the answers are "stored", or "not_stored", and why."""
        told = {"is": is_} if say is None else {"is": is_, "say": say}
        await elements.tell(self._session, form.id, do="form", cid=sent.cid, **told)
