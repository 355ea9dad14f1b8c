"""What `labchat demo` shows: a page that explains itself, with two people side by side."""

from __future__ import annotations

from shiny_labchat.demo.app import make_app

__all__ = ["make_app"]
