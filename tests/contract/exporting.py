"""A process that exports again and again, to be killed: ``python -m tests.contract.exporting``."""

from __future__ import annotations

import asyncio
import sys

from shiny_labchat import Lab


async def main(url: str, folder: str) -> None:
    lab = Lab(url)
    while True:
        await lab.export(folder, progress=lambda done, total: print(done, total, flush=True))
        print("made", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
