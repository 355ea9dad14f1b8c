"""Scripts as Shiny runs them: at boot without a browser, and once per session."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from anyio import open_process, run_process
from click.testing import CliRunner
from websockets.asyncio.client import connect

from shiny_labchat import Lab, Refused
from shiny_labchat.access.identity import invitation
from shiny_labchat.cli import main
from tests.support.backend import FreshUrl
from tests.support.page import fetch_key
from tests.support.server import ROOT, Server, shiny_run

HELLO = ROOT / "tests" / "browser" / "apps" / "wanted" / "hello.py"
LINKS = [sys.executable, "-c", "from shiny_labchat.cli import main; main()", "links"]
CORE = """
from shiny import App, ui
from shiny_labchat import Chat, chat_ui

app = App(ui.page_fluid(chat_ui("chat")), lambda input: Chat("chat") and None)
"""
TWENTY_TIMES = """
import sys
from pathlib import Path
from shiny.express._run import run_express
from shiny.express._stub_session import ExpressStubSession
from shiny.session import session_context
from shiny_labchat.lab.runtime import opened_logs

for _ in range(20):
    with session_context(ExpressStubSession()):
        run_express(Path(sys.argv[1]), "app")
print(len(opened_logs()), [log.exists for log in opened_logs()])
"""


def test_a_script_run_twenty_times_at_boot_leaves_one_lab_and_no_file(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(HELLO.read_text())
    command = [sys.executable, "-c", TWENTY_TIMES, str(app)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "1 [False]"


async def test_twenty_sessions_of_a_script_are_in_one_room(fresh_url: FreshUrl) -> None:
    url = fresh_url()
    server = Server(shiny_run(HELLO), url)
    server.start()
    try:
        for n in range(20):
            await _come(server.port, f"browser-{n:020}")
        lab = Lab(url)
        (room,) = await lab.rooms()
        assert (room.study, room.id) == ("wanted", "chat")
        assert len(await room.members()) == 20
        lab.log.close()
    finally:
        server.stop()


async def _come(port: int, key: str) -> None:
    """Open a session as a page does, and stay until the chat has given it a ticket."""
    own = await fetch_key(port)
    hello = {"page": "page-" + key, "key": own, "browser": key, "tab": key, "n": 1}
    data = {"chat_hello": hello, ".clientdata_url_search": ""}
    async with connect(f"ws://127.0.0.1:{port}/websocket/", proxy=None) as session:
        await session.send(json.dumps({"method": "init", "data": data}))
        async for frame in session:
            if "labchat" in json.loads(frame).get("custom", {}):
                assert json.loads(frame)["custom"]["labchat"]["do"] == "admit"
                return


@pytest.mark.parametrize(
    "command", [[], ["demo"], ["ends"], ["find"], ["links"], ["pay"], ["study"]], ids=str
)
def test_help_shows_an_example(command: list[str]) -> None:
    told = CliRunner().invoke(main, [*command, "--help"])
    assert told.exit_code == 0
    assert not command or "Example: labchat" in told.output


async def test_links_are_personal(tmp_path: Path, sqlite_only: None) -> None:
    path = tmp_path / "lab.db"
    lab = Lab(f"sqlite:///{path}")
    await lab.create_room("general", study="pilot")
    asked = ["ann", "ben", "--db", str(path), "--role", "experimenter", "--study", "pilot"]
    done = await run_process([*LINKS, *asked, "--pseudonym", "Ann", "--pseudonym", "Ben"])
    links = dict(line.split("\t") for line in done.stdout.decode().splitlines())
    for member, link in links.items():
        found = re.fullmatch(r"http://127\.0\.0\.1:8000/\?labchat=(\S+)", link)
        assert found is not None
        grant = await invitation(lab.log, found[1])
        assert grant is not None
        assert (grant.member, grant.role, grant.study) == (member, "experimenter", "pilot")
        assert grant.pseudonym == member.capitalize()
    assert set(links) == {"ann", "ben"}
    lab.log.close()


async def test_links_are_revoked_by_member(tmp_path: Path, sqlite_only: None) -> None:
    path = tmp_path / "lab.db"
    lab = Lab(f"sqlite:///{path}")
    await lab.create_room("general", study="pilot")
    db = ["--db", str(path)]
    made = await run_process([*LINKS, "ann", "ben", *db])
    await run_process([*LINKS, "ann", *db, "--study", "pilot"])
    for study, expected in ((["--study", "pilot"], "ann\trevoked 1\n"), ([], "ann\trevoked 1\n")):
        done = await run_process([*LINKS, "ann", *db, *study, "--revoke"])
        assert done.stdout.decode() == expected
    again = await run_process([*LINKS, "ann", "ben", *db, "--revoke"])
    assert again.stdout.decode() == "ann\trevoked 0\nben\trevoked 1\n"
    for line in made.stdout.decode().splitlines():
        with pytest.raises(Refused, match="revoked"):
            await invitation(lab.log, line.partition("?labchat=")[2])
    lab.log.close()


@pytest.mark.parametrize("option", [["--role", "observer"], ["--pseudonym", "Ann"]])
def test_what_is_for_new_links_is_not_for_revoking(option: list[str]) -> None:
    told = CliRunner().invoke(main, ["links", "ann", "--revoke", *option])
    assert told.exit_code == 2 and "leave them out to revoke" in told.output


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("https://lab.example.org", "https://lab.example.org?labchat="),
        ("https://x.org/?group=a", "https://x.org/?group=a&labchat="),
        ("https://x.org/?", "https://x.org/?labchat="),
        ("https://x.org/?a=1&#top", "https://x.org/?a=1&labchat="),
    ],
)
async def test_links_lead_where_the_app_is_and_into_the_database_that_it_uses(
    tmp_path: Path,
    fresh_url: FreshUrl,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    link: str,
) -> None:
    """The app takes its database from LABCHAT_URL, and what else is in its address counts."""
    url = fresh_url()
    monkeypatch.setenv("LABCHAT_URL", url)
    await Lab().create_room("general")
    done = await run_process([*LINKS, "ann", "--address", address], cwd=tmp_path)
    assert url.rpartition("/")[2] in done.stderr.decode()
    made = done.stdout.decode().strip().removeprefix("ann\t")
    assert made.startswith(link) and made.endswith("#top") == address.endswith("#top")
    lab = Lab()
    grant = await invitation(lab.log, made.removeprefix(link).removesuffix("#top"))
    assert grant is not None and grant.member == "ann"
    lab.log.close()


def test_links_into_no_database_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCHAT_URL", "nonsense")
    told = CliRunner().invoke(main, ["links", "ann"])
    assert told.exit_code == 1 and told.output.startswith("Error: ")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--address", "notaurl"], "'notaurl' is not the address of a page, such as https://"),
        (["--address", "ftp://x.org/"], "is not the address of a page"),
        (["--address", "https://"], "is not the address of a page"),
        (["--role", "obsever"], "'obsever' is not one of"),
        (["--pseudonym", "A", "--pseudonym", "B"], "--pseudonym is given 2 times for 1 members"),
        (["--pseudonym", "Player {x}"], "the only slot of a template is {n}"),
    ],
)
async def test_links_that_would_open_nothing_are_not_made(
    tmp_path: Path, sqlite_only: None, asked: list[str], sentence: str
) -> None:
    await Lab(f"sqlite:///{tmp_path}/labchat.db").create_room("general")
    done = await run_process([*LINKS, "ann", *asked], cwd=tmp_path, check=False)
    assert done.returncode != 0 and done.stdout == b""
    assert sentence in done.stderr.decode()


async def test_links_in_the_wrong_folder_make_no_file(tmp_path: Path, sqlite_only: None) -> None:
    for asked in ([], ["--db", "typo.db"], ["--db", "no/lab.db"]):
        done = await run_process([*LINKS, "ann", *asked], cwd=tmp_path, check=False)
        assert done.returncode == 1 and done.stdout == b""
        said = done.stderr.decode()
        assert said.startswith(f"Error: there is no database {tmp_path}/") and "--db" in said
        assert said.count("Error") == 1
    assert list(tmp_path.iterdir()) == []


async def test_links_for_a_study_without_rooms_come_with_a_note(
    tmp_path: Path, sqlite_only: None
) -> None:
    await Lab(f"sqlite:///{tmp_path}/labchat.db").create_room("general", study="pilot")
    done = await run_process([*LINKS, "ann", "--study", "pilto"], cwd=tmp_path)
    assert b"no room of study 'pilto' yet, only of: pilot" in done.stderr


async def test_several_workers_are_told_what_does_not_reach_over_processes(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CORE)
    port = str(Server([], "").port)
    command = [sys.executable, "-m", "uvicorn", "app:app", "--workers", "2", "--port", port]
    env = {**os.environ, "LABCHAT_BUS": "none"}
    async with await open_process(command, cwd=tmp_path, env=env) as uvicorn:
        try:
            assert uvicorn.stderr is not None
            said = ""
            async with asyncio.timeout(60):
                async for some in uvicorn.stderr:
                    said += some.decode()
                    if "the app runs in 2 processes" in said:
                        break
            assert "who is typing, and the button that stops an answer do not reach over" in said
        finally:
            uvicorn.terminate()


def test_a_port_in_use_is_told_with_what_to_do(server: Server) -> None:
    told = CliRunner().invoke(main, ["demo", "--no-browser", "--port", str(server.port)])
    assert told.exit_code == 1
    assert "--port" in told.output
