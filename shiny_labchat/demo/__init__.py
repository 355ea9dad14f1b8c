"""The app of `labchat demo`: a page with an explanation and two people side by side."""

from __future__ import annotations

from shiny_labchat.demo.app import make_app

__all__ = ["make_app"]
