"""What is said of the disk that a database is on."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shiny_labchat.doctor.disk import (
    LITTLE,
    SLOW_FLUSH,
    check_disk,
    check_flush,
    check_kept,
    check_kind,
    check_readers,
    check_space,
    kind_of,
)

MOUNTS = """overlay / overlay rw,relatime 0 0
/dev/sda1 /srv ext4 rw 0 0
server:/share /srv/share nfs4 rw 0 0
/dev/sdb1 /srv/my\\040disk xfs rw 0 0
tmpfs /tmp tmpfs rw 0 0
"""
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/me", "overlay"),
        ("/srv/pilot", "ext4"),
        ("/srv/share/pilot", "nfs4"),
        ("/srv/my disk/pilot", "xfs"),
        ("/tmp", "tmpfs"),
    ],
)
def test_a_folder_is_on_the_file_system_that_is_mounted_nearest(folder: str, kind: str) -> None:
    assert kind_of(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize(
    ("kind", "verdict"), [("ext4", "ok"), ("nfs4", "wrong"), ("cifs", "wrong"), ("overlay", "note")]
)
def test_a_network_is_wrong_and_what_a_restart_empties_is_noted(kind: str, verdict: str) -> None:
    assert check_kind(kind).verdict == verdict


def test_little_space_is_noted_and_too_little_is_wrong() -> None:
    found = [check_space(free).verdict for free in (LITTLE, LITTLE - 1, LITTLE // 10 - 1)]
    assert found == ["ok", "note", "wrong"]


def test_a_disk_that_is_slow_as_a_rule_is_noted_and_one_slow_time_is_not() -> None:
    fast, slow = SLOW_FLUSH / 10, SLOW_FLUSH * 2
    assert check_flush([fast, fast, slow]).verdict == "ok"
    assert check_flush([fast, slow, slow]).verdict == "note"


def test_a_marker_that_is_there_after_a_restart_says_that_the_disk_is_kept(tmp_path: Path) -> None:
    marker = tmp_path / "lab.db.doctor"
    assert "was left now" in check_kept(marker, "first", NOW).says
    assert "no restart" in check_kept(marker, "first", NOW).says
    kept = check_kept(marker, "second", NOW)
    assert kept.verdict == "ok" and "2026-03-01" in kept.says


def test_a_record_that_all_users_may_read_is_noted() -> None:
    assert [check_readers(mode).verdict for mode in (0o600, 0o640, 0o644)] == ["ok", "ok", "note"]


def test_looking_leaves_nothing_but_the_marker(tmp_path: Path) -> None:
    found = list(check_disk(tmp_path / "lab.db"))
    assert {finding.about for finding in found} >= {"disk", "space", "restart"}
    assert os.listdir(tmp_path) == ["lab.db.doctor"]


def test_a_folder_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    [found] = check_disk(tmp_path / "none" / "lab.db")
    assert found.verdict == "wrong" and str(tmp_path / "none") in found.says and found.change
