"""The tests of shiny_labchat; `python -m tests` runs them all."""
