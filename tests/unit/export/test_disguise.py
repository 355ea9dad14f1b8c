"""What an export does not show of people."""

from __future__ import annotations

from shiny_labchat.export.disguise import Disguise

ANN, BEN = "person-0123456789abcdef", "ben"
IDS = {ANN: "anon-1", BEN: "anon-2"}
anonymous = Disguise(IDS)


def test_nothing_is_hidden_unless_asked() -> None:
    plain = Disguise()
    data = {"parts": [["text", ANN]], "audience": [BEN]}
    assert plain.is_none and plain.event("message", BEN, data) == data
    assert plain.member(ANN) == ANN and plain.cid("x") == "x"


def test_ids_are_replaced_as_values_and_as_keys_but_not_in_words() -> None:
    data = {"parts": [["text", "ben"]], "name": "ben", "audience": [ANN, BEN]}
    shown = anonymous.event("message", BEN, data)
    assert shown == {**data, "audience": ["anon-1", "anon-2"]}
    grouped = {"people": [ANN], "parts": {ANN: "leader"}, "waits": {BEN: 5}, "n": 1}
    assert anonymous.event("grouped", None, grouped) == {
        "people": ["anon-1"], "parts": {"anon-1": "leader"}, "waits": {"anon-2": 5}, "n": 1
    }  # fmt: skip


def test_an_id_that_was_drawn_is_found_in_the_names_of_programmes() -> None:
    assert anonymous.name(f"with-{ANN}") == "with-anon-1" and anonymous.name("benefit") == "benefit"
    assert anonymous.cid("from a browser") is None and anonymous.cid("stream:5") == "stream:5"
    assert anonymous.cid(f"reply:with {ANN}:7") == "reply:with anon-1:7"
    assert anonymous.event("message", None, {"parts": [], "id": f"greet-{ANN}"})["id"] == (
        "greet-anon-1"
    )


def test_an_id_that_was_drawn_is_found_in_the_names_of_fields_kinds_and_in_errors() -> None:
    recorded = {"kind": f"rate {ANN}", "value": {f"rate_{ANN}": {ANN: 1}}}
    assert anonymous.event("recorded", BEN, recorded) == {
        "kind": "rate anon-1", "value": {"rate_anon-1": {"anon-1": 1}}
    }  # fmt: skip
    failed = {"of": 1, "error": f"KeyError: {ANN}", "title": ANN}
    assert anonymous.event("passed_over", None, failed) == {
        "of": 1, "error": "KeyError: anon-1", "title": "anon-1"
    }  # fmt: skip
    assert anonymous.json(f'{{"user":"ben","at":"to {ANN}"}}') == (
        '{"user":"anon-2","at":"to anon-1"}'
    )
    assert Disguise().json('{"user": "ben"}') == '{"user": "ben"}' and anonymous.json(None) is None


def test_in_a_record_ids_are_replaced_whatever_they_are_called() -> None:
    record = {"kind": "pair", "value": {"name": BEN, "text": [ANN], "other": "benefit"}}
    assert anonymous.event("recorded", BEN, record)["value"] == {
        "name": "anon-2", "text": ["anon-1"], "other": "benefit"
    }  # fmt: skip


def test_the_seed_of_pseudonyms_is_not_shown_with_anonymous_ids() -> None:
    assert anonymous.event("configured", None, {"seed": "x", "code": {}}) == {"code": {}}
    study = {"seed": "x", "settings": {}, "code": {}}
    assert anonymous.event("configured", None, study) == study


def test_words_of_who_does_not_share_are_blanked() -> None:
    public = Disguise(None, lambda member: member == ANN)
    said = {"parts": [["text", "hi"]], "original": "x", "id": "y", "role": "user"}
    assert public.event("message", ANN, said) == said
    assert public.event("message", BEN, said) == {"parts": [], "role": "user", "counts": (2, 1)}
    assert public.event("message", None, said) == said, "the programme's own are shown"
    assert public.event("recorded", BEN, {"kind": "k", "value": 5})["value"] is None
    failed = {"callback": "c", "of": 1, "tries": 4, "error": "hi"}
    assert public.event("passed_over", None, failed) == {**failed, "error": ""}
    blank = {"of": 1, "is": "done", "parts": []}
    ended = {"of": 1, "is": "done", "parts": [["text", "hi"]], "pieces": [[1, 2, "taken back"]]}
    assert public.event("streamed", BEN, ended) == {**blank, "counts": (2, 1)}
