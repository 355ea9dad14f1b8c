"""What is printed of what a server, a driver or somebody at the keyboard has said."""

from __future__ import annotations

import pytest

from shiny_labchat.doctor.address import Address
from shiny_labchat.doctor.finding import note, ok, wrong


def test_whatever_was_said_is_one_line_that_changes_no_terminal() -> None:
    said = "refused\n\tIs it running?\x1b[2J\x9b"
    for finding in (ok("x", said), note("x", said), wrong("x", said, "")):
        assert finding.says == "refused Is it running??[2J?"


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="no password") as raised:
        Address.of("https://ann:secret@lab.example.org/")
    assert "secret" not in str(raised.value)
