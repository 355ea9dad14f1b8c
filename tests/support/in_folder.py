"""Go on as ``python ...`` in another folder, whose packages are then found first: FOLDER ..."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    folder, *command = sys.argv[1:]
    os.chdir(folder)
    os.execv(sys.executable, [sys.executable, *command])
