"""The disk that an SQLite database is on."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from shiny_labchat.doctor.finding import Finding, note, ok, typical, wrong

__all__ = [
    "LITTLE",
    "NETWORK",
    "PASSING",
    "SLOW_FLUSH",
    "check_disk",
    "check_kept",
    "check_kind",
    "check_readers",
    "check_space",
    "kind_of",
]

NETWORK = ("9p", "afs", "ceph", "cifs", "fuse.sshfs", "lustre", "nfs", "nfs4", "smb3", "smbfs")
"""File systems of a network, which do not keep SQLite's locks."""
PASSING = ("aufs", "overlay", "ramfs", "tmpfs")
"""File systems that are emptied when the machine or the container is started anew."""
LITTLE = 1_000_000_000
"""Free bytes below which it is said; a tenth of it is too few."""
SLOW_FLUSH = 0.02
"""Time for storing 4 kB above which it is said, in seconds: each message takes it."""
FLUSHES = 20
MOUNTS = Path("/proc/self/mounts")


def check_disk(path: Path) -> Iterator[Finding]:
    """Look at the folder of a database, and at its file if there is one."""
    folder = path.parent
    if not folder.is_dir():
        yield wrong("folder", f"there is no folder {folder}", "make it, or correct the URL")
        return
    try:
        flushes = _flushes(folder)
    except OSError as exc:
        change = "let the app's user write there, or move the database to another folder"
        yield wrong("folder", f"nothing can be stored in {folder}: {exc.strerror}", change)
        return
    yield check_flush(flushes)
    yield check_space(shutil.disk_usage(folder).free)
    if MOUNTS.exists():
        yield check_kind(kind_of(folder, MOUNTS.read_text(encoding="utf-8", errors="replace")))
    yield check_kept(Path(f"{path}.doctor"), _start(), datetime.now(UTC))
    if path.exists() and os.name == "posix":
        yield check_readers(path.stat().st_mode)


def _flushes(folder: Path) -> list[float]:
    """How long it took to store some bytes for sure, a few times."""
    took: list[float] = []
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".labchat-doctor-") as file:
        for _ in range(FLUSHES):
            began = time.perf_counter()
            file.write(bytes(4_096))
            file.flush()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return took


def check_flush(took: list[float]) -> Finding:
    """Look at how long the disk takes to store something for sure."""
    says = f"it stores 4 kB in {typical(took)}, and in {1000 * max(took):.1f} ms at worst"
    if sorted(took)[len(took) // 2] <= SLOW_FLUSH:
        return ok("disk", says)
    change = "use a local solid state disk: each message waits for this"
    return note("disk", says, change)


def check_space(free: int) -> Finding:
    """Look at how much is free."""
    says = f"{free / 1e9:.1f} GB are free"
    if free >= LITTLE:
        return ok("space", says)
    change = "make room: on a full disk nothing can be said any more"
    return (wrong if free < LITTLE / 10 else note)("space", says, change)


def kind_of(folder: Path, mounts: str) -> str:
    """The kind of file system that a folder is on, of what the system says is mounted."""
    found, longest = "", -1
    for line in mounts.splitlines():
        _, point, kind, *_ = [*line.split(" "), "", "", ""]
        mounted = Path(point.replace("\\040", " ") or "/nowhere")
        if folder.is_relative_to(mounted) and len(mounted.parts) >= longest:
            found, longest = kind, len(mounted.parts)
    return found


def check_kind(kind: str) -> Finding:
    """Look at a kind of file system."""
    if kind in NETWORK:
        change = "move the database to a local disk, or use PostgreSQL"
        return wrong(
            "file system", f"it is on a network ({kind}), where SQLite can lose data", change
        )
    if kind in PASSING:
        change = "mount a volume that stays, and have LABCHAT_URL name a file on it"
        says = f"it is emptied when the machine or the container is started anew ({kind})"
        return note("file system", says, change)
    return ok("file system", f"it is a local disk ({kind or 'unknown'})")


def check_kept(marker: Path, start: str, now: datetime) -> Finding:
    """
    Look whether a marker is there that was left before the machine or container was started.

    Parameters
    ----------
    marker
        The file; it is made if it is not there.
    start
        The name of this start.
    now
        The time.
    """
    try:
        since, _, left_in = marker.read_text(encoding="utf-8").strip().partition(" ")
    except OSError:
        marker.write_text(f"{now.isoformat(timespec='seconds')} {start}\n", encoding="utf-8")
        change = "run this again after the next restart; if it says the same, the disk was emptied"
        return note("restart", f"a marker was left now: {marker.name}", change)
    if left_in != start:
        return ok("restart", f"the disk has kept its marker of {since} over a restart")
    change = "run this again after the next restart, to know whether the disk is kept"
    return note("restart", f"since its marker of {since} there was no restart", change)


def _start() -> str:
    """The name of this start of the machine, or of the container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        boot = ""
    return f"{platform.node()}/{boot}"


def check_readers(mode: int) -> Finding:
    """Look who may read the file, by its mode."""
    if not mode & stat.S_IROTH:
        return ok("file", "other users of the machine cannot read the record")
    change = "chmod o= on the file, and on those beside it whose names begin alike"
    return note("file", "every user of the machine can read the record", change)
