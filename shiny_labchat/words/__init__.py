"""The words that participants read, by key, in each language of the catalogue."""

from __future__ import annotations

from shiny_labchat.words.catalogue import CATALOGUE, ENGLISH, Words, check_texts, slots_of

__all__ = ["CATALOGUE", "ENGLISH", "Words", "check_texts", "slots_of"]
