"""What is on record of a bot, beside what it says."""

from __future__ import annotations

import json
from typing import Any

from chatlas import ChatOpenAICompletions

from shiny_labchat import Bot
from shiny_labchat.bots import Budget, Chance, Every, Silence
from shiny_labchat.models.client import base_url_of
from shiny_labchat.models.description import without_secrets


def say_nothing(messages: object) -> None:
    """A function in the place of a model."""


def model() -> Any:
    client = ChatOpenAICompletions(
        model="gpt-4.1",
        system_prompt="Be brief.",
        api_key="sk-very-secret",
        base_url="https://me:pw@models.example.org/v1?key=sk-other",
    )
    client.set_model_params(temperature=0.2)
    client.kwargs_chat = {"extra_headers": {"Authorization": "Bearer sk-third"}, "user": "lab"}
    return client


def test_a_bot_is_described_with_its_model_and_no_key_of_it() -> None:
    (said,) = Bot("helper", client=model, budget=Budget(calls=3, price=(1, 2))).described(
        with_clients=True
    )
    parameters = said["client"].pop("parameters")
    assert parameters.pop("temperature") == 0.2 and parameters.pop("user") == "lab"
    assert parameters.keys() <= {"seed"}
    assert said["client"] == {
        "provider": "OpenAI",
        "model": "gpt-4.1",
        "base_url": "https://models.example.org/v1/",
        "system_prompt": "Be brief.",
        "tools": [],
    }
    assert said["budget"] == {"calls": 3, "price": [1, 2]} and said["fallback"] is None
    assert "sk-" not in json.dumps(said) and "pw" not in json.dumps(said)


def test_without_its_models_a_bot_is_described_without_making_them() -> None:
    made: list[str] = []

    def make() -> Any:
        made.append("made")
        return model()

    bot = Bot("helper", client=make)
    assert "client" not in bot.described(with_clients=False)[0] and made == []
    bot.described(with_clients=True)
    bot.described(with_clients=True)
    assert made == ["made"]


def test_of_a_model_that_cannot_be_made_only_the_name_of_the_error_is_noted() -> None:
    def make() -> Any:
        raise RuntimeError("no key sk-very-secret")

    (said,) = Bot("helper", client=make).described(with_clients=True)
    assert said["client"] == {"failed": "RuntimeError"}


def test_when_a_bot_replies_is_described_in_json() -> None:
    ways = ["model", Every(3), Silence(2.5), Chance(0.5), lambda message: True]
    told = [
        Bot("b", client=model, when=way).described(with_clients=False)[0]["when"] for way in ways
    ]
    name = "test_when_a_bot_replies_is_described_in_json.<locals>.<lambda>"
    assert told == ["model", {"every": 3}, {"silence": 2.5}, {"chance": 0.5}, {"function": name}]
    (said,) = Bot("b", respond=say_nothing, closing="Bye").described(with_clients=True)
    assert said["respond"] == {"function": "say_nothing"} and said["closing"] == "Bye"
    assert json.loads(json.dumps(said)) == said, "it is the same when it is read again"


def test_a_client_of_unknown_kind_has_no_address() -> None:
    assert base_url_of(object()) is None


def test_secrets_are_left_out_wherever_they_are() -> None:
    given = {"a": [{"api_key": 1, "max_tokens": 2}], "default_headers": {}, "access_token": "x"}
    assert without_secrets(given) == {"a": [{"max_tokens": 2}]}
