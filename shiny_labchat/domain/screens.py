"""
What a person of a study sees now: consent, waiting, the end. Pure.

Everything that is said is made here, of the catalogue's words and the developer's own texts; the
page only draws it. A screen has no id of a person, a room or a match, no condition, and nothing of
a recruiter but the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from shiny_labchat.domain.end_screen import end_screen
from shiny_labchat.domain.lobby import LobbyState, Place
from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.rounds import Waits, waits_in
from shiny_labchat.domain.screen_parts import Button, Json, Screen, View, html_of, stop_words
from shiny_labchat.domain.study import Participation
from shiny_labchat.domain.telemetry import told_in_consent
from shiny_labchat.words import Words

__all__ = ["OFFER_LONGER", "screen_of"]

OFFER_LONGER = 60_000_000
"""How long before the end of the wait people are asked whether they wait longer, in µs."""


def screen_of(view: View) -> Screen:
    """
    What a person sees now.

    Who has ended sees the end, in any window. In an older browser of theirs they are told so. Else
    it is what they have to do, or wait for, next; "none": nothing, so the app's own page is all.
    """
    person = view.study.people.get(view.person)
    if person is None:
        return Screen("none")
    if person.ended is not None:
        return end_screen(view, person, person.ended)
    screen = _while_taking_part(view, person) if view.is_newest else _other_window(view.words)
    if screen.is_ == "consent" or (person.consent is None and _consent_of(view) is not None):
        return screen
    return screen.plus(stop=stop_words(view.words))


def _while_taking_part(view: View, person: Participation) -> Screen:
    asked = _consent_of(view)
    if asked is not None and person.consent is None:
        return _consent(view, asked)
    lobby = view.lobby
    place = None if lobby is None else lobby.places.get(view.person)
    if lobby is None or place is None:
        return Screen("none")
    if place.status == "grouped":
        return _after_grouping(view, person, lobby)
    return _Waiting(view, lobby, place, LobbySettings.of(lobby.settings)).screen()


def _consent_of(view: View) -> Json | None:
    return cast("Json | None", view.study.settings.get("consent"))


def _other_window(words: Words) -> Screen:
    here = Button("here", words["other_window.here"], is_primary=True)
    lines = words["other_window"]
    return Screen("other_window", words["other_window.title"], {"lines": [lines]}, (here,))


# ── consent ──────────────────────────────────────────────────────────────────────────────────


def _consent(view: View, asked: Json) -> Screen:
    words, required = view.words, asked.get("required") or ()
    texts: Mapping[str, str] = asked.get("items") or {}
    told = [words[key] for key in told_in_consent(view.rules)]
    told += [words["consent.replacement"]] if asked.get("replacement") else []
    items = [{"id": id, "text": text, "required": id in required} for id, text in texts.items()]
    fields: dict[str, Any] = {
        "html": html_of(asked["text"]),
        "version": asked["version"],
        "lines": told,
        "items": items,
        "needed": words["consent.needed"],
        "missing": words["consent.missing"],
        **view.contact(),
    }
    buttons = (
        Button("consent", words["consent.accept"], is_primary=True),
        Button("refuse", words["consent.refuse"]),
    )
    return Screen("consent", words["consent.title"], fields, buttons)


# ── in a lobby ───────────────────────────────────────────────────────────────────────────────


def _after_grouping(view: View, person: Participation, lobby: LobbyState) -> Screen:
    words, settings = view.words, LobbySettings.of(lobby.settings)
    waits = waits_in(view.study, person.person)
    if waits is not None:
        return _between_rounds(waits, words)
    until = _waits_for_others(view, person)
    if until is not None:
        return Screen("barrier", words["one_moment"], until=until, clock=words["barrier.waiting"])
    moment = Screen("moment", words["one_moment"])
    if settings.ready is not None:  # they have been called already
        return moment
    return moment.plus(**_attention(words, "ready.title", settings))


def _between_rounds(waits: Waits, words: Words) -> Screen:
    clock = words["barrier.waiting"]
    if not waits.is_out:
        return Screen("barrier", words["one_moment"], until=waits.until, clock=clock)
    lines = {"lines": [words["round.out.text"], words["lobby.stay"]]}
    return Screen("barrier", words["round.out"], lines, until=waits.until, clock=clock)


def _waits_for_others(view: View, person: Participation) -> int | None:
    """Until when somebody waits for the others of their group, who have something to do yet."""
    barriers = view.study.awaits(person.person)
    return max((barrier.until for barrier in barriers if barrier.met is None), default=None)


def _attention(words: Words, key: str, settings: LobbySettings) -> Json:
    """How somebody is called who may be looking at something else."""
    title = words[key] if settings.blink_title else None
    return {"attention": {"sound": settings.sound, "title": title, "notify": words[key]}}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """
    What somebody sees who waits for a group.

    Parameters
    ----------
    view, lobby, place, settings
        The view, the lobby, their place in it, and its settings.
    """

    view: View
    lobby: LobbyState
    place: Place
    settings: LobbySettings

    @property
    def words(self) -> Words:
        """The words of the view."""
        return self.view.words

    def screen(self) -> Screen:
        """The screen, by what they do in the lobby."""
        if self.place.prompted is not None:
            return self._asked(self.place.prompted)
        match self.place.status:
            case "naming":
                return self._naming()
            case "matched":
                return self._ready()
            case "missed":
                return self._wait_again("wait_again.text", self._deadline)
            case "left":
                return self._wait_again("wait_again.away")
            case _:
                return self._waiting()

    def _naming(self) -> Screen:
        words = self.words
        fields = {
            "lines": [words["name.text"]],
            "field": {"name": "name", "label": words["name.label"]},
        }
        button = Button("name", words["name.button"], is_primary=True)
        return Screen("name", words["name.title"], fields, (button, self._leave()))

    def _asked(self, until: int) -> Screen:
        words, prompt = self.words, self.settings.idle_prompt or (0, 0)
        lines = [words.filled("idle.text", time=words.duration(prompt[1]))]
        fields = {"lines": lines, **_attention(words, "idle.title", self.settings)}
        button = Button("confirm", words["idle.button"], is_primary=True)
        return Screen("idle", words["idle.title"], fields, (button,), until, words["clock.left"])

    def _ready(self) -> Screen:
        words, match = self.words, self.lobby.matches[self.place.match]
        title, until = words["ready.title"], match.until
        if self.place.person in match.ready:
            return Screen("ready", title, until=until, clock=words["ready.waiting"])
        lines = [words.filled("ready.text", time=words.duration(self.settings.ready or 0))]
        fields = {"lines": lines, **_attention(words, "ready.title", self.settings)}
        button = Button("ready", words["ready.button"], is_primary=True)
        return Screen("ready", title, fields, (button,), until, words["clock.left"])

    def _wait_again(self, text: str, until: int | None = None) -> Screen:
        words = self.words
        buttons = (
            Button("wait_again", words["wait_again.yes"], is_primary=True),
            Button("leave", words["wait_again.no"]),
        )
        fields = {"lines": [words[text]], **_attention(words, "wait_again.title", self.settings)}
        clock = words["clock.left"]
        return Screen("wait_again", words["wait_again.title"], fields, buttons, until, clock)

    # ── waiting ──

    @property
    def _deadline(self) -> int:
        return self.settings.deadline(self.place.since, self.place.extended)

    def _waiting(self) -> Screen:
        words, at, opens = self.words, self.view.at, self.settings.opens
        fields = {"lines": self._lines(), "notify": words["lobby.notify"]}
        screen = Screen("waiting", words["lobby.title"], fields, (self._leave(),))
        if opens is not None and at < opens:
            return screen.until_then(opens, words["lobby.opens"], changes=opens)
        if self.settings.show_wait:
            key = "lobby.extended" if self.place.extended else "lobby.remaining"
            screen = screen.until_then(self._deadline, words[key])
        return self._with_longer(screen)

    def _with_longer(self, screen: Screen) -> Screen:
        """The screen with the button to wait longer, if it is time to ask for that."""
        if self.place.extended >= self.settings.extends:
            return screen
        asks = self._deadline - OFFER_LONGER
        if self.view.at < asks:
            return screen.until_then(screen.until, screen.clock, changes=asks)
        time = self.words.duration(self.settings.extend)
        label = self.words.filled("lobby.longer", time=time)
        return screen.with_button(Button("longer", label, is_primary=True))

    def _leave(self) -> Button:
        words = self.words
        ask = {
            "title": words["lobby.leave_title"],
            "text": words["lobby.leave_text"],
            "yes": words["lobby.leave"],
            "no": words["lobby.leave_cancel"],
        }
        return Button("leave", words["lobby.leave"], ask=ask)

    def _lines(self) -> list[str]:
        words, settings = self.words, self.settings
        lines = [words["lobby.requeued"]] if self.place.requeued else []
        if settings.start != "auto":
            lines.append(words["lobby.by_hand"])
        elif settings.show_count and "stand_ins" not in settings.on_timeout:
            lines += self._count()  # else it would show who is not there
        if not settings.show_wait:
            time = words.duration(settings.max_wait + self.place.extended * settings.extend)
            lines.append(words.filled("lobby.longest", time=time))
        lines += [words[f"lobby.{self._then()}"], words["lobby.stay"]]
        return lines + [words["lobby.sound"]] * settings.sound

    def _count(self) -> list[str]:
        """How many are here of those who are needed; of whom there are more, the place in line."""
        queue, words = self.lobby.queue, self.words
        needed = self.settings.batch or self.settings.size.min
        lines = [words.filled("lobby.count", here=min(len(queue), needed), needed=needed)]
        place = queue.index(self.place.person) + 1 if self.place.person in queue else 0
        return lines + [words.filled("lobby.position", n=place)] * (place > needed)

    def _then(self) -> str:
        """The key of what is said to happen at the end of the wait."""
        match tuple(self.settings.on_timeout)[:1]:
            case ("leave",) | ():
                return "then_leave"
            case ("smaller",):
                return "then_begin"
            case _:
                return "then_told"
