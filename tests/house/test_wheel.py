"""What a user gets."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from hatch_build import joined_page
from tests.support.wheel import built

from .code import PACKAGE


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(built(tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="session")
def contents(wheel: zipfile.ZipFile) -> list[str]:
    return wheel.namelist()


def test_the_wheel_has_all_of_the_package_but_for_the_files_of_the_page(
    contents: list[str],
) -> None:
    wanted = {
        str(Path("shiny_labchat") / path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*")
        if path.is_file() and not {"__pycache__", "www"} & set(path.parts)
    }
    assert wanted <= set(contents)
    for name in ("py.typed", "www/labchat.js", "www/labchat.css", "store/migrations/env.py"):
        assert f"shiny_labchat/{name}" in contents
    assert any(name.startswith("shiny_labchat/store/migrations/versions/") for name in contents)


def test_the_wheel_has_the_page_in_one_script_and_one_style_sheet(wheel: zipfile.ZipFile) -> None:
    joined = joined_page(PACKAGE / "www")
    assert set(joined) == {"labchat.js", "labchat.css", "unloaded.js"}
    folder = "shiny_labchat/www/"
    page = {name for name in wheel.namelist() if name.startswith(folder)}
    assert page == {f"{folder}{name}" for name in joined}
    for name, text in joined.items():
        assert wheel.read(f"{folder}{name}").decode() == text


def test_the_wheel_has_the_licence_and_nothing_that_is_not_meant_for_users(
    contents: list[str],
) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in contents)
    tops = {name.split("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"shiny_labchat"}
    assert not [name for name in contents if name.endswith((".db", ".pyc", ".db-wal"))]
