"""Servers of the app "experiment", as a test wants it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.server import ROOT, Server, shiny_run

__all__ = ["CHOICE", "LOBBY", "STUDY", "serve"]

APP = ROOT / "tests" / "integration" / "apps" / "experiment.py"
STUDY, LOBBY = "experiment", "lobby"
CHOICE = "labchat_form_experiment_choice"
"""The id of the element of the form that asks for a choice."""


@asynccontextmanager
async def serve(url: str, **said: Any) -> AsyncIterator[Server]:
    """Run a server of the app, to which this is said; see there."""
    server = Server(shiny_run(APP), url)
    os.environ["EXPERIMENT"] = json.dumps(said)
    try:
        await asyncio.to_thread(server.start)
    finally:
        del os.environ["EXPERIMENT"]
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)
