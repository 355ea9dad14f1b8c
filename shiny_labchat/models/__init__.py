"""Talking to language models; knows no rooms."""
