"""What events, prompts and quotations have left when somebody withdraws."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain import lobby, state, study
from shiny_labchat.domain.commands import Arrive, DescribeStudy, Join, Withdraw
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.decide import decide
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import is_for_models, message_of
from shiny_labchat.domain.state import RoomState, fold
from shiny_labchat.domain.study import StudyState
from shiny_labchat.domain.withdrawal import (
    MARK,
    REWRITES,
    Renaming,
    rewritten,
    runs_of,
    without_quotes,
)
from shiny_labchat.domain.withdrawn_prompts import Said, blanked_prompt, without_words_of
from shiny_labchat.errors import Refused
from tests.support.study import Logs

OLD, NEW = "person-" + "0" * 16, "withdrawn-" + "1" * 16
RENAMING = Renaming(OLD, NEW)
OF_PROGRAMMES = {
    *(
        "barrier",
        "barrier_met",
        "closed",
        "configured",
        "connected",
        "disconnected",
        "dissolved",
        "extended",
        "grouped",
        "hours",
        "late_called",
    ),
    *("matched", "opened", "paused", "prepared", "requeued", "resumed", "shown", "started"),
    *("round_begun", "step_set", "waiting", "warned"),
}
"""The kinds of events that are of nobody."""

words = st.text(min_size=3, max_size=40).map(lambda text: f"§{text}§")


def test_what_becomes_of_each_kind_that_counts_is_decided() -> None:
    folded = {*state._FOLDS, *study._FOLDS, *lobby._FOLDS}
    assert folded - OF_PROGRAMMES <= REWRITES.keys()


@given(words, st.sampled_from([*REWRITES, "of a newer version"]))
def test_no_word_of_theirs_and_no_id_stays(word: str, kind: str) -> None:
    data: dict[str, Any] = {
        **dict.fromkeys(("text", "original", "transformed", "name", "pseudonym", "asked"), word),
        **dict.fromkeys(("value", "icon", "turns", "deps", "error", "device", "step"), word),
        **{"parts": [["text", word]], "kind": "form", "audience": [OLD, "other"], "role": "user"},
        "h": f"made of {OLD}",
    }
    if kind in REWRITES and REWRITES[kind](data) == data:
        data = {"audience": [OLD, "other"]}  # such events have no words
    left = rewritten(Event(3, 7, kind, OLD, data, "c"), RENAMING)
    text = orjson.dumps([left.data, left.member]).decode()
    assert orjson.dumps(word).decode()[1:-1] not in text and OLD not in text
    assert (left.seq, left.at, left.kind, left.member, left.cid) == (3, 7, kind, NEW, "c")


ids = st.sampled_from([OLD, "someone", "user"])
values = st.recursive(ids | st.text(max_size=5), lambda v: st.lists(v) | st.dictionaries(ids, v))


@given(values, st.sampled_from(["people", "audience", "value", "present"]))
def test_of_others_only_the_id_is_another_one(value: Any, key: str) -> None:
    data = {key: value, "parts": [["text", f"{OLD} and user"]], "role": "user"}
    left = rewritten(Event(3, 7, "message", "other", data), RENAMING)
    renamed = orjson.loads(orjson.dumps(data).decode().replace(OLD, NEW))
    assert orjson.loads(orjson.dumps(left.data)) == renamed and left.member == "other"


def test_an_id_that_is_a_word_is_no_id_in_what_others_say() -> None:
    data = {"parts": [["text", "anna"]], "name": "anna", "role": "anna", "audience": ["anna"]}
    left = rewritten(Event(1, 1, "message", "ben", data), Renaming("anna", NEW))
    assert left.data == {**data, "audience": [NEW]}


def test_the_end_of_their_stream_and_the_failure_at_their_message_are_blank() -> None:
    data = {"of": 3, "is": "done", "parts": [["text", "word"]], "pieces": [[0, 4]], "turns": [1]}
    left = rewritten(Event(9, 1, "streamed", None, data), RENAMING, {3})
    assert left.data == {"of": 3, "is": "done", "parts": [], "withdrawn": True}
    failed = {"callback": "c", "of": 3, "tries": 4, "error": "ValueError: word"}
    left = rewritten(Event(9, 1, "passed_over", None, failed), RENAMING, {3})
    assert left.data == {**failed, "error": ""}
    assert rewritten(Event(9, 1, "passed_over", None, failed), RENAMING, {4}).data == failed


def test_a_withdrawn_message_is_empty_and_for_no_model() -> None:
    data = {"role": "user", "h": "h", "name": "Teal Otter", "parts": [("text", "word")]}
    left = message_of(rewritten(Event(3, 7, "message", OLD, data), RENAMING))
    assert (left.content, left.withdrawn, left.author, left.member) == ("", True, None, NEW)
    assert left.as_dict()["withdrawn"] is True and not is_for_models(left)


def test_who_has_withdrawn_has_no_name_and_does_not_come_back() -> None:
    joined = Event(
        1, 1, "joined", OLD, {"handle": "h", "pseudonym": "Otter", "role": "participant"}
    )
    room = fold(RoomState(), rewritten(joined, RENAMING))
    membership = room.memberships[NEW]
    assert (membership.pseudonym, membership.is_withdrawn) == ("", True)
    with pytest.raises(Refused, match="removed"):
        decide(room, Join(NEW, "h", "participant", "Otter"), 2)


# ── prompts ──


def test_their_turns_in_prompts_are_blank_and_their_number_stays() -> None:
    said = Event(3, 7, "message", OLD, {"name": "Teal Otter", "parts": [["text", "mine\nall"]]})
    told = [
        {"role": "system", "contents": [{"text": "Teal Otter: mine"}]},
        {
            "role": "user",
            "contents": [{"text": "Ann: yours"}, {"text": "\nTeal Otter: mine\n  all"}],
        },
        {"role": "assistant", "contents": [{"text": "So mine, all."}]},
    ]
    left = without_words_of(told, Said.of([said]), RENAMING)
    assert left[1]["contents"] == [{"text": "Ann: yours"}, {"text": ""}]
    assert [left[0], left[2]] == [told[0], told[2]]


def test_their_messages_in_what_functions_were_told_are_blank() -> None:
    message = {"seq": 3, "member": OLD, "content": "mine", "author": "O", "audience": ["x", OLD]}
    other = {"seq": 4, "member": "x", "content": "yours", "audience": [OLD]}
    left = without_words_of([message, other], Said.of([]), RENAMING)
    assert (left[0]["content"], left[0]["member"], left[0]["withdrawn"]) == ("", NEW, True)
    assert left[1] == {**other, "audience": [NEW]}


def test_a_prompt_of_which_it_is_not_known_who_said_what_is_blank() -> None:
    told = [{"role": "user", "contents": [{"text": "a"}, {"text": "b"}]}, {"seq": 1, "member": "x"}]
    left = orjson.dumps(blanked_prompt(told)).decode()
    assert '"a"' not in left and '"x"' not in left


# ── quotations ──

letters = st.text(st.sampled_from("abc "), max_size=60)


@given(letters, letters, letters)
def test_quotations_of_thirty_characters_go_and_the_rest_stays(a: str, quoted: str, b: str) -> None:
    runs = runs_of([quoted])
    left = without_quotes(f"{a}#{quoted}#{b}", runs)
    if len(quoted) < 30:
        assert left == f"{a}#{quoted}#{b}"
    else:
        assert not any(run in left for run in runs)
        assert f"#{MARK}#" in left


# ── the rule ──


def test_who_takes_part_ends_with_it_and_who_has_ended_does_so_later() -> None:
    logs = Logs()
    logs.does(DescribeStudy("s", "seed", {}))
    logs.does(Arrive("s", OLD))
    first = logs.does(Withdraw("s", OLD, NEW))
    assert [(each.kind, each.member) for each in first] == [("ended", OLD), ("withdrawn", NEW)]
    assert first[1].data == {"by": "researcher", "later": False, "exports": []}
    again = logs.does(Withdraw("s", OLD, NEW, "participant"))
    assert [each.data["later"] for each in again] == [True]


def test_the_log_says_who_has_withdrawn_and_when() -> None:
    logs = Logs()
    logs.does(DescribeStudy("s", "seed", {}))
    logs.does(Arrive("s", NEW))
    logs.add(study_log("s"), "withdrawn", NEW, by="ledger", later=False, exports=[])
    known = logs.state(study_log("s"))
    assert isinstance(known, StudyState)
    assert (known.people[NEW].withdrawn, known.people[NEW].withdrawn_at) == ("ledger", logs.now)
