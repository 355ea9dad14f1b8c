"""A server, as a browser reaches it by requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import cast

from shiny_labchat.doctor.address import Address, Answer, Browser
from shiny_labchat.doctor.finding import Finding, note, ok, typical, wrong
from shiny_labchat.gateway.health import HEALTH_PATH

__all__ = ["SKEW", "check_clock", "check_health", "check_processes", "check_server"]

SKEW = 2.0
"""Difference of two clocks above which it is said, in seconds."""
ASKED = 12
"""How often it is asked which process answers."""


async def check_server(address: Address) -> AsyncIterator[Finding]:
    """Look at a server; the last finding is "wrong" if no websockets need be tried."""
    if not address.is_secret and not address.is_local:
        says = "the address begins with http: everything can be read on its way"
        yield wrong("address", says, "give the proxy a certificate, and use https")
    answer = await Browser().ask(address.at(HEALTH_PATH))
    yield check_health(answer)
    if answer.status not in (200, 503) or not answer.values:
        return
    yield check_clock(answer)
    theirs, ours = str(answer.values.get("version")), version("shiny-labchat")
    if theirs != ours:
        says = f"the server runs shiny_labchat {theirs}, this command is of {ours}"
        yield note("versions", says, "run the command where the app runs")
    strangers = [await Browser().ask(address.at(HEALTH_PATH)) for _ in range(ASKED)]
    browser = Browser()
    await browser.ask(address.url)  # the page, with which a browser gets its cookies
    returning = [await browser.ask(address.at(HEALTH_PATH)) for _ in range(ASKED)]
    yield ok(
        "requests", f"it answers in {typical([each.ended - each.began for each in returning])}"
    )
    yield check_processes(_processes(strangers), _processes(returning))


def check_health(answer: Answer) -> Finding:
    """Look at the answer of a server that was asked for its health."""
    values = answer.values
    if answer.status == 200 and values.get("status") == "ready":
        return ok("server", "it is ready")
    if answer.status == 503 and values.get("why"):
        why = values["why"]
        why = ", ".join(map(str, cast(list[object], why))) if isinstance(why, list) else str(why)
        return wrong("server", f"it is not ready: {why}", "see these codes in its log")
    if answer.status == 0:
        change = "start the app, and look at the address, the firewall and the certificate"
        return wrong("server", f"nobody answers: {answer.text}", change)
    if answer.status == 404:
        says = "an app answers, but none with a chat: it knows no labchat/health"
        change = "look at the path of the address, and at what the proxy passes on"
        return wrong("server", says, change)
    change = "look whether a proxy, or a page for signing in, stands between"
    return wrong("server", f"it answers {answer.status}, and nothing of a chat", change)


def check_clock(answer: Answer) -> Finding:
    """Look at the clock of a server, which says what it is."""
    theirs = answer.values.get("clock")
    if not isinstance(theirs, int | float):
        return note("clock", "it does not say what its clock is", "look whether it is this app")
    ahead = theirs / 1000 - (answer.began + answer.ended) / 2
    unsure = (answer.ended - answer.began) / 2
    if abs(ahead) <= SKEW + unsure:
        return ok("clock", "its clock is as that of this machine")
    which = "ahead of" if ahead > 0 else "behind"
    says = f"its clock is {abs(ahead):.0f} s {which} that of this machine"
    return note("clock", says, "have both follow a time server (timedatectl set-ntp true)")


def check_processes(strangers: set[str], returning: set[str]) -> Finding:
    """
    Look which processes have answered.

    Parameters
    ----------
    strangers
        Those that have answered browsers without cookies.
    returning
        Those that have answered one browser again and again.
    """
    if len(returning) > 1:
        says = f"one browser is answered by {len(returning)} processes in turn"
        change = (
            "have the proxy send each browser to one process (sticky sessions): Shiny needs it; "
            "uvicorn --workers cannot"
        )
        return wrong("processes", says, change)
    if len(strangers) > 1:
        return ok("processes", f"{len(strangers)} processes answer, and each browser has its own")
    return ok("processes", "one process answers")


def _processes(answers: list[Answer]) -> set[str]:
    return {str(each.values["process"]) for each in answers if "process" in each.values}
