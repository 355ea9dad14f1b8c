"""Export of a log to files. It needs a log, and neither a lab nor pages."""

from __future__ import annotations

__all__: list[str] = []
