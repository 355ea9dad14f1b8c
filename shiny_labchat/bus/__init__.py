"""Messages between the processes of a lab, over a server that passes them on."""

from __future__ import annotations

from shiny_labchat.bus.bus import Bus
from shiny_labchat.bus.by_url import transport_for
from shiny_labchat.bus.subscriber import Subscriber

__all__ = ["Bus", "Subscriber", "transport_for"]
