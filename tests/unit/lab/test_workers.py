"""In how many processes an app was told to run."""

from __future__ import annotations

import pytest

from shiny_labchat.lab.runtime import _workers


@pytest.mark.parametrize(
    ("arguments", "default", "count"),
    [
        ([], None, 1),
        (["app:app", "--port", "8000"], None, 1),
        (["app:app", "--workers", "2"], None, 2),
        (["--workers=4", "app:app"], "2", 4),
        (["-w", "3", "app:app"], None, 3),
        (["app:app"], "2", 2),
        (["app:app"], "many", 1),
        (["app:app", "--workers"], None, 1),
        (["run", "app.py"], "1", 1),
    ],
)
def test_the_option_of_uvicorn_and_gunicorn_is_read(
    arguments: list[str], default: str | None, count: int
) -> None:
    assert _workers(arguments, default) == count
