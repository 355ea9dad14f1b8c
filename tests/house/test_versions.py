"""The versions that the package declares: it works at both ends of every range."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from .code import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = ("llm", "nats", "postgres", "redis")
"""Those whose packages are imported by modules of ours, as they are loaded."""
DECLARED = [
    Requirement(line)
    for lines in (
        PROJECT["dependencies"],
        *(PROJECT["optional-dependencies"][extra] for extra in EXTRAS),
    )
    for line in lines
]


def end_of(requirement: Requirement, operator: str) -> str:
    [version] = [each.version for each in requirement.specifier if each.operator == operator]
    return version


def lowest(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}=={end_of(requirement, '>=')}"


@pytest.mark.parametrize("requirement", DECLARED, ids=str)
def test_every_range_has_two_ends(requirement: Requirement) -> None:
    assert sorted(each.operator for each in requirement.specifier) == ["<", ">="]
    assert end_of(requirement, ">=") in requirement.specifier


@pytest.mark.long
@pytest.mark.parametrize("end", ["lowest", "highest"])
def test_the_package_works_at_both_ends_of_every_range(end: str, tmp_path: Path) -> None:
    """A fresh environment, with what users get and nothing of the tests' own."""
    pins = [lowest(each) for each in DECLARED] if end == "lowest" else []
    environment = tmp_path / "environment"
    python = str(environment / "bin" / "python")
    run(sys.executable, "-m", "venv", str(environment))
    run(python, "-m", "pip", "install", "--quiet", f"{ROOT}[{','.join(EXTRAS)}]", *pins)
    said = run(python, "-W", "ignore", "-m", "tests.support.smoke")
    assert said.endswith("all of it works\n")


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
