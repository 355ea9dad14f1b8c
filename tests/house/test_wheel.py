"""What a user gets."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .code import PACKAGE, ROOT


@pytest.fixture(scope="session")
def contents(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_has_all_of_the_package(contents: list[str]) -> None:
    wanted = {
        str(Path("shiny_labchat") / path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= set(contents)
    for name in ("py.typed", "www/labchat.js", "www/labchat.css", "store/migrations/env.py"):
        assert f"shiny_labchat/{name}" in contents
    assert any(name.startswith("shiny_labchat/store/migrations/versions/") for name in contents)


def test_the_wheel_has_the_licence_and_nothing_that_is_not_meant_for_users(
    contents: list[str],
) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in contents)
    tops = {name.split("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"shiny_labchat"}
    assert not [name for name in contents if name.endswith((".db", ".pyc", ".db-wal"))]
