"""
An export takes the same memory however much there is, and not much longer than SQLite's own dump.

The dump is what the program ``sqlite3 -csv`` prints of the same rows in the same run: all columns
of the events of all rooms, with the study, id and kind of their room, in order. The export makes
all of its tables of them, with their hashes. Both are measured in processor time, so that what else
the machine does counts for neither; the start of Python is left out.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from shiny_labchat import Lab
from tests.support.large_log import fill

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("sqlite_only")]

FEW, MANY = 100_000, 1_000_000
MOST_GROWTH = 20 * 2**20
"""Bytes by which the memory of an export of many messages may be above that of few."""
MOST_TIMES = 12
"""How often the time of the dump the export may take."""
DUMP = (
    "SELECT event.*, room.study, room.id, room.kind FROM event JOIN room ON room.key = event.room "
    "ORDER BY event.room, event.seq"
)
EXPORT = """
import asyncio, json, re, sys, time
from pathlib import Path
from shiny_labchat import Lab

async def main(url, folder):
    started = time.process_time()
    made = await lab.export(folder)
    used = time.process_time() - started
    status = Path("/proc/self/status").read_text()  # ru_maxrss has that of the parent, too
    rss = int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024
    print(json.dumps({"seconds": used, "rss": rss, "rows": made.counts["messages"]}))

lab = Lab(sys.argv[1])
asyncio.run(main(*sys.argv[1:]))
"""


async def database(folder: Path, messages: int) -> Path:
    path = folder / f"{messages}.db"
    lab = Lab(f"sqlite:///{path}")
    await fill(lab, messages)
    lab.log.close()
    return path


def export(path: Path, folder: Path) -> dict[str, float]:
    """Export a database in a process of its own; what that took."""
    command = sys.executable, "-c", EXPORT, f"sqlite:///{path}", str(folder)
    done = subprocess.run(command, capture_output=True, check=True, timeout=3_000)
    return json.loads(done.stdout)


def dump(path: Path, to: Path) -> float:
    """Dump a database; the processor's seconds that took."""
    program = shutil.which("sqlite3")
    assert program is not None, "Debian's package sqlite3 is needed: apt-get install sqlite3"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with to.open("wb") as file:
        subprocess.run([program, "-csv", str(path), DUMP], stdout=file, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    shutil.rmtree(tmp_path)  # it is large


async def test_a_million_messages_take_the_memory_of_few_and_some_times_the_dump(
    folder: Path,
) -> None:
    few = export(await database(folder, FEW), folder / "few")
    path = await database(folder, MANY)
    many = export(path, folder / "many")
    dumped = dump(path, folder / "dump.csv")
    print(f"few {few}, many {many}, sqlite3 -csv {dumped:.2f} s")
    assert (few["rows"], many["rows"]) == (FEW, MANY)
    assert many["rss"] - few["rss"] < MOST_GROWTH
    assert many["seconds"] < MOST_TIMES * dumped


async def test_printing_the_messages_ends_as_soon_as_nobody_reads(folder: Path) -> None:
    path = await database(folder, FEW)
    command = sys.executable, "-c", "from shiny_labchat.cli import main; main()"
    lines, status, said = print_ten((*command, "export", "--db", str(path), "--out", "-"))
    assert lines[0].startswith(b'"row_id"') and len(lines) == 10
    assert (status, said) == (0, b"")
    lab = Lab(f"sqlite:///{path}")
    rows = await lab.log.read(lambda conn: conn.exec_driver_sql(
        "SELECT data FROM event WHERE kind = 'exported'"
    ).scalars().all())  # fmt: skip
    lab.log.close()
    assert len(rows) == 1, "what was read of it is on record"
    assert len(json.loads(rows[0])["people"]) < FEW // 10_000 * 8, "it did not go on to the end"


def print_ten(command: Sequence[str]) -> tuple[list[bytes], int, bytes]:
    """As ``| head``: read ten lines, and close; these, the status, and what is said."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None and process.stderr is not None
        lines = [process.stdout.readline() for _ in range(10)]
        process.stdout.close()
        said = process.stderr.read()
        return lines, process.wait(120), said
