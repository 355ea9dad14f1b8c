"""A room in one Shiny session: admission, messages, reactive reads, bookmarks."""

from __future__ import annotations

from shiny_labchat.chat import install

install.install()
