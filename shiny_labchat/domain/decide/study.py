"""The rules for a study and the people in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from shiny_labchat.domain import pseudonyms
from shiny_labchat.domain.commands import Remove
from shiny_labchat.domain.commands.study import (
    Arrive,
    Barrier,
    CallLate,
    Consent,
    Debrief,
    DescribeStudy,
    Dissolve,
    EndPerson,
    NamePerson,
    Pay,
    PayOut,
    RecordAnswer,
    RecordExport,
    RemoveMember,
    SetStep,
    SetStudyStep,
    ShowCode,
    ShowRoom,
    study_log,
)
from shiny_labchat.domain.decide.leaving import leave_lobby
from shiny_labchat.domain.decide.shared import check_storable
from shiny_labchat.domain.decide.together import Decided, RuleTogether
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.logs import States
from shiny_labchat.domain.records import missing_in
from shiny_labchat.domain.rounds import goes_on
from shiny_labchat.domain.rules import is_watched
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import Barrier as Waiting
from shiny_labchat.domain.study import Participation, StudyState
from shiny_labchat.errors import Refused

__all__ = [
    "RULES",
    "dissolve_group",
    "dissolve_if_alone",
    "end_in_room",
    "end_person",
    "name_person",
    "person_in",
    "study_in",
]

FIXED = ("seed",)
"""The settings of a study that cannot change once it has people."""


def study_in(states: States, study: str) -> StudyState:
    """The state of a study among states."""
    return cast(StudyState, states[study_log(study)])


def person_in(state: StudyState, person: str) -> Participation:
    """Somebody who takes part: who has arrived, has consented if asked, and has not ended."""
    known = arrived_in(state, person)
    if known.ended is not None:
        raise Refused("ended", member=person)
    if known.consent is None and state.settings.get("consent") is not None:
        raise Refused("consent_first", member=person)
    return known


def arrived_in(state: StudyState, person: str) -> Participation:
    """Somebody who has arrived, whatever they have done since."""
    known = state.people.get(person)
    if known is None:
        raise Refused("not_in_study", member=person)
    return known


def _describe(states: States, command: DescribeStudy, at: int) -> Decided:
    state, decided = study_in(states, command.study), Decided(states, at)
    settings = state.settings
    given = command.settings
    change = settings.described(given) if command.is_default else settings.configured(given)
    if state.people.size:
        settings.check_fixed(change, FIXED)
    if change or not state.seed:
        seed = {} if state.seed else {"seed": command.seed}
        decided.add(study_log(command.study), "configured", None, {**seed, **change.data})
    return decided


def _arrive(states: States, command: Arrive, at: int) -> Decided:
    state, decided = study_in(states, command.study), Decided(states, at)
    if command.person in state.people:
        return decided
    if not state.seed:  # nobody has said yet what people are asked for
        raise Refused("not_in_study", member=command.person)
    _check_tells(state)
    log, person = study_log(command.study), command.person
    told = {"device": command.device, "language": command.language}
    decided.add(log, "arrived", person, {k: v for k, v in told.items() if v is not None})
    if command.took_part:
        decided.add(log, "ended", person, {"reason": "already_took_part"})
    elif state.settings.get("closed"):
        decided.add(log, "ended", person, {"reason": "closed"})
    return decided


def _check_tells(state: StudyState) -> None:
    """
    Refuse people in a study that deceives them and does not tell them afterwards.

    So are they where a program may go on in somebody's place, if the consent does not say so.
    """
    settings = state.settings
    tells = settings.get("debrief") is not None or settings.get("debriefed") is not None
    if settings.get("deceives") and not tells:
        raise Refused("no_debrief")
    asked: Mapping[str, Any] = settings.get("consent") or {}
    if settings.get("replaces") and not asked.get("replacement"):
        raise Refused("no_replacement")


def _consent(states: States, command: Consent, at: int) -> Decided:
    state, decided = study_in(states, command.study), Decided(states, at)
    log, known = study_log(command.study), arrived_in(state, command.person)
    if known.ended is not None:
        raise Refused("ended", member=command.person)
    if known.consent is not None:
        return decided
    if not command.agrees:
        decided.add(log, "ended", command.person, {"reason": "no_consent"})
        return decided
    asked = state.settings.get("consent")
    if asked is None or asked["version"] != command.version:
        raise Refused("old_consent")
    answers = {item: bool((command.answers or {}).get(item)) for item in asked.get("items", {})}
    if not all(answers.get(item) for item in asked.get("required", ())):
        raise Refused("consent_incomplete")
    told = {"replacement": True} if asked.get("replacement") else {}
    data = {"version": command.version, "answers": answers, **told}
    decided.add(log, "consented", command.person, data)
    return decided


def _record(states: States, command: RecordAnswer, at: int) -> Decided:
    decided = Decided(states, at)
    state = study_in(states, command.study)
    person_in(state, command.person)
    if missing_in(command.value, command.needed):
        raise Refused("form_incomplete")
    log = study_log(command.study)
    if command.step is not None:
        decided.add(log, "stepped", command.person, {"step": command.step})
    data: dict[str, Any] = {"kind": command.kind, "value": command.value}
    if command.about is not None:
        data["about"] = command.about
    if (room := _round_of(state, command)) is not None:
        data["room"] = room
    decided.add(log, "recorded", command.person, data, command.cid)
    if command.end is not None:
        end_person(decided, command.study, command.person, command.end)
    return decided


def _round_of(state: StudyState, command: RecordAnswer) -> str | None:
    """The room of the round that a record belongs to, if the command says that."""
    if command.room is None and command.round is None:
        return None
    groups = (state.groups[room] for room in reversed(state.people[command.person].rooms))
    rounds = (group for group in groups if group.cohort)
    wanted = (group for group in rounds if command.room in (None, group.room))
    return next((each.room for each in wanted if command.round in (None, each.round)), None)


def _set_step(states: States, command: SetStep, at: int) -> Decided:
    decided = Decided(states, at)
    check_storable(command.step)
    if person_in(study_in(states, command.study), command.person).step != command.step:
        decided.add(study_log(command.study), "stepped", command.person, {"step": command.step})
    return decided


def _set_study_step(states: States, command: SetStudyStep, at: int) -> Decided:
    decided = Decided(states, at)
    check_storable(command.step)
    steps = study_in(states, command.study).steps
    stays = steps.now(at) == command.step and steps.next_change(at) is None
    if command.after or not stays:
        data = {"step": command.step, "since": at + command.after}
        decided.add(study_log(command.study), "step_set", None, data)
    return decided


def _name(states: States, command: NamePerson, at: int) -> Decided:
    decided = Decided(states, at)
    if arrived_in(study_in(states, command.study), command.person).name is None:
        name_person(decided, command.study, command.person, command.name)
    return decided


def name_person(decided: Decided, study: str, person: str, name: str | None = None) -> str:
    """
    Give somebody without one a pseudonym throughout a study; return it.

    `name`: the one that they get if nobody else has it; None: any.
    """
    log = study_log(study)
    state = cast(StudyState, decided.now(log))
    taken = state.names()
    if name is None or not pseudonyms.fits(name, taken):
        name = pseudonyms.generate(state.seed, person, taken)
    decided.add(log, "named", person, {"name": name})
    return name


def _pay(states: States, command: Pay, at: int) -> Decided:
    decided = Decided(states, at)
    check_storable(command.key)
    paid = arrived_in(study_in(states, command.study), command.person).paid.get(command.key)
    if paid is None:
        data = {"key": command.key, "cents": command.cents}
        decided.add(study_log(command.study), "paid", command.person, data)
    elif paid != command.cents:
        detail = f"{command.key!r} is {paid} cents, not {command.cents}."
        raise Refused("paid", detail=detail, member=command.person)
    return decided


def _pay_out(states: States, command: PayOut, at: int) -> Decided:
    decided = Decided(states, at)
    check_storable(command.key)
    known = arrived_in(study_in(states, command.study), command.person)
    if command.key not in known.paid_out:
        data = {"key": command.key, "cents": command.cents}
        decided.add(study_log(command.study), "paid_out", command.person, data)
    return decided


def _debrief(states: States, command: Debrief, at: int) -> Decided:
    decided = Decided(states, at)
    known = arrived_in(study_in(states, command.study), command.person)
    if known.ended is None:
        raise Refused("not_ended", member=command.person)
    if not known.is_debriefed or (command.keep is not None and command.keep != known.keep):
        data = {"keep": command.keep}
        decided.add(study_log(command.study), "debriefed", command.person, data)
    return decided


def _show_code(states: States, command: ShowCode, at: int) -> Decided:
    decided = Decided(states, at)
    check_storable(command.code)
    known = arrived_in(study_in(states, command.study), command.person)
    if known.ended is None:
        raise Refused("not_ended", member=command.person)
    if known.code is None:
        log = study_log(command.study)
        decided.add(log, "code_shown", command.person, {"code": command.code})
    return decided


def _record_export(states: States, command: RecordExport, at: int) -> Decided:
    decided = Decided(states, at)
    if study_in(states, command.study).last_withdrawn <= command.upto:
        data = {"sha256": command.sha256, **command.about}
        decided.add(study_log(command.study), "exported", None, data)
    return decided


# ── ends ─────────────────────────────────────────────────────────────────────────────────────


def _end(states: States, command: EndPerson, at: int) -> Decided:
    decided = Decided(states, at)
    known = arrived_in(study_in(states, command.study), command.person)
    if known.ended is None:
        end_person(decided, command.study, command.person, command.reason, command.delete)
    return decided


def _remove(states: States, command: RemoveMember, at: int) -> Decided:
    decided = Decided(states, at)
    room, person = LogKey(command.study, command.room), command.person
    talk = cast(RoomState, decided.now(room))
    if talk.seq == 0:
        raise Refused("no_room", room.id)
    decided.run(room, Remove(person))
    if talk.lobby is not None:
        known = cast(StudyState, decided.now(study_log(room.study))).people.get(person)
        if known is not None and known.room == room.id and known.ended is None:
            end_person(decided, room.study, person, "removed")
    return decided


def end_person(
    decided: Decided, study: str, person: str, reason: str, delete: bool | None = None
) -> None:
    """
    End a person's part: in the study, in the lobby where they wait, and in their room.

    Who has completed stays a member of the room. If others leave while the room is open, fewer than
    two may be left; then the group is dissolved, unless a bot speaks in it.
    """
    log = study_log(study)
    data: dict[str, Any] = {"reason": reason, **({} if delete is None else {"delete": delete})}
    decided.add(log, "ended", person, data)
    known = cast(StudyState, decided.now(log)).people[person]
    _end_in_lobby(decided, study, person, reason)
    if known.room is not None and reason == "complete":
        _be_done(decided, LogKey(study, known.room), person)
    elif known.room is not None:
        _leave_room(decided, LogKey(study, known.room), person, reason)


def _be_done(decided: Decided, room: LogKey, person: str) -> None:
    """Have nobody wait, in a room whose rules do, for somebody who has completed."""
    state = cast(RoomState, decided.now(room))
    membership = state.membership(person)
    if is_watched(state.rules) and state.is_open and membership and person not in state.done:
        decided.add(room, "done", person)


def _leave_room(decided: Decided, room: LogKey, person: str, reason: str) -> None:
    state = cast(RoomState, decided.now(room))
    if not state.is_open:
        return
    if state.membership(person) is not None:
        decided.add(room, "removed", person, {"reason": reason})
    dissolve_if_alone(decided, room)


def dissolve_if_alone(decided: Decided, room: LogKey) -> None:
    """Dissolve a group of which too few are left: nobody, or one person and no bot that speaks."""
    log = study_log(room.study)
    study, talk = cast(StudyState, decided.now(log)), cast(RoomState, decided.now(room))
    people = [study.people[each] for each in study.groups[room.id].people]
    left = [each for each in people if each.ended is None or each.ended.reason == "complete"]
    if not left or (len(left) < 2 and not any(talk.may_speak(bot) for bot in talk.bots())):
        dissolve_group(decided, room)


def dissolve_group(decided: Decided, room: LogKey) -> None:
    """
    Dissolve a group; who takes part and is not done ends with it.

    In a cohort they wait for the next round, if there is one.
    """
    log, why = study_log(room.study), {"reason": "group_dissolved"}
    stays = goes_on(cast(StudyState, decided.now(log)), room.id)
    decided.add(log, "dissolved", None, {"room": room.id, **why})
    decided.add(room, "closed", None, why)
    if stays:
        return
    done = cast(RoomState, decided.now(room)).done
    for each in cast(StudyState, decided.now(log)).taking_part(room.id):
        if each.person not in done:
            decided.add(log, "ended", each.person, why)
            _end_in_lobby(decided, room.study, each.person, **why)


def _end_in_lobby(decided: Decided, study: str, person: str, reason: str) -> None:
    """Have somebody who has ended leave the lobby where they wait, or note there that they did."""
    lobby = cast(StudyState, decided.now(study_log(study))).people[person].lobby
    if lobby is not None:
        leave_lobby(decided, LogKey(study, lobby, "lobby"), person, reason)


def _dissolve(states: States, command: Dissolve, at: int) -> Decided:
    decided = Decided(states, at)
    room, state = LogKey(command.study, command.room), study_in(states, command.study)
    talk = cast(RoomState, decided.now(room))
    people = {each.person for each in state.taking_part(room.id)} - set(talk.done)
    gone = [each for each in command.gone if each in people and talk.membership(each)]
    if not gone or talk.rules.on_gone != "close" or not (talk.is_open and talk.has_begun):
        return decided
    for person in gone:
        end_in_room(decided, room, person, "idle")
    dissolve_group(decided, room)
    return decided


def end_in_room(decided: Decided, room: LogKey, person: str, reason: str) -> None:
    """End the part of a member of a group's room, whatever becomes of the group."""
    decided.add(study_log(room.study), "ended", person, {"reason": reason})
    decided.add(room, "removed", person, {"reason": reason})
    _end_in_lobby(decided, room.study, person, reason)


# ── waiting for each other ───────────────────────────────────────────────────────────────────


def _barrier(states: States, command: Barrier, at: int) -> Decided:
    state, decided = study_in(states, command.study), Decided(states, at)
    log, about = study_log(command.study), {"room": command.room, "kind": command.kind}
    barrier = state.barriers.get((command.room, command.kind))
    if command.room not in state.groups or (barrier is not None and barrier.met is not None):
        return decided
    have, are_all = state.awaited(command.room, command.kind)
    until = _until(barrier, command, at)
    if are_all or (until is not None and at >= until):
        met = {**about, "people": have}
        decided.add(log, "barrier_met", None, met)
        decided.add(LogKey(command.study, command.room), "barrier_met", None, met)
    elif barrier is None and until is not None:
        decided.add(log, "barrier", None, {**about, "until": until})
    return decided


def _call_late(states: States, command: CallLate, at: int) -> Decided:
    state, decided = study_in(states, command.study), Decided(states, at)
    barrier = state.barriers.get((command.room, command.kind))
    late = state.late(command.room, command.kind)
    if barrier is not None and barrier.late is None and late:
        about = {"room": command.room, "kind": command.kind, "people": late}
        decided.add(study_log(command.study), "late_called", None, about)
    return decided


def _until(barrier: Waiting | None, command: Barrier, at: int) -> int | None:
    if barrier is not None:
        return barrier.until
    return None if command.within is None else at + command.within


# ── the rooms of groups ──────────────────────────────────────────────────────────────────────


def _show(states: States, command: ShowRoom, at: int) -> Decided:
    decided = Decided(states, at)
    room, log = LogKey(command.study, command.room), study_log(command.study)
    group = study_in(states, command.study).groups.get(command.room)
    if group is None:
        return decided
    how, function = command.how, command.function
    known = cast(RoomState, decided.now(room)).prepared
    if function is not None and function not in known:
        decided.add(room, "prepared", None, {"function": function, "how": how})
        known = cast(RoomState, decided.now(room)).prepared
    if group.is_shown or not all(each in known for each in command.functions):
        return decided
    if function is not None:
        how = "failed" if "failed" in known.values() else "returned"
    decided.add(room, "shown", None, {"how": how})
    decided.add(log, "shown", None, {"room": command.room})
    return decided


RULES: dict[type, RuleTogether] = {
    Arrive: _arrive,
    Barrier: _barrier,
    CallLate: _call_late,
    Consent: _consent,
    Debrief: _debrief,
    DescribeStudy: _describe,
    Dissolve: _dissolve,
    EndPerson: _end,
    NamePerson: _name,
    Pay: _pay,
    PayOut: _pay_out,
    RecordAnswer: _record,
    RemoveMember: _remove,
    RecordExport: _record_export,
    SetStep: _set_step,
    SetStudyStep: _set_study_step,
    ShowCode: _show_code,
    ShowRoom: _show,
}
