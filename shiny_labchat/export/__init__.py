"""
Exports of a database to files, and these files as data frames.

An export is written with :meth:`Lab.export() <shiny_labchat.Lab.export>` or the command ``labchat
export``.
"""

from __future__ import annotations

from shiny_labchat.export.reading import Export, read
from shiny_labchat.public import publish

__all__ = ["Export", "read"]

publish(__name__, __all__, globals())
