"""The files of an app that are on record, by their hashes."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from pathlib import Path

from shiny_labchat.lab.environment import MOST_BYTES, MOST_FILES, environment_of


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def files_of(folder: Path) -> set[str]:
    return set(environment_of(folder)["files"])


def test_versions_and_hashes_are_those_of_the_program(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "stimuli/one.csv")
    found = environment_of(tmp_path)
    assert found["python"].endswith(platform.python_version()) and found["complete"] is True
    assert found["packages"]["shiny_labchat"] == metadata.version("shiny_labchat")
    assert list(found["packages"]) == ["shiny_labchat", "shiny", "shinychat", "chatlas",
                                       "SQLAlchemy"]  # fmt: skip
    assert found["files"] == {
        name: hashlib.sha256(name.encode()).hexdigest() for name in ("app.py", "stimuli/one.csv")
    }


def test_secrets_databases_and_what_is_hidden_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "app.py", ".env", "prod.env", "secrets.toml", "api_key.txt", "labchat.db")
    write(tmp_path, "labchat.db-wal", ".git/config.py", "credentials.json", "id.pem", "notes.docx")
    assert files_of(tmp_path) == {"app.py"}


def test_exports_and_environments_of_python_are_not_the_app(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "venv/pyvenv.cfg", "venv/lib/x.py", "data/labchat-export.json")
    write(tmp_path, "data/messages.csv", "node_modules/x/y.js", "__pycache__/app.py")
    assert files_of(tmp_path) == {"app.py"}


def test_links_and_large_files_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "app.py")
    (tmp_path / "large.csv").write_bytes(b"x" * (MOST_BYTES + 1))
    (tmp_path / "link.py").symlink_to("/etc/hosts")
    (tmp_path / "all").symlink_to("/etc")
    assert files_of(tmp_path) == {"app.py"}


def test_more_files_than_are_noted_are_said_to_be_there(tmp_path: Path) -> None:
    write(tmp_path, *(f"{n:04}.py" for n in range(MOST_FILES + 1)))
    found = environment_of(tmp_path)
    assert len(found["files"]) == MOST_FILES and found["complete"] is False


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert files_of(tmp_path / "gone") == set()
