"""Attacks a real server for a while: ``python -m tests.fuzz --seconds 60 --seed 1``."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import click

from tests.fuzz.world import attacked, fresh_seed


@click.command(epilog="\b\nExample:\n  python -m tests.fuzz --seconds 60 --seed 1")
@click.option("--seconds", default=60.0, show_default=True, help="How long to attack.")
@click.option("--seed", type=int, help="What all that is random comes from; else a new one.")
def main(seconds: float, seed: int | None) -> None:
    """Attack a real server, and say what broke."""
    seed = fresh_seed() if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="labchat-fuzz-") as folder:
        asyncio.run(attacked(seconds, seed, Path(folder), click.echo))


if __name__ == "__main__":
    main(prog_name="python -m tests.fuzz")
