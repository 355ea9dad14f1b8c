"""The whole look: the machine, the database, the bus, the server."""

from __future__ import annotations

from collections.abc import AsyncIterator

from shiny_labchat.doctor.address import Address
from shiny_labchat.doctor.bus import check_bus
from shiny_labchat.doctor.database import check_database
from shiny_labchat.doctor.finding import Finding
from shiny_labchat.doctor.machine import check_machine
from shiny_labchat.doctor.server import check_server
from shiny_labchat.doctor.sockets import check_idle, check_sockets

__all__ = ["examine"]


async def examine(
    url: str, bus: str | None, address: Address | None, idle: float
) -> AsyncIterator[Finding]:
    """
    Look at everything, and give what is found as soon as it is.

    Parameters
    ----------
    url
        The database's URL.
    bus
        The bus's URL; None: there is none.
    address
        The app's address; None: no server is looked at.
    idle
        How long a websocket is to be open on which nothing is sent, in seconds; 0: none is.
    """
    for finding in check_machine():
        yield finding
    async for finding in check_database(url):
        yield finding
    if bus is not None:
        yield await check_bus(bus)
    if address is None:
        return
    is_there = True
    async for finding in check_server(address):
        is_there = is_there and (finding.about, finding.verdict) != ("server", "wrong")
        yield finding
    if not is_there:
        return
    async for finding in check_sockets(address):
        yield finding
    if idle:
        yield await check_idle(address, idle)
