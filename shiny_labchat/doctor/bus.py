"""The bus over which the processes of an app are to tell each other of what happens."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress

from shiny_labchat.bus import transport_for
from shiny_labchat.bus.base import BusDown, Message, Transport
from shiny_labchat.bus.by_url import shown
from shiny_labchat.doctor.finding import Finding, ok, typical, wrong

__all__ = ["check_bus"]

TOPIC = "doctor"
ROUNDS = 10
"""How many messages are sent, one after the other."""
PATIENCE = 5.0
"""How long each may take, in seconds, and connecting."""


async def check_bus(url: str) -> Finding:
    """Look whether messages that are sent over a bus come back, among nobody else's."""
    try:
        transport = transport_for(url)()
    except (ValueError, ImportError) as exc:
        return wrong("bus", str(exc), "correct --bus or LABCHAT_BUS, or install what is missing")
    try:
        took = await _rounds(transport)
    except TimeoutError:
        says = f"{shown(url)} does not answer within {PATIENCE:.0f} s"
        return wrong("bus", says, "start it, and look at the address and the firewall")
    except BusDown as exc:
        reason = next(iter(str(exc).splitlines()), type(exc).__name__)
        says = f"{shown(url)} does not work: {reason}"
        return wrong("bus", says, "start it, and look at the address, the user and the password")
    finally:
        with suppress(Exception):  # it is given up in any case
            async with asyncio.timeout(PATIENCE):
                await transport.close()
    return ok("bus", f"{shown(url)} brings a message back in {typical(took)}")


async def _rounds(transport: Transport) -> list[float]:
    """How long each message took until it had come back."""
    heard = asyncio.Queue[Message]()
    async with asyncio.timeout(PATIENCE):
        await transport.open(f"labchat-doctor-{secrets.token_hex(8)}", heard.put_nowait)
        await transport.subscribe([TOPIC])
    receiving = asyncio.create_task(transport.run())
    try:
        return [await _round(transport, heard, receiving, n) for n in range(ROUNDS)]
    finally:
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)


async def _round(
    transport: Transport, heard: asyncio.Queue[Message], receiving: asyncio.Task[None], number: int
) -> float:
    began, wanted = time.perf_counter(), f"[{number}]".encode()
    async with asyncio.timeout(PATIENCE):
        await transport.publish([Message(TOPIC, wanted)])
        while True:
            coming = asyncio.create_task(heard.get())
            await asyncio.wait({coming, receiving}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
                receiving.result()  # raises what has ended it
                raise BusDown("the connection was ended")
            if coming.result().data == wanted:
                return time.perf_counter() - began
