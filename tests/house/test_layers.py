"""Imports run downhill, and nothing above the Shiny line knows Shiny."""

from __future__ import annotations

import pytest

from .code import PACKAGE, imports, modules

ABOVE = (
    {"_given"},
    {"errors", "_address", "_blocking", "_domain", "_pseudonyms", "_queue"},
    {"_commands", "_records", "_storable"},
    {"_chatlas", "_decide", "_formats", "_wire", "_names", "_conversation", "_scope", "_turns"},
    {
        "_open_stream",
        "_presence",
        "_registry",
        "_window",
        "store._tables",
        "store._engine",
        "store._leases",
    },
    {"_streams", "store.drafts", "store.prompts", "store.spending"},
    {"store._tokens", "store._batch", "store.audit", "store.callbacks", "store.floor"},
    {"store._database"},
    {"store._writer"},
    {"store._log"},
    {"store"},
    {"_errands"},
    {"_callbacks"},
    {"_attendance", "_orphans"},
    {"_history"},
    {"_pages", "_door", "_doorstep", "_reservation", "_room"},
    {"_live"},
    {"_lab", "_retelling", "_socket"},
    {"_speaker"},
    {"_gateway", "_bot_rules"},
    {"_bot_model", "_bot_others"},
    {"_bot_asking"},
    {"_bot_delivery"},
    {"_bot_runner"},
    {"bots"},
)
"""Above the Shiny line, lowest first; modules on one step do not import each other."""
BELOW = (
    {"_shiny"},
    {"_reads", "_content", "_submit"},
    {"_greeting", "_seat", "_stream"},
    {"_transform", "_ui"},
    {"_following", "_replies"},
    {"_reading", "_saying"},
    {"_bookmark"},
    {"_chat"},
    {"module", "express"},
    {"", "demo._offline"},
    {"demo._app"},
    {"demo", "playwright._transcript"},
    {"playwright._chat"},
    {"playwright", "cli"},
)
STEPS = {name: step for step, names in enumerate(ABOVE + BELOW) for name in names}
PURE = {
    "_address",
    "_commands",
    "_conversation",
    "_decide",
    "_domain",
    "_formats",
    "_given",
    "_pseudonyms",
    "_records",
    "_scope",
    "_storable",
    "_wire",
}
SHINYS = ("shiny", "shinychat", "htmltools", "playwright")


def test_every_module_has_its_place() -> None:
    assert set(modules()) == set(STEPS), "say in this file where a new module belongs"


@pytest.mark.parametrize("name", modules())
def test_imports_run_downhill(name: str) -> None:
    for imported in imports(modules()[name]):
        other = imported.removeprefix("shiny_labchat").lstrip(".")
        if imported.startswith("shiny_labchat.") and other in STEPS:
            assert STEPS[other] < STEPS[name], f"{name or PACKAGE.name} imports {other}"


@pytest.mark.parametrize("name", sorted(set().union(*ABOVE)))
def test_above_the_shiny_line_nothing_imports_shiny(name: str) -> None:
    assert not [i for i in imports(modules()[name]) if i.split(".")[0] in SHINYS]


@pytest.mark.parametrize("name", sorted(PURE))
def test_the_rules_are_pure(name: str) -> None:
    impure = {"time", "random", "secrets", "asyncio", "threading", "os", "sqlalchemy", "pathlib"}
    assert impure.isdisjoint(imports(modules()[name]))
