"""Export of a log to files, and reading these. It needs a log, and neither a lab nor pages."""

from __future__ import annotations

from shiny_labchat.export.reading import Export, read

__all__ = ["Export", "read"]
