"""A study, for programmes; without Shiny."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, cast

from shiny_labchat.access.recruits import Arrived
from shiny_labchat.arguments import StudyLike, as_id
from shiny_labchat.domain.commands import Arrive, DescribeStudy, StudyCommand
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.ended import unsaid_ends
from shiny_labchat.domain.ends import End, as_params, check_end, data_of
from shiny_labchat.domain.records import Record, records_of, stays
from shiny_labchat.domain.recruiters import params_of, recruiter
from shiny_labchat.domain.study import Participation, StudyState
from shiny_labchat.errors import LabChatError, Refused
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.runtime import Runtime, words_of
from shiny_labchat.store import Log, arrival_of, arrivals_of, find_arrivals
from shiny_labchat.store.batch import StudyOutcome
from shiny_labchat.study import settings
from shiny_labchat.study.arriving import come
from shiny_labchat.study.conducting import Conducting
from shiny_labchat.study.ends import address_of
from shiny_labchat.study.person import Person
from shiny_labchat.study.program import BOTS, deceives, environment, note_bots_soon
from shiny_labchat.words import Words

__all__ = ["Study"]

logger = logging.getLogger("shiny_labchat")


class Study(Conducting):
    """
    A named set of rooms, and the people in it.

    Making one is cheap: it does no I/O and needs no event loop, however often a script runs. What
    the code says of a study is stored when the study is first used, and is a default: it takes
    effect when it is something new, and never over what was changed while the study was in use.

    Parameters
    ----------
    name
        Its name.
    lab
        The lab that it is in. None: `Lab()`.
    seed
        What all of its draws follow from: of conditions, groups and orders. With people in the
        study, another seed is refused. None: one was drawn for the study when it began.
    params
        The names of what the recruiter says of a person in the address; the first one says who
        somebody is. None: those of the recruiter in :meth:`ends`.
    contact
        Where people can ask, such as an e-mail address. Shown to them.
    exclude
        Other studies, or their names: who has taken part there cannot take part here.
    currency
        The currency of payments, such as ``"GBP"``. None: ``"USD"``, unless it was said before.
    debriefed
        How people are debriefed elsewhere, such as ``"by e-mail, board 2026-117"``, for a study
        that deceives them and has no :meth:`debrief`.
    language
        The language of all words that its participants read: "en" or "de". None: that of the lab.
    texts
        Replacements for single words, by key, on top of the lab's: ``{"lobby.title": "Hello."}``.
        The page :doc:`words` has all of them.
    purpose
        What the data is for, in a sentence.
    controller
        Who answers for the data: name and address of the institution.
    board
        The board that has approved the study, and the number of its decision.
    basis
        The legal basis, such as ``"consent, Art. 6(1)(a) GDPR"``. These four are shown to no
        participant; ``labchat ethics`` prints them.

    Raises
    ------
    TypeError, ValueError
        An argument is not what it must be.

    Notes
    -----
    An argument that is left out, or None, changes nothing. So a program may read an existing study
    with ``Study("pilot", lab=lab)``.
    """

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
        self._name = as_id("the name of a study", name)
        self._lab = Lab() if lab is None else _checked(lab)
        self._runtime.address_of = address_of
        self._says: dict[str, Any] = {}
        self._applied: Mapping[str, Any] | None = None
        self._recruiter: str | None = None
        self._say("seed", settings.as_seed(seed))
        self._say("params", None if params is None else list(as_params(params)))
        self._say("exclude", None if exclude is None else settings.as_names(exclude, name))
        self._say_text(contact=contact, currency=currency, debriefed=debriefed)
        self._say_text(purpose=purpose, controller=controller, board=board, basis=basis)
        self._take_words(language, texts)

    def _take_words(self, language: str | None, texts: Mapping[str, str] | None) -> None:
        if language is None and texts is None:
            return
        self._lab.words.replaced(language, texts)  # what is wrong is an error here
        self._runtime.study_words[self._name] = language, texts
        self._say("language", language)
        self._say("texts", None if texts is None else dict(texts))

    def _say_text(self, **settings: str | None) -> None:
        for name, value in settings.items():
            self._say(name, None if value is None else as_id(name, value))

    def _say(self, setting: str, value: Any) -> None:
        if value is not None:
            self._says[setting] = value

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def lab(self) -> Lab:
        """The lab that it is in."""
        return self._lab

    @property
    def words(self) -> Words:
        """The words that its participants read; for this package."""
        return words_of(self.log, self._name)

    @property
    def log(self) -> Log:
        """The log of its lab; for this package."""
        return self._lab.log

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r}, lab={self._lab!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Study) and (other.log, other.name) == (self.log, self.name)

    def __hash__(self) -> int:
        return hash((self.log, self._name))

    # ── what the code says ──

    def consent(
        self,
        text: str,
        *,
        version: str,
        items: Mapping[str, str] | None = None,
        required: Sequence[str] = (),
        replacement: bool = False,
    ) -> None:
        """
        Ask people for their consent before anything else.

        Parameters
        ----------
        text
            What they read, as markdown.
        version
            The version of the text. A new one is shown to people who have not answered yet.
        items
            Single statements that they may agree to, by an id of your choice, such as
            ``{"share": "My words may be published."}``.
        required
            The ids of the items without which nobody takes part.
        replacement
            Whether a program may go on in the place of somebody who leaves, as `Rules(on_gone=)`
            can have it. A sentence that says so is added to the text. Without it, nobody can come
            to a study in which this may happen; and in a group with somebody who has consented
            without it, it does not happen.

        Raises
        ------
        TypeError, ValueError
            The text is empty, or `required` has an id that `items` has not.
        """
        self._say("consent", settings.consent(text, version, items or {}, required, replacement))

    def debrief(self, text: str, *, keep: bool = False) -> None:
        """
        Tell people at the end what the study was about, before they get their code.

        It also names, by pseudonym, the bots of their rooms that were not disclosed.

        Who has consented sees it. Where there is a lobby, these are those who were in a group, and
        those who have completed: to all others nothing has happened that it could be about.
        :class:`End`, `debrief`, says otherwise for a reason. In a study that deceives people, who
        was in a group sees it in any case, unless `Study(debriefed=)` says how they are told.

        Parameters
        ----------
        text
            What they read, as markdown.
        keep
            Whether they are asked if their data may be kept, unless they have said so when they
            stopped taking part. What they are paid does not depend on it.
        """
        self._say("debrief", settings.debrief(text, keep))

    def retain(self, *, ids: str | date | None = None, words: str | date | None = None) -> None:
        """
        Say until when the study keeps what it has of people.

        After these days (UTC) a server deletes it: at its start, and once a day; so does
        ``labchat retain``. If that comes more than a day late, the server's log says so.

        Parameters
        ----------
        ids
            The last day on which what recruiters say of people is kept, such as ``"2027-01-31"``.
            Nobody can be paid by it after that, or be known by it when they come again.
        words
            The last day on which everything else is kept. Then all people of the study, and all
            members of its rooms, are withdrawn, as by :meth:`Lab.withdraw`, with what others and
            bots quote of them.

        Raises
        ------
        TypeError, ValueError
            No day is given, or it is none.
        """
        self._say("retain", settings.retain(ids, words))

    def ends(self, recruiter: str | Mapping[str, str | End], **codes: str | End) -> None:
        """
        Say which code, address and pay people get at the end.

        Parameters
        ----------
        recruiter
            ``"prolific"``, ``"sona"``, ``"connect"`` or ``"mturk"``. Or a dictionary with a code
            or an :class:`End` for each reason.
        **codes
            With a recruiter: the code for each reason, or what else the recruiter gives (for
            ``"sona"`` the completion URL), or an :class:`End`. A code alone stands for
            ``End(code)``; for "no_consent", "already_took_part" and "closed" for
            ``End(code, pay="none")``.

        Raises
        ------
        TypeError, ValueError
            The recruiter or a reason is unknown, or an end cannot be made use of.
        """
        if isinstance(recruiter, str):
            ends = self._ends_of(recruiter, codes)
        elif codes:
            raise TypeError("ends() takes a recruiter with codes, or a dictionary, not both")
        else:
            ends = {reason: settings.as_end(reason, given) for reason, given in recruiter.items()}
        for reason, end in ends.items():
            check_end(reason, end, self._says.get("params", ()))
        data = {reason: data_of(end) for reason, end in ends.items()}
        self._say("ends", {**self._says.get("ends", {}), **data})

    def _ends_of(self, name: str, codes: Mapping[str, str | End]) -> dict[str, End]:
        ends = recruiter(name, **codes)
        if self._recruiter not in (None, name):
            raise ValueError(
                f"study {self._name!r} has the ends of {self._recruiter!r}, so it cannot have "
                f"those of {name!r}: people are known by what one recruiter says of them"
            )
        self._recruiter = name
        self._says.setdefault("params", list(params_of(name)))
        return ends

    def have_lobby(self) -> None:
        """Note that people wait for groups in it; for this package."""
        self._say("has_lobby", True)

    def deceive(self) -> None:
        """Note that somebody in it may not be what they seem; for this package."""
        self._say("deceives", True)

    def replace(self) -> None:
        """Note that a program may go on in the place of somebody; for this package."""
        self._say("replaces", True)

    async def describe(self) -> None:
        """
        Store what the code says of the study, if it is something new.

        This happens by itself before the study is first used. With it, the versions of packages,
        the hashes of the app's files, and the bots of its rooms are stored, if they have changed.

        Raises
        ------
        Refused
            ``fixed``: there are people in the study, and its seed is another one.
        """
        await self._describe(is_app=bool(self._says))

    async def _describe(self, *, is_app: bool, is_served: bool = False) -> None:
        """Store what is new; of the program, too, if it is the app."""
        known = self._runtime.described.get(self._name)
        if is_served and "deceives" not in self._says and deceives(self._runtime, self._name):
            self.deceive()
        said = dict(self._says)
        if is_app:
            said |= await environment(self._lab, known or {})
        if known is None or (said != self._applied and not said.items() <= known.items()):
            await self._store(said)
        self._applied = dict(self._says)
        if is_app:
            note_bots_soon(self._runtime, self._name, self._store_bots, is_served=is_served)

    async def _store(self, said: Mapping[str, Any]) -> None:
        await self._configure(said, is_default=True)
        before = self._runtime.described.get(self._name, {})
        self._runtime.described[self._name] = {**before, **said}
        self._warn(before)

    async def _store_bots(self, bots: Sequence[Mapping[str, Any]]) -> None:
        """Store which bots its rooms have; nothing if there are none, and there never were."""
        if bots or (await self.state()).settings.get(BOTS):
            await self._store({BOTS: bots})
        else:
            applied = self._runtime.described
            applied[self._name] = {**applied.get(self._name, {}), BOTS: bots}

    def _warn(self, before: Mapping[str, Any]) -> None:
        """Have the server's log say, once, of which ends the code says nothing."""
        unsaid = unsaid_ends(self._runtime.described[self._name])
        if unsaid and unsaid != unsaid_ends(before):
            logger.warning(
                "study %r says nothing of these ends: %s; who comes to one gets no code, and is "
                "told that they are paid in full. Give them in study.ends(), such as "
                "%s=End(pay='partial')",
                *(self._name, ", ".join(unsaid), unsaid[0]),
            )

    async def _configure(self, given: Mapping[str, Any], *, is_default: bool) -> None:
        command = DescribeStudy(self._name, secrets.token_hex(8), given, is_default)
        try:
            await self.log.submit_together(command)
        except Refused as exc:
            logger.error("study %r cannot be as its code says: %s", self._name, exc.detail)
            raise

    async def submit(self, command: StudyCommand) -> StudyOutcome:
        """Submit a command, storing first what the code says; for this package."""
        await self.describe()
        try:
            return await self.log.submit_together(command)
        except Refused as exc:
            if exc.code != "not_in_study" or not isinstance(command, Arrive):
                raise
        # The database was replaced while this ran.
        self._applied = None
        self._runtime.described.pop(self._name, None)
        await self.describe()
        return await self.log.submit_together(command)

    @property
    def _runtime(self) -> Runtime:
        return Runtime.of(self.log)

    # ── its people ──

    async def people(self) -> list[Person]:
        """
        All people who have come to the study, in the order in which they came.

        What their recruiters say (:class:`Person`, `params`) is a claim: whoever knows all
        parameters of a person can come as them. It is shown to no participant.

        Raises
        ------
        StoreError
            "store_missing": there is no such database yet. Reading never makes one.
        """
        state = await self.state()
        return await self._with_params(state.people.values())

    async def person_with_id(self, id: str) -> Person:
        """
        The person with an id.

        Raises
        ------
        LabChatError
            The study has nobody with this id.
        """
        known = (await self.state()).people.get(as_id("id", id))
        if known is None:
            raise LabChatError(
                f"study {self._name!r} in {self._lab.url} has nobody with the id {id!r}; "
                "await study.people() has all of them"
            )
        arrival = await self.log.read(lambda conn: arrival_of(conn, self._name, id))
        return Person.of(self, known, arrival and arrival.params)

    async def find(self, **params: str) -> list[Person]:
        """
        The people of whom their recruiter has said all of this.

        Parameters
        ----------
        **params
            By parameter, what was said: ``PROLIFIC_PID="5f3c0ffee0"``.
        """
        found = await self.log.read(lambda conn: find_arrivals(conn, params, self._name))
        state = await self.state()
        arrived = (state.people.get(each.person) for each in found)
        return await self._with_params([each for each in arrived if each is not None])

    async def _with_params(self, people: Iterable[Participation]) -> list[Person]:
        arrivals = await self.log.read(lambda conn: arrivals_of(conn, self._name))
        params = {each.person: each.params for each in arrivals}
        return [Person.of(self, each, params.get(each.person)) for each in people]

    async def records(self, kind: str | None = None) -> list[Record]:
        """
        What was last recorded about those who have not dropped out of the study.

        Parameters
        ----------
        kind
            Only records of this kind, such as the name of a form; None: of all kinds.

        Returns
        -------
        list
            Each with `member` (the person's id), `kind`, `data` (of a form, its answers by the
            ids of its inputs) and `at`.
        """
        people = (await self.state()).people.values()
        return records_of(filter(stays, people), kind)

    async def close(self) -> None:
        """Let nobody new take part: they end with the reason ``"closed"``; others go on."""
        await self.describe()
        await self._configure({"closed": True}, is_default=False)

    async def open(self) -> None:
        """Let new people take part again, after :meth:`close`."""
        await self.describe()
        await self._configure({"closed": False}, is_default=False)

    async def state(self) -> StudyState:
        """The study as its log describes it now; for this package."""
        found = await self._runtime.live.logs.read(study_log(self._name))
        return cast(StudyState, found)

    # ── arrivals ──

    async def arrive(
        self,
        said: Mapping[str, str | None],
        browser_key: str,
        *,
        device: str | None = None,
        language: str | None = None,
        count_new: Callable[[], None] | None = None,
    ) -> Arrived:
        """
        Have the person arrive whose page has come; for this package.

        Parameters
        ----------
        said
            What the page's address says, by parameter; more than the study's own may be there.
        browser_key
            The random key that the browser keeps.
        device, language
            What is kept of these; None: nothing.
        count_new
            Called before there is a new person; it may refuse them.

        Raises
        ------
        Refused
            ``revoked``: the key was revoked. ``no_debrief``: the study deceives people, and does
            not tell them. ``no_replacement``: its consent does not say that a program may go on
            in somebody's place.
        """
        await self._describe(is_app=True, is_served=True)
        came = await come(self._runtime, self._name, said, browser_key, count_new)
        if not came.is_known:
            person = came.arrived.person
            await self.submit(Arrive(self._name, person, device, language, came.took_part))
        return came.arrived


def _checked(lab: object) -> Lab:
    if not isinstance(lab, Lab):
        raise TypeError(f"lab must be a Lab, such as Lab('sqlite:///pilot.db'), not {lab!r}")
    return lab
